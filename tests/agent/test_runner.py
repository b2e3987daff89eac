"""What becomes of a document's steps, with a shell that answers from a table."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.agent.fake_server import shell_step

from patchwindow_agent.errors import Refused, Unusable
from patchwindow_agent.journal import TRANSITIONS, Journal, Record, State, command_id_of
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.results import End, Ended
from patchwindow_agent.runner import Node, Runner
from patchwindow_agent.shell import Script, Stop
from patchwindow_agent.streams import Streams


@dataclass
class Shell:
    """Each script is the exit code that it ends with."""

    ran: list[str] = field(default_factory=list)
    environs: list[Mapping[str, str]] = field(default_factory=list)
    graces_s: list[int] = field(default_factory=list)

    def run(self, script: Script, stop: Stop) -> Ended:
        self.ran.append(script.text.strip())
        self.environs.append(script.environ)
        self.graces_s.append(script.grace_s)
        if script.text.startswith("stop"):
            stop.ask(End.AGENT_STOPPED)
            return Ended(End.AGENT_STOPPED, 137, "", "")
        if script.text.startswith("cancel"):
            stop.ask(End.CANCELLED)
            return Ended(End.CANCELLED, 137, "", "")
        return Ended(End.BY_ITSELF, int(script.text), "", "")


@dataclass
class Bench:
    """A runner on a folder."""

    folder: Path
    can_reboot: bool = True
    shell: Shell = field(default_factory=Shell)
    documents: dict[str, Any] = field(default_factory=dict)
    # What the server says of commands that were left.
    over: str = ""

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder / "commands")
        self.outbox = Outbox(self.folder / "replies", log=print)
        node = Node("Linux", {}, can_reboot=self.can_reboot)
        self.streams = Streams(self.folder / "output", node_id="mi-1")
        self.runner = Runner(
            node=node,
            journal=self.journal,
            outbox=self.outbox,
            streams=self.streams,
            shell=self.shell.run,
            document=self.document,
            why_over=lambda _: self.over,
        )

    def document(self, name: str) -> str:
        if name not in self.documents:
            raise Refused("InvalidDocument", f"document {name} does not exist", status=400)
        return json.dumps(self.documents[name])

    def run(self, *steps: dict[str, Any], record: Record | None = None) -> bool:
        payload = json.dumps({"DocumentContent": {"schemaVersion": "2.2", "mainSteps": list(steps)}})
        return self.runner.run("c-1", record or Record("aws.ssm.c-1.mi-1", payload), Stop())

    def replies(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        self.outbox.flush(lambda body: told.append(json.loads(body["Payload"])))
        return told

    def steps(self) -> dict[str, tuple[str, int]]:
        """Return what became of the steps, each told by one reply, and of the document."""
        *told, last = self.replies()
        steps = {
            name: (step["status"], step["code"]) for reply in told for name, step in reply["runtimeStatus"].items()
        }
        return {**steps, "document": (last["documentStatus"], len(last["runtimeStatus"]))}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_failed_step_does_not_stop_the_document(bench: Bench) -> None:
    bench.run(shell_step("a", "3"), shell_step("b", "0"))
    assert bench.steps() == {"a": ("Failed", 3), "b": ("Success", 0), "document": ("Failed", 0)}


def test_the_last_reply_repeats_the_step_of_a_document_that_has_one(bench: Bench) -> None:
    bench.run(shell_step("a", "0"))
    assert bench.steps() == {"a": ("Success", 0), "document": ("Success", 1)}


@pytest.mark.parametrize(
    ("exit_code", "inputs", "first", "document"),
    [
        ("168", {}, ("Success", 168), "Success"),
        ("169", {}, ("Failed", 169), "Failed"),
        ("2", {"onFailure": "exit"}, ("Failed", 2), "Failed"),
        ("2", {"onFailure": "successAndExit"}, ("Success", 168), "Success"),
        ("0", {"onSuccess": "exit"}, ("Success", 0), "Success"),
    ],
)
def test_an_exit_skips_the_rest_but_the_final_step(
    bench: Bench, exit_code: str, inputs: dict[str, str], first: tuple[str, int], document: str
) -> None:
    final = shell_step("final", "0", finallyStep="true")
    bench.run(shell_step("a", exit_code, **inputs), shell_step("b", "0"), final)
    assert bench.steps() == {
        "a": first,
        "b": ("Skipped", 0),
        "final": ("Success", 0),
        "document": (document, 0),
    }
    assert bench.shell.ran == [exit_code, "0"]


def test_a_step_for_another_platform_is_skipped_and_an_unknown_action_fails(bench: Bench) -> None:
    other = {**shell_step("win", "0"), "precondition": {"StringEquals": ["platformType", "Windows"]}}
    odd = {**shell_step("odd", "0"), "precondition": {"Matches": []}}
    bench.run(other, odd, {"action": "aws:configurePackage", "name": "package", "inputs": {}})
    first, second, third, _ = bench.replies()
    assert first["runtimeStatus"]["win"]["status"] == "Skipped"
    assert "platformType, Windows" in first["runtimeStatus"]["win"]["output"]
    assert second["runtimeStatus"]["odd"]["status"] == "Failed"
    assert "does not run aws:configurePackage" in third["runtimeStatus"]["package"]["output"]
    assert bench.shell.ran == []


def test_a_cancellation_ends_the_step_and_lets_no_other_begin(bench: Bench) -> None:
    bench.run(shell_step("a", "cancel"), shell_step("b", "0"))
    assert bench.steps() == {"a": ("Cancelled", 137), "b": ("Cancelled", 137), "document": ("Cancelled", 0)}
    assert bench.shell.ran == ["cancel"]


def test_counts_add_up_over_the_replies(bench: Bench) -> None:
    bench.run(shell_step("a", "3"), shell_step("b", "0"))
    counts = [reply["additionalInfo"]["runtimeStatusCounts"] for reply in bench.replies()]
    assert counts == [{"Failed": 1}, {"Failed": 1, "Success": 1}, {"Failed": 1, "Success": 1}]


def test_a_reboot_is_kept_and_the_same_step_runs_again(bench: Bench) -> None:
    assert bench.run(shell_step("a", "0"), shell_step("b", "194"), shell_step("c", "0"))
    assert bench.steps()["document"] == ("SuccessAndReboot", 0)
    (record,) = Bench(bench.folder).journal.unfinished().values()
    assert (record.state, record.step_index, record.reboot_count) == (State.REBOOTING, 1, 1)

    resumed = Bench(bench.folder)
    resumed.run(record=record._replace(payload=record.payload.replace("194", "0")))
    assert resumed.steps() == {"b": ("Success", 0), "c": ("Success", 0), "document": ("Success", 0)}
    assert resumed.shell.ran == ["0", "0"]
    assert not resumed.journal.unfinished()


def test_a_command_may_not_reboot_the_machine_for_ever(bench: Bench) -> None:
    assert bench.run(shell_step("a", "194"))
    for _ in range(4):
        (record,) = bench.journal.unfinished().values()
        assert bench.run(record=record)
    (record,) = bench.journal.unfinished().values()
    bench.replies()
    assert not bench.run(record=record)
    assert bench.steps() == {"a": ("Failed", 194), "document": ("Failed", 1)}


def test_a_step_that_was_cut_off_fails_the_command_and_keeps_what_was_done(bench: Bench) -> None:
    payload = json.dumps(
        {"DocumentContent": {"schemaVersion": "2.2", "mainSteps": [shell_step("a", "0"), shell_step("b", "0")]}}
    )
    cut_off = Record("aws.ssm.c-1.mi-1", payload).moved(State.RUNNING, step_index=1)
    bench.journal.save("c-1", cut_off)
    bench.runner.fail("c-1", cut_off, "the power went")
    (last,) = bench.replies()
    assert last["documentStatus"] == "Failed"
    step = last["runtimeStatus"]["b"]
    assert (step["code"], step["name"], step["standardOutput"]) == (1, "", "")
    assert step["output"] == "the document ended unexpectedly: the power went"
    assert bench.journal.knows("c-1")
    assert not bench.journal.unfinished()


def cut_off(step: dict[str, Any]) -> Record:
    payload = json.dumps({"DocumentContent": {"schemaVersion": "2.2", "mainSteps": [shell_step("a", "0"), step]}})
    return Record("aws.ssm.c-1.mi-1", payload).moved(State.RUNNING, step_index=1)


def test_a_step_that_says_so_runs_again_where_it_was_cut_off(bench: Bench) -> None:
    record = cut_off(shell_step("b", "0", resumable=True))
    assert bench.runner.may_run_again(record)
    bench.run(record=record)
    assert bench.steps() == {"b": ("Success", 0), "document": ("Success", 1)}
    assert bench.shell.ran == ["0"]


def test_a_step_that_runs_again_by_itself_has_time_to_end_when_it_is_cancelled(bench: Bench) -> None:
    bench.run(shell_step("a", "0"), shell_step("b", "0", resumable=True))
    assert bench.shell.graces_s == [0, 240]


@pytest.mark.parametrize("is_waiting_for_reboot", [False, True])
def test_what_was_left_begins_nothing_more_where_its_command_is_over(bench: Bench, is_waiting_for_reboot: bool) -> None:  # noqa: FBT001  (a parameter of cases)
    payload = json.dumps({"DocumentContent": {"schemaVersion": "2.2", "mainSteps": [shell_step("a", "0")]}})
    record = Record("aws.ssm.c-1.mi-1", payload, is_left=True)
    if is_waiting_for_reboot:
        record = record.moved(State.RUNNING).moved(State.REBOOTING)
    bench.over = "command c-1 was cut off at 2026-01-15T17:00:00Z"
    assert not bench.run(record=record)
    (told,) = bench.replies()
    assert told["documentStatus"] == told["runtimeStatus"]["a"]["status"] == "Cancelled"
    assert told["runtimeStatus"]["a"]["output"] == f"nothing more was begun: {bench.over}"
    assert bench.shell.ran == []
    assert not bench.journal.unfinished()


def test_what_was_left_runs_where_its_command_is_not_over_and_what_has_just_come_is_not_asked_about(
    bench: Bench,
) -> None:
    payload = json.dumps({"DocumentContent": {"schemaVersion": "2.2", "mainSteps": [shell_step("a", "0")]}})
    bench.run(record=Record("aws.ssm.c-1.mi-1", payload, is_left=True))
    bench.over = "it is over"
    bench.run(record=Record("aws.ssm.c-2.mi-1", payload))
    bench.run(record=cut_off(shell_step("b", "0", resumable=True))._replace(is_left=True))
    assert bench.shell.ran == ["0", "0", "0"], "what asks its server itself does so"


def test_only_the_step_that_was_cut_off_learns_of_it(bench: Bench) -> None:
    steps = [shell_step("a", "194", resumable=True), shell_step("b", "0")]
    payload = json.dumps({"DocumentContent": {"schemaVersion": "2.2", "mainSteps": steps}})
    assert bench.run(record=Record("aws.ssm.c-1.mi-1", payload).moved(State.RUNNING))
    (record,) = bench.journal.unfinished().values()
    # This end the agent has learned.
    bench.run(record=record._replace(payload=payload.replace("194", "0")))
    told = [environ.get("PATCHWINDOW_CUT_OFF") for environ in bench.shell.environs]
    assert told == ["yes", None, None]


@pytest.mark.parametrize("said", [{}, {"resumable": "false"}])
def test_a_step_that_does_not_say_so_is_not_run_again(bench: Bench, said: dict[str, str]) -> None:
    assert not bench.runner.may_run_again(cut_off(shell_step("b", "0", **said)))


def test_a_step_that_is_cut_off_each_time_is_given_up(bench: Bench) -> None:
    record = cut_off(shell_step("b", "stop", resumable="true"))
    for _ in range(5):
        assert bench.runner.may_run_again(record)
        assert not bench.run(record=record)
        unfinished = bench.journal.unfinished()
        record = unfinished.get("c-1", record)
    assert bench.replies()[-1]["documentStatus"] == "Failed"
    assert not bench.journal.unfinished()


def runs(name: str, document: str, **inputs: Any) -> dict[str, Any]:
    given = {"documentType": "SSMDocument", "documentPath": document, **inputs}
    return {"action": "aws:runDocument", "name": name, "inputs": given}


def document(*steps: dict[str, Any], **declared: Any) -> dict[str, Any]:
    return {"schemaVersion": "2.2", "mainSteps": list(steps), "parameters": declared}


def test_a_document_that_a_step_runs_is_one_result(bench: Bench) -> None:
    windows = {**shell_step("w", "9"), "precondition": {"StringEquals": ["platformType", "Windows"]}}
    greeting = shell_step("b", "{{ code }}")
    bench.documents = {"hook": document(windows, shell_step("a", "3"), greeting, code={"default": "0"})}
    bench.run(runs("hook", "hook"), shell_step("next", "0"))
    assert bench.steps() == {"hook": ("Failed", 3), "next": ("Success", 0), "document": ("Failed", 0)}
    assert bench.shell.ran == ["3", "0", "0"]


def test_a_document_is_run_with_the_parameters_that_the_step_gives_it(bench: Bench) -> None:
    declared = {"code": {"type": "String"}, "other": {"default": "0"}}
    bench.documents = {"hook": document(shell_step("a", "{{ code }}"), shell_step("b", "{{ other }}"), **declared)}
    bench.run(runs("hook", "hook", documentParameters={"code": "5"}))
    assert bench.steps()["hook"] == ("Failed", 5)
    assert bench.shell.ran == ["5", "0"]


@pytest.mark.parametrize(
    "first",
    [
        runs("first", "none", onFailure="exit"),
        {"action": "aws:somethingNew", "name": "first", "inputs": {"onFailure": "exit"}},
        {**shell_step("first", "0", onFailure="exit"), "precondition": {"Matches": []}},
        # The agent may not reboot the machine.
        shell_step("first", "194", onFailure="exit"),
    ],
)
def test_a_step_that_fails_before_or_after_its_script_ends_the_document_too_where_it_says_so(
    tmp_path: Path, first: dict[str, Any]
) -> None:
    """Specification: "`onFailure: exit`: following steps `Skipped`, document `Failed`"."""
    bench = Bench(tmp_path, can_reboot=False)
    bench.run(first, shell_step("next", "0"), shell_step("last", "0", finallyStep="true"))
    steps = bench.steps()
    assert [steps[name][0] for name in ("first", "next", "last", "document")] == [
        "Failed",
        "Skipped",
        "Success",
        "Failed",
    ]


@pytest.mark.parametrize("code", ["0", "168"])
def test_a_document_that_ends_itself_does_not_end_the_one_that_runs_it(bench: Bench, code: str) -> None:
    bench.documents = {"hook": document(shell_step("a", code), shell_step("b", "0"))}
    bench.run(runs("hook", "hook"), shell_step("next", "0"))
    assert bench.steps() == {"hook": ("Success", 0), "next": ("Success", 0), "document": ("Success", 0)}
    assert bench.shell.ran == (["0", "0", "0"] if code == "0" else ["168", "0"])


def test_a_reboot_within_a_document_runs_the_step_again_that_asked_for_it(bench: Bench) -> None:
    bench.documents = {"hook": document(shell_step("a", "0"), shell_step("b", "194"), shell_step("c", "0"))}
    assert bench.run(runs("hook", "hook"))
    (record,) = bench.journal.unfinished().values()
    resumed = Bench(bench.folder, documents={"hook": document(*(shell_step(name, "0") for name in "abc"))})
    assert not resumed.run(record=record)
    assert resumed.shell.ran == ["0", "0"]


def test_a_failure_before_a_reboot_within_a_document_is_not_forgotten(bench: Bench) -> None:
    bench.documents = {"hook": document(shell_step("a", "4"), shell_step("b", "194"))}
    assert bench.run(runs("hook", "hook"))
    bench.replies()
    (record,) = bench.journal.unfinished().values()
    resumed = Bench(bench.folder, documents={"hook": document(shell_step("a", "4"), shell_step("b", "0"))})
    assert not resumed.run(record=record)
    assert resumed.steps()["hook"] == ("Failed", 4)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (runs("hook", "none"), "document none does not exist"),
        (runs("hook", "wants"), "its parameters code have no default"),
        (runs("hook", "nests"), "document nests: step deep is aws:runDocument; here it may only be aws:runShellScript"),
        (runs("hook", "odd"), "document odd: step a: its precondition is not one StringEquals"),
        (runs("hook", "", documentType="SSMDocument"), "documentPath the name of a document"),
        (runs("hook", "fine", documentType="LocalPath"), "its documentType must be SSMDocument"),
        (runs("hook", "fine", documentParameters={"cod": "0"}), "it has no parameters cod, which it is given"),
        (runs("hook", "fine", documentParameters="code"), "its documentParameters must be an object"),
    ],
)
def test_a_document_that_cannot_be_run_fails_its_step_before_it_begins(
    bench: Bench, step: dict[str, Any], reason: str
) -> None:
    bench.documents = {
        "wants": document(shell_step("a", "0"), code={"type": "String"}),
        "nests": document(shell_step("a", "0"), runs("deep", "fine")),
        "odd": document({**shell_step("a", "0"), "precondition": {"Matches": []}}),
        "fine": document(shell_step("a", "0")),
    }
    bench.run(step)
    first, _ = bench.replies()
    assert first["runtimeStatus"]["hook"]["status"] == "Failed"
    assert reason in first["runtimeStatus"]["hook"]["output"]
    assert bench.shell.ran == []


@pytest.mark.parametrize(("can_reboot", "told"), [(True, None), (False, "this agent may not reboot the machine")])
def test_a_step_knows_before_whether_the_machine_may_be_rebooted(
    tmp_path: Path,
    can_reboot: bool,  # noqa: FBT001  (a parameter of cases)
    told: str | None,
) -> None:
    bench = Bench(tmp_path, can_reboot=can_reboot)
    bench.run(shell_step("a", "0"))
    assert [environ.get("PATCHWINDOW_CANNOT_REBOOT") for environ in bench.shell.environs] == [told]


def test_a_finished_command_is_remembered_without_its_scripts(bench: Bench) -> None:
    bench.run(shell_step("a", "0"))
    kept = (bench.folder / "commands/c-1/record.json").read_text()
    assert "runCommand" not in kept
    assert bench.journal.knows("c-1")


def test_commands_that_ended_long_ago_are_forgotten_and_young_ones_are_not(bench: Bench) -> None:
    bench.run(shell_step("a", "0"))
    written_at = (bench.folder / "commands/c-1").stat().st_mtime
    for number in range(100):
        newer = f"newer-{number}"
        bench.journal.save(newer, Record("m", "p").moved(State.FINISHED))
        os.utime(bench.folder / "commands" / newer, (written_at + 1, written_at + 1))
    bench.journal.forget_old(written_at + 47 * 3600)
    assert bench.journal.knows("c-1")
    bench.journal.forget_old(written_at + 49 * 3600)
    assert not bench.journal.knows("c-1")


def test_a_clock_that_jumps_makes_no_command_forgotten_that_may_come_again_or_has_not_ended(bench: Bench) -> None:
    bench.run(shell_step("a", "0"))
    bench.journal.save("waiting", Record("m", "p"))
    bench.journal.forget_old(time.time() + 10 * 365 * 86_400)
    assert bench.journal.knows("c-1")
    assert set(bench.journal.unfinished()) == {"waiting"}


def test_every_state_has_a_row_is_reachable_and_a_finished_command_stays_so() -> None:
    assert set(TRANSITIONS) == set(State)
    assert not TRANSITIONS[State.FINISHED]
    reached = {State.ACCEPTED}
    while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
        reached |= more
    assert reached == set(State)
    with pytest.raises(AssertionError):
        Record("m", "p", State.FINISHED).moved(State.RUNNING)


@pytest.mark.parametrize("id", ["", "x", "aws.ssm..mi-1", "aws.ssm.../../etc.mi-1", "aws.ssm.a/b.mi-1"])
def test_a_message_id_that_could_lead_out_of_the_folder_is_refused(id: str) -> None:
    with pytest.raises(Unusable, match="is not of the form"):
        command_id_of(id)


def test_a_message_id_names_its_command() -> None:
    assert command_id_of("aws.ssm.bab3573d-dbe4-4e88.mi-0123456789abcdef0") == "bab3573d-dbe4-4e88"
