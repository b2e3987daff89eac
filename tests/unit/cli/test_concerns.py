"""`patchwindow compliance concerns` and `exposure`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from tests.unit.cli.fake import Answers, run

NODE: Final = "mi-0123456789abcdef0"
AT: Final = datetime(2026, 3, 14, 10, tzinfo=UTC)
CONCERNS: Final[Answers] = {
    "ListConcerns": {
        "Concerns": [
            {"Kind": "Offline", "Count": 12, "Worst": [{"InstanceId": NODE, "Name": "web-1", "Since": AT}]},
            {
                "Kind": "MissedWindows",
                "Count": 1,
                "Worst": [
                    {"WindowExecutionId": "we-1", "WindowId": "mw-1", "Status": "TIMED_OUT", "StatusDetails": "Missed"}
                ],
            },
            {"Kind": "IdleWindows", "Count": 1, "Worst": [{"WindowId": "mw-2", "Lacks": ["targets", "tasks"]}]},
        ]
    }
}
AGES: Final = [{"FromDays": 0, "BelowDays": 7, "InstanceCount": 3}, {"FromDays": 7, "InstanceCount": 4}]
EXPOSED: Final[dict[str, Any]] = {
    "InstanceCount": 12,
    "NoneMissingCount": 5,
    "UnknownCount": 0,
    "Ages": AGES,
    "Patches": [
        {
            "Title": "openssl.amd64:2",
            "Product": "Debian12",
            "Severity": "high",
            "ExploitedCVEIds": ["CVE-2026-1001"],
            "DueOn": "2026-03-20",
            "Since": "2026-03-01",
            "InstanceCount": 7,
        }
    ],
}


def test_concerns_are_a_line_for_each_of_the_worst() -> None:
    assert run("compliance", "concerns", answers=CONCERNS).stdout.splitlines() == [
        "KIND           COUNT  ID                    NAME   SINCE                 STATUS",
        f"Offline           12  {NODE}  web-1  2026-03-14T10:00:00Z  -",
        "MissedWindows      1  we-1                  -      -                     Missed",
        "IdleWindows        1  mw-2                  -      -                     no targets, no tasks",
    ]


def test_concerns_as_json_are_those_of_the_answer() -> None:
    told = json.loads(run("compliance", "concerns", "--json", answers=CONCERNS).stdout)
    assert [one["Count"] for one in told["Concerns"]] == [12, 1, 1]


def test_exposure_counts_by_age_and_then_lists_the_patches() -> None:
    outcome = run("compliance", "exposure", "--limit", "7", answers={"GetExposure": EXPOSED})
    assert outcome.stdout.splitlines() == [
        "OLDEST LACKED PATCH  NODES",
        "none                     5",
        "0 to 6 days              3",
        "7 days and more          4",
        "not known                0",
        "",
        "SINCE       NODES  EXPLOITED      DUE         SEVERITY  PRODUCT   PATCH",
        "2026-03-01      7  CVE-2026-1001  2026-03-20  high      Debian12  openssl.amd64:2",
    ]
    assert outcome.asked == [("GetExposure", {"MaxResults": 7})]


def test_exposure_without_patches_is_the_ages_alone() -> None:
    answers: Answers = {"GetExposure": {**EXPOSED, "Patches": []}}
    assert len(run("compliance", "exposure", answers=answers).stdout.splitlines()) == 5
    assert json.loads(run("compliance", "exposure", "--json", answers=answers).stdout)["Ages"] == AGES
