"""One command from its first step to its last, saved before each, told after each."""

import time
from pathlib import Path
from typing import Callable, Mapping, NamedTuple, Optional, Sequence

from patchwindow_agent import documents, sub_document
from patchwindow_agent.documents import Refuse, Skip, Step
from patchwindow_agent.errors import AgentError, Unusable
from patchwindow_agent.journal import Journal, Record, State
from patchwindow_agent.outbox import Outbox
from patchwindow_agent.results import (
    EXIT_KILLED,
    EXIT_REBOOT,
    End,
    Ended,
    Result,
    Status,
    as_the_step_says,
    conclude,
    document_status,
    reply,
)
from patchwindow_agent.shell import Script, Stop
from patchwindow_agent.streams import Streams

# A step that asks for a reboot each time it runs would keep the machine from ever working again.
_REBOOTS_MAX = 5
# A step that brings the agent down each time would be run for ever.
_RESUMES_MAX = 5
# What knows by itself that it is cancelled is not killed at once: the package manager would go on without it, and
# nobody report what it did. The server waits 300 s for an answer.
_CANCEL_GRACE_S = 240
# Read by the patch operation, which is a program of its own and loads nothing of this.
_CANNOT_REBOOT = "PATCHWINDOW_CANNOT_REBOOT"
_CUT_OFF = "PATCHWINDOW_CUT_OFF"

_SHELL = "aws:runShellScript"
_ACTIONS = (_SHELL, "aws:runDocument")


class Node(NamedTuple):
    """What the runner knows of the node."""

    platform: str
    # What every script finds in its environment.
    environ: Mapping[str, str]
    # Whether this agent may reboot the machine.
    can_reboot: bool
    # Empty where the system does not name its boots.
    boot_id: str = ""


