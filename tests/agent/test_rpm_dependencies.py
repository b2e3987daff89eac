"""What comes along with one update, by the relations of packages."""

from collections.abc import Sequence

from patchwindow_agent import rpm_dependencies
from patchwindow_agent.rpm_database import Links
from patchwindow_agent.rpm_dependencies import Along, Update

INSTALLED = {
    "libs": Links(provides=["libs = 1-1", "libs.so.1()(64bit)"]),
    "tool": Links(requires=["libs = 1-1"], provides=["tool = 1-1"]),
    "loose": Links(requires=["libs.so.1()(64bit)", "/bin/sh"], provides=["loose = 1-1"]),
    "kernel": Links(provides=["kernel = 1-1"]),
}
LIBS = Update("2-1", Links(provides=["libs = 2-1", "libs.so.1()(64bit)"]), "libs")
TOOL = Update("2-1", Links(requires=["libs = 2-1"], provides=["tool = 2-1"]), "tool")
TOOL_3 = Update("3-1", Links(requires=["libs >= 2"], provides=["tool = 3-1"]), "tool")


def along(*updates: Update, files: Sequence[str] = ()) -> Sequence[Along]:
    return rpm_dependencies.along(INSTALLED, updates, files.__contains__)


def test_an_update_pulls_the_one_that_provides_what_it_requires() -> None:
    assert along(LIBS, TOOL)[1] == Along([0], [])


def test_an_update_pulls_those_that_need_exactly_what_it_replaces() -> None:
    assert along(LIBS, TOOL)[0] == Along([1], [])


def test_of_several_versions_the_one_of_the_same_version_comes_along() -> None:
    assert along(LIBS, TOOL_3, TOOL)[0] == Along([2], [])


def test_without_one_of_the_same_version_the_newest_comes_along() -> None:
    assert along(LIBS, TOOL._replace(version="2-9"), TOOL_3)[0] == Along([2], [])


def test_what_is_provided_as_before_pulls_nothing() -> None:
    assert along(LIBS)[0] == Along([], [])


def test_what_nothing_here_provides_is_unmet() -> None:
    needy = Update("2-1", Links(requires=["new >= 3", "libs.so.1()(64bit)", "/bin/sh", "/bin/awk"]), "loose")
    assert along(needy, files=["/bin/sh"])[0] == Along([], ["new >= 3", "/bin/awk"])


def test_an_update_that_stands_beside_the_old_one_leaves_nothing_behind() -> None:
    beside = Update("2-1", Links(provides=["kernel = 2-1"]), None)
    assert along(beside)[0] == Along([], [])


def test_relations_that_only_a_solver_understands_are_passed_over() -> None:
    rich = Update(
        "2-1", Links(requires=["(new if other)", "rpmlib(FileDigests) <= 4.6.0-1", "config(tool) = 2-1"]), "tool"
    )
    assert along(rich)[0] == Along([], [])
