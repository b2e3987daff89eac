"""What an answer of a webhook means."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.task_invocation import DETAILS_MAX, Event
from patchwindow.domain.webhook import (
    BODY_MAX,
    FAILURES_MAX,
    Again,
    Answered,
    Ended,
    Unanswered,
    arns_of,
    judge,
    pause_after,
    shortened,
)

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:SSMDrain"


@pytest.mark.parametrize(
    ("answer", "event", "details"),
    [
        (Answered(200, b'{"Status": "SUCCESS"}'), Event.SUCCEEDED, "Success"),
        (Answered(200, b'{"Status": "FAILED"}'), Event.FAILED, "Failed"),
        (Answered(201, b'{"Status": "FAILED", "StatusDetails": " a\\nb\\u0000 "}'), Event.FAILED, "a b"),
        (Answered(200, b'{"Status": "SUCCESS", "StatusDetails": 7}'), Event.SUCCEEDED, "Success"),
        (Answered(202, b" \n"), Event.SUCCEEDED, "Success"),
        (Answered(200, b"done"), Event.FAILED, "The webhook answered 200 with a body that is no JSON object"),
        (Answered(200, b"[]"), Event.FAILED, "The webhook answered 200 with a body that is no JSON object"),
        (Answered(200, b"[" * 60_000), Event.FAILED, "The webhook answered 200 with a body that is no JSON object"),
        (
            Answered(200, b'{"Status": "Done"}'),
            Event.FAILED,
            "The webhook answered 200 with Status 'Done', which is not SUCCESS, FAILED or IN_PROGRESS",
        ),
        (
            Answered(200, b"{}"),
            Event.FAILED,
            "The webhook answered 200 with Status None, which is not SUCCESS, FAILED or IN_PROGRESS",
        ),
        (
            Answered(200, b" " * (BODY_MAX + 1)),
            Event.FAILED,
            "The webhook answered 200 with a body of more than 65536 bytes",
        ),
        (Answered(400), Event.FAILED, "The webhook answered 400"),
        (Answered(403, b'{"StatusDetails": "not yours"}'), Event.FAILED, "The webhook answered 403: not yours"),
        (Answered(410, b"gone \xff"), Event.FAILED, "The webhook answered 410: gone \N{REPLACEMENT CHARACTER}"),
        (Answered(302), Event.FAILED, "The webhook answered 302 and redirects are not followed"),
    ],
)
def test_an_answer_that_ends_a_call(answer: Answered, event: Event, details: str) -> None:
    assert judge(answer, failures=0, now=NOW) == Ended(event, details)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("", 30),
        ("5", 5),
        ("0", 1),
        ("99999999999999999999999", 3600),
        ("soon", 30),
        ("-1", 30),
        ("Thu, 15 Jan 2026 15:02:00 GMT", 120),
        ("Thu, 15 Jan 2026 14:00:00 GMT", 1),
        ("Thu, 15 Jan 99999 14:00:00 GMT", 30),
    ],
)
def test_a_webhook_at_work_says_when_to_ask_again_within_bounds(retry_after: str, seconds: int) -> None:
    answer = Answered(200, b'{"Status": "IN_PROGRESS", "StatusDetails": "step 1", "ExecutionId": "run"}', retry_after)
    assert judge(answer, failures=4, now=NOW) == Again(timedelta(seconds=seconds), 0, "step 1", "run")


@pytest.mark.parametrize("answer", [Unanswered("refused"), Answered(500), Answered(503), Answered(408), Answered(429)])
def test_what_may_be_better_later_is_tried_again_until_it_failed_too_often(answer: Answered | Unanswered) -> None:
    for failures in range(FAILURES_MAX - 1):
        verdict = judge(answer, failures=failures, now=NOW)
        assert isinstance(verdict, Again)
        assert (verdict.pause, verdict.failures) == (pause_after(failures + 1), failures + 1)
    last = judge(answer, failures=FAILURES_MAX - 1, now=NOW)
    assert isinstance(last, Ended)
    assert last.event is Event.FAILED
    assert last.details.startswith("The webhook failed 10 times in a row, at last: ")


def test_a_webhook_that_is_too_busy_may_ask_for_a_longer_pause_and_not_for_a_shorter() -> None:
    def pause(retry_after: str) -> timedelta:
        verdict = judge(Answered(429, b"", retry_after), failures=2, now=NOW)
        assert isinstance(verdict, Again)
        return verdict.pause

    assert (pause("1"), pause("600")) == (timedelta(seconds=20), timedelta(seconds=600))


def test_pauses_double_up_to_five_minutes() -> None:
    assert [pause_after(failures).total_seconds() for failures in range(1, 10)] == [
        5,
        10,
        20,
        40,
        80,
        160,
        300,
        300,
        300,
    ]


@given(st.text())
def test_details_are_one_visible_line_of_at_most_250_characters(text: str) -> None:
    line = shortened(text)
    assert len(line) <= DETAILS_MAX
    assert line.isprintable()


@given(status=st.integers(100, 599), body=st.binary(max_size=300), retry_after=st.text(max_size=40))
def test_every_answer_means_something(status: int, body: bytes, retry_after: str) -> None:
    verdict = judge(Answered(status, body, retry_after), failures=0, now=NOW)
    assert len(verdict.details) <= DETAILS_MAX
    if isinstance(verdict, Again):
        assert timedelta(seconds=1) <= verdict.pause <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("arn", "qualifier", "arns"),
    [
        ("AWS-RestartEC2Instance", None, ("AWS-RestartEC2Instance",)),
        (FUNCTION, None, (FUNCTION,)),
        (FUNCTION, "v1", (f"{FUNCTION}:v1", FUNCTION)),
        (f"{FUNCTION}:v1", None, (f"{FUNCTION}:v1", FUNCTION)),
        (f"{FUNCTION}:v1", "v1", (f"{FUNCTION}:v1", FUNCTION)),
        (
            "arn:aws:states:us-east-1:123456789012:stateMachine:SSMx",
            None,
            ("arn:aws:states:us-east-1:123456789012:stateMachine:SSMx",),
        ),
    ],
)
def test_the_most_special_webhook_of_a_function_goes_first(
    arn: str, qualifier: str | None, arns: tuple[str, ...]
) -> None:
    assert arns_of(arn, qualifier) == arns
