"""The steps of a document that a step of another one runs: one after the other, with one output and one end."""

from pathlib import Path
from typing import Callable, Sequence

from patchwindow_agent import documents, files
from patchwindow_agent.documents import Refuse, Run, Step
from patchwindow_agent.errors import Unusable
from patchwindow_agent.results import End, Ended, Status, conclude


def steps_here(name: str, steps: Sequence[Step], platform: str) -> Sequence[Step]:
    """Return those of the *steps* of the document *name* that are for *platform*.

    Raises:
        Unusable: one of them cannot be run; a document that is run by another runs no third one.
    """
    found = []
    for step in steps:
        verdict = documents.judge(step, platform)
        if isinstance(verdict, Refuse):
            raise Unusable(f"document {name}: {verdict.reason}")
        if not isinstance(verdict, Run):
            continue
        if step.action != "aws:runShellScript":
            raise Unusable(
                f"document {name}: step {step.name} is {step.action}; here it may only be aws:runShellScript"
            )
        found.append(step)
    return found


def run(steps: Sequence[Step], folder: Path, shell: Callable[[Step], Ended]) -> Ended:
    """Run *steps* by *shell*, all of which write into *folder*, and return how they ended as one: as the first that failed.

    How many are done is kept in the folder, so that after a reboot that one asked for, the same one runs again.

    Raises:
        StateProblem: the folder cannot be written.
    """
    files.make_private(folder)
    path = folder / "inner.json"
    try:
        done_count, failed = files.read_json(path)
    except FileNotFoundError:
        done_count, failed = 0, None
    last = Ended(End.BY_ITSELF, 0, "", "")
    for number, step in enumerate(steps[done_count:], done_count + 1):
        last = shell(step)
        result = conclude(step, last, started_at=0.0, ended_at=0.0)
        if result.status is Status.SUCCESS_AND_REBOOT or last.end is not End.BY_ITSELF:
            return last
        if result.status is Status.FAILED and failed is None:
            failed = last.exit_code
        files.write_json(path, [number, failed])
        if result.ends_document:
            break
    return last._replace(exit_code=failed or 0)
