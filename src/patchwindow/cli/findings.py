"""How findings of a check are shown, and what they make of the exit code."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.exits import Exit
from patchwindow.cli.options import Command, decorated
from patchwindow.plans import Finding, Severity, are_as_bad, junit, sarif


def _lines(findings: Sequence[Finding], _subject: str, _fail_on: Severity) -> None:
    for finding in findings:
        # A node chooses its own name, and may not write to the terminal.
        click.echo(show.text(str(finding)))


def _json(findings: Sequence[Finding], _subject: str, _fail_on: Severity) -> None:
    show.document({"Findings": [finding.record() for finding in findings]})


def _sarif(findings: Sequence[Finding], _subject: str, _fail_on: Severity) -> None:
    click.echo(sarif(findings))


def _junit(findings: Sequence[Finding], subject: str, fail_on: Severity) -> None:
    click.echo(junit(findings, subject, fail_on))


# A form is one line here; ``--json`` is short for the form of that name.
FORMS: Final[Mapping[str, Callable[[Sequence[Finding], str, Severity], None]]] = {
    "text": _lines,
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
}


def findings_options(command: Command) -> Command:
    """Offer ``--format``, ``--json`` and ``--fail-on``, and hand *command* `form` and `fail_on`."""

    @functools.wraps(command)
    def with_form(*, form: str, as_json: bool, **arguments: Any) -> Any:
        return command(form="json" if as_json else form, **arguments)

    return decorated(
        with_form,
        [
            click.option(
                "--format",
                "form",
                type=click.Choice(list(FORMS)),
                default="text",
                show_default=True,
                help="How findings are printed",
            ),
            click.option("--json", "as_json", is_flag=True, help="The same as --format json"),
            click.option(
                "--fail-on",
                type=click.Choice([str(severity) for severity in Severity]),
                default=str(Severity.ERROR),
                show_default=True,
                help="The least severity that makes the exit code 1",
            ),
        ],
    )


def report(findings: Sequence[Finding], subject: str, *, form: str, fail_on: str) -> None:
    """Print *findings* about *subject*, and leave the command with a failure where one is as bad as *fail_on*."""
    FORMS[form](findings, subject, Severity(fail_on))
    show.note(f"{subject}: {len(findings)} finding{'' if len(findings) == 1 else 's'}")
    if are_as_bad(findings, Severity(fail_on)):
        raise SystemExit(Exit.FAILED)
