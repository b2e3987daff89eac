"""Options that several commands share, each a decorator."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

Command = Callable[..., Any]
Connect = Callable[..., Any]
"""Takes `endpoint_url`, `profile`, `region` and `ca_bundle`, each a text or `None`, and returns a client of the API.

For a client of another service than the API it is also given `service`.
"""


def pair(written: str) -> tuple[str, str]:
    """Return key and value of ``KEY=VALUE``; the key ends at the first ``=``.

    Raises: click.BadParameter.
    """
    key, equals, value = written.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{written!r} is not of the form KEY=VALUE, such as 'Patch Group=Web Server'")
    return key, value


def client_command(command: Command) -> Command:
    """Hand *command* a client of the API as its first argument, connected as its options say.

    The context's object, where there is one, is a `Connect` to use instead of `patchwindow.client.connect`.
    """
    return _connected(command)


def groups_client_command(command: Command) -> Command:
    """Hand *command* a client of Resource Groups in the same way."""
    return _connected(command, service="resource-groups")


def own_client_command(command: Command) -> Command:
    """Hand *command* a client of a control plane's own operations in the same way."""
    return _connected(command, service="patchwindow")


def both_client_command(command: Command) -> Command:
    """Hand *command* a client of the API, and a function that connects one of a control plane's own operations.

    The function raises `ClientProblem` where the API is that of AWS, which has none.
    """

    def with_both(connect: Connect, **arguments: Any) -> Any:
        return command(connect(), lambda: connect(service="patchwindow"), **arguments)

    return connect_command(functools.wraps(command)(with_both))


def _connected(command: Command, **more: str) -> Command:
    def with_one(connect: Connect, **arguments: Any) -> Any:
        return command(connect(**more), **arguments)

    return connect_command(functools.wraps(command)(with_one))


def connect_command(command: Command) -> Command:
    """Hand *command* as its first argument what connects clients to where its options say, of the API or of `service`."""

    @functools.wraps(command)
    def located(**arguments: Any) -> Any:
        connect: Connect = click.get_current_context().obj or _connect()
        where = {name: arguments.pop(name) for name in ("endpoint_url", "profile", "region", "ca_bundle")}
        return command(functools.partial(connect, **where), **arguments)

    where = [
        click.option(
            "--endpoint-url",
            metavar="URL",
            help="The API's address; otherwise AWS_ENDPOINT_URL_SSM, the profile, or AWS",
        ),
        click.option("--profile", metavar="NAME", help="A profile of the AWS configuration; otherwise AWS_PROFILE"),
        # The SDK reads AWS_DEFAULT_REGION alone; the AWS CLI lets AWS_REGION go first.
        click.option(
            "--region",
            metavar="NAME",
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            help="The region; otherwise AWS_REGION, or the profile's",
        ),
        click.option(
            "--ca-bundle",
            type=click.Path(dir_okay=False, exists=True),
            metavar="FILE",
            help="The CA of the endpoint, PEM; otherwise AWS_CA_BUNDLE, the profile's, or the public ones",
        ),
    ]
    return decorated(located, where)


def _connect() -> Connect:
    # Imported when a client is wanted: commands without one share this file's options, and boto3 is heavy.
    from patchwindow.client import connect

    return connect


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, in the API's own members")

yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation")

tag_option = click.option(
    "--tag",
    "tags",
    type=pair,
    metavar="KEY=VALUE",
    multiple=True,
    help="Nodes with this tag; may be repeated: values of one key are alternatives, every key must fit",
)


def limit_option(default: int) -> Callable[[Command], Command]:
    """Offer ``--limit``, which bounds how many are shown, *default* of them."""
    return click.option(
        "--limit",
        type=click.IntRange(1),
        default=default,
        show_default=True,
        metavar="COUNT",
        help="Show at most so many",
    )


def confirm(what: str) -> None:
    """Ask whether to do *what*, and leave the command unless the answer is yes."""
    try:
        agreed = click.confirm(f"{what}. Go on?", err=True)
    except click.Abort:
        # Nobody is there to answer: input is at its end, and the question still stands on its line.
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise click.ClickException("not confirmed, nothing was done; --yes goes on without asking")


def grouped(tags: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Return the values of each key, in the order given."""
    values: dict[str, list[str]] = {}
    for key, value in tags:
        values.setdefault(key, []).append(value)
    return values


def decorated(command: Command, options: Sequence[Callable[[Command], Command]]) -> Command:
    """Return *command* with *options*, which the help lists in their order."""
    # The last decorator that is applied stands first in the help.
    for option in reversed(options):
        command = option(command)
    return command
