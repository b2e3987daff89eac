"""Associations, their versions and runs, and how runs stand on nodes."""

from collections import Counter
from dataclasses import replace
from typing import Any

from tests.store.samples import NOW, UNICODE, later, node

from patchwindow.domain.association import Association, AssociationStatus, Severity, SyncCompliance
from patchwindow.domain.association_execution import NodeStatus, Overview, State, together
from patchwindow.domain.association_run import NodeStanding, Run
from patchwindow.domain.window import Target
from patchwindow.store.associations import StoredAssociation
from patchwindow.store.work import Work

ID = "a-1"


def association(id: str = ID, **changes: Any) -> Association:
    value = Association(
        association_id=id,
        name="AWS-RunShellScript",
        instance_id="mi-1",
        document_version="1",
        parameters={"commands": [UNICODE]},
        targets=(Target(key="InstanceIds", values=("mi-1",)),),
        schedule_expression="rate(1 hour)",
        output_location={"S3Location": {"OutputS3BucketName": "logs"}},
        association_name="nightly",
        max_errors="1",
        max_concurrency="10%",
        compliance_severity=Severity.HIGH,
        sync_compliance=SyncCompliance.MANUAL,
        apply_only_at_cron_interval=False,
        schedule_offset=1,
        duration=2,
        alarm_configuration={"Alarms": []},
        association_dispatch_assume_role="arn:aws:iam::123456789012:role/dispatch",
        date=NOW,
        last_update_association_date=later(1),
        scheduled_at=later(2),
        status=AssociationStatus(date=NOW, name="Failed", message="no", additional_info="more"),
    )
    return replace(value, **changes)


def run(id: str = "e-1", **changes: Any) -> Run:
    value = Run(
        execution_id=id,
        association_id=ID,
        association_version="1",
        scheduled_at=NOW,
        created_at=later(1),
        ended_at=later(2),
        status=State.SUCCESS,
        details="Success",
        command_id="c-1",
    )
    return replace(value, **changes)


def put(work: Work, value: Association, minutes: float = 0) -> None:
    work.associations.put(value, is_wanted=True, next_run_at=later(60), wake_at=later(minutes))


def put_node(work: Work, id: str, minutes: float = 0) -> None:
    value = replace(node(id), last_ping_date_time=later(minutes))
    work.nodes.put(value, operating_system="DEBIAN", patch_group="")


def test_an_association_comes_back_as_it_was_put(work: Work) -> None:
    put(work, association())
    assert work.associations.get(ID) == StoredAssociation(association(), is_wanted=True, next_run_at=later(60))
    assert work.associations.lock(ID) == work.associations.get(ID)
    assert work.associations.of_node("mi-1", "AWS-RunShellScript") == association()
    assert work.associations.of_node("mi-2", "AWS-RunShellScript") is None
    assert work.associations.get("a-2") is None
    assert work.associations.count() == 1


def test_every_version_is_kept_until_the_association_goes(work: Work) -> None:
    second = association(association_version="2", name=None)
    put(work, association())
    put(work, second)
    assert work.associations.version(ID, 1) == association()
    assert work.associations.versions(ID, after=-1, limit=9) == [association(), second]
    assert work.associations.versions(ID, after=1, limit=9) == [second]
    rewritten = replace(second, status=None)
    work.associations.rewrite(rewritten)
    assert work.associations.version(ID, 2) == rewritten
    assert work.associations.get(ID) == StoredAssociation(rewritten, is_wanted=True, next_run_at=later(60))
    work.associations.delete(ID)
    assert work.associations.version(ID, 1) is None


def test_what_is_due_comes_in_order_and_leaves_with_its_plan(work: Work) -> None:
    for id, minutes in (("a-2", 2), ("a-1", 1), ("a-3", 3)):
        put(work, association(id), minutes)
    assert work.associations.due(later(2), 9) == ["a-1", "a-2"]
    assert work.associations.next_wake_at() == later(1)
    work.associations.plan("a-1", next_run_at=later(9), wake_at=None)
    assert work.associations.get("a-1") == StoredAssociation(association("a-1"), is_wanted=False, next_run_at=later(9))
    assert work.associations.due(later(2), 9) == ["a-2"]
    assert work.associations.want("a-1", NOW)
    assert not work.associations.want("a-9", NOW)
    assert work.associations.due(NOW, 9) == ["a-1"]
    assert [one.association_id for one in work.associations.page(after="a-1", limit=1)] == ["a-2"]


def test_an_instant_of_a_schedule_has_one_run_and_what_was_asked_for_any_number(work: Work) -> None:
    put(work, association())
    assert work.association_runs.start(run(), wake_at=None)
    assert not work.association_runs.start(run("e-2"), wake_at=None)
    assert work.association_runs.start(run("e-3", scheduled_at=None), wake_at=None)
    assert work.association_runs.start(run("e-4", scheduled_at=None), wake_at=None)
    assert work.association_runs.get("e-1") == run()
    assert work.association_runs.lock("e-1") == run()
    assert work.association_runs.get("e-2") is None


