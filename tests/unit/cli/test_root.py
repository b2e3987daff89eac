"""The command `patchwindow` itself: what it costs to ask for help, and how it says that something is wrong."""

import resource
import subprocess
import sys

import click
import pytest
from botocore.exceptions import EndpointConnectionError
from tests.unit.cli.fake import Answer, refusal, run

from patchwindow.cli.exits import Exit
from patchwindow.cli.root import COMMANDS, root

HEAVY = {"boto3", "botocore", "sqlalchemy", "starlette", "uvicorn", "yaml"}
HELP = "import sys; sys.argv = ['patchwindow', '--help']; from patchwindow.cli import main; main()"


def seconds(*arguments: str) -> float:
    """Return the processor's time of a Python process with *arguments*, the least of several: others run meanwhile."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def test_help_imports_nothing_heavy() -> None:
    program = f"import atexit\natexit.register(lambda: print('\\n'.join(sys.modules), file=sys.stderr))\n{HELP}"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    modules = set(done.stderr.split())
    assert "click" in modules
    assert modules & HEAVY == set()


def test_help_takes_at_most_120_ms_of_processor_more_than_python_itself() -> None:
    assert seconds("-c", HELP) - seconds("-c", "pass") < 0.120


def test_importing_the_room_imports_no_click() -> None:
    program = "import sys, patchwindow.cli; sys.exit('click' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_help_shows_every_command_with_its_line() -> None:
    outcome = run("--help")
    assert outcome.exit_code == Exit.DONE
    for name, line in COMMANDS.items():
        assert f"{name} " in outcome.stdout
        assert line in outcome.stdout


def test_an_unknown_command_is_misuse() -> None:
    outcome = run("nods")
    assert outcome.exit_code == Exit.MISUSED
    assert outcome.stderr == "patchwindow: No such command 'nods' (see `patchwindow --help`)\n"


def test_a_missing_argument_is_misuse_and_says_where_to_read() -> None:
    outcome = run("nodes", "show")
    assert outcome.exit_code == Exit.MISUSED
    assert outcome.stderr == "patchwindow: Missing argument 'NODE' (see `patchwindow nodes show --help`)\n"


@pytest.mark.parametrize("noun", [(), ("nodes",)])
def test_a_noun_without_a_verb_shows_its_help_on_standard_error_and_is_misuse(noun: tuple[str, ...]) -> None:
    outcome = run(*noun)
    assert outcome.exit_code == Exit.MISUSED
    assert outcome.stdout == ""
    assert outcome.stderr.startswith("Usage: patchwindow")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            refusal("DoesNotExistException", "Maintenance window mw-1 does not exist."),
            "patchwindow: GetMaintenanceWindow: DoesNotExistException: Maintenance window mw-1 does not exist\n",
        ),
        (
            EndpointConnectionError(endpoint_url="http://control.example"),
            "patchwindow: cannot reach http://control.example; check the endpoint URL, and that the server runs\n",
        ),
    ],
)
def test_a_refusal_is_one_line_and_exit_code_1(error: Answer, line: str) -> None:
    outcome = run("windows", "show", "mw-0123456789abcdef0", answers={"GetMaintenanceWindow": error})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stdout == ""
    assert outcome.stderr == line


def test_a_refusal_of_several_lines_becomes_one() -> None:
    outcome = run("nodes", "tag", "", "Patch Group=RHEL", answers={"AddTagsToResource": refusal("X", "first\nsecond")})
    assert outcome.stderr == "patchwindow: AddTagsToResource: X: first second\n"


def test_an_interrupt_is_no_success() -> None:
    def interrupted(_: object) -> dict[str, object]:
        raise KeyboardInterrupt

    outcome = run("nodes", "list", answers={"DescribeInstanceInformation": interrupted})
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr.endswith("patchwindow: stopped before the end\n")


def test_the_version_is_the_distribution_s() -> None:
    assert run("--version").stdout.startswith("patchwindow 0.")


def test_every_command_lives_under_its_name() -> None:
    for name in ("nodes", "scan", "agent"):
        command = root.get_command(click.Context(root), name)
        assert command is not None
        assert command.name == name
