"""The order of Debian versions."""

import random
import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.debian_version import sort_key

needs_dpkg = pytest.mark.skipif(
    shutil.which("dpkg") is None, reason="needs dpkg, to compare with: it is part of Debian and Ubuntu"
)

# As Debian and Ubuntu number them, the oldest first.
ASCENDING = [
    "3.0.2-0ubuntu1.15",
    "3.0.2-0ubuntu1.18",
    "3.0.15-1~deb12u1",
    "3.0.16-1~deb12u1",
    "3.0.16-1~deb12u2",
    "3.0.16-1",
    "3.0.16-1+b1",
    "3.5.0~rc1-1",
    "3.5.0-1~bpo12+1",
    "3.5.0-1",
    "3.5.0+dfsg-1",
    "3.5.0+dfsg1-1",
    "5.15.0-91.101",
    "5.15.0-100.110",
    "6.1.129-1",
    "20230311+deb12u1",
    "1:9.18.33-1~deb12u2",
    "1:9.18.33-1~deb12u10",
    "2:8.2.4659-1",
    "2:9.0.1378-2+deb12u2",
]

versions = st.builds(
    lambda epoch, upstream, revision: f"{epoch}{upstream}{revision}",
    st.sampled_from(["", "0:", "1:", "12:"]),
    st.from_regex(r"\A[0-9][a-z0-9.+~]{0,8}\Z"),
    st.one_of(st.just(""), st.from_regex(r"\A-[a-z0-9.+~]{1,6}\Z")),
)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1.0", "1.1"),
        ("1.9", "1.10"),
        ("1.0~rc1", "1.0"),
        ("1.0~~", "1.0~"),
        ("1.0", "1.0a"),
        ("1.0a", "1.0+"),
        ("1.0-1", "1.0-1+b1"),
        ("1.0-1~deb12u1", "1.0-1"),
        ("9.9", "1:0.1"),
        ("3.0.15-1~deb12u1", "3.0.16-1~deb12u1"),
        ("1-2-3", "1-2-4"),
        ("1." + "9" * 5000, "1.1" + "0" * 5000),
    ],
)
def test_a_newer_version_sorts_after_an_older_one(older: str, newer: str) -> None:
    assert sort_key(older) < sort_key(newer)


@pytest.mark.parametrize(("one", "other"), [("1.0", "0:1.0"), ("1.0", "1.0-0"), ("1.01", "1.1"), ("1a", "1a0")])
def test_spellings_of_one_version_are_equal(one: str, other: str) -> None:
    assert sort_key(one) == sort_key(other)


def test_distributions_number_upwards() -> None:
    assert all(sort_key(older) < sort_key(newer) for older, newer in pairwise(ASCENDING))


@given(versions, versions)
def test_a_version_before_a_tilde_is_always_newer(one: str, other: str) -> None:
    """Policy 5.6.12: "the tilde sorts before anything, even the end of a part"."""
    assert sort_key(f"{one}~") < sort_key(one)
    assert (sort_key(one) < sort_key(other)) + (sort_key(other) < sort_key(one)) + (
        sort_key(one) == sort_key(other)
    ) == 1


def random_version(chance: random.Random) -> str:
    def text(alphabet: str, length_max: int) -> str:
        return "".join(chance.choices(alphabet, k=chance.randint(0, length_max)))

    epoch = chance.choice(["", "", "0:", "1:", "2:"])
    revision = chance.choice(["", "-" + chance.choice("01a") + text("01a.+~", 4)])
    return f"{epoch}{chance.choice('0129')}{text('0019ab.+~', 6)}{revision}"


def verdicts_of_dpkg(pairs: list[tuple[str, str]]) -> list[str]:
    script = """
    while read -r one other; do
      if dpkg --compare-versions "$one" lt "$other"; then echo lt
      elif dpkg --compare-versions "$one" eq "$other"; then echo eq
      else echo gt; fi
    done
    """
    lines = "".join(f"{one} {other}\n" for one, other in pairs)
    answer = subprocess.run(["sh", "-c", script], input=lines, capture_output=True, text=True, check=True)
    return answer.stdout.split()


def verdict(one: str, other: str) -> str:
    return "lt" if sort_key(one) < sort_key(other) else "gt" if sort_key(one) > sort_key(other) else "eq"


def neighbour(chance: random.Random, one: str) -> str:
    """Return a version that differs by one character: such pairs find more than strangers do."""
    place = chance.randrange(one.find(":") + 2, len(one) + 1)
    return one[:place] + chance.choice("~+.a0") + one[place:]


@needs_dpkg
def test_the_order_is_that_of_dpkg() -> None:
    chance = random.Random(12)
    pairs = []
    for _ in range(150):
        one = random_version(chance)
        pairs.append((one, chance.choice([neighbour(chance, one), random_version(chance)])))
    verdicts = verdicts_of_dpkg(pairs)
    wrong = [(pair, theirs) for pair, theirs in zip(pairs, verdicts, strict=True) if verdict(*pair) != theirs]
    assert wrong == []
    assert set(verdicts) == {"lt", "gt", "eq"}


@needs_dpkg
def test_versions_in_our_order_are_in_that_of_dpkg() -> None:
    """dpkg compares one pair a process, but its order is total: 400 neighbours in a row settle 80,000 pairs."""
    chance = random.Random(13)
    strangers = [*ASCENDING, *(random_version(chance) for _ in range(200 - len(ASCENDING)))]
    ordered = sorted({*strangers, *(neighbour(chance, one) for one in strangers)}, key=sort_key)
    pairs = list(pairwise(ordered))
    assert len(pairs) > 380
    wrong = [
        (pair, theirs) for pair, theirs in zip(pairs, verdicts_of_dpkg(pairs), strict=True) if theirs != verdict(*pair)
    ]
    assert wrong == []


def installed_versions() -> list[str]:
    """Return the versions of what is installed on this machine, as its distribution writes them."""
    answer = subprocess.run(["dpkg-query", "-Wf", r"${Version}\n"], capture_output=True, text=True, check=True)
    return sorted(set(answer.stdout.split()))


PAIR_COUNT = 20_000


@needs_dpkg
@pytest.mark.slow
def test_the_order_is_that_of_dpkg_for_tens_of_thousands_of_pairs() -> None:
    """Generated and real ones; each is two processes at most."""
    chance = random.Random(14)
    real = installed_versions()
    pairs = [(one, chance.choice(real)) for one in real for _ in range(4)]
    pairs += [(one, neighbour(chance, one)) for one in real]
    while len(pairs) < PAIR_COUNT:
        one = random_version(chance)
        pairs.append((one, chance.choice([neighbour(chance, one), random_version(chance)])))
    verdicts = verdicts_of_dpkg(pairs)
    wrong = [(pair, theirs) for pair, theirs in zip(pairs, verdicts, strict=True) if verdict(*pair) != theirs]
    assert wrong == []
