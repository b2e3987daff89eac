"""Files of overrides, and by which snapshot a command goes."""

import dataclasses
import json
import re
from typing import Any

import pytest
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.override import Listed
from patchwindow.domain.run import TaskExecution, TaskInvocation, WindowExecution
from patchwindow.domain.window import TaskType, WindowTask
from patchwindow.operations import snapshots
from patchwindow.operations.overrides import baseline_of, install_list_in
from patchwindow.operations.snapshots import basis_of
from patchwindow.store.snapshots import SnapshotKey

DEBIAN = OperatingSystem.DEBIAN
URL = "https://mirror.example/overrides.json"
GUIDE = b"""
patches:
  - id: 'kernel.x86_64'
  - id: 'bind*.x86_64'
    title: '39.11.4-26.P2.amzn1.5.2'
  - id: 'KB4284833'
    title: 'free text on Windows'
"""


def test_a_list_is_read_from_yaml_and_from_json() -> None:
    expected = (
        Listed("kernel.x86_64"),
        Listed("bind*.x86_64", "39.11.4-26.P2.amzn1.5.2"),
        Listed("KB4284833", "free text on Windows"),
    )
    assert install_list_in(GUIDE) == expected
    entries = [{"id": one.id, **({"title": one.title} if one.title else {})} for one in expected]
    assert install_list_in(json.dumps({"patches": entries}).encode()) == expected


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"patches: [", "the install override list is no YAML: "),
        (b"\xff\xfe\x00", "the install override list is no YAML: "),
        (b"[" * 50_000, "the install override list is no YAML: "),
        (b"patches: !!python/object/apply:os.getcwd []", "the install override list is no YAML: "),
        (b"", "has no list 'patches'"),
        (b"patches:\n  - id: 4284833\n", "patches[0].id: 4284833 is no text"),
        (b"patches:\n  - id: 2026-01-01\n", "patches[0].id: datetime.date(2026, 1, 1) is no text"),
    ],
)
def test_what_is_no_list_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(Invalid, match=re.escape(problem)):
        install_list_in(content)


@pytest.mark.parametrize("fold", ["[{}]", "{{<<: [{}]}}"])
def test_a_list_that_repeats_itself_is_not_unfolded(fold: str) -> None:
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{n}: &a{n} {fold.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 30)]
    with pytest.raises(Invalid, match="the install override list is no YAML: found an alias; write it out"):
        install_list_in("\n".join([*lines, "patches: [{id: *a29}]"]).encode())


def test_a_baseline_is_read_as_get_patch_baseline_answers(here: Installation) -> None:
    """ "a list of objects shaped like GetPatchBaseline output"."""
    own = here.perform("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN", RejectedPatches=["telnet"])
    entry = here.perform("GetPatchBaseline", BaselineId=own["BaselineId"])
    with here.database.read() as work:
        stored = work.baselines.get(own["BaselineId"])
    assert stored is not None
    found = baseline_of(json.dumps([entry], default=str).encode(), DEBIAN)
    assert found == dataclasses.replace(stored.baseline, created_date=None, modified_date=None)


def test_names_are_optional_and_those_of_another_form_are_not_shown() -> None:
    for names in ({}, {"Name": "a\nb", "BaselineId": ["pb"]}, {"Name": None, "BaselineId": ""}):
        found = baseline_of(json.dumps([{"OperatingSystem": "DEBIAN", **names}]).encode(), DEBIAN)
        assert (found.name, found.baseline_id) == ("BaselineOverride", "BaselineOverride")


def basis(here: Installation, command_id: str = "c", group: str = "web", **parameters: str) -> Any:
    with here.call("order") as call:
        return basis_of(call, command_id, parameters, DEBIAN, group)


def sent_by_window(here: Installation, command_id: str, execution_id: str) -> None:
    """Keep a window execution that has sent the command."""
    now = here.clock.now()
    task = WindowTask(
        window_id="mw", window_task_id="t", task_arn="AWS-RunPatchBaseline", task_type=TaskType.RUN_COMMAND
    )
    with here.database.write() as work:
        if work.executions.get(execution_id) is None:
            work.executions.open(
                WindowExecution(
                    window_execution_id=execution_id,
                    window_id="mw",
                    opens_at=now,
                    cutoff_at=now,
                    ends_at=now,
                    status="IN_PROGRESS",
                    start_time=now,
                ),
                wake_at=None,
            )
            work.executions.put_task(
                TaskExecution(
                    task_execution_id=f"te-{execution_id}",
                    window_execution_id=execution_id,
                    ordinal=0,
                    status="IN_PROGRESS",
                    task=task,
                )
            )
        work.executions.put_invocation(
            TaskInvocation(
                invocation_id=f"ti-{command_id}",
                task_execution_id=f"te-{execution_id}",
                ordinal=0,
                window_target_id=None,
                targets=(),
                owner_information="",
                command_id=command_id,
                status="IN_PROGRESS",
            )
        )


def test_a_command_without_id_window_and_override_goes_by_no_snapshot(here: Installation) -> None:
    assert basis(here) is None
    assert basis(here, SnapshotId="", BaselineOverride="", InstallOverrideList=URL) is None


def test_the_id_given_is_the_id_in_any_case(here: Installation) -> None:
    found = basis(here, SnapshotId="6F1D1A7E-0000-4000-8000-00000000000A")
    assert (found.key.snapshot_id, found.key.override, found.url) == ("6f1d1a7e-0000-4000-8000-00000000000a", "", "")


def test_all_invocations_of_one_window_execution_share_a_snapshot(here: Installation) -> None:
    for command_id in ("c-1", "c-2"):
        sent_by_window(here, command_id, "we-1")
    here.clock.advance(snapshots.DOWNLOAD)
    sent_by_window(here, "c-3", "we-2")
    first, second, third = (basis(here, command_id) for command_id in ("c-1", "c-2", "c-3"))
    assert first == second
    assert first.key == SnapshotKey(snapshot_id="we-1", patch_group="web", operating_system=DEBIAN)
    assert third.key.snapshot_id == "we-2"
    assert basis(here, "c-1", SnapshotId="6f1d1a7e-0000-4000-8000-00000000000a").key.snapshot_id.startswith("6f1d")


def test_an_override_is_frozen_for_its_command_and_each_url_by_itself(here: Installation) -> None:
    first, again, other = (
        basis(here, BaselineOverride=URL),
        basis(here, BaselineOverride=URL),
        basis(here, BaselineOverride=f"{URL}?2"),
    )
    assert first == again
    assert (first.key.snapshot_id, first.url) == ("c", URL)
    assert first.key != other.key
    # It may be signed, which nobody needs to read in the database.
    assert URL not in first.key.override


def test_two_overrides_are_refused_for_every_operation(here: Installation) -> None:
    with pytest.raises(Invalid, match="are both given; give only one of them"):
        basis(here, BaselineOverride=URL, InstallOverrideList=URL)


def test_the_document_for_associations_knows_neither_snapshots_nor_overrides(here: Installation) -> None:
    assert basis(here, Operation="Scan", RebootOption="NoReboot") is None
