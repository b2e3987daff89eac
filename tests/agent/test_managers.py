"""Which package manager a machine has."""

from pathlib import Path

import pytest

from patchwindow_agent import managers
from patchwindow_agent.apt import Apt
from patchwindow_agent.dnf import Dnf
from patchwindow_agent.errors import Unsupported
from patchwindow_agent.yum import Yum
from patchwindow_agent.zypper import Zypper


def test_a_machine_without_any_package_manager_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"has no package manager that is known here; patch operations work with apt"):
        managers.find({"PATH": str(tmp_path)}, cache=None)


def test_a_manager_is_known_by_all_of_its_programs(tmp_path: Path) -> None:
    for known in managers.MANAGERS:
        folder = tmp_path / known.name
        folder.mkdir()
        for program in known.programs[:-1]:
            (folder / program).touch(mode=0o755)
        with pytest.raises(Unsupported):
            managers.find({"PATH": str(folder)}, cache=None)


def test_managers_have_names_of_their_own() -> None:
    names = [known.name for known in managers.MANAGERS]
    assert len(set(names)) == len(names)


def test_a_machine_with_dnf_has_that_and_not_yum_which_is_another_name_of_it(tmp_path: Path) -> None:
    for program in ("rpm", "dnf", "yum"):
        (tmp_path / program).touch(mode=0o755)
    assert type(managers.find({"PATH": str(tmp_path)}, cache=None)) is Dnf
    (tmp_path / "dnf").unlink()
    assert type(managers.find({"PATH": str(tmp_path)}, cache=None)) is Yum


@pytest.mark.parametrize(
    ("id", "like", "manager"),
    [
        ("opensuse-leap", "suse opensuse", Zypper),
        ("sles", "suse", Zypper),
        ("sl-micro", "", Zypper),
        ("fedora", "", Dnf),
        ("ol", "fedora", Dnf),
        ("amzn", "fedora", Dnf),
        ("debian", "", Apt),
        ("raspbian", "debian", Apt),
        # Of those that nobody has heard of, what they are made from decides, and else the order.
        ("own-linux", "rhel centos fedora", Dnf),
        ("own-linux", "suse", Zypper),
        ("own-linux", "", Apt),
    ],
)
def test_a_machine_with_several_managers_has_that_of_its_system(
    tmp_path: Path, id: str, like: str, manager: type
) -> None:
    for program in ("apt-get", "dpkg-query", "rpm", "dnf", "zypper"):
        (tmp_path / program).touch(mode=0o755)
    # apt is asked at once where it keeps what.
    (tmp_path / "apt-config").write_text("#!/bin/sh\n")
    (tmp_path / "apt-config").chmod(0o755)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(f'ID={id}\nID_LIKE="{like}"\n')
    assert type(managers.find({"PATH": str(tmp_path)}, cache=None, machine_root=tmp_path)) is manager
