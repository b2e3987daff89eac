"""`patchwindow explain`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.unit.cli.fake import refusal, run

from patchwindow.cli.exits import Exit

NODE: Final = "mi-0123456789abcdef0"
AT: Final = datetime(2026, 3, 14, 10, tzinfo=UTC)
OPENING: Final = {
    "WindowId": "mw-0123456789abcdef0",
    "WindowName": "thursday",
    "WindowTaskId": "t",
    "OpensAt": datetime(2026, 3, 19, 23, tzinfo=UTC),
}
MISSING: Final[dict[str, Any]] = {
    "Title": "openssl.amd64:2",
    "KBId": "openssl.amd64",
    "State": "Missing",
    "Reason": "rule 1 approves it: PRIORITY important, at once, since apt knows no dates",
    "CVEIds": ["CVE-2026-1", "CVE-2026-2"],
    "Decision": {"Status": "APPROVED", "RuleNumber": 1},
    "NextInstall": OPENING,
}
ANSWER: Final[dict[str, Any]] = {
    "InstanceId": NODE,
    "OperatingSystem": "DEBIAN",
    "PatchGroup": "web",
    "Baseline": {"BaselineId": "pb-1", "Name": "own", "Version": 3, "CurrentVersion": 3, "Reason": "PATCH_GROUP"},
    "Evaluation": {
        "FactsAt": AT,
        "EvaluatedAt": AT,
        "EvaluatedOn": "2026-03-14",
        "Operation": "Scan",
        "IsStale": False,
    },
    "Patches": [MISSING],
    "MatchCount": 1,
    "NextScan": {**OPENING, "OpensAt": datetime(2026, 3, 15, tzinfo=UTC), "WindowName": "nightly"},
    "NextInstall": OPENING,
}


def patched(**changes: Any) -> dict[str, Any]:
    return {**ANSWER, "Patches": [{**MISSING, **changes}]}


def said(answer: dict[str, Any]) -> list[str]:
    return run("explain", NODE, "openssl", answers={"ExplainPatch": answer}).stdout.splitlines()


def test_a_missing_patch_is_told_in_a_few_lines() -> None:
    assert said(ANSWER) == [
        f"openssl.amd64:2 is missing on {NODE}",
        "  rule 1 approves it: PRIORITY important, at once, since apt knows no dates",
        "  closes CVE-2026-1, CVE-2026-2",
        "  could be installed 2026-03-19T23:00:00Z, when window thursday (mw-0123456789abcdef0) opens",
        "Baseline: own (pb-1), version 3; registered for the patch group 'web'",
        "Found by: the Scan that ended 2026-03-14T10:00:00Z",
        "Next scan: 2026-03-15T00:00:00Z, when window nightly (mw-0123456789abcdef0) opens",
    ]


def test_it_asks_the_servers_own_service() -> None:
    outcome = run(
        "explain", NODE, "openssl", "--endpoint-url", "http://localhost:8080", answers={"ExplainPatch": ANSWER}
    )
    assert outcome.asked == [("ExplainPatch", {"InstanceId": NODE, "Patch": "openssl"})]
    assert outcome.connected[0]["service"] == "patchwindow"


def test_json_is_the_answer() -> None:
    outcome = run("explain", NODE, "openssl", "--json", answers={"ExplainPatch": ANSWER})
    told = json.loads(outcome.stdout)
    assert told["Patches"][0]["NextInstall"]["OpensAt"] == "2026-03-19T23:00:00Z"
    assert told["MatchCount"] == 1


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        (
            [
                {"Key": "PRIORITY", "Value": "optional", "Wanted": ["Important", "Required"]},
                {"Key": "SECURITY", "Value": "false", "Wanted": ["true"]},
            ],
            "its PRIORITY were Important or Required, not optional, and it were a security patch",
        ),
        ([{"Key": "SEVERITY", "Value": "", "Wanted": ["Low", ""]}], "its SEVERITY were Low or nothing, not nothing"),
        ([{"Key": "DATE", "Value": "2026-03-07", "Wanted": ["2026-03-01"]}], "it were dated 2026-03-01 or before"),
        ([{"Key": "REJECTED_PATCHES", "Value": "zlib", "Wanted": []}], "RejectedPatches did not have zlib"),
        ([{"Key": "APPROVED_PATCHES", "Value": "", "Wanted": ["zlib"]}], "ApprovedPatches named it: zlib"),
    ],
)
def test_the_nearest_miss_is_told_as_what_would_have_to_differ(differences: list[Any], words: str) -> None:
    answer = patched(State="NotApproved", CVEIds=[], Decision={"Status": "NOT_MATCHED", "NearestMiss": differences})
    assert f"  it would be approved if {words}" in said(answer)


def test_what_nothing_could_approve_is_told_so() -> None:
    assert "  nothing in the baseline could approve it" in said(patched(Decision={"Status": "NOT_MATCHED"}))


def test_of_a_patch_that_waits_the_days_are_told() -> None:
    decision = {
        "Status": "PENDING_APPROVAL",
        "Dates": {"DaysLeft": 5, "ApprovalDate": "2026-03-19"},
        "NearestMiss": [{"Key": "DAY", "Value": "2026-03-14", "Wanted": ["2026-03-19"]}],
    }
    lines = said(patched(State="NotApproved", Decision=decision))
    assert "  it waits 5 days more, until 2026-03-19" in lines
    assert not any("would be approved" in line for line in lines)


def test_what_is_known_to_be_exploited_is_told_with_the_day_by_which_to_close_it() -> None:
    lines = said(patched(ExploitedCVEIds=["CVE-2026-1"], DueOn="2026-03-20"))
    assert "  known to be exploited: CVE-2026-1, and to be closed by 2026-03-20" in lines
    assert "  known to be exploited: CVE-2026-1" in said(patched(ExploitedCVEIds=["CVE-2026-1"]))


def test_what_an_association_does_is_told_by_its_name_or_its_id() -> None:
    opening = {"AssociationId": "a-1", "AssociationName": "nightly", "OpensAt": AT}
    assert said({**ANSWER, "NextScan": opening})[-1] == "Next scan: 2026-03-14T10:00:00Z, by association nightly (a-1)"
    del opening["AssociationName"]
    assert said({**ANSWER, "NextScan": opening})[-1] == "Next scan: 2026-03-14T10:00:00Z, by association a-1"


def test_where_no_window_is_to_install_it_that_is_told() -> None:
    without = {name: value for name, value in MISSING.items() if name != "NextInstall"}
    assert "  no window is to install it" in said({**ANSWER, "Patches": [without]})
    assert "  no window is to install it" not in said({**ANSWER, "Patches": [{**without, "State": "Installed"}]})


def test_what_is_not_as_it_was_is_told() -> None:
    answer = {
        **ANSWER,
        "Baseline": {**ANSWER["Baseline"], "CurrentVersion": 4, "Reason": "FORMER"},
        "Evaluation": {**ANSWER["Evaluation"], "EvaluatedAt": datetime(2026, 3, 30, tzinfo=UTC), "IsStale": True},
        "MatchCount": 3,
    }
    lines = said(answer)
    assert "2 more of that name" in lines
    assert "Baseline: own (pb-1), version 3 of 4; followed when this was decided, and not any more" in lines
    assert "Found by: the Scan that ended 2026-03-14T10:00:00Z; that is too long ago to rely on" in lines
    assert "Decided: 2026-03-30T00:00:00Z, without a new scan" in lines


def test_a_state_of_a_later_version_is_told_as_it_is() -> None:
    # The fake checks no enumeration, as the SDK does not.
    assert said(patched(State="Unheard"))[0] == f"openssl.amd64:2 is Unheard on {NODE}"


def test_a_patch_that_is_not_there_is_refused_in_the_servers_words() -> None:
    words = "node mi-0123456789abcdef0 has no patch 'opensl'; near it in name: openssl"
    outcome = run("explain", NODE, "opensl", answers={"ExplainPatch": refusal("DoesNotExistException", words)})
    assert outcome.exit_code == Exit.FAILED
    assert "near it in name: openssl" in outcome.stderr
