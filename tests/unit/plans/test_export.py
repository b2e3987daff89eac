"""A plan of what is there."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from tests.fakes.in_process import InProcess
from tests.unit.plans.generated import plans

from patchwindow.plans import Applied, adopt, apply, compare, export, parse_plan, read_plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def applied(client: InProcess, text: str) -> Applied:
    return apply(client, compare(client, parse_plan(text, "plan.yaml"), now=NOW))


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans)
def test_export_apply_export_is_a_fixed_point(drawn: dict[str, Any]) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        first, second = InProcess(Path(one)), InProcess(Path(other))
        applied(first, yaml.safe_dump(drawn))
        exported = export(first, "drawn")
        assert exported.notes == ()
        done = applied(first, exported.text)
        assert (done.created, done.updated, done.left) == ((), (), ())
        applied(second, exported.text)
        assert export(second, "drawn").text == exported.text


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(plans, plans)
def test_a_plan_that_is_pruned_over_another_leaves_what_it_makes_alone(
    former: dict[str, Any], drawn: dict[str, Any]
) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        over, alone = InProcess(Path(one)), InProcess(Path(other))
        applied(over, yaml.safe_dump(former))
        plan = parse_plan(yaml.safe_dump(drawn), "plan.yaml")
        apply(over, compare(over, plan, now=NOW, prunes=True))
        assert compare(over, plan, now=NOW, prunes=True).coming == ()
        apply(alone, compare(alone, plan, now=NOW))
        assert export(over, "drawn").text == export(alone, "drawn").text


def test_the_reference_plan_comes_back_as_a_plan_that_changes_nothing(tmp_path: Path) -> None:
    client = InProcess(tmp_path)
    reference = read_plan(Path("plans/reference.yaml"))
    apply(client, compare(client, reference, now=NOW))
    exported = export(client, reference.name)
    assert exported.notes == ()
    assert applied(client, exported.text).updated == ()
    assert "Windows2012-All-Security" in exported.text


def test_what_was_made_by_hand_is_made_again_unless_it_is_adopted(tmp_path: Path) -> None:
    client = InProcess(tmp_path)
    window_id = client.create_maintenance_window(
        Name="by-hand", Schedule="rate(7 days)", Duration=4, Cutoff=1, AllowUnassociatedTargets=False
    )["WindowId"]
    target_id = client.register_target_with_maintenance_window(
        WindowId=window_id, ResourceType="INSTANCE", Targets=[{"Key": "tag:Role", "Values": ["web"]}]
    )["WindowTargetId"]
    exported = export(client, "ours")
    assert [each.id for each in exported.adoptable] == [window_id]
    comparison = compare(client, parse_plan(exported.text, "plan.yaml"), now=NOW)
    assert [str(change) for change in comparison.coming] == [
        "create window by-hand",
        f"create target by-hand / {target_id}",
    ]
    adopt(client, exported)
    assert compare(client, parse_plan(exported.text, "plan.yaml"), now=NOW).coming == ()


def test_what_another_plan_has_made_is_left_out_and_counted(tmp_path: Path) -> None:
    client = InProcess(tmp_path)
    applied(client, "name: other\nwindows: {theirs: {schedule: rate(7 days), duration: 2, cutoff: 1}}")
    exported = export(client, "ours")
    assert yaml.safe_load(exported.text) == {"name": "ours"}
    assert exported.notes == ("left out: 1 resource of plan 'other'; --name other exports that plan",)


def test_what_plans_have_no_words_for_is_told(tmp_path: Path) -> None:
    client = InProcess(tmp_path)
    window_id = client.create_maintenance_window(
        Name="loose", Schedule="rate(7 days)", Duration=4, Cutoff=1, AllowUnassociatedTargets=True
    )["WindowId"]
    target_id = client.register_target_with_maintenance_window(
        WindowId=window_id,
        ResourceType="RESOURCE_GROUP",
        Name="group",
        Targets=[{"Key": "resource-groups:Name", "Values": ["web"]}],
    )["WindowTargetId"]
    notes = export(client, "ours").notes
    assert notes == (
        "not said exactly: window loose; an apply changes AllowUnassociatedTargets",
        f"not said: target loose / group ({target_id}), for which plans have no words",
    )


def test_two_resources_of_one_name_are_two_names_in_the_plan(tmp_path: Path) -> None:
    client = InProcess(tmp_path)
    for _ in range(2):
        client.create_patch_baseline(Name="twin", OperatingSystem="DEBIAN")
    exported = export(client, "ours")
    assert list(yaml.safe_load(exported.text)["baselines"]) == ["twin", "twin-2"]