class Runner:
    """Runs commands. Several threads may, each another command."""

    def __init__(
        self,
        *,
        node: Node,
        journal: Journal,
        outbox: Outbox,
        streams: Streams,
        shell: Callable[[Script, Stop], Ended],
        document: Callable[[str], str],
        why_over: Callable[[str], str],
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Run scripts by *shell*.

        *document* returns the content of the document of a name, in JSON; *why_over* what the server says of a command,
        by the id of its message: why it may begin nothing more, empty while it may.
        """
        self._node = node
        self._journal = journal
        self._outbox = outbox
        self._streams = streams
        self._shell = shell
        self._document = document
        self._why_over = why_over
        self._wall = wall

    def run(self, command_id: str, record: Record, stop: Stop) -> bool:
        """Run what is left of a command; return whether it waits for a reboot.

        Raises:
            StateProblem: the state folder cannot be written.
        """
        steps = documents.parse_payload(record.payload)
        if record.is_left and not documents.is_resumable(steps[record.step_index]):
            over = self._why_over(record.message_id)
            if stop.reason is End.AGENT_STOPPED:
                return False
            if over:
                self._end(command_id, record, Status.CANCELLED, f"nothing more was begun: {over}")
                return False
        record = record._replace(is_left=False)
        if record.state is State.RUNNING:
            record = record._replace(resume_count=record.resume_count + 1, is_cut_off=True)
        for index in range(record.step_index, len(steps)):
            step = steps[index]
            record = record.moved(State.RUNNING, step_index=index)
            self._journal.save(command_id, record)
            is_skipped = record.is_exiting and not (
                index == len(steps) - 1 and documents.runs_in_spite_of_an_exit(step)
            )
            result = self._skipped(step) if is_skipped else self._result(command_id, step, index, record, stop)
            if stop.reason is End.AGENT_STOPPED:
                if not self.may_run_again(record):
                    self.fail(command_id, record, "the agent was stopped while the step ran")
                return False
            record = self._told(record, step, result)
            if result.status is Status.SUCCESS_AND_REBOOT:
                self._journal.save(command_id, self._rebooting(record))
                self._tell_end(record)
                return True
        self._tell_end(record)
        self._journal.save(command_id, record.moved(State.FINISHED))
        return False

    def _rebooting(self, record: Record) -> Record:
        return record.moved(
            State.REBOOTING,
            reboot_count=record.reboot_count + 1,
            boot_id=self._node.boot_id,
            is_reboot_asked=False,
        )

    def may_run_again(self, record: Record) -> bool:
        """Return whether the step of *record*, which was cut off, says that it knows by itself how far it came."""
        step = documents.parse_payload(record.payload)[record.step_index]
        return documents.is_resumable(step) and record.resume_count < _RESUMES_MAX

    def fail(self, command_id: str, record: Record, reason: str) -> None:
        """End a command whose step was cut off and may not run again: nobody knows how far it came.

        Raises:
            StateProblem: the state folder cannot be written.
        """
        self._end(command_id, record, Status.FAILED, f"the document ended unexpectedly: {reason}")

    def _end(self, command_id: str, record: Record, status: Status, message: str) -> None:
        now = self._wall()
        step = documents.parse_payload(record.payload)[record.step_index]
        code = EXIT_KILLED if status is Status.CANCELLED else 1
        results = {**record.results, step.name: Result(status, code, "", now, now, message=message)}
        self._streams.end(command_id, step.name, self._folder(command_id, record.step_index))
        self._outbox.put(record.message_id, reply(status, at=now, results=results, shown=[step.name]))
        self._journal.save(command_id, record.moved(State.FINISHED))

    def _result(self, command_id: str, step: Step, index: int, record: Record, stop: Stop) -> Result:
        verdict = documents.judge(step, self._node.platform)
        if stop.reason is not None:
            return self._said(Status.CANCELLED, EXIT_KILLED, step, "The command was cancelled before the step began")
        if isinstance(verdict, Skip):
            return self._said(Status.SKIPPED, 0, step, verdict.reason)
        if isinstance(verdict, Refuse):
            return self._refused(step, verdict.reason)
        if step.action not in _ACTIONS:
            reason = f"Step {step.name}: this agent does not run {step.action}; it runs {' and '.join(_ACTIONS)}"
            return self._refused(step, reason)
        folder = self._folder(command_id, index)

        def shell(one: Step) -> Ended:
            return self._shell(self._script(one, folder, command_id, record), stop)

        try:
            inner = [] if step.action == _SHELL else self._inner_steps(step)
        except AgentError as problem:
            return self._refused(step, f"Step {step.name}: {problem}")
        started_at = self._wall()
        self._streams.begin(command_id, step.name, folder)
        ended = shell(step) if step.action == _SHELL else sub_document.run(inner, folder, shell)
        result = conclude(step, ended, started_at=started_at, ended_at=self._wall())
        if result.status is Status.SUCCESS_AND_REBOOT:
            result = self._checked_reboot(step, result, record)
        if result.status is Status.SUCCESS_AND_REBOOT or stop.reason is End.AGENT_STOPPED:
            self._streams.pause(command_id, step.name)
        else:
            self._streams.end(command_id, step.name, folder)
        return result

    def _inner_steps(self, step: Step) -> Sequence[Step]:
        """Return the steps of the document that *step* names which are for this platform.

        Raises:
            Unreachable, Refused: the server did not give the document.
            Unusable: it cannot be run here.
        """
        name = str(step.inputs.get("documentPath") or "")
        if step.inputs.get("documentType") != "SSMDocument" or not name:
            raise Unusable("its documentType must be SSMDocument and its documentPath the name of a document")
        given = step.inputs.get("documentParameters") or {}
        if not isinstance(given, dict):
            raise Unusable("its documentParameters must be an object of values by name")
        return sub_document.steps_here(name, documents.parse_content(self._document(name), given), self._node.platform)

    def _script(self, step: Step, folder: Path, command_id: str, record: Record) -> Script:
        return Script(
            text=documents.script_of(step),
            folder=folder,
            environ=self._environ(command_id, record),
            working_directory=str(step.inputs.get("workingDirectory") or "") or None,
            timeout_s=documents.timeout_s_of(step),
            grace_s=_CANCEL_GRACE_S if documents.is_resumable(step) else 0,
        )

    def _folder(self, command_id: str, index: int) -> Path:
        """Return the folder in which the step of that index runs, and writes."""
        return self._journal.folder_of(command_id) / f"step-{index}"

    def _environ(self, command_id: str, record: Record) -> Mapping[str, str]:
        """Return what the script of a step finds in its environment."""
        environ = {**self._node.environ, "SSM_COMMAND_ID": command_id}
        if record.is_cut_off:
            environ[_CUT_OFF] = "yes"
        refusal = self._refusal_of_reboot(record)
        # A step that knows so before need not fail with what it has done.
        return {**environ, _CANNOT_REBOOT: refusal} if refusal is not None else environ

    def _refusal_of_reboot(self, record: Record) -> Optional[str]:
        """Return why no reboot will be; None where it may."""
        if not self._node.can_reboot:
            return "this agent may not reboot the machine"
        if record.reboot_count >= _REBOOTS_MAX:
            return f"the command has rebooted the machine {record.reboot_count} times already"
        return None

    def _checked_reboot(self, step: Step, result: Result, record: Record) -> Result:
        """Return *result*, or why the reboot that it asks for will not be, which is a failure of *step* as any other."""
        refusal = self._refusal_of_reboot(record)
        if refusal is None:
            return result
        stderr = f"{result.stderr}the step asked for a reboot (exit status {EXIT_REBOOT}), but {refusal}"
        return as_the_step_says(step, result._replace(status=Status.FAILED, stderr=stderr))

    def _told(self, record: Record, step: Step, result: Result) -> Record:
        """Tell what became of *step*; return the record with it."""
        results = {**record.results, step.name: result}
        payload = reply(Status.IN_PROGRESS, at=self._wall(), results=results, shown=[step.name])
        self._outbox.put(record.message_id, payload)
        is_exiting = record.is_exiting or result.ends_document
        return record._replace(results=results, is_exiting=is_exiting, is_cut_off=False)

    def _tell_end(self, record: Record) -> None:
        # As the protocol has it: the last reply repeats the step of a document that has only one.
        shown = list(record.results) if len(record.results) == 1 else []
        status = document_status(record.results.values())
        self._outbox.put(record.message_id, reply(status, at=self._wall(), results=record.results, shown=shown))

    def _skipped(self, step: Step) -> Result:
        return self._said(Status.SKIPPED, 0, step, f"Step {step.name} skipped: an earlier step ended the document")

    def _refused(self, step: Step, message: str) -> Result:
        """Return that *step* failed before it began; a step after it may only be meant for its success."""
        return as_the_step_says(step, self._said(Status.FAILED, 1, step, message))

    def _said(self, status: Status, code: int, step: Step, message: str) -> Result:
        now = self._wall()
        return Result(status, code, step.action, now, now, message=message)
