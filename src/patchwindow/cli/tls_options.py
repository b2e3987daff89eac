"""How `patchwindow server` is told about TLS."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from patchwindow.cli.options import Command, decorated

if TYPE_CHECKING:
    from patchwindow.tls.serving import TlsSettings

_HOST: Final = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)


def _names(_: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not _HOST.fullmatch(name) and not _is_address(name):
            raise click.BadParameter(
                f"{name!r} is no host name and no address, such as patch.lan or 10.0.0.5", param=param
            )
    return names


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


_OPTIONS: Final = [
    click.option(
        "--tls",
        "tls_mode",
        type=click.Choice(["auto", "on", "off"]),
        default="auto",
        show_default=True,
        help="auto: with --tls-cert, and wherever it does not listen on loopback alone",
    ),
    click.option(
        "--tls-cert",
        type=_FILE,
        metavar="FILE",
        help="The certificate chain, PEM; otherwise by a CA of the server's own",
    ),
    click.option("--tls-key", type=_FILE, metavar="FILE", help="The key of --tls-cert; otherwise in the same file"),
    click.option(
        "--tls-ca",
        type=_FILE,
        metavar="FILE",
        help="The CA behind --tls-cert; otherwise nodes ask their system's store",
    ),
    click.option(
        "--tls-name",
        "tls_names",
        multiple=True,
        callback=_names,
        metavar="NAME",
        help="A name or address for the server's own certificate; may be given several times",
    ),
]


def tls_options(command: Command) -> Command:
    """Let *command* say what is to be known for `tls_settings`, as arguments that begin with `tls`."""
    return decorated(command, _OPTIONS)


def tls_settings(given: dict[str, Any]) -> "TlsSettings":
    """Return the settings that the options make.

    Raises:
        click.UsageError: they do not go together.
    """
    from patchwindow.tls.serving import Mode, TlsSettings

    settings = TlsSettings(
        mode=Mode(given["tls_mode"]),
        names=given["tls_names"],
        certificate=given["tls_cert"],
        key=given["tls_key"],
        ca=given["tls_ca"],
    )
    if settings.certificate is None and (settings.key or settings.ca):
        raise click.UsageError("--tls-key and --tls-ca belong to a certificate; give that with --tls-cert")
    if settings.certificate is not None and settings.names:
        raise click.UsageError(
            "--tls-name is for the server's own certificate; that of --tls-cert has its names already"
        )
    if settings.certificate is not None and settings.mode is Mode.OFF:
        raise click.UsageError("--tls off and --tls-cert contradict each other; leave one out")
    return settings
