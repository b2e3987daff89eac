"""What apt and dpkg say of a transaction, in texts as they print them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent import apt_plan
from patchwindow_agent.apt_plan import Change, Simulation
from patchwindow_agent.package_manager import Blocked
from patchwindow_agent.programs import Completed

SIMULATED = """\
Inst libc6 [2.36-9+deb12u8] (2.36-9+deb12u9 Debian-Security:12/stable-security [amd64]) []
Inst libc6:i386 [2.36-9+deb12u8] (2.36-9+deb12u9 Debian-Security:12/stable-security [i386])
Remv libtoy:i386 [1:1.0] []
Remv libold [1.0-1]
Inst tzdata (2025b-0+deb12u2 Debian:12.12/oldstable, Debian:12-updates/oldstable-updates [all])
Conf libc6 (2.36-9+deb12u9 Debian-Security:12/stable-security [amd64])
"""


def test_a_simulation_tells_what_is_installed_and_removed() -> None:
    assert apt_plan.parse_simulation(Completed(0, SIMULATED, ""), native="amd64") == Simulation(
        installs=[
            Change("libc6", "amd64", "2.36-9+deb12u9"),
            Change("libc6", "i386", "2.36-9+deb12u9"),
            Change("tzdata", "all", "2025b-0+deb12u2"),
        ],
        removes=[Change("libtoy", "i386", "1:1.0"), Change("libold", "amd64", "1.0-1")],
    )


UNMET = """\
The following packages have unmet dependencies:
 one : Depends: two (>= 2.0) but 1.0 is to be installed
       Recommends: three but it is not going to be installed
"""
# Of apt 3.
CONFLICT = """\
E: Unable to satisfy dependencies. Reached two conflicting assignments:
   1. one is selected for install
   2. one Depends two
"""


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (
            Completed(100, UNMET, "E: Unable to correct problems, you have held broken packages.\n"),
            (
                "one : Depends: two (>= 2.0) but 1.0 is to be installed; "
                "Recommends: three but it is not going to be installed"
            ),
        ),
        (
            Completed(100, "", CONFLICT),
            (
                "Unable to satisfy dependencies. Reached two conflicting assignments: "
                "1. one is selected for install 2. one Depends two"
            ),
        ),
        (
            Completed(100, "The following held packages will be changed:\n  linux-image-amd64 held\n", "E: Held …\n"),
            "held on the node: linux-image-amd64, held",
        ),
        (Completed(127, "", "apt-get: No such file or directory"), "apt-get: No such file or directory"),
        (Completed(-9, "", ""), "apt-get ended with exit status -9"),
    ],
)
def test_why_apt_does_not_go_is_told_in_one_line(done: Completed, expected: str) -> None:
    assert apt_plan.install_problem(done) == expected


def test_states_are_told_by_name_and_architecture() -> None:
    states = apt_plan.parse_states(
        "ii \tlibc6\tamd64\t2.36-9\t13000\nhi \tlibc6\ti386\t2.36-9\t\niHR\tbad\tall\t1\t1\n"
        "rc \tgone\tall\t1\t1\niF \thalf\tall\t2\t7\niW \twaits\tall\t1\t1\nun \tnever\t\t\t\n"
    )
    assert set(states) == {("libc6", "amd64"), ("libc6", "i386"), ("bad", "all"), ("half", "all"), ("waits", "all")}
    assert states["libc6", "amd64"].size == 13000 * 1024
    assert {key for key, state in states.items() if state.is_held} == {("libc6", "i386")}
    assert {name for (name, _), state in states.items() if not state.is_whole} == {"bad", "half"}
    assert {name for (name, _), state in states.items() if not state.is_settled} == {"bad", "half", "waits"}


def test_who_stands_in_for_whom_is_what_is_replaced_and_provided() -> None:
    details = apt_plan.parse_details(
        "Package: libssl3t64\nVersion: 3.2\nInstalled-Size: 5000\nReplaces: libssl3, libother (<< 2)\n"
        "Provides: libssl3 (= 3.2)\n\nPackage: plain\nVersion: 1\n"
    )
    assert details["libssl3t64", "3.2"] == apt_plan.Details(5000 * 1024, frozenset({"libssl3"}))
    assert details["plain", "1"] == apt_plan.Details(0, frozenset())


def test_archives_are_told_with_the_version_that_their_names_carry() -> None:
    archives = apt_plan.parse_archives(
        "'http://m.example.net/pool/vim_9.0.1378-2_amd64.deb' vim_2%3a9.0.1378-2_amd64.deb 1567 SHA256:00\n"
    )
    assert archives == {
        "vim_9.0.1378-2_amd64.deb": apt_plan.Archive(
            Change("vim", "amd64", "2:9.0.1378-2"), "vim_2%3a9.0.1378-2_amd64.deb", 1567
        )
    }


CHANGE = Change("libc6", "amd64", "2.36")


@pytest.mark.parametrize(
    ("blocked", "expected"),
    [
        (Blocked("libc6", "amd64", "2.36"), True),
        (Blocked("libc6", "amd64"), True),
        (Blocked("libc6", ""), True),
        (Blocked("libc6", "i386"), False),
        (Blocked("libc6", "amd64", "2.35"), False),
        (Blocked("libc", "amd64"), False),
    ],
)
def test_a_package_is_blocked_by_name_architecture_and_version(blocked: Blocked, *, expected: bool) -> None:
    assert apt_plan.is_blocked(CHANGE, [blocked]) is expected


def test_the_last_words_of_a_script_are_told_and_those_of_another_are_not() -> None:
    output = """\
grub-install: error: disk full
dpkg: error processing package grub-pc (--configure):
 installed grub-pc package post-installation script subprocess returned error exit status 1
dpkg: dependency problems prevent configuration of grub-gfxpayload-lists:
 grub-gfxpayload-lists depends on grub-pc (>= 2); however:
  Package grub-pc is not configured yet.

dpkg: error processing package grub-gfxpayload-lists:amd64 (--configure):
 dependency problems - leaving unconfigured
dpkg: error processing archive /var/cache/apt/archives/vim_2%3a9_amd64.deb (--unpack):
 trying to overwrite '/usr/bin/vim', which is also in package ours 1.0
Errors were encountered while processing:
 grub-pc
"""
    assert apt_plan.parse_failures(output) == {
        "grub-pc": "installed grub-pc package post-installation script subprocess returned error exit status 1 "
        "(grub-install: error: disk full)",
        "grub-gfxpayload-lists": "grub-gfxpayload-lists depends on grub-pc (>= 2): Package grub-pc is not configured yet",
        "vim": "trying to overwrite '/usr/bin/vim', which is also in package ours 1.0",
    }


@given(st.text())
def test_a_reason_is_one_line_that_a_report_can_hold(text: str) -> None:
    reason = apt_plan.shortened(text)
    assert len(reason) <= 400
    assert reason == "" or reason.isprintable()


@given(st.text())
def test_no_text_breaks_a_parser(text: str) -> None:
    assert isinstance(apt_plan.parse_states(text), dict)
    assert isinstance(apt_plan.parse_simulation(Completed(0, text, ""), native="amd64"), Simulation)
    assert isinstance(apt_plan.install_problem(Completed(100, text, text)), str)
    assert isinstance(apt_plan.parse_details(text), dict)
    assert isinstance(apt_plan.parse_archives(text), dict)
    assert isinstance(apt_plan.parse_not_fetched(text), dict)
    assert isinstance(apt_plan.parse_failures(text), dict)
