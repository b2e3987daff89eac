"""`patchwindow up`: the whole main job on this machine, each step through the public API."""

import signal
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from patchwindow.cli import show
from patchwindow.cli.exits import Exit
from patchwindow.cli.serving import data_directory, directory_option

if TYPE_CHECKING:
    from patchwindow.bootstrap import Server
    from patchwindow.client import SsmClient


@click.command()
@directory_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The loopback port; otherwise the one of last time, or a free one"
)
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="The plan to apply; otherwise the reference plan"
)
@click.option("--once", is_flag=True, help="Stop when all is shown, instead of serving on")
def up(*, data: Path | None, port: int | None, plan_file: Path | None, once: bool) -> Exit:
    """Run a control plane with a node on this machine, and scan it.

    Nothing is installed: the reference plan only scans. Started again it finds everything in place.
    """
    from patchwindow.bootstrap import Config, Server
    from patchwindow.cli.up_port import choose_port, keep_port
    from patchwindow.cli.up_profile import PROFILE, REGION, write_profile
    from patchwindow.client import connect

    data = data_directory(data)
    # Both end whatever step is under way; a shell starts what runs in its background with SIGINT ignored.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.default_int_handler)
    with Server(Config(data=data, port=choose_port(data, port))) as server:
        keep_port(data, server.url)
        credentials = write_profile(data, server)
        show.note(f"1. The server runs at {server.url} with its data in {data}; the AWS CLI and boto3 reach it with")
        click.echo(f"export AWS_ENDPOINT_URL_SSM={server.url}")
        click.echo(f"export AWS_SHARED_CREDENTIALS_FILE={credentials} AWS_PROFILE={PROFILE}")
        client = connect(endpoint_url=server.url, profile=PROFILE, region=REGION, credentials_file=str(credentials))
        return _work(server, client, data, plan_file, once=once)


def _work(server: "Server", client: "SsmClient", data: Path, plan_file: Path | None, *, once: bool) -> Exit:
    from patchwindow.cli.plan import apply_file
    from patchwindow.cli.up_node import running_node
    from patchwindow.cli.up_profile import sign_in_link
    from patchwindow.cli.up_report import print_openings, scan_and_report

    plan, applied = apply_file(client, plan_file or reference_plan(), on_change=lambda _: None)
    counts = f"{len(applied.created)} created, {len(applied.updated)} updated, {len(applied.unchanged)} found in place"
    show.note(f"2. Plan {plan.name!r} is applied: {counts}")
    with running_node(client, server.url, data / "agent") as node:
        outcome = scan_and_report(client, node)
        print_openings(client)
        if once:
            return outcome
        try:
            # Last, so that it is seen: what comes before fills a screen.
            show.note(f"The console, for the next half hour and once: {sign_in_link(server)}")
            show.note("Serving until Ctrl-C")
            while True:
                time.sleep(0.5)
                if not server.is_alive:
                    raise click.ClickException("the server has stopped; its log above says why")
                node.check()
        except KeyboardInterrupt:
            return Exit.DONE


def reference_plan() -> Path:
    """Return the plan file that comes with the program."""
    return Path(str(resources.files("patchwindow.plans") / "examples" / "reference.yaml"))
