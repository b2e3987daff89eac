"""How much of a step's output is shown, and from which end."""

import pytest

from patchwindow.domain.run import Step
from patchwindow.operations.output import brief, errors_of, output_of


def step(stdout: str = "", stderr: str = "", output: str = "") -> Step:
    return Step(name="s", ordinal=0, status="Success", code=0, stdout=stdout, stderr=stderr, output=output)


@pytest.mark.parametrize(("length", "is_cut"), [(0, False), (24_000, False), (24_001, True)])
def test_standard_output_keeps_its_first_24000_characters(length: int, *, is_cut: bool) -> None:
    text = ("0123456789" * 2_401)[:length]
    shown = output_of(step(text))
    assert len(shown) == min(length, 24_000)
    assert shown == (text[:23_980] + "--output truncated--" if is_cut else text)


@pytest.mark.parametrize(("length", "is_cut"), [(8_000, False), (8_001, True)])
def test_standard_error_keeps_its_first_8000_characters(length: int, *, is_cut: bool) -> None:
    shown = errors_of(step(stderr="x" * length))
    assert len(shown) == 8_000
    assert shown.endswith("--output truncated--") is is_cut


def test_a_step_that_ran_nothing_shows_its_message_as_output() -> None:
    assert output_of(step(output="Step execution skipped")) == "Step execution skipped"
    assert output_of(step(stderr="bad", output="\n----------ERROR-------\nbad")) == ""


@pytest.mark.parametrize(("length", "is_cut"), [(2_500, False), (2_501, True)])
def test_the_brief_form_keeps_the_first_2500_characters(length: int, *, is_cut: bool) -> None:
    shown = brief(step("x" * length))
    assert len(shown) == 2_500
    assert shown.endswith("\n---Output truncated---") is is_cut


def test_the_brief_form_has_both_with_a_line_between_them() -> None:
    assert brief(step("out", "bad")) == "out\n----------ERROR-------\nbad"
    assert brief(step("", "bad")) == "\n----------ERROR-------\nbad"


def test_the_brief_form_gives_each_half_where_both_are_long() -> None:
    shown = brief(step("x" * 5_000, "y" * 5_000))
    assert len(shown) <= 2_500
    out, _, bad = shown.partition("\n----------ERROR-------\n")
    assert out.endswith("\n---Output truncated---")
    assert bad.endswith("\n---Error truncated----")
    assert len(out) == len(bad)