def test_runs_are_paged_the_newest_first(work: Work) -> None:
    put(work, association())
    for number in range(3):
        value = run(f"e-{number}", scheduled_at=None, created_at=later(number), status=list(State)[number])
        work.association_runs.start(value, wake_at=later(number))
    runs = work.association_runs
    assert [one.execution_id for one in runs.page(ID, before=None, limit=2)] == ["e-2", "e-1"]
    before = (int(later(1).timestamp() * 1000), "e-1")
    assert [one.execution_id for one in runs.page(ID, before=before, limit=2)] == ["e-0"]
    for sign, found in (("=", ["e-1"]), ("<", ["e-0"]), (">", ["e-2"])):
        page = runs.page(ID, before=None, limit=9, created=[(sign, later(1))])
        assert [one.execution_id for one in page] == found
    assert [one.execution_id for one in runs.page(ID, before=None, limit=9, statuses=["Success"])] == ["e-2"]
    assert [one.execution_id for one in runs.page(ID, before=None, limit=9, execution_ids=["e-0"])] == ["e-0"]
    assert runs.latest(ID) == runs.get("e-2")
    assert runs.last_success(ID) == later(2)
    assert runs.due(later(1), 9) == ["e-0", "e-1"]
    assert runs.next_wake_at() == NOW


def test_open_runs_are_those_that_have_not_ended(work: Work) -> None:
    put(work, association())
    still = run("e-2", scheduled_at=None, ended_at=None, status=State.IN_PROGRESS)
    for one in (run(), still):
        work.association_runs.start(one, wake_at=None)
    assert work.association_runs.lock_open(ID) == [still]
    work.association_runs.put(replace(still, ended_at=later(5)), wake_at=None)
    assert work.association_runs.lock_open(ID) == []


def test_the_latest_run_is_what_is_said_of_a_node(work: Work) -> None:
    put(work, association())
    for id in ("mi-1", "mi-2"):
        put_node(work, id)
    runs = work.association_runs
    runs.begin_on(run(), ["mi-1", "mi-2"])
    assert runs.open_count("e-1") == 2
    runs.stand(run(), [("mi-1", NodeStatus.SUCCESS, "Success", later(3))])
    assert runs.counts(ID) == {NodeStatus.PENDING: 1, NodeStatus.SUCCESS: 1}
    assert runs.on_node("mi-1") == {ID: NodeStanding("e-1", NodeStatus.SUCCESS, "Success", later(3))}
    runs.close("e-1", NodeStatus.TIMED_OUT, "Superseded", later(4))
    assert runs.on_node("mi-2") == {ID: NodeStanding("e-1", NodeStatus.TIMED_OUT, "Superseded", later(4))}
    assert runs.nodes_of(ID) == {"mi-1", "mi-2"}
    runs.forget_nodes(ID)
    assert runs.counts(ID) == {}


def test_nodes_are_lacking_that_it_never_ran_for_or_that_were_missed_and_are_back(work: Work) -> None:
    put(work, association())
    for id in ("mi-1", "mi-2", "mi-3", "mi-4"):
        put_node(work, id, 10 if id == "mi-3" else 1)
    work.tags.add("ManagedInstance", "mi-4", {"Role": "web"})
    runs = work.association_runs
    runs.stand(run(), [("mi-1", NodeStatus.FAILED, "Failed", NOW)])
    runs.stand(run(), [(id, NodeStatus.TIMED_OUT, "DeliveryTimedOut", later(5)) for id in ("mi-2", "mi-3")])
    assert runs.lacking(ID, ids=None, tags=[], limit=9) == ["mi-3", "mi-4"]
    assert runs.lacking(ID, ids=None, tags=[], limit=1) == ["mi-3"]
    assert runs.lacking(ID, ids={"mi-1", "mi-3"}, tags=[], limit=9) == ["mi-3"]
    assert runs.lacking(ID, ids=None, tags=[("Role", ["web"])], limit=9) == ["mi-4"]


def test_nodes_are_found_by_how_they_stand_with_all_their_associations(work: Work) -> None:
    ids = (ID, "a-2")
    for id in ids:
        put(work, association(id))
    pairs = [(first, second) for first in (*NodeStatus, None) for second in (*NodeStatus, None)]
    expected: dict[Overview | None, list[str]] = {one: [] for one in (*Overview, None)}
    for number, pair in enumerate(pairs):
        node_id = f"mi-{number:02}"
        put_node(work, node_id)
        for id, status in zip(ids, pair, strict=True):
            if status is not None:
                work.association_runs.stand(run(association_id=id), [(node_id, status, status, NOW)])
        expected[together(Counter(status for status in pair if status is not None))].append(node_id)

    def found(*standings: Overview) -> list[str]:
        page = work.nodes.page(after="", limit=99, columns={}, standings=standings)
        return [one.instance_id for one in page]

    for standing in Overview:
        assert found(standing) == expected[standing]
    assert found(*Overview) == sorted(set(found(*Overview)))
    assert len(found(*Overview)) == len(pairs) - 1
    assert found() == []
