"""A fleet that is patched at once while one host loses its network, one the room on its disk, and others their power.

Server, agents, patch operations, apt and dpkg are real, and so are the files of the hosts: Debian 12 with some toy packages.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.fakes.server import Plane, ServerProcess, all_pages, until
from tests.rig.debian_root import CannotBuildError, cached_tarball, unpack
from tests.rig.hosts import REBOOT_COMMAND, Host, Network, network
from tests.rig.toy_troubles import build_troubles

import patchwindow_agent
from patchwindow_agent.operation import Stage

MAY_UNSHARE = os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.skipif(not MAY_UNSHARE, reason="needs root and namespaces: run as root, with CAP_SYS_ADMIN"),
    pytest.mark.skipif(
        not all(map(shutil.which, ("mmdebstrap", "ip"))),
        reason="needs mmdebstrap and ip; .ci/install-needs installs them",
    ),
]
CODE: Final = "/opt/patchwindow"
STATE: Final = "/var/lib/patchwindow-agent"
JOURNAL: Final = "var/lib/patchwindow/operations"
GOOD: Final = ("good-one", "good-two", "with-conffile")
# Its script waits for a word of the test, so that something can be done to the host in the middle.
SLOW: Final = "slow"
UNDER_WAY: Final = ("Pending", "InProgress", "Delayed")
# Hosts by the stage after whose saving their power is cut.
CUT_AT: Final = {f"cut-at-{stage.value.lower()}": stage for stage in Stage}
# Loaded by each Python of a host: stands still once the journal says what the test wrote into a file.
STAND_STILL: Final = """\
import json, os, signal
move = os.replace
def replace(source, target, **options):
    move(source, target, **options)
    if str(target).startswith("/var/lib/patchwindow/operations/") and os.path.exists("/srv/stand-still-at"):
        with open(target) as journal, open("/srv/stand-still-at") as stage:
            if json.load(journal)["stage"] == stage.read():
                os.rename("/srv/stand-still-at", "/srv/stands-still")
                os.kill(os.getpid(), signal.SIGSTOP)
os.replace = replace
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A host with an agent, and the node that it is to the server."""

    plane: Plane
    host: Host
    id: str

    @classmethod
    def make(cls, plane: Plane, hosts: Network, name: str, *more: str, disk_mb: int = 0) -> "Node":
        """Make a host with the old versions of *more* packages in, and boot it with its agent."""
        host = hosts.add(name, python_path=CODE, disk_mb=disk_mb)
        if more:
            host.run("apt-get", "-qy", "install", *(f"{package}=1.0" for package in more))
        shutil.copy(plane.ca_bundle or "", host.root / "etc/patchwindow-ca.pem")
        id, code = plane.activation()
        options = ("--endpoint", plane.url, "--state", STATE, "--region", "us-east-1", "--name", name)
        named = ("--activation-id", id, "--activation-code", code, "--ca", "/etc/patchwindow-ca.pem")
        agent = ("python3", "-m", "patchwindow_agent")
        node_id = host.run(*agent, "register", *options, *named, "--reboot-command", REBOOT_COMMAND).strip()
        host.boot(*agent, "run", "--endpoint", plane.url, "--state", STATE, "--reboot-command", REBOOT_COMMAND)
        return cls(plane, host, node_id)

    def states(self) -> dict[str, str]:
        """Return the state of each patch that the server has, by its title."""
        patches = all_pages(self.plane.client, "describe_instance_patches", "Patches", InstanceId=self.id)
        return {patch["Title"]: patch["State"] for patch in patches}

    def packages(self) -> tuple[set[str], set[str]]:
        """Return the titles of what works as dpkg has it, and of what is unpacked and was never made to work."""
        form = "${db:Status-Abbrev}|${Package}.${Architecture}|${Version}|${Config-Version}\n"
        works, unpacked = set(), set()
        for line in self.host.run("dpkg-query", "-W", "-f", form).splitlines():
            status, name, version, configured = line.split("|")
            is_whole = status[1] == "i"
            # An update that is half done is not there yet; what it was to replace worked last.
            works.add(f"{name}:{version if is_whole else configured}")
            # One that was not even unpacked whole has its old version still.
            unpacked |= {f"{name}:{version}"} - works
        return works, unpacked

    def upgradable(self) -> set[str]:
        """Return the titles of security updates, which are what the baseline approves, as apt lists them."""
        # Also where there is no room for its cache.
        in_memory = ("-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=")
        told = self.host.run("apt", "-qq", *in_memory, "list", "--upgradable")
        found = re.findall(r"^(\S+?)/(\S+) (\S+) (\S+) ", told, re.MULTILINE)
        return {f"{name}.{arch}:{version}" for name, suites, version, arch in found if "-security" in suites}

    def stage(self) -> str | None:
        """Return how far its installation has come, by its journal."""
        for path in (self.host.root / JOURNAL).glob("*.json"):
            return str(json.loads(path.read_text())["stage"])
        return None

    def waits(self) -> bool:
        """Return whether the script of the slow package waits."""
        return (self.host.root / "run/waiting").exists()

    def go_on(self) -> None:
        (self.host.root / "run/go").touch()

    def check_truth(self) -> None:
        """Check that what the server says of the node is what dpkg and apt say on it, patch by patch."""
        states, (works, unpacked) = self.states(), self.packages()
        assert {title for title, state in states.items() if state.startswith("Installed")} == works, self.host.name
        missing = {title for title, state in states.items() if state in ("Missing", "Failed")}
        assert missing == self.upgradable() | unpacked, self.host.name


def titles(*names: str) -> set[str]:
    return {f"{name}.all:2.0" for name in names}


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Network]:
    try:
        base = unpack(cached_tarball("bookworm"), tmp_path / "base")
    except CannotBuildError as problem:
        pytest.skip(str(problem))
    build_troubles(base / "srv/repo")
    lines = [f"deb [trusted=yes] file:///srv/repo {suite} main\n" for suite in ("toy", "toy-updates", "toy-security")]
    (base / "etc/apt/sources.list").write_text("".join(lines))
    shutil.copytree(Path(patchwindow_agent.__file__).parent, base / CODE[1:] / "patchwindow_agent")
    packages = base / "usr/lib/python3/dist-packages"
    (packages / "stand_still.py").write_text(STAND_STILL)
    (packages / "stand_still.pth").write_text("import stand_still\n")
    for command in (
        ("apt-get", "-q", "update"),
        ("apt-get", "-qy", "install", *(f"{name}=1.0" for name in GOOD)),
        ("apt-cache", "gencaches"),
    ):
        subprocess.run(["chroot", str(base), *command], check=True, capture_output=True)
    with network(base, tmp_path / "hosts") as hosts:
        yield hosts


@pytest.fixture
def plane(hosts: Network, tmp_path: Path) -> Iterator[Plane]:
    with ServerProcess(tmp_path / "data", listen=f"{hosts.address}:0") as server:
        yield Plane(server, tmp_path)


def send(plane: Plane, nodes: Iterable[Node], **parameters: str) -> str:
    sent = plane.client.send_command(
        DocumentName="AWS-RunPatchBaseline",
        InstanceIds=[node.id for node in nodes],
        Parameters={name: [value] for name, value in parameters.items()},
        MaxConcurrency="100%",
        MaxErrors="100%",
    )
    return str(sent["Command"]["CommandId"])


def statuses(plane: Plane, command_id: str) -> dict[str, str]:
    """Return how the command stands on each node, by the node's name."""
    found = all_pages(plane.client, "list_command_invocations", "CommandInvocations", CommandId=command_id)
    return {each["InstanceName"]: each["Status"] for each in found}


