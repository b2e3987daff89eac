"""AWS-RunPatchBaselineWithHooks on our agent: the order of its steps, and what a failure of each leads to."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from patchwindow.documents import library
from patchwindow.domain.patch_parts import WITH_HOOKS
from patchwindow_agent.journal import Journal, Record
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.results import End, Ended
from patchwindow_agent.runner import Node, Runner
from patchwindow_agent.shell import Script, Stop
from patchwindow_agent.streams import Streams

HOOKS = {"PreInstallHookDocName": "Pre", "PostInstallHookDocName": "Post", "OnExitHookDocName": "Exit"}
ALL = ["scan", "Pre", "install", "Post", "reboot", "Exit"]


class Bench:
    """An agent whose scripts end with the codes of a table, by part or hook; the others end with 0."""

    def __init__(self, folder: Path, codes: Mapping[str, int]) -> None:
        self.codes = dict(codes)
        self.ran: list[str] = []
        self.journal = Journal(folder / "commands")
        self.outbox = Outbox(folder / "replies", log=print)
        self.runner = Runner(
            node=Node("Linux", {}, can_reboot=True),
            journal=self.journal,
            outbox=self.outbox,
            streams=Streams(folder / "output", node_id="mi-1"),
            shell=self.shell,
            document=self.document,
            why_over=lambda _: "",
        )

    def shell(self, script: Script, _: Stop) -> Ended:
        part = re.search(r"^PATCHWINDOW_PART='(.*)'$", script.text, flags=re.MULTILINE)
        name = part[1] if part else script.text.strip()
        self.ran.append(name)
        # The part is said before the operation begins.
        assert part is None or script.text.index("export PATCHWINDOW_PART") < script.text.index("exec ")
        return Ended(End.BY_ITSELF, self.codes.pop(name, 0), "", "")

    def document(self, name: str) -> str:
        steps = [{"name": "only", "action": "aws:runShellScript", "inputs": {"runCommand": [name]}}]
        return json.dumps({"schemaVersion": "2.2", "mainSteps": steps})

    def run(self, operation: str, record: Record | None = None) -> bool:
        content = library.get(WITH_HOOKS).content
        given = {"Operation": operation, **HOOKS, "PatchwindowUrl": "http://x/", "PatchwindowDigest": "0"}
        payload = json.dumps({"DocumentContent": content, "Parameters": given})
        return self.runner.run("c-1", record or Record("aws.ssm.c-1.mi-1", payload), Stop())

    def last(self) -> dict[str, Any]:
        told: list[dict[str, Any]] = []
        self.outbox.flush(lambda body: told.append(json.loads(body["Payload"])))
        return told[-1]


@pytest.mark.parametrize(
    ("operation", "codes", "ran", "status"),
    [
        ("Install", {}, ALL, "Success"),
        # Nothing is left to do after the scan.
        ("Install", {"scan": 168}, ["scan", "Exit"], "Success"),
        ("Install", {"scan": 1}, ["scan", "Exit"], "Failed"),
        ("Install", {"Pre": 1}, ["scan", "Pre", "Exit"], "Failed"),
        ("Install", {"install": 1}, ["scan", "Pre", "install", "Exit"], "Failed"),
        ("Install", {"Post": 1}, ["scan", "Pre", "install", "Post", "Exit"], "Failed"),
        ("Install", {"reboot": 1}, ALL, "Failed"),
        ("Install", {"Exit": 1}, ALL, "Failed"),
        ("Scan", {"scan": 168}, ["scan"], "Success"),
        ("Scan", {"scan": 1}, ["scan"], "Failed"),
    ],
)
def test_the_steps_run_in_this_order(
    tmp_path: Path, operation: str, codes: dict[str, int], ran: list[str], status: str
) -> None:
    bench = Bench(tmp_path, codes)
    assert not bench.run(operation)
    assert bench.ran == ran
    assert bench.last()["documentStatus"] == status


def test_what_is_skipped_counts_as_a_success_beside_the_one_that_failed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"Pre": 1})
    bench.run("Install")
    counts = bench.last()["additionalInfo"]["runtimeStatusCounts"]
    assert counts == {"Failed": 1, "Success": 2, "Skipped": 9}


@pytest.mark.parametrize("at", ["reboot", "Post", "Exit"])
def test_a_reboot_runs_the_same_part_again_and_goes_on(tmp_path: Path, at: str) -> None:
    bench = Bench(tmp_path, {at: 194})
    assert bench.run("Install")
    (record,) = bench.journal.unfinished().values()
    again = Bench(tmp_path, {})
    assert not again.run("Install", record)
    assert bench.ran + again.ran == [*ALL[: ALL.index(at) + 1], *ALL[ALL.index(at) :]]
