"""Replies, compared with those that were recorded from the unmodified public agent (data/replies.json)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.documents import Step
from patchwindow_agent.results import (
    End,
    Ended,
    Result,
    Status,
    conclude,
    cut_stream,
    document_status,
    joined_output,
    reply,
)

RECORDED = json.loads((Path(__file__).parent / "data/replies.json").read_text())
AT = 1_795_395_877.873


def concluded(case: dict[str, Any]) -> Result:
    step = Step("a", "aws:runShellScript", case["inputs"])
    ended = Ended(End[case["end"]], case["exit_code"], case["stdout"], case["stderr"])
    return conclude(step, ended, started_at=AT, ended_at=AT + 1)


def shape(value: Any) -> Any:
    return {key: shape(inner) for key, inner in value.items()} if isinstance(value, dict) else type(value)


def test_the_first_reply_has_the_recorded_shape() -> None:
    told = json.loads(reply(Status.IN_PROGRESS, at=AT))
    assert shape(told) == shape(RECORDED["first_reply"])
    assert told["additionalInfo"]["dateTime"] == RECORDED["first_reply"]["additionalInfo"]["dateTime"]


@pytest.mark.parametrize("case", RECORDED["steps"], ids=lambda case: case["id"])
def test_a_step_is_told_as_it_was_recorded(case: dict[str, Any]) -> None:
    result = concluded(case)
    told = json.loads(reply(Status.IN_PROGRESS, at=AT, results={"a": result}, shown=["a"]))["runtimeStatus"]["a"]
    recorded = case["recorded"]
    assert shape(told) == shape(recorded)
    for key in ("status", "code", "name", "output", "outputS3BucketName", "outputS3KeyPrefix", "stepName"):
        assert told[key] == recorded[key]
    # Where the step ended the document both streams may end in a sentence, which is each agent's own.
    assert bool(result.note) == ("Further document steps will be skipped" in recorded["standardOutput"])
    if not result.note:
        assert told["standardOutput"] == recorded["standardOutput"]
        assert told["standardError"] == recorded["standardError"]


@pytest.mark.parametrize(
    ("inputs", "exit_code", "status", "code", "ends_document"),
    [
        ({"onFailure": "successAndExit"}, 2, Status.SUCCESS, 168, True),
        ({"onFailure": "exit"}, 0, Status.SUCCESS, 0, False),
        ({"onSuccess": "exit"}, 0, Status.SUCCESS, 0, True),
        ({"onSuccess": "exit"}, 1, Status.FAILED, 1, False),
        ({}, 137, Status.FAILED, 137, False),
    ],
)
def test_a_step_may_say_what_follows(
    inputs: dict[str, str], exit_code: int, status: Status, code: int, *, ends_document: bool
) -> None:
    result = conclude(Step("a", "x", inputs), Ended(End.BY_ITSELF, exit_code, "", ""), started_at=0, ended_at=0)
    assert (result.status, result.code, result.ends_document) == (status, code, ends_document)


def test_a_step_that_did_not_begin_has_a_message_and_no_streams() -> None:
    """Specification: "A plain-text step message … is in `output` only; `standardOutput`/`standardError` are then empty"."""
    refused = Result(Status.FAILED, 1, "x", AT, AT, message="it is not there", note="so later steps are skipped")
    told = json.loads(reply(Status.IN_PROGRESS, at=AT, results={"a": refused}, shown=["a"]))["runtimeStatus"]["a"]
    assert told["output"] == "it is not there\nso later steps are skipped"
    assert (told["standardOutput"], told["standardError"]) == ("", "")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Status.SUCCESS),
        ([Status.SUCCESS, Status.SKIPPED], Status.SUCCESS),
        ([Status.SUCCESS, Status.CANCELLED], Status.CANCELLED),
        ([Status.CANCELLED, Status.TIMED_OUT], Status.TIMED_OUT),
        ([Status.TIMED_OUT, Status.FAILED, Status.SUCCESS], Status.FAILED),
        ([Status.FAILED, Status.SUCCESS_AND_REBOOT], Status.SUCCESS_AND_REBOOT),
    ],
)
def test_the_worst_step_makes_the_documents_status(statuses: list[Status], expected: Status) -> None:
    assert document_status(Result(status, 0, "a", 0, 0) for status in statuses) is expected


def test_long_streams_are_cut_and_marked_as_recorded() -> None:
    stream = cut_stream("x" * 60_000)
    assert len(stream) == 24_000
    assert stream.endswith("x--output truncated--")
    output = joined_output("x" * 60_000, "e" * 30_000)
    assert len(output) == 2_500
    assert output.index("\n---Output truncated---\n----------ERROR-------\ne") == 1_215
    assert output.endswith("e\n---Error truncated----")


@given(st.text(max_size=4000), st.text(max_size=4000))
def test_the_joined_output_never_exceeds_its_size(stdout: str, stderr: str) -> None:
    """Specification: `output` (both, joined) cut at 2 500, half for each."""
    joined = joined_output(stdout, stderr)
    assert len(joined) <= 2_500
    if len(stdout) + len(stderr) <= 2_400:
        assert joined.startswith(stdout)
        assert joined.endswith(stderr)
