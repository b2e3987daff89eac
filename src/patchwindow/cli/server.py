"""`patchwindow server`: the control plane alone."""

import logging
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from patchwindow.cli.serving import data_directory, data_option
from patchwindow.cli.tls_options import tls_options, tls_settings

if TYPE_CHECKING:
    from patchwindow.objects import S3Settings
    from patchwindow.operations.quotas import Quotas


S3_VARIABLES: Final = ("PATCHWINDOW_S3_ACCESS_KEY_ID", "PATCHWINDOW_S3_SECRET_ACCESS_KEY")
DAYS_MAX: Final = 36_500


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(
        self, value: str | tuple[str, int], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return host and port of ``127.0.0.1:8080`` or ``[::1]:8080``."""
        if isinstance(value, tuple):
            return value
        host, colon, port = value.rpartition(":")
        if not colon or not host or not port.isdigit() or int(port) > 65535:
            self.fail(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080", param, ctx)
        return host.strip("[]"), int(port)


def _quotas(_: click.Context, param: click.Parameter, settings: tuple[str, ...]) -> "Quotas":
    from patchwindow.domain.errors import Invalid
    from patchwindow.operations.quotas import Quotas

    try:
        return Quotas.of(settings)
    except Invalid as problem:
        raise click.BadParameter(str(problem), param=param) from None


def _endpoint(_: click.Context, param: click.Parameter, url: str | None) -> str | None:
    from patchwindow.domain.errors import Invalid
    from patchwindow.domain.override_source import parse_web

    try:
        if url is not None:
            parse_web(url, is_plain_allowed=True)
    except Invalid as problem:
        raise click.BadParameter(str(problem), param=param) from None
    return url


def _s3(endpoint: str | None, region: str) -> "S3Settings | None":
    """Return the S3 service that is meant, with its keys from the environment, where no other user can read them."""
    from patchwindow.objects import S3Settings

    if endpoint is None:
        return None
    missing = [name for name in S3_VARIABLES if not os.environ.get(name)]
    if missing:
        raise click.UsageError(f"--output-s3-endpoint needs {' and '.join(missing)} in the environment")
    access_key_id, secret_access_key = (os.environ[name] for name in S3_VARIABLES)
    return S3Settings(
        endpoint=endpoint, access_key_id=access_key_id, secret_access_key=secret_access_key, region=region
    )


@click.command()
@data_option
@click.option(
    "--quota",
    "quotas",
    multiple=True,
    callback=_quotas,
    metavar="NAME=NUMBER",
    help="How much of a kind may be kept, such as windows=500; may be given several times",
)
@click.option(
    "--history-days",
    type=click.IntRange(1, DAYS_MAX),
    default=400,
    show_default=True,
    help="For how many days scans and the daily trend are kept",
)
@click.option(
    "--stale-after-days",
    type=click.IntRange(1, DAYS_MAX),
    default=7,
    show_default=True,
    help="From which age on a scan is stale, and says nothing of compliance",
)
@click.option(
    "--output-days",
    type=click.IntRange(1, DAYS_MAX),
    default=30,
    show_default=True,
    help="For how many days what steps wrote is kept whole",
)
@click.option(
    "--output-max-mib",
    type=click.IntRange(1, 1024),
    default=8,
    show_default=True,
    help="How much of each stream of a step is kept",
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where the buckets are that commands name for their output; otherwise output in the data directory",
)
@click.option(
    "--output-s3-endpoint",
    metavar="URL",
    callback=_endpoint,
    help="An S3 service that has these buckets instead; its keys are taken from the environment",
)
@click.option("--output-s3-region", default="us-east-1", show_default=True, metavar="NAME", help="The region of it")
@click.option(
    "--node-key-days",
    type=click.IntRange(1, DAYS_MAX),
    help="From which age of its key on an agent is asked for another; otherwise never",
)
@click.option(
    "--override-dir",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Below it are the files that overrides with file: URLs may name; otherwise none may be",
)
@click.option(
    "--override-host",
    "override_hosts",
    multiple=True,
    metavar="HOST",
    help="A host from which overrides are fetched though its address is not public; may be given several times",
)
@click.option(
    "--s3-endpoint",
    metavar="URL",
    callback=_endpoint,
    help="Where s3: URLs of overrides are fetched; otherwise from the public service",
)
@tls_options
@click.option("--public-url", metavar="URL", help="Where nodes reach the server; otherwise the address it listens on")
@click.option("--account-id", default="123456789012", show_default=True, metavar="DIGITS", help="12 digits, for ARNs")
@click.option("--region", default="us-east-1", show_default=True, metavar="NAME", help="The region in ARNs")
@click.option("--listen", type=Address(), default="127.0.0.1:8080", show_default=True, help="Port 0 takes any free one")
def server(
    *,
    listen: tuple[str, int],
    data: Path | None,
    database_url: str | None,
    public_url: str | None,
    account_id: str,
    region: str,
    quotas: "Quotas",
    history_days: int,
    stale_after_days: int,
    output_days: int,
    output_max_mib: int,
    output_dir: Path | None,
    output_s3_endpoint: str | None,
    output_s3_region: str,
    node_key_days: int | None,
    override_dir: Path | None,
    override_hosts: tuple[str, ...],
    s3_endpoint: str | None,
    **tls: Any,
) -> None:
    """Run the control plane.

    One line says where it listens once it is ready; it runs until it is interrupted.
    """
    from patchwindow.bootstrap import Config, Server
    from patchwindow.fetch import Places
    from patchwindow.operations.retention import Retention
    from patchwindow.system import allow_connections, collect_less

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = Config(
        data=data_directory(data),
        host=listen[0],
        port=listen[1],
        tls=tls_settings(tls),
        public_url=public_url,
        database_url=database_url,
        account_id=account_id,
        region=region,
        quotas=quotas,
        retention=Retention(history_days=history_days, stale_after_days=stale_after_days, output_days=output_days),
        output_bytes_max=output_max_mib * 2**20,
        output_directory=output_dir,
        output_s3=_s3(output_s3_endpoint, output_s3_region),
        node_key_life=None if node_key_days is None else timedelta(days=node_key_days),
        overrides=Places(hosts=override_hosts, s3_endpoint=s3_endpoint, directory=override_dir),
    )
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    allow_connections()
    with Server(config) as running:
        click.echo(f"patchwindow is ready at {running.url}")
        collect_less()
        while not stop.wait(1):
            if not running.is_alive:
                raise click.ClickException("the server has stopped; its log above says why")
