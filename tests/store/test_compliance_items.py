"""Items of compliance that were told."""

from dataclasses import replace

from tests.store.samples import NOW, UNICODE, later, node

from patchwindow.domain.baseline import ComplianceLevel, ComplianceStatus
from patchwindow.domain.compliance_item import ComplianceItem
from patchwindow.store.compliance_items import SetCount
from patchwindow.store.work import Work

GOOD = ComplianceItem(
    id="a",
    title=UNICODE,
    severity=ComplianceLevel.CRITICAL,
    status=ComplianceStatus.COMPLIANT,
    details={"Free": UNICODE},
    execution_time=NOW,
    execution_id="run",
    execution_type="Command",
)
BAD = replace(
    GOOD,
    id="b",
    severity=ComplianceLevel.LOW,
    status=ComplianceStatus.NON_COMPLIANT,
    execution_time=later(1),
    execution_id="later",
)


def register(work: Work, *ids: str) -> None:
    for id in ids:
        work.nodes.put(node(id), operating_system="DEBIAN", patch_group="")


def put(work: Work, node_id: str, type_: str, *items: ComplianceItem, content_hash: str = "") -> None:
    work.compliance_items.put(node_id, type_, items, latest=items[-1], content_hash=content_hash)


def test_items_come_back_as_they_were_put_with_what_they_make_of_the_node(work: Work) -> None:
    register(work, "mi-1")
    put(work, "mi-1", "Custom:Disk", GOOD, BAD, content_hash="h1")
    found = work.compliance_items.get("mi-1", "Custom:Disk")
    assert found is not None
    assert found.items == (GOOD, BAD)
    assert (found.status, found.overall_severity) == (ComplianceStatus.NON_COMPLIANT, ComplianceLevel.LOW)
    assert (found.execution_time, found.execution_id, found.execution_type) == (later(1), "later", "Command")
    assert found.content_hash == "h1"


def test_a_node_whose_items_are_all_compliant_has_no_severity(work: Work) -> None:
    register(work, "mi-1")
    put(work, "mi-1", "Association", GOOD)
    (found,) = work.compliance_items.of("mi-1")
    assert (found.status, found.overall_severity) == (ComplianceStatus.COMPLIANT, ComplianceLevel.UNSPECIFIED)


def test_items_replace_the_former_of_their_type_alone(work: Work) -> None:
    register(work, "mi-1")
    put(work, "mi-1", "Custom:Disk", GOOD)
    size = work.compliance_items.size_of("mi-1")
    put(work, "mi-1", "Association", GOOD)
    put(work, "mi-1", "Custom:Disk", BAD, BAD)
    assert [(one.compliance_type, one.items) for one in work.compliance_items.of("mi-1")] == [
        ("Association", (GOOD,)),
        ("Custom:Disk", (BAD, BAD)),
    ]
    assert work.compliance_items.size_of("mi-1") > 2 * size
    work.compliance_items.delete("mi-1", "Association")
    assert work.compliance_items.types() == {"Custom:Disk"}
    assert work.compliance_items.has_type("Custom:Disk")
    assert not work.compliance_items.has_type("Association")
    assert work.compliance_items.get("mi-1", "Association") is None


def test_pages_go_by_node_and_type(work: Work) -> None:
    register(work, "mi-1", "mi-2")
    for node_id in ("mi-2", "mi-1"):
        for type_ in ("Custom:B", "Association"):
            put(work, node_id, type_, GOOD)
    every = [("mi-1", "Association"), ("mi-1", "Custom:B"), ("mi-2", "Association"), ("mi-2", "Custom:B")]

    def page(after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
        found = work.compliance_items.page(after=after, limit=limit)
        return [(one.node_id, one.compliance_type) for one in found]

    assert page(("", ""), 10) == every
    assert page(every[0], 2) == every[1:3]
    assert page(("mi-1", ""), 10) == every
    assert page(every[3], 10) == []


def test_nodes_are_counted_by_type_status_and_severity(work: Work) -> None:
    register(work, "mi-1", "mi-2", "mi-3")
    put(work, "mi-1", "Custom:Disk", BAD)
    put(work, "mi-2", "Custom:Disk", GOOD, BAD)
    put(work, "mi-3", "Custom:Disk", GOOD)
    put(work, "mi-3", "Association", GOOD)
    assert sorted(work.compliance_items.tally(), key=lambda one: (one.compliance_type, one.status)) == [
        SetCount("Association", "COMPLIANT", "UNSPECIFIED", 1),
        SetCount("Custom:Disk", "COMPLIANT", "UNSPECIFIED", 1),
        SetCount("Custom:Disk", "NON_COMPLIANT", "LOW", 2),
    ]


def test_a_deleted_node_takes_its_items_with_it(work: Work) -> None:
    register(work, "mi-1")
    put(work, "mi-1", "Custom:Disk", BAD)
    work.nodes.delete("mi-1")
    assert work.compliance_items.of("mi-1") == []
    assert work.compliance_items.tally() == []
