"""The order of Debian versions."""

import random
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.debian_version import sort_key

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


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="needs dpkg")
def test_the_order_is_that_of_dpkg() -> None:
    chance = random.Random(12)
    pairs = []
    for _ in range(300):
        one = random_version(chance)
        # Versions that differ by one character find more than strangers do.
        place = chance.randrange(one.find(":") + 2, len(one) + 1)
        neighbour = one[:place] + chance.choice("~+.a0") + one[place:]
        pairs.append((one, chance.choice([neighbour, random_version(chance)])))
    script = """
    while read -r one other; do
      if dpkg --compare-versions "$one" lt "$other"; then echo lt
      elif dpkg --compare-versions "$one" gt "$other"; then echo gt
      else echo eq; fi
    done
    """
    lines = "".join(f"{one} {other}\n" for one, other in pairs)
    answer = subprocess.run(["sh", "-c", script], input=lines, capture_output=True, text=True, check=True)
    ours = [
        "lt" if sort_key(one) < sort_key(other) else "gt" if sort_key(one) > sort_key(other) else "eq"
        for one, other in pairs
    ]
    verdicts = answer.stdout.split()
    wrong = [(pair, our, theirs) for pair, our, theirs in zip(pairs, ours, verdicts, strict=True) if our != theirs]
    assert wrong == []
    assert set(verdicts) == {"lt", "gt", "eq"}
