"""`patchwindow ca`: the certificate authority of a control plane, which its nodes trust."""

from pathlib import Path

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_directory, directory_option


@click.group()
def ca() -> None:
    """Show the certificate authority that nodes trust."""


@ca.command("show")
@click.option("--pem", "as_pem", is_flag=True, help="Print the certificate itself, for --ca-bundle and AWS_CA_BUNDLE")
@json_option
@directory_option
def show_(*, as_pem: bool, as_json: bool, data: Path | None) -> None:
    """Show the fingerprint of the server's own CA.

    It is the SHA-256 of the certificate, and stands in the lines that install agents.
    """
    from patchwindow.tls.authority import CERTIFICATE_FILE, FOLDER, fingerprint, read_certificate

    path = data_directory(data) / FOLDER / CERTIFICATE_FILE
    if not path.exists():
        raise click.ClickException(
            f"there is no CA in {path.parent}; a server makes one when it first speaks TLS without --tls-cert"
        )
    certificate = read_certificate(path)
    if as_pem:
        click.echo(path.read_text(encoding="ascii"), nl=False)
        return
    told = {
        "Fingerprint": fingerprint(certificate),
        "Name": certificate.subject.rfc4514_string().removeprefix("CN="),
        "NotAfter": certificate.not_valid_after_utc,
        "File": str(path),
    }
    if as_json:
        show.document(told)
    else:
        show.details(told)
