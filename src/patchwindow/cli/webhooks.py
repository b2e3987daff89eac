"""`patchwindow webhooks`: what carries out tasks of the types AUTOMATION, LAMBDA and STEP_FUNCTIONS on this server."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from patchwindow.cli import show
from patchwindow.cli.options import json_option
from patchwindow.cli.serving import data_option, database_of

_SECRET_LENGTH = 40
_ARN_MAX = 1600


@click.group()
def webhooks() -> None:
    """Say which webhooks carry out tasks that are no commands.

    They work on the data directory of a control plane, also while it runs.
    """


@webhooks.command("set")
@click.argument("arn")
@click.option("--url", required=True, metavar="URL", help="Where it is: https://…, or http:// to a loopback address")
@click.option(
    "--timeout",
    type=click.IntRange(1, 300),
    metavar="SECONDS",
    help="How long one request may take, at most 300; otherwise as it was, at first 30",
)
@click.option(
    "--time-limit",
    type=click.IntRange(1, 604_800),
    metavar="SECONDS",
    help="How long an invocation may take in all, at most 604800; otherwise as it was, at first 3600",
)
@click.option(
    "--ca-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="The certificates in PEM that its certificate is checked by; otherwise those of the system",
)
@click.option("--new-secret", is_flag=True, help="Make a new secret for a webhook that has one")
@json_option
@data_option
def set_(
    *,
    arn: str,
    url: str,
    timeout: int | None,
    time_limit: int | None,
    ca_file: Path | None,
    new_secret: bool,
    as_json: bool,
    **where: Any,
) -> None:
    """Let a webhook carry out the tasks of an ARN.

    The secret that its requests are signed with is shown this once.
    """
    from patchwindow.domain.webhook import Webhook
    from patchwindow.domain.webhook_address import parse_url
    from patchwindow.system import SystemClock, SystemIds

    if not 0 < len(arn) <= _ARN_MAX:
        raise click.ClickException(f"ARN has {len(arn)} characters; give the TaskArn of a task, 1 to {_ARN_MAX}")
    parse_url(url)
    pem = None if ca_file is None else _certificates(ca_file)
    with database_of(**where) as database, database.write() as work:
        before = work.webhooks.get(arn)
        keeps = before is not None and not new_secret
        after = replace(before or Webhook(arn=arn, url=url, secret=""), url=url, ca_pem=pem)
        after = replace(
            after,
            secret=after.secret if keeps else SystemIds().secret(_SECRET_LENGTH),
            timeout_s=timeout or after.timeout_s,
            time_limit_s=time_limit or after.time_limit_s,
        )
        work.webhooks.put(after, SystemClock().now())
    if as_json:
        click.echo(json.dumps({"Arn": arn, "Url": url, **({} if keeps else {"Secret": after.secret})}))
    elif keeps:
        show.note(f"{arn}: set, with the secret that it has; --new-secret makes another")
    else:
        show.note(f"{arn}: set; this is its secret, which is not shown again:")
        click.echo(after.secret)


@webhooks.command("list")
@json_option
@data_option
def list_(*, as_json: bool, **where: Any) -> None:
    """List the webhooks, without their secrets."""
    with database_of(**where) as database, database.read() as work:
        rows = [
            {
                "Arn": one.arn,
                "Timeout": one.timeout_s,
                "TimeLimit": one.time_limit_s,
                "OwnCertificates": one.ca_pem is not None,
                "Url": one.url,
            }
            for one in work.webhooks.all()
        ]
    columns = {"ARN": "Arn", "TIMEOUT": "Timeout", "LIMIT": "TimeLimit", "OWN CA": "OwnCertificates", "URL": "Url"}
    show.table(rows, columns, as_json=as_json)


@webhooks.command("delete")
@click.argument("arn")
@data_option
def delete(*, arn: str, **where: Any) -> None:
    """Forget a webhook.

    What it has begun and not ended fails when it would be asked again.
    """
    with database_of(**where) as database, database.write() as work:
        if not work.webhooks.delete(arn):
            raise click.ClickException(
                f"there is no webhook for {arn}; `patchwindow webhooks list` shows those there are"
            )


def _certificates(file: Path) -> str:
    import ssl

    try:
        text = file.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError) as problem:
        raise click.ClickException(f"{file} holds no certificates in PEM: {problem}") from None
    return text