def ended(plane: Plane, command_id: str, *names: str) -> dict[str, str]:
    """Return how the command has ended on each node, once it has on those of *names*."""

    def look() -> dict[str, str] | None:
        found = statuses(plane, command_id)
        return None if {found[name] for name in names} & set(UNDER_WAY) else found

    return until(look, f"the end on {', '.join(names)}", within_s=240)


def test_whatever_befalls_a_host_the_server_says_what_is_so_and_forgets_nobody(plane: Plane, hosts: Network) -> None:
    nodes = {name: Node.make(plane, hosts, name) for name in ("calm-1", "calm-2", *CUT_AT)}
    for name in ("offline", "agent-killed"):
        nodes[name] = Node.make(plane, hosts, name, SLOW)
    nodes["disk-full"] = Node.make(plane, hosts, "disk-full", "slow-unpack", "large", disk_mb=96)
    offline, full, killed = nodes["offline"], nodes["disk-full"], nodes["agent-killed"]
    scan = send(plane, nodes.values(), Operation="Scan")
    assert set(ended(plane, scan, *nodes).values()) == {"Success"}
    for node in nodes.values():
        node.check_truth()
        assert titles(*GOOD) <= node.upgradable()
    before, before_full = offline.states(), full.states()

    # All at once, and each is hit in the middle.
    for name, stage in CUT_AT.items():
        (nodes[name].host.root / "srv/stand-still-at").write_text(stage.value)
    command = send(plane, nodes.values(), Operation="Install", RebootOption="RebootIfNeeded")
    for node in (offline, full, killed):
        until(node.waits, f"the middle of the installation on {node.host.name}", within_s=120)
    offline.host.set_link(is_up=False)
    killed.host.kill_service()
    with full.host.full_disk():
        for node in (offline, full, killed):
            node.go_on()
        for name in CUT_AT:
            until((nodes[name].host.root / "srv/stands-still").exists, f"the stage of {name}", within_s=120)
            nodes[name].host.cut_power()
        reached = nodes.keys() - {"offline", "disk-full"}
        found = ended(plane, command, *reached)
        assert {found[name] for name in reached} == {"Success"}

        # The disk is full still, and the server hears what is there.
        until(lambda: full.states() != before_full, "the report from the full disk", within_s=200)
        full.check_truth()
        assert {full.states()[title] for title in titles(*GOOD, "slow-unpack", "large")} == {"Failed"}
        until(lambda: "No space left on device" in full.host.log, "a word of the agent about it", within_s=60)
    # There is room again. The agent did not get to note that the step had ended, so it is taken up where it stands.
    full.host.kill_service()
    assert ended(plane, command, "disk-full")["disk-full"] == "Success"

    # Nobody has heard of the one without a network; it has installed all, has booted again and goes on trying.
    until(lambda: offline.host.boot_count == 2, "the reboot of the one without a network", within_s=60)
    assert offline.states() == before
    offline.host.set_link(is_up=True)
    assert ended(plane, command, "offline")["offline"] == "Success"

    for name, node in nodes.items():
        node.check_truth()
        assert node.upgradable() == set(), name
        assert {node.states()[title] for title in titles(*GOOD)} == {"Installed"}, name
        # A power cut after the installation is the reboot; before it, one was asked for besides.
        was_reboot = CUT_AT.get(name) in (Stage.INSTALLED, Stage.REBOOTING)
        assert node.host.boot_count == (3 if name in CUT_AT and not was_reboot else 2), name
        if node is not full:
            log = (node.host.root / "var/log/dpkg.log").read_text()
            assert {log.count(f" upgrade {package}:all 1.0 2.0") for package in GOOD} == {1}, name
