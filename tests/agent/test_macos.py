"""Facts and installations on macOS, from answers written after the manuals of softwareupdate and Homebrew."""

import datetime as dt
import json
import plistlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from patchwindow.domain import facts_reading
from patchwindow.domain.facts_patches import patches_of
from patchwindow_agent import macos_output, managers, reboot
from patchwindow_agent.errors import InstallFailed, ScanFailed
from patchwindow_agent.macos import Macos
from patchwindow_agent.package_manager import Blocked, Order, Outcome, Phase, Source, Wanted
from patchwindow_agent.programs import Completed, OnLine

LIST = """Software Update Tool

Finding available software
Software Update found the following new or updated software:
* Label: macOS Sonoma 14.4.1-23E224
\tTitle: macOS Sonoma 14.4.1, Version: 14.4.1, Size: 1546232KiB, Recommended: YES, Action: restart, 
* Label: macOS Sequoia 15.0-24A335
\tTitle: macOS Sequoia, Version: 15.0, Size: 6340132KiB, Recommended: YES, Action: restart, 
* Label: Safari17.4SonomaAuto-17.4
\tTitle: Safari, Version: 17.4, Size: 152345KiB, Recommended: YES, 
* Label: Command Line Tools for Xcode-15.3
\tTitle: Command Line Tools for Xcode, Version: 15.3, Size: 707501KiB, Recommended: YES, Deferred: YES, 
"""  # noqa: W291  # softwareupdate ends its lines so
NOTHING = Completed(0, "Software Update Tool\n\nFinding available software\n", "No new software available.\n")
HISTORY: Sequence[Mapping[str, Any]] = [
    {
        "date": dt.datetime(2024, 3, 7, 18, 0, tzinfo=dt.UTC).replace(tzinfo=None),
        "displayName": "macOS 14.4",
        "displayVersion": "14.4",
        "processName": "softwareupdated",
    },
    {
        "date": dt.datetime(2024, 1, 23, tzinfo=dt.UTC).replace(tzinfo=None),
        "displayName": "Safari",
        "displayVersion": "17.3",
        "processName": "softwareupdated",
    },
    {
        "date": dt.datetime(2023, 12, 11, tzinfo=dt.UTC).replace(tzinfo=None),
        "displayName": "Safari",
        "displayVersion": "17.2",
        "processName": "softwareupdated",
    },
    {"displayName": "Example Tool", "displayVersion": "2.1", "processName": "installer"},
]
INSTALLED: Mapping[str, Any] = {
    "formulae": [
        {"name": "wget", "full_name": "wget", "tap": "homebrew/core", "installed": [{"version": "1.21.4", "time": 1700000000}]},
        {"name": "jq", "full_name": "jq", "tap": "homebrew/core", "installed": [{"version": "1.6"}]},
        {"name": "own", "full_name": "acme/tap/own", "tap": "acme/tap", "installed": [{"version": "1.0"}]},
    ],
    "casks": [{"token": "firefox", "tap": "homebrew/cask", "installed": "123.0"}],
}  # fmt: skip
OUTDATED = {
    "formulae": [
        {"name": "wget", "installed_versions": ["1.21.4"], "current_version": "1.24.5_1", "pinned": False},
        {"name": "jq", "installed_versions": ["1.6"], "current_version": "1.7.1", "pinned": True},
        {"name": "acme/tap/own", "installed_versions": ["1.0"], "current_version": "1.1", "pinned": False},
    ],
    "casks": [{"name": "firefox", "installed_versions": ["123.0"], "current_version": "124.0.1"}],
}


