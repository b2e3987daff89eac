"""The order of rpm versions."""

import random
import shutil
import subprocess
from itertools import pairwise, product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.rpm_version import Evr, sort_key, split

needs_rpm = pytest.mark.skipif(
    shutil.which("rpm") is None, reason="needs rpm, to compare with: .ci/install-needs, or apt-get install rpm"
)

versions = st.builds(
    lambda epoch, version, release: f"{epoch}{version}{release}",
    st.sampled_from(["", "0:", "1:", "12:"]),
    st.from_regex(r"\A[0-9][a-zA-Z0-9.+~^_]{0,8}\Z"),
    st.one_of(st.just(""), st.from_regex(r"\A-[a-zA-Z0-9.+~^_]{1,6}\Z")),
)

# As distributions number them, the oldest first.
ASCENDING = [
    "3.0.7-27.el9",
    "3.0.7-27.el9.0.2",
    "3.0.7-27.el9_4",
    "3.0.8-1.amzn2023.0.1",
    "3.0.8-1.amzn2023.0.18",
    "3.0.8-1.amzn2023.1",
    "3.5.0~rc1-1.fc41",
    "3.5.0~rc2-1.fc41",
    "3.5.0-1.fc41",
    "3.5.0^20260301git1a2b3c4-1.fc41",
    "3.5.0^20260401git0f0f0f0-1.fc41",
    "3.5.0.1-1.fc41",
    "3.5.1-150600.5.3.1",
    "3.5.1-150600.5.15.1",
    "3.5.1-150700.1.1",
    "5.14.0-427.13.1.el9_4",
    "5.14.0-427.13.1.el9_5",
    "5.14.0-503.11.1.el9_5",
    "2025b-1.el9",
    "20260101-1.amzn2",
    "1:1.1.1k-12.el8_9",
    "1:1.1.1k-14.el8_10",
    "2:4.15.5-6.el8",
    "32:9.11.36-16.el8_10",
]


def test_distributions_number_upwards() -> None:
    assert all(sort_key(older) < sort_key(newer) for older, newer in pairwise(ASCENDING))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.1"),
        ("1.9", "1.10"),
        ("1.0~rc1", "1.0"),
        ("1.0", "1.0^git1"),
        ("1.0^git1", "1.0.1"),
        ("1.0^~1", "1.0^"),
        ("1.0a", "1.01"),
        ("1.0.a", "1.0.1"),
        ("9.9-9", "1:0.1-1"),
        ("1.0", "1.0-1"),
        ("1." + "9" * 5000, "1.1" + "0" * 5000),
    ],
)
def test_a_newer_version_sorts_after_an_older_one(older: str, newer: str) -> None:
    assert sort_key(older) < sort_key(newer)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0-1", "0:1.0-1"), ("1.0-1", "(none):1.0-1"), ("1.0-1", "1_0-1"), ("1.01", "1.1"), ("1.0.", "1.0")],
)
def test_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)


@pytest.mark.parametrize(
    ("text", "parts", "written"),
    [
        ("3.0.8-1.amzn2023", Evr("0", "3.0.8", "1.amzn2023"), "3.0.8-1.amzn2023"),
        ("0:3.0.8-1.el9", Evr("0", "3.0.8", "1.el9"), "3.0.8-1.el9"),
        ("(none):3.0.8-1.el9", Evr("0", "3.0.8", "1.el9"), "3.0.8-1.el9"),
        ("32:9.11.36-16.el8_10", Evr("32", "9.11.36", "16.el8_10"), "32:9.11.36-16.el8_10"),
        ("3.0.8", Evr("0", "3.0.8", ""), "3.0.8"),
        ("1-2-3", Evr("0", "1-2", "3"), "1-2-3"),
        ("a:1-2", Evr("0", "a:1-2", ""), "a:1-2"),
    ],
)
def test_a_version_is_split_into_what_it_is_made_of(text: str, parts: Evr, written: str) -> None:
    assert split(text) == parts
    assert str(parts) == written


@given(versions, versions)
def test_a_version_with_a_tilde_is_older_and_with_a_caret_newer(one: str, other: str) -> None:
    """ "A tilde sorts lower than the end of the version, a caret higher"; and the order is total."""
    assert sort_key(f"{one}~") < sort_key(one) < sort_key(f"{one}^")
    assert (sort_key(one) < sort_key(other)) + (sort_key(other) < sort_key(one)) + (
        sort_key(one) == sort_key(other)
    ) == 1


def random_version(chance: random.Random) -> str:
    def text(alphabet: str) -> str:
        return "".join(chance.choices(alphabet, k=chance.randint(1, 7)))

    epoch = chance.choice(["", "", "0:", "1:", "12:"])
    release = chance.choice(["", "-" + text("0019ab.+~^_A")])
    return f"{epoch}{text('0019ab.+~^_A')}{release}"


def asked_of_rpm(pairs: list[tuple[str, str]], folder: Path) -> list[int]:
    """Return what rpm itself says of all *pairs*, in one process of its own Lua."""
    lines = folder / "pairs"
    lines.write_text("".join(f"{one} {other}\n" for one, other in pairs))
    script = (
        f"for line in io.lines('{lines}') do local at = line:find(' ', 1, true); "
        "print(rpm.vercmp(line:sub(1, at - 1), line:sub(at + 1)) .. ' ') end"
    )
    answer = subprocess.run(["rpm", "--eval", f"%{{lua: {script}}}"], capture_output=True, text=True, check=True)
    return [int(verdict) for verdict in answer.stdout.split()]


def disagreements(pairs: list[tuple[str, str]], folder: Path) -> list[tuple[str, str, int]]:
    theirs = asked_of_rpm(pairs, folder)
    return [
        (one, other, verdict)
        for (one, other), verdict in zip(pairs, theirs, strict=True)
        if (sort_key(one) > sort_key(other)) - (sort_key(one) < sort_key(other)) != verdict
    ]


@needs_rpm
def test_the_order_is_that_of_rpm_for_generated_versions(tmp_path: Path) -> None:
    chance = random.Random(12)
    pairs = []
    for _ in range(40_000):
        one = random_version(chance)
        # Versions that differ by one character find more than strangers do.
        place = chance.randrange(one.find(":") + 1, len(one) + 1)
        neighbour = one[:place] + chance.choice("~^.a0_1") + one[place:]
        pairs.append((one, chance.choice([neighbour, random_version(chance)])))
    assert disagreements(pairs, tmp_path) == []


@needs_rpm
def test_the_order_is_that_of_rpm_for_versions_as_distributions_write_them(tmp_path: Path) -> None:
    assert asked_of_rpm(list(pairwise(ASCENDING)), tmp_path) == [-1] * (len(ASCENDING) - 1)
    suffixes = ["", ".1", "~rc1", "^git1", "_4", ".0.2", "a", "-2"]
    grown = [version + suffix for version in ASCENDING for suffix in suffixes]
    assert disagreements(list(product(grown, grown)), tmp_path) == []
