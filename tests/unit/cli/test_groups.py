"""`patchwindow groups`."""

import json
from datetime import UTC, datetime

from tests.unit.cli.fake import Answers, run

BASELINE = "pb-0123456789abcdef0"
MAPPINGS = [
    {"PatchGroup": group, "BaselineIdentity": {"BaselineId": BASELINE, "OperatingSystem": "DEBIAN"}}
    for group in ("Web Server", "Database Server")
]
STATE = {
    "InstanceId": "mi-0123456789abcdef0",
    "PatchGroup": "Web Server",
    "BaselineId": BASELINE,
    "InstalledCount": 10,
    "MissingCount": 2,
    "OperationStartTime": datetime(2026, 7, 1, tzinfo=UTC),
    "OperationEndTime": datetime(2026, 7, 1, tzinfo=UTC),
    "Operation": "Scan",
}
ANSWERS: Answers = {
    "DescribePatchGroups": {"Mappings": MAPPINGS},
    "DescribePatchGroupState": {"Instances": 1, "InstancesWithMissingPatches": 1},
    "DescribeInstancePatchStatesForPatchGroup": {"InstancePatchStates": [STATE]},
    "DescribePatchBaselines": {"BaselineIdentities": [{"BaselineId": BASELINE, "BaselineName": "Web"}]},
}


def test_list_prints_which_baseline_decides() -> None:
    assert run("groups", "list", answers=ANSWERS).stdout.splitlines() == [
        "OPERATING SYSTEM  BASELINE              GROUP",
        "DEBIAN            pb-0123456789abcdef0  Web Server",
        "DEBIAN            pb-0123456789abcdef0  Database Server",
    ]


def test_show_prints_counts_baselines_and_nodes_of_this_group_alone() -> None:
    outcome = run("groups", "show", "Web Server", answers=ANSWERS)
    assert "InstancesWithMissingPatches  1" in outcome.stdout.splitlines()
    assert "Database Server" not in outcome.stdout
    assert outcome.stdout.splitlines()[-2:] == [
        "NODE                  INSTALLED  OTHER  REBOOT  REJECTED  MISSING  FAILED  COMPLIANT",
        "mi-0123456789abcdef0         10  -      -       -               2  -       no",
    ]


def test_show_as_json_has_all_three_answers() -> None:
    found = json.loads(run("groups", "show", "Web Server", "--json", answers=ANSWERS).stdout)
    assert found["Mappings"] == MAPPINGS[:1]
    assert found["State"] == {"Instances": 1, "InstancesWithMissingPatches": 1}
    assert found["InstancePatchStates"][0]["MissingCount"] == 2


def test_register_and_deregister_name_the_pair() -> None:
    pair = {"PatchGroup": "Web Server", "BaselineId": BASELINE}
    joined = run("groups", "register", "Web Server", "Web", answers=ANSWERS)
    assert joined.asked[-1] == ("RegisterPatchBaselineForPatchGroup", pair)
    parted = run("groups", "deregister", "Web Server", "Web", answers=ANSWERS)
    assert parted.asked[-1] == ("DeregisterPatchBaselineForPatchGroup", pair)
