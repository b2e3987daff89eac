"""How much of a step's output is shown: "Truncation keeps the beginning" (run-command reference, §5)."""

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.run import Step
from patchwindow.operations.output import brief, errors_of, output_of

texts = st.builds(lambda piece, times: piece * times, st.text(min_size=1, max_size=9), st.integers(0, 10_000))


def step(*, stdout: str = "", stderr: str = "", output: str = "") -> Step:
    return Step(name="run", ordinal=0, status="Success", code=0, stdout=stdout, stderr=stderr, output=output)


def test_short_output_is_shown_whole() -> None:
    assert output_of(step(stdout="o" * 24_000)) == "o" * 24_000
    assert errors_of(step(stderr="e" * 8_000)) == "e" * 8_000
    assert brief(step(stdout="o" * 2_500)) == "o" * 2_500
    assert brief(step(stdout="out", stderr="err")) == "out\n----------ERROR-------\nerr"


def test_long_output_ends_with_a_mark_that_belongs_to_its_length() -> None:
    shown = output_of(step(stdout="o" * 24_001))
    assert shown == "o" * (24_000 - 20) + "--output truncated--"
    shown = errors_of(step(stderr="e" * 8_001))
    assert shown == "e" * (8_000 - 20) + "--output truncated--"
    shown = brief(step(stdout="o" * 2_501))
    assert shown == "o" * (2_500 - 23) + "\n---Output truncated---"


def test_both_long_outputs_share_the_brief_room() -> None:
    out, err = brief(step(stdout="o" * 5_000, stderr="e" * 5_000)).split("\n----------ERROR-------\n")
    assert out.startswith("ooo")
    assert out.endswith("o\n---Output truncated---")
    assert err.startswith("eee")
    assert err.endswith("e\n---Error truncated----")


def test_a_step_that_ran_nothing_shows_its_message() -> None:
    skipped = step(output="not for this platform")
    assert (output_of(skipped), errors_of(skipped), brief(skipped)) == (
        "not for this platform",
        "",
        "not for this platform",
    )


@given(texts, texts, texts)
def test_nothing_is_shown_beyond_its_limit_and_what_is_shown_is_the_beginning(out: str, err: str, other: str) -> None:
    one = step(stdout=out, stderr=err, output=other)
    for shown, whole, most in ((output_of(one), out, 24_000), (errors_of(one), err, 8_000)):
        assert len(shown) <= most
        assert not whole or shown.startswith(whole[: most - 20])
    assert len(brief(one)) <= 2_500
