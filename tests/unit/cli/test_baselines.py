"""`patchwindow baselines`."""

import json

import pytest
from tests.unit.cli.fake import Answers, refusal, run

from patchwindow.cli.exits import Exit

OWN = "pb-0123456789abcdef0"
PREDEFINED = "arn:aws:ssm:us-east-1:123456789012:patchbaseline/pb-0fedcba9876543210"
IDENTITIES = [
    {"BaselineId": OWN, "BaselineName": "Web", "OperatingSystem": "DEBIAN", "DefaultBaseline": False},
    {
        "BaselineId": PREDEFINED,
        "BaselineName": "AWS-RedHatDefaultPatchBaseline",
        "OperatingSystem": "REDHAT_ENTERPRISE_LINUX",
        "DefaultBaseline": True,
    },
]
LISTED: Answers = {"DescribePatchBaselines": {"BaselineIdentities": IDENTITIES}}
FOUND = {
    "BaselineId": OWN,
    "Name": "Web",
    "OperatingSystem": "DEBIAN",
    "ApprovedPatches": ["openssl*", "nginx"],
    "ApprovalRules": {
        "PatchRules": [
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "SECTION", "Values": ["*"]}]},
                "ComplianceLevel": "HIGH",
                "ApproveAfterDays": 7,
            },
            {
                "PatchFilterGroup": {"PatchFilters": [{"Key": "PRIORITY", "Values": ["Required", "Important"]}]},
                "ApproveUntilDate": "2026-07-01",
                "EnableNonSecurity": True,
            },
        ]
    },
}


def test_list_prints_bare_ids_that_fit_a_line() -> None:
    assert run("baselines", "list", answers=LISTED).stdout.splitlines() == [
        "BASELINE              OPERATING SYSTEM         DEFAULT  NAME",
        "pb-0123456789abcdef0  DEBIAN                   no       Web",
        "pb-0fedcba9876543210  REDHAT_ENTERPRISE_LINUX  yes      AWS-RedHatDefaultPatchBaseline",
    ]


def test_list_as_json_keeps_the_whole_arn() -> None:
    assert json.loads(run("baselines", "list", "--json", answers=LISTED).stdout) == IDENTITIES


def test_list_asks_for_an_operating_system_and_for_ones_own() -> None:
    filters = [{"Key": "OWNER", "Values": ["Self"]}, {"Key": "OPERATING_SYSTEM", "Values": ["DEBIAN"]}]
    asked = run("baselines", "list", "--own", "--os", "DEBIAN").asked
    assert asked == [("DescribePatchBaselines", {"Filters": filters})]


@pytest.mark.parametrize(
    ("named", "id"),
    [
        (OWN, OWN),
        ("Web", OWN),
        ("pb-0fedcba9876543210", PREDEFINED),
        ("AWS-RedHatDefaultPatchBaseline", PREDEFINED),
        (PREDEFINED, PREDEFINED),
    ],
)
def test_a_baseline_is_named_by_id_arn_or_name(named: str, id: str) -> None:
    outcome = run("baselines", "delete", named, answers=LISTED)
    assert outcome.asked[-1] == ("DeletePatchBaseline", {"BaselineId": id})
    assert outcome.stderr == f"{id}: deleted\n"


def test_a_name_that_no_baseline_has_is_refused_before_anything_is_changed() -> None:
    outcome = run("baselines", "delete", "web", answers=LISTED)
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == "patchwindow: no baseline 'web'; `patchwindow baselines list` shows those there are\n"
    assert [operation for operation, _ in outcome.asked] == ["DescribePatchBaselines"]


def test_a_name_that_two_baselines_have_is_refused() -> None:
    twins: Answers = {
        "DescribePatchBaselines": {"BaselineIdentities": [IDENTITIES[0], {**IDENTITIES[1], "BaselineName": "Web"}]}
    }
    outcome = run("baselines", "delete", "Web", answers=twins)
    assert outcome.exit_code == Exit.FAILED
    assert outcome.stderr == (
        "patchwindow: 2 baselines are named 'Web': pb-0123456789abcdef0, pb-0fedcba9876543210; name one by its id\n"
    )


def test_show_prints_every_rule() -> None:
    lines = run("baselines", "show", OWN, answers={**LISTED, "GetPatchBaseline": FOUND}).stdout.splitlines()
    assert "ApprovedPatches  openssl*, nginx" in lines
    assert lines[-3:] == [
        "APPROVED          LEVEL  NON-SECURITY  PATCHES",
        "after 7 days      HIGH   no            SECTION=*",
        "until 2026-07-01  -      yes           PRIORITY=Required,Important",
    ]


def test_default_without_a_system_shows_them_all() -> None:
    lines = run("baselines", "default", answers=LISTED).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["BASELINE", "pb-0fedcba9876543210"]


def test_default_of_a_system_asks_for_it() -> None:
    answers: Answers = {"GetDefaultPatchBaseline": {"BaselineId": OWN, "OperatingSystem": "DEBIAN"}}
    outcome = run("baselines", "default", "DEBIAN", "--json", answers=answers)
    assert outcome.asked == [("GetDefaultPatchBaseline", {"OperatingSystem": "DEBIAN"})]
    assert json.loads(outcome.stdout) == [{"BaselineId": OWN, "OperatingSystem": "DEBIAN"}]


def test_default_set_registers_the_baseline() -> None:
    answers: Answers = {**LISTED, "RegisterDefaultPatchBaseline": {"BaselineId": OWN}}
    outcome = run("baselines", "default", "--set", "Web", answers=answers)
    assert outcome.asked[-1] == ("RegisterDefaultPatchBaseline", {"BaselineId": OWN})
    assert outcome.stderr == f"{OWN}: now the default\n"


def test_default_takes_a_system_or_a_baseline_and_not_both() -> None:
    outcome = run("baselines", "default", "DEBIAN", "--set", "Web", answers=LISTED)
    assert outcome.exit_code == Exit.MISUSED
    assert outcome.asked == []


def test_a_baseline_in_use_is_refused_in_the_server_s_words() -> None:
    error = refusal("ResourceInUseException", "Patch baseline is the default")
    outcome = run("baselines", "delete", OWN, answers={**LISTED, "DeletePatchBaseline": error})
    assert outcome.exit_code == Exit.FAILED
    assert "ResourceInUseException: Patch baseline is the default" in outcome.stderr
