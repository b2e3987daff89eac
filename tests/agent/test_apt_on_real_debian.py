"""Real Debian with real security updates pending: scanned, patched, and compared with what its own apt says."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.rig.debian_root import CannotBuildError, cached_tarball, unpack

import patchwindow_agent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for chroot"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="needs mmdebstrap; .ci/install-needs installs it"),
]

# The updates of the node's security source are what Debian's predefined baseline approves.
PATCH: Final = """
import json, sys
from pathlib import Path
from patchwindow_agent import programs, reboot
from patchwindow_agent.apt import Apt
from patchwindow_agent.package_manager import Order, Wanted
import os

manager = Apt(programs.runner(os.environ), root=Path("/"), cache=None, kernel=reboot.running_kernel())
repaired = list(manager.repair())
before, _ = manager.facts()
wanted = [
    Wanted(f"{update['name']}.{update['arch']}:{update['candidate']}", update["name"], update["arch"], update["candidate"])
    for update in before["updates"]
    if update["security"]
]
told = []
outcome = manager.install(Order(wanted), lambda phase, done, total, what: told.append([phase.value, done, total, what]))
after, _ = manager.facts()
again = manager.install(Order(wanted), lambda *_: None)
print(json.dumps({
    "repaired": repaired, "before": before, "outcome": outcome._asdict(), "again": again._asdict(), "told": told,
    "after": after, "left": list(manager.repair()), "python": sys.version_info[:2],
}))
"""


class Node:
    """A root, as the machine that it would be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        source = Path(patchwindow_agent.__file__).parent
        shutil.copytree(
            source, path / "opt/patchwindow/patchwindow_agent", ignore=shutil.ignore_patterns("__pycache__")
        )

    def run(self, *command: str, stdin: str = "") -> str:
        """Return what *command* prints on this node."""
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "PYTHONPATH": "/opt/patchwindow"}
        done = subprocess.run(
            ["chroot", str(self.path), *command], input=stdin, env=environ, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def upgradable(self) -> dict[str, str]:
        """Return the candidates of updates from the security source, as the node's own apt lists them."""
        lines = self.run("apt", "-qq", "list", "--upgradable").splitlines()
        found = (re.match(r"(\S+?)/(\S+) (\S+) ", line) for line in lines)
        return {match[1]: match[3] for match in found if match is not None and "-security" in match[2]}


@pytest.fixture(params=["bullseye", "bookworm", "trixie"])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    try:
        tarball = cached_tarball(request.param)
    except CannotBuildError as problem:
        pytest.skip(str(problem))
    path = unpack(tarball, tmp_path / "root")
    yield Node(path)
    shutil.rmtree(path)


def by_name(facts: dict[str, Any], member: str) -> dict[str, str]:
    version = {"packages": "version", "updates": "candidate"}[member]
    return {entry["name"]: entry[version] for entry in facts[member]}


def test_what_is_missing_is_what_apt_says_and_after_the_installation_nothing_is_left(node: Node) -> None:
    native = node.upgradable()
    assert native, "the suite has no security update pending, which would make this test say nothing"
    came_for_others = set(node.run("apt-mark", "showauto").split())

    said = json.loads(node.run("python3", "-", stdin=PATCH))

    security = {update["name"]: update["candidate"] for update in said["before"]["updates"] if update["security"]}
    assert security == native
    assert said["outcome"]["failed"] == {}
    assert {title.rpartition(":")[0].rpartition(".")[0] for title in said["outcome"]["installed"]} == native.keys()
    installed = by_name(said["after"], "packages")
    assert {name: installed[name] for name in native} == native
    assert node.upgradable() == {}
    assert [update["name"] for update in said["after"]["updates"] if update["security"]] == []
    # Said twice, done once.
    assert said["again"]["installed"] == said["outcome"]["installed"]
    assert said["again"]["came_along"] == []
    assert (said["repaired"], said["left"]) == ([], [])
    assert said["told"][-1][:3] == ["Installing", len(native), len(native)]
    assert came_for_others <= set(node.run("apt-mark", "showauto").split())
    assert node.run("dpkg", "--audit") == ""
