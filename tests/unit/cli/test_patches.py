"""`patchwindow patches`."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from tests.unit.cli.fake import Answers, Members, run

from patchwindow.cli.exits import Exit
from patchwindow.cli.patches import STATES
from patchwindow.domain.named_patches import Standing

NODE: Final = "mi-0123456789abcdef0"
PATCH: Final[dict[str, Any]] = {
    "Title": "openssl.amd64:2",
    "KBId": "openssl.amd64",
    "Product": "Debian12",
    "Classification": "Security",
    "Severity": "important",
    "CVEIds": ["CVE-2026-1"],
    "FirstSeen": datetime(2026, 3, 14, tzinfo=UTC),
    "InstanceCount": 7,
    "StateCounts": {"Missing": 3, "Installed": 2, "InstalledOther": 1, "NotApproved": 1},
}
OTHER: Final = {**PATCH, "Title": "openssl.amd64:20"}
ANSWERS: Answers = {
    "ListPatches": {"Patches": [PATCH, OTHER]},
    "ListPatchInstances": {"Instances": [{"InstanceId": NODE, "State": "Missing"}]},
}


def filters(*arguments: str) -> dict[str, list[str]]:
    """Return the filters with which the list is asked for."""
    ((_, asked),) = run("patches", "list", *arguments, answers=ANSWERS).asked
    return {each["Key"]: each["Values"] for each in asked["Filters"]}


def test_list_prints_a_line_per_patch_with_its_nodes_by_state() -> None:
    outcome = run("patches", "list", "--limit", "1", answers=ANSWERS)
    assert outcome.stdout.splitlines() == [
        "NODES  MISSING  FAILED  REBOOT  INSTALLED  NOT APPROVED  SEVERITY   PRODUCT   FIRST SEEN            PATCH",
        "    7        3       0       0          3             1  important  Debian12  2026-03-14T00:00:00Z  openssl.amd64:2",
    ]
    assert outcome.connected[0]["service"] == "patchwindow"


def test_list_asks_for_what_somebody_should_act_on_unless_told_otherwise() -> None:
    assert filters() == {"State": list(STATES[:5])}
    assert filters("--all") == {}
    assert filters("--state", "Installed", "--state", "NotApproved") == {"State": ["Installed", "NotApproved"]}


def test_each_option_is_a_filter_and_may_be_repeated() -> None:
    given = [
        "--name",
        "ssl",
        "--name",
        "bash",
        "--cve",
        "CVE-2026-1",
        "--advisory",
        "DSA-1",
        "--severity",
        "important",
        "--product",
        "Debian12",
    ]
    given += ["--classification", "Security", "--min-age", "30", "--max-age", "90", "--all", "--known-exploited"]
    assert filters(*given) == {
        "Name": ["ssl", "bash"],
        "CVE": ["CVE-2026-1"],
        "AdvisoryId": ["DSA-1"],
        "KnownExploited": ["true"],
        "Severity": ["important"],
        "Classification": ["Security"],
        "Product": ["Debian12"],
        "MinAgeDays": ["30"],
        "MaxAgeDays": ["90"],
    }


def test_show_prints_the_patch_of_that_title_alone_and_its_nodes() -> None:
    outcome = run("patches", "show", "openssl.amd64:2", "--state", "Missing", "--product", "Debian12", answers=ANSWERS)
    assert "openssl.amd64:20" not in outcome.stdout
    assert "StateCounts     Missing=3, Installed=2, InstalledOther=1, NotApproved=1" in outcome.stdout
    assert outcome.stdout.splitlines()[-3:] == ["Nodes", "NODE                  STATE", f"{NODE}  Missing"]
    assert outcome.asked[-1][1] == {"Title": "openssl.amd64:2", "Product": "Debian12", "States": ["Missing"]}


def test_show_says_why_a_patch_failed() -> None:
    failed = {"Instances": [{"InstanceId": NODE, "State": "Failed", "Reason": "the disk is full"}]}
    outcome = run("patches", "show", "openssl.amd64:2", answers={**ANSWERS, "ListPatchInstances": failed})
    assert outcome.stdout.splitlines()[-1] == f"{NODE}  Failed  the disk is full"


def test_a_title_may_be_written_in_any_case_and_a_kb_id_names_the_only_patch_that_has_it() -> None:
    kb = {**PATCH, "Title": "Cumulative Update (KB5034123)", "KBId": "KB5034123"}

    def listed(request: Members) -> Members:
        (asked,) = request["Filters"][0]["Values"]
        found = [one for one in (PATCH, OTHER, kb) if asked.casefold() in f"{one['Title']} {one['KBId']}".casefold()]
        return {"Patches": found}

    answers = {**ANSWERS, "ListPatches": listed}
    for term, title in (
        ("OpenSSL.amd64:2", "openssl.amd64:2"),
        ("kb5034123", kb["Title"]),
        ("cumulative update (kb5034123)", kb["Title"]),
    ):
        assert run("patches", "show", term, answers=answers).asked[-1][1] == {"Title": title}
    # The versions of a package share its KBId.
    assert "titles with it" in run("patches", "show", "openssl.amd64", answers=answers).stderr


def test_show_gives_json_as_the_api_has_it() -> None:
    told = json.loads(run("patches", "show", "openssl.amd64:2", "--json", answers=ANSWERS).stdout)
    assert [patch["Title"] for patch in told["Patches"]] == ["openssl.amd64:2"]
    assert told["Instances"] == [{"InstanceId": NODE, "State": "Missing"}]


def test_a_title_that_no_node_has_is_refused_with_those_that_have_it_in_them() -> None:
    outcome = run("patches", "show", "openssl", answers=ANSWERS)
    assert outcome.exit_code == Exit.FAILED
    assert "titles with it: openssl.amd64:2, openssl.amd64:20" in outcome.stderr

    def nothing(_: Members) -> Members:
        return {"Patches": []}

    outcome = run("patches", "show", "bash", answers={"ListPatches": nothing})
    assert "`patchwindow patches list --all` shows those there are" in outcome.stderr


def test_the_states_are_those_of_the_server() -> None:
    assert set(STATES) == {standing.value for standing in Standing}
