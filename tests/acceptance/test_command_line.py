"""The project's own command line against a running server: every command of docs/cli.md, as a table and as JSON."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from tests.fakes.commandline import PATCHWINDOW, run
from tests.fakes.node import PaperNode
from tests.fakes.scans import facts_of, package, update
from tests.fakes.server import Plane

from patchwindow.cli.root import root
from patchwindow_agent.errors import Refused

PAGE: Final = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
FACTS: Final = facts_of([package("openssl"), package("bash")], [update("openssl")])

# In this order, which matters to the last of them.  What stands in braces is filled in from the world; then comes a
# part of what the command shows.
READING: Final = {
    "nodes list --tag Role=web": "{node}",
    "nodes show {node}": "NON_COMPLIANT|no",
    "nodes inventory {node} Application": "openssl",
    "activations list": "{activation}",
    "baselines list --own": "{baseline}",
    "baselines show debian-security": "{baseline}",
    "baselines default DEBIAN": "AWS-DebianDefaultPatchBaseline|pb-09a5f8eb62bde80b1",
    "groups list": "Web Server",
    "groups show 'Web Server'": "{node}",
    "resource-groups list": "web-servers",
    "resource-groups show web-servers": "Role",
    "resource-groups nodes web-servers": "{node}",
    "windows list --enabled": "{window}",
    "windows show {window}": "cron(0 23 ? * THU#1 *)",
    "windows next --limit 3": "T23:00",
    "calendar show --days 60": "23:00",
    "windows executions {window}": "EXECUTION|[]",
    "windows missed {window}": "NODE|[]",
    "commands list --node {node}": "{command}",
    "commands show {command}": "PatchLinux",
    "commands logs {command}": "openssl",
    "associations list --document AWS-Noop": "{association}",
    "associations show {association}": "nobody",
    "documents list": "AWS-RunPatchBaseline",
    "documents show AWS-RunShellScript": "aws:runShellScript",
    "compliance list --non-compliant": "{node}",
    "compliance show {node} --state Missing": "openssl",
    "compliance summary": "1",
    "compliance fleet --by group --by os": "Web Server",
    "compliance fleet --state Missing --nodes": "{node}",
    "compliance node {node}": "Missing",
    "compliance history {node}": "Scan|SCANNED",
    "compliance history": "DAY|Day",
    "compliance history --together": "DAY|Day",
    "compliance concerns": "UnpatchedNodes|KIND",
    "compliance exposure": "not known|UnknownCount",
    "changes --operation CreatePatchBaseline": "{baseline}",
    "patches list --name openssl": "openssl.amd64:2",
    "patches show openssl.amd64:2": "{node}",
    "catalog import {exploited} --kind kev": "CveCount",
    "catalog status": "DEBIAN",
    "explain {node} openssl": "openssl.amd64:2",
    "forecast --weeks 26": "OPENS|Openings",
    "forecast --node {node}": "{node}",
    "scan --node {node}": "{node}",
    "scan --group 'Web Server' --no-wait": "Pending",
    "activations create --limit 2 --tag Role=web": "-",
    "associations create AWS-Noop --tag Role=nobody --name idle": "idle",
    "documents versions AWS-Noop": "JSON",
    "nodes duplicates": "{node}",
}
WRITING: Final = {
    "nodes tag {node} Role=db": "{node}",
    "nodes untag {node} Role": "{node}",
    "baselines default --set debian-security": "{baseline}",
    "baselines default --set AWS-DebianDefaultPatchBaseline": "pb-09a5f8eb62bde80b1",
    "groups deregister 'Web Server' debian-security": "Web Server",
    "groups register 'Web Server' debian-security": "Web Server",
    "resource-groups create more --tag Role=web --tag Role=db --tag-key 'Patch Group'": "web, db",
    "resource-groups delete more": "more: deleted",
    "associations run {association}": "{association}",
    "associations delete {association}": "{association}",
    "documents create Say-Hello {hello}": "Say-Hello",
    "documents update Say-Hello {goodbye} --make-default": "Say-Hello",
    "documents default Say-Hello 1": "Say-Hello",
    "documents delete Say-Hello --version 2": "Say-Hello: version 2 deleted",
    "documents delete Say-Hello": "Say-Hello: deleted",
    "windows disable {window}": "{window}",
    "windows enable {window}": "{window}",
    "commands cancel {waiting}": "{waiting}",
    "windows delete {window}": "{window}",
    "baselines delete {spare}": "{spare}",
    "activations delete {activation}": "{activation}",
    "nodes deregister {node}": "{node}",
}
ELSEWHERE: Final = {
    *("up", "server", "ca show", "agent", "check", "patch", "nodes replace"),
    *(f"plan {verb}" for verb in ("apply", "check", "diff", "export", "prerequisites", "schema")),
    *(f"keys {verb}" for verb in ("create", "list", "disable", "enable", "delete")),
    *(f"people {verb}" for verb in ("create", "list", "link", "disable", "enable", "delete")),
    *(f"calendar feed {verb}" for verb in ("create", "list", "revoke")),
    *(f"webhooks {verb}" for verb in ("set", "list", "delete")),
}
"""Commands that tests of their own run, here or in other modules."""


@dataclass(frozen=True, slots=True)
class World:
    """What there is to show, and how to get there."""

    environ: Mapping[str, str]
    clients: Mapping[str, Any]
    names: Mapping[str, str]

    def run(self, line: str, *more: str, exit_code: int = 0) -> Any:
        """Run one command line in this process, against the running server.

        Unless it says where to go, it has the client of the test: making one costs more than most commands.
        """
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)]
        words = [word.format(**self.names) for word in words]
        connect = None if "--endpoint-url" in words else lambda service="ssm", **_: self.clients[service]
        result = CliRunner().invoke(root, [*words, *more], env=dict(self.environ), obj=connect)
        assert result.exit_code == exit_code, f"{line}: {result.output}\n{result.exc_info}"
        return result


@pytest.fixture(scope="module")
def world(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A node that was scanned and answers every further scan, and one of everything else."""
    client = plane.client
    activation = plane.activation(Tags=[{"Key": "Patch Group", "Value": "Web Server"}, {"Key": "Role", "Value": "web"}])
    node = PaperNode.registered(plane.url, activation, tmp_path_factory.mktemp("node") / "state")
    rules = {"PatchRules": [{"PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]}}]}
    names = {"OperatingSystem": "DEBIAN", "ApprovalRules": rules}
    baseline = client.create_patch_baseline(Name="debian-security", **names)["BaselineId"]
    client.register_patch_baseline_for_patch_group(BaselineId=baseline, PatchGroup="Web Server")
    window = client.create_maintenance_window(
        Name="web", Schedule="cron(0 23 ? * THU#1 *)", Duration=6, Cutoff=1, AllowUnassociatedTargets=True
    )["WindowId"]

    def send(instance_id: str) -> str:
        return str(
            client.send_command(
                DocumentName="AWS-RunPatchBaseline", InstanceIds=[instance_id], Parameters={"Operation": ["Scan"]}
            )["Command"]["CommandId"]
        )

    run(
        [*PATCHWINDOW, *("resource-groups", "create", "web-servers", "--tag", "Role=web", "--json")],
        plane.shell().environ,
    )
    command = send(node.node_id)
    node.scan(FACTS)
    asleep = PaperNode.registered(plane.url, plane.activation(), tmp_path_factory.mktemp("asleep") / "state")
    waiting = send(asleep.node_id)
    asleep.close()
    exploited = tmp_path_factory.mktemp("feeds") / "kev.json"
    exploited.write_text(json.dumps({"vulnerabilities": [{"cveID": "CVE-2026-1001", "dateAdded": "2026-03-01"}]}))
    folder = tmp_path_factory.mktemp("documents")
    for word in ("hello", "goodbye"):
        inputs = {"runCommand": [f"echo {word}"]}
        step = {"action": "aws:runShellScript", "name": "say", "inputs": inputs}
        (folder / f"{word}.json").write_text(json.dumps({"schemaVersion": "2.2", "mainSteps": [step]}))
    has_ended = threading.Event()
    thread = threading.Thread(target=_answer, args=(node, has_ended))
    thread.start()
    yield World(
        plane.shell().environ,
        {
            "ssm": client,
            **{name: plane.connect(plane.key, service=name) for name in ("resource-groups", "patchwindow")},
        },
        {
            "association": client.create_association(
                Name="AWS-Noop", Targets=[{"Key": "tag:Role", "Values": ["nobody"]}]
            )["AssociationDescription"]["AssociationId"],
            "node": node.node_id,
            "activation": activation[0],
            "baseline": baseline,
            "spare": client.create_patch_baseline(Name="spare")["BaselineId"],
            "window": window,
            "command": command,
            "waiting": waiting,
            "exploited": str(exploited),
            **{word: str(folder / f"{word}.json") for word in ("hello", "goodbye")},
        },
    )
    has_ended.set()
    thread.join()
    node.close()


def _answer(node: PaperNode, has_ended: threading.Event) -> None:
    """Answer every scan that comes, until the node is deregistered or the test is over."""
    while not has_ended.is_set():
        try:
            for message in node.messages(wait_s=1):
                node.report(message, FACTS)
        except Refused:
            return


def test_every_documented_command_is_tried() -> None:
    documented = set(re.findall(r"^### `patchwindow (.+)`$", PAGE, flags=re.MULTILINE))
    tried = {name for name in documented for line in (*READING, *WRITING) if f"{line} ".startswith(f"{name} ")}
    assert documented == tried | ELSEWHERE


@pytest.mark.parametrize("line", READING)
def test_a_command_shows_a_table_and_the_same_as_json(world: World, line: str) -> None:
    wanted = READING[line].format(**world.names).split("|")
    shown = world.run(line).stdout
    assert any(part in shown for part in wanted), shown
    told = json.dumps(json.loads(world.run(line, "--json").stdout))
    assert any(part in told for part in wanted), told


def test_patch_installs_and_shows_what_came_of_it(world: World) -> None:
    assert world.names["node"] in world.run("patch --yes --node {node}").stdout


@pytest.mark.parametrize("line", WRITING)
def test_a_command_says_what_it_did(world: World, line: str) -> None:
    result = world.run(line)
    assert WRITING[line].format(**world.names) in result.output


def test_the_agents_own_help_comes_through(world: World) -> None:
    assert "register" in run([*PATCHWINDOW, "agent", "--help"], world.environ).out


@pytest.mark.parametrize(
    ("line", "exit_code", "said"),
    [
        ("nodes show mi-00000000000000000", 1, "mi-00000000000000000"),
        ("windows show mw-00000000000000000", 1, "mw-00000000000000000"),
        ("baselines show nothing", 1, "nothing"),
        ("documents show AWS-Nothing", 1, "AWS-Nothing"),
        ("scan --tag Role=nobody", 1, "Role"),
        ("scan", 2, "no nodes chosen"),
        ("nodes tag mi-00000000000000000 Role", 2, "KEY=VALUE"),
        ("nodes list --endpoint-url http://127.0.0.1:1", 1, "127.0.0.1:1"),
    ],
)
def test_a_refusal_is_one_line_that_names_the_thing(world: World, line: str, exit_code: int, said: str) -> None:
    complaint = world.run(line, exit_code=exit_code).stderr.splitlines()[-1]
    assert complaint.startswith("patchwindow: ")
    assert said in complaint