@dataclass(slots=True)
class Mac:
    """A Mac as far as its programs tell: *root* holds its files."""

    root: Path
    installed: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(INSTALLED)))
    listed: Completed = field(default_factory=lambda: Completed(0, LIST, ""))
    planned: str = "==> Would upgrade 1 outdated package:\nwget 1.21.4 -> 1.24.5_1\n"
    refuses: Mapping[str, Completed] = field(default_factory=dict)
    commands: list[Sequence[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in ("System/Library/CoreServices", "Library/Receipts", "var/db/receipts", "opt/homebrew/bin"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "opt/homebrew/bin/brew").touch()
        self.set_version("14.4")
        self.set_history(HISTORY)
        for name in ("com.example.tool", "com.apple.pkg.Core"):
            receipt = {"PackageIdentifier": name, "PackageVersion": "2.1", "InstallDate": HISTORY[0]["date"]}
            (self.root / f"var/db/receipts/{name}.plist").write_bytes(plistlib.dumps(receipt, fmt=plistlib.FMT_BINARY))

    def set_version(self, version: str) -> None:
        path = self.root / "System/Library/CoreServices/SystemVersion.plist"
        path.write_bytes(plistlib.dumps({"ProductName": "macOS", "ProductVersion": version}))

    def set_history(self, entries: Sequence[Mapping[str, Any]]) -> None:
        (self.root / "Library/Receipts/InstallHistory.plist").write_bytes(plistlib.dumps(list(entries)))

    def __call__(
        self,
        command: Sequence[str],
        *,
        timeout_s: float = 0,
        environ: Mapping[str, str] | None = None,
        on_line: OnLine | None = None,
    ) -> Completed:
        del timeout_s, environ, on_line
        self.commands.append(command)
        label = command[-1]
        if command[0] == "uname":
            return Completed(0, "arm64\n", "")
        if label in self.refuses and "--dry-run" not in command:
            return self.refuses[label]
        if command[:2] == ["softwareupdate", "--list"]:
            return self.listed
        if command[0] == "softwareupdate":
            if label.startswith("Safari"):
                self.set_history([*HISTORY, {**HISTORY[1], "date": HISTORY[0]["date"], "displayVersion": "17.4"}])
            return Completed(0, f"Downloaded {label}\nInstalling {label}\nDone with {label}\nDone.\n", "")
        return Completed(*self.brew(command), "")

    def brew(self, command: Sequence[str]) -> tuple[int, str]:
        if "info" in command:
            return 0, json.dumps(self.installed)
        if "outdated" in command:
            return 1, json.dumps(OUTDATED)
        if "upgrade" in command and "--dry-run" in command:
            return 0, self.planned
        for formula in self.installed["formulae"]:
            if command[-1] == formula["name"]:
                formula["installed"][0]["version"] = "1.24.5_1"
        return 0, ""


@pytest.fixture
def mac(tmp_path: Path) -> Mac:
    return Mac(tmp_path)


def macos(mac: Mac, *, is_root: bool = True) -> Macos:
    kernel = reboot.Kernel("23.4.0", "Darwin")
    return Macos(
        mac, root=mac.root, cache=None, kernel=kernel, is_root=is_root, wall=lambda: 5.0, owner=lambda _: "ada"
    )


def offered(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {update["name"]: update for update in facts["updates"]}


def wanted(name: str, version: str) -> Wanted:
    return Wanted(f"{name}.arm64:{version}", name, "arm64", version)


def install(mac: Mac, *some: Wanted, blocked: Sequence[Blocked] = ()) -> Outcome:
    return macos(mac).install(Order(some, blocked), quietly)


def quietly(phase: Phase, done: int, total: int, what: str) -> None:
    """Hear how far an installation is."""


def test_facts_have_what_is_installed_by_each_of_the_ways(mac: Mac) -> None:
    facts, installed_at = macos(mac).facts()
    packages = [(package["kind"], package["name"], package["version"]) for package in facts["packages"]]
    assert dict(zip(packages, installed_at, strict=True)) == {
        ("brew", "jq", "1.6"): 0,
        ("brew", "own", "1.0"): 0,
        ("brew", "wget", "1.21.4"): 1700000000,
        ("cask", "firefox", "123.0"): 0,
        # Apple's own receipts are parts of macOS.
        ("pkg", "com.example.tool", "2.1"): 1709834400,
        ("softwareupdate", "Safari", "17.3"): 1705968000,
        ("softwareupdate", "macOS", "14.4"): 0,
    }
    assert facts["os"] == {"id": "macos", "name": "macOS", "versionId": "14.4", "codename": "", "arch": "arm64"}


def test_updates_are_those_of_apple_and_of_homebrew_without_the_next_major_macos(mac: Mac) -> None:
    """Patch Manager's reference: "Major OS version upgrades are not performed"."""
    facts, _ = macos(mac).facts()
    updates = offered(facts)
    assert {name: (update["installed"], update["candidate"]) for name, update in updates.items()} == {
        "macOS": ("14.4", "14.4.1"),
        "Safari": ("17.3", "17.4"),
        "Command Line Tools for Xcode": ("unknown", "15.3"),
        "wget": ("1.21.4", "1.24.5_1"),
        "jq": ("1.6", "1.7.1"),
        "own": ("1.0", "1.1"),
        "firefox": ("123.0", "124.0.1"),
    }
    assert (updates["macOS"]["reboot"], updates["Safari"]["reboot"]) == ("always", "never")
    assert updates["macOS"]["size"] == 1546232 * 1024
    assert facts["held"] == ["Command Line Tools for Xcode", "jq"]
    assert facts["origins"][updates["own"]["origins"][0]]["id"] == "acme/tap"


def test_the_server_reads_the_facts_and_calls_updates_of_macos_and_safari_security(mac: Mac) -> None:
    facts, _ = macos(mac).facts()
    patches = {readings[0].name: readings[0] for readings in patches_of(facts_reading.parse(facts)).offered}
    assert {name: patch.classification for name, patch in patches.items() if patch.classification} == {
        "macOS": "Security",
        "Safari": "Security",
        "Command Line Tools for Xcode": "Recommended",
    }
    assert patches["macOS"].advisory_ids == ("macOS Sonoma 14.4.1-23E224",)
    assert patches["macOS"].title == "macOS.arm64:14.4.1"


def test_once_it_is_over_no_further_update_begins_and_what_is_left_has_not_failed(mac: Mac) -> None:
    answers = iter(["", "it is cancelled"])
    some = (wanted("wget", "1.24.5_1"), wanted("Safari", "17.4"))
    outcome = macos(mac).install(Order(some), quietly, lambda: next(answers))
    assert (outcome.installed, outcome.failed) == (["wget.arm64:1.24.5_1"], {})
    assert outcome.left == ["Safari.arm64:17.4"]


def test_a_mac_with_nothing_to_do_and_without_homebrew_has_no_updates(mac: Mac) -> None:
    (mac.root / "opt/homebrew/bin/brew").unlink()
    mac.listed = NOTHING
    assert macos(mac).facts()[0]["updates"] == []
    assert macos(mac).refresh() == (True, 5, None)
    assert not any("brew" in word for command in mac.commands for word in command)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (
            Completed(0, "Software Update Tool\n", "The Internet connection appears to be offline.\n"),
            "softwareupdate did not say what there is: The Internet connection appears to be offline.",
        ),
        (Completed(1, "", "Can't connect\n"), "softwareupdate failed: Can't connect"),
        (Completed(0, "* Label: A-1\n\tTitle: A; Version 1\n", ""), "cannot read what softwareupdate says of A-1"),
    ],
)
def test_a_list_that_cannot_be_had_fails_the_scan(mac: Mac, listed: Completed, reason: str) -> None:
    mac.listed = listed
    with pytest.raises(ScanFailed) as caught:
        macos(mac).facts()
    assert str(caught.value).startswith(reason)


def test_homebrew_runs_as_its_owner_and_looks_for_nothing_newer_than_it_was_told(mac: Mac) -> None:
    macos(mac).facts()
    (command,) = (command for command in mac.commands if "outdated" in command)
    assert command[:7] == ["sudo", "-n", "-H", "-u", "ada", "env", "HOMEBREW_NO_AUTO_UPDATE=1"]
    macos(mac, is_root=False).facts()
    assert mac.commands[-1][0] == "env"


def test_exactly_what_is_wanted_is_installed_and_what_needs_a_restart_last(mac: Mac) -> None:
    outcome = install(mac, wanted("macOS", "14.4.1"), wanted("Safari", "17.4"), wanted("wget", "1.24.5_1"))
    assert outcome.installed == ["macOS.arm64:14.4.1", "Safari.arm64:17.4", "wget.arm64:1.24.5_1"]
    assert (outcome.failed, outcome.came_along) == ({}, [])
    # The scan after the restart decides.
    assert outcome.remarks == ["macOS.arm64:14.4.1 is prepared; the restart installs it"]
    installed = [command[-1] for command in mac.commands if "--install" in command or "upgrade" in command]
    assert installed == ["Safari17.4SonomaAuto-17.4", "wget", "wget", "macOS Sonoma 14.4.1-23E224"]
    assert not any("--restart" in command or "-R" in command for command in mac.commands)


def test_what_fails_is_told_by_title_and_keeps_nothing_else_out(mac: Mac) -> None:
    mac.refuses = {
        "macOS Sonoma 14.4.1-23E224": Completed(0, "", "Failed to authenticate\nNot authorized: an owner must agree\n"),
        "Safari17.4SonomaAuto-17.4": Completed(0, "Safari17.4SonomaAuto-17.4: No such update\n", ""),
        "firefox": Completed(1, "", "Error: It seems there is already an App at '/Applications/Firefox.app'.\n"),
    }
    outcome = install(
        mac,
        wanted("macOS", "14.4.1"),
        wanted("Safari", "17.4"),
        wanted("firefox", "124.0.1"),
        wanted("jq", "1.7.1"),
        wanted("wget", "1.24.4"),
        wanted("own", "1.1"),
        wanted("wget", "1.24.5_1"),
    )
    assert outcome.installed == ["wget.arm64:1.24.5_1"]
    assert outcome.failed == {
        "macOS.arm64:14.4.1": "Not authorized: an owner must agree",
        "Safari.arm64:17.4": "Safari17.4SonomaAuto-17.4: No such update",
        "firefox.arm64:124.0.1": "Error: It seems there is already an App at '/Applications/Firefox.app'.",
        "jq.arm64:1.7.1": "jq is pinned or deferred on the node; lift that (brew unpin jq), or reject the patch",
        "wget.arm64:1.24.4": "wget 1.24.4 is not offered any more; scan again",
        "own.arm64:1.1": "it is not there after the installation",
    }


def test_what_would_bring_along_a_blocked_formula_is_not_installed(mac: Mac) -> None:
    mac.planned = "==> Would install 2 dependencies for wget:\ngettext and libidn2\n" + mac.planned
    outcome = install(mac, wanted("wget", "1.24.5_1"), blocked=[Blocked("libidn2", "")])
    assert outcome.failed == {"wget.arm64:1.24.5_1": "it needs libidn2, which is blocked"}
    assert all("--dry-run" in command for command in mac.commands if "upgrade" in command)


def test_an_older_macos_is_not_asked_to_agree_by_an_option_that_it_does_not_know(mac: Mac) -> None:
    for version, is_asked in (("10.15.7", False), ("14.4", True)):
        mac.set_version(version)
        install(mac, wanted("Safari", "17.4"))
        (command,) = (command for command in mac.commands if "--install" in command)
        assert ("--agree-to-license" in command) is is_asked
        mac.commands.clear()
        mac.set_history(HISTORY)


def test_sources_and_users_without_rights_are_refused(mac: Mac) -> None:
    with pytest.raises(InstallFailed, match="only root may install on macOS"):
        macos(mac, is_root=False).install(Order(()), quietly)
    with pytest.raises(ScanFailed, match="the sources own are for Linux"), macos(mac).using([Source("own", "deb …")]):
        raise AssertionError("nothing is done with them")


def test_a_rapid_security_response_is_an_update_of_its_own() -> None:
    text = (
        "* Label: macOS Ventura Rapid Security Response 13.4.1 (a)-22F770820b\n\tTitle: macOS Ventura Rapid Security "
        "Response 13.4.1 (a), Version: 13.4.1 (a), Size: 2096KiB, Recommended: YES, Action: restart, \n"
    )
    (update,) = macos_output.parse_updates(text, "", running="13.4.1")
    assert (update.name, update.version) == ("macOS Ventura Rapid Security Response", "13.4.1 (a)")
    assert update.is_security


def test_a_machine_with_softwareupdate_is_a_mac(tmp_path: Path) -> None:
    for program in ("softwareupdate", "sw_vers"):
        (tmp_path / program).touch(mode=0o755)
    assert type(managers.find({"PATH": str(tmp_path)}, cache=None)) is Macos
