"""The node orders versions of rpm as the server does, whose order is compared with rpm's own elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain import rpm_version as the_servers
from patchwindow_agent import rpm_version

PARTS = st.text("019ab.+_~^", min_size=1, max_size=6)
VERSIONS = st.builds(
    lambda epoch, version, release: f"{epoch}{version}-{release}",
    st.sampled_from(["", "0:", "1:", "12:"]),
    PARTS,
    PARTS,
)


@given(VERSIONS, VERSIONS)
def test_two_versions_are_ordered_as_on_the_server(one: str, other: str) -> None:
    mine = rpm_version.sort_key(one), rpm_version.sort_key(other)
    theirs = the_servers.sort_key(one), the_servers.sort_key(other)
    assert (mine[0] < mine[1], mine[0] == mine[1]) == (theirs[0] < theirs[1], theirs[0] == theirs[1])


@given(st.sampled_from(["", "0", "(none)", "3"]), PARTS, PARTS)
def test_a_version_is_taken_apart_as_it_was_put_together(epoch: str, version: str, release: str) -> None:
    joined = rpm_version.join(epoch, version, release)
    assert rpm_version.split(joined) == ("3" if epoch == "3" else "0", version, release)


@pytest.mark.parametrize(
    ("provided", "operator", "wanted", "is_satisfied"),
    [
        ("1.0-2", "", "", True),
        ("1.0-2", "=", "1.0-2", True),
        ("1.0-2", "=", "1.0", True),
        ("1.0", "=", "1.0-7", True),
        ("1.0-2", "=", "1.0-3", False),
        ("1.0-2", ">=", "1.0-3", False),
        ("1:0.5-1", ">", "2.0-1", True),
        ("1.0~rc1-1", "<", "1.0", True),
        ("1.0-2", "<=", "1.0-2", True),
        ("", ">=", "1.0", False),
    ],
)
def test_a_relation_is_met_as_rpm_says(provided: str, operator: str, wanted: str, *, is_satisfied: bool) -> None:
    """Source: rpm's manual, "Dependencies": where one side has no release, releases are not compared."""
    assert rpm_version.satisfies(provided, operator, wanted) is is_satisfied
