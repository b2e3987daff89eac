"""What became of a step and of a document, and how a reply says it. Values in, values out."""

import json
import time
from collections import Counter
from enum import Enum
from typing import Any, Iterable, Mapping, NamedTuple, Optional

from patchwindow_agent import __version__
from patchwindow_agent.documents import Step
from patchwindow_agent.machine import AGENT_NAME

STREAM_MAX = 24_000
_STREAM_CUT = "--output truncated--"
_OUTPUT_MAX = 2_500
_OUTPUT_CUT = "\n---Output truncated---"
_ERROR_CUT = "\n---Error truncated----"
_ERROR_MARK = "\n----------ERROR-------\n"

EXIT_SUCCEEDED = 168
_EXIT_FAILED = 169
EXIT_REBOOT = 194
EXIT_KILLED = 137


class Status(str, Enum):
    """What a step or a document came to, as the wire names it."""

    IN_PROGRESS = "InProgress"
    SUCCESS = "Success"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    SKIPPED = "Skipped"
    SUCCESS_AND_REBOOT = "SuccessAndReboot"


# The first of these that any step has is the document's; a skipped step counts as a success.
_PRECEDENCE = (Status.SUCCESS_AND_REBOOT, Status.FAILED, Status.TIMED_OUT, Status.CANCELLED)


class End(Enum):
    """Why a shell stopped."""

    BY_ITSELF = "by itself"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    AGENT_STOPPED = "agent stopped"


class Ended(NamedTuple):
    """How a shell ended, and what it wrote."""

    end: End
    exit_code: int
    stdout: str
    stderr: str


class Result(NamedTuple):
    """What became of a step."""

    status: Status
    code: int
    action: str
    started_at: float
    ended_at: float
    stdout: str = ""
    stderr: str = ""
    # What the agent itself has to say; it stands where the output would.
    message: Optional[str] = None
    # What follows the output where the step ended the document.
    note: str = ""

    @property
    def ends_document(self) -> bool:
        """Return whether later steps are skipped."""
        return bool(self.note)


def conclude(step: Step, ended: Ended, *, started_at: float, ended_at: float) -> Result:
    """Return what *step* came to when its shell ended so."""
    status, code, stderr, note = Status.SUCCESS, ended.exit_code, ended.stderr, ""
    if ended.end is End.TIMED_OUT:
        status, code = Status.TIMED_OUT, EXIT_KILLED
    elif ended.end is not End.BY_ITSELF:
        status, code = Status.CANCELLED, EXIT_KILLED
    elif code == EXIT_REBOOT:
        status = Status.SUCCESS_AND_REBOOT
    elif code == EXIT_SUCCEEDED:
        note = "The step ended with 168: it counts as a success, and later steps are skipped"
    elif code != 0:
        status = Status.FAILED
        stderr += f"failed to run commands: exit status {code}"
        if code == _EXIT_FAILED:
            note = "The step ended with 169: it counts as failed, and later steps are skipped"

    result = Result(status, code, step.action, started_at, ended_at, ended.stdout, stderr, note=note)
    return as_the_step_says(step, result)


def as_the_step_says(step: Step, result: Result) -> Result:
    """Return *result* with what *step* says that follows on it: it may end the document, and count as a success."""
    on_failure = step.inputs.get("onFailure")
    if result.status in (Status.FAILED, Status.TIMED_OUT) and on_failure in ("exit", "successAndExit"):
        result = result._replace(note=f"The step says onFailure: {on_failure}, so later steps are skipped")
        return result if on_failure == "exit" else result._replace(status=Status.SUCCESS, code=EXIT_SUCCEEDED)
    if result.status is Status.SUCCESS and step.inputs.get("onSuccess") == "exit":
        return result._replace(note="The step says onSuccess: exit, so later steps are skipped")
    return result


def document_status(results: Iterable[Result]) -> Status:
    """Return what a document with these results came to."""
    found = {result.status for result in results}
    return next((status for status in _PRECEDENCE if status in found), Status.SUCCESS)


def reply(
    status: Status,
    *,
    at: float,
    results: Optional[Mapping[str, Result]] = None,
    shown: Iterable[str] = (),
    trace: str = "",
) -> str:
    """Return the payload of a reply made at *at*.

    *results* are those of all steps so far, None where no step has begun; *shown* names the ones that the reply tells.
    """
    counts = None if results is None else Counter(result.status.value for result in results.values())
    told = {
        "additionalInfo": {
            "agent": {"lang": "en-US", "name": AGENT_NAME, "os": "linux", "osver": "1", "ver": __version__},
            "dateTime": _instant(at),
            "runId": "",
            "runtimeStatusCounts": counts,
            "ableToOpenMGSConnection": False,
        },
        "documentStatus": status.value,
        "documentTraceOutput": trace,
        "runtimeStatus": None if results is None else {name: _wire(results[name]) for name in shown},
    }
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


def _wire(result: Result) -> dict[str, Any]:
    after = f"\n{result.note}" if result.note else ""
    if result.message is not None:
        # Where no script ran there are no streams to end in a sentence.
        output, stdout, stderr = result.message + after, "", ""
    else:
        output = joined_output(result.stdout, result.stderr)
        stdout, stderr = result.stdout + after, result.stderr + (after if result.status is not Status.SUCCESS else "")
    return {
        "status": result.status.value,
        "code": result.code,
        "name": result.action,
        "output": output,
        "startDateTime": _instant(result.started_at),
        "endDateTime": _instant(result.ended_at),
        "outputS3BucketName": "",
        "outputS3KeyPrefix": "",
        "stepName": "",
        "standardOutput": cut_stream(stdout),
        "standardError": cut_stream(stderr),
    }


def cut_stream(text: str) -> str:
    """Return *text*, cut to 24,000 characters and marked where it is longer."""
    return text if len(text) <= STREAM_MAX else text[: STREAM_MAX - len(_STREAM_CUT)] + _STREAM_CUT


def joined_output(stdout: str, stderr: str) -> str:
    """Return both streams as one text of at most 2,500 characters, half of it for each where both are long."""
    if not stderr:
        return _cut(stdout, _OUTPUT_MAX, _OUTPUT_CUT)
    room = _OUTPUT_MAX - len(_ERROR_MARK)
    half = room // 2
    stdout_max = max(half, room - len(stderr))
    stderr_max = max(room - half, room - len(stdout))
    return _cut(stdout, stdout_max, _OUTPUT_CUT) + _ERROR_MARK + _cut(stderr, stderr_max, _ERROR_CUT)


def _cut(text: str, length_max: int, mark: str) -> str:
    return text if len(text) <= length_max else text[: length_max - len(mark)] + mark


def _instant(at: float) -> str:
    whole, millis = divmod(int(at * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{millis:03d}Z"
