"""What is kept of patch operations: progress, orders, and lists."""

from dataclasses import replace

import pytest
from tests.store.samples import NOW, UNICODE, command, invocation, later

from patchwindow.domain.override import Listed
from patchwindow.store.patch_operations import PatchOrder, PatchProgress
from patchwindow.store.work import Work

PROGRESS = PatchProgress(node_id="mi-1", phase="Installing", done=3, total=12, what=UNICODE, told_at=NOW)
ORDER = PatchOrder(node_id="mi-1", baseline_id="pb-1", baseline_revision=4, made_at=NOW)


@pytest.fixture
def sent(work: Work) -> Work:
    """A transaction in which a command was sent to three nodes."""
    work.commands.add(command(), [invocation(f"mi-{number}", ordinal=number) for number in (1, 2, 3)], wake_at=NOW)
    return work


def test_the_last_word_of_each_node_is_kept_and_listed_in_order(sent: Work) -> None:
    others = [replace(PROGRESS, node_id=node_id) for node_id in ("mi-3", "mi-2")]
    after = replace(PROGRESS, done=4, told_at=later(1))
    for one in (*others, PROGRESS, after):
        sent.patch_operations.put_progress("c-1", one)
    assert sent.patch_operations.progress("c-1", limit=9) == [after, *reversed(others)]
    assert sent.patch_operations.progress("c-1", after="mi-1", limit=1) == [others[1]]
    assert sent.patch_operations.progress("c-2", limit=9) == []


def test_an_operation_that_said_nothing_has_nothing_to_end(sent: Work) -> None:
    sent.patch_operations.end_progress("c-1", "mi-1", phase="Reported", now=NOW)
    assert sent.patch_operations.progress("c-1", limit=9) == []
    sent.patch_operations.put_progress("c-1", PROGRESS)
    sent.patch_operations.end_progress("c-1", "mi-1", phase="Reported", now=later(5))
    assert sent.patch_operations.progress("c-1", limit=9) == [
        PatchProgress(node_id="mi-1", phase="Reported", told_at=later(5))
    ]


def test_by_what_the_last_order_was_made_is_kept(sent: Work) -> None:
    by_override = replace(ORDER, node_id="mi-2", baseline_revision=None)
    for one in (replace(ORDER, baseline_revision=3), ORDER, by_override):
        sent.patch_operations.put_order("c-1", one)
    assert sent.patch_operations.orders("c-1", ["mi-1", "mi-2", "mi-3"]) == {"mi-1": ORDER, "mi-2": by_override}


def test_the_first_list_of_a_command_stays(sent: Work) -> None:
    assert sent.patch_operations.list_of("c-1") is None
    first = (Listed("bash.*", "bash.*:2*"), Listed(UNICODE))
    sent.patch_operations.put_list("c-1", first)
    sent.patch_operations.put_list("c-1", (Listed("curl"),))
    assert sent.patch_operations.list_of("c-1") == first
