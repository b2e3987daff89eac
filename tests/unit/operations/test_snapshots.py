"""Snapshots: which baseline an operation goes by, for how long, and who may read it."""

from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import SITE, Installation, as_node
from tests.unit.domain.node_samples import kb, node_data

from patchwindow.domain.errors import BadSignature, NotFound
from patchwindow.domain.facts import canonical, digest
from patchwindow.domain.facts_reading import parse
from patchwindow.operations import snapshots
from patchwindow.operations.catalog import learn
from patchwindow.protocol.seals import seal
from patchwindow.store.snapshots import SnapshotKey

OPERATION = "GetDeployablePatchSnapshotForInstance"
ID = "6f1d1a7e-0000-4000-8000-00000000000a"
DEBIAN_DEFAULT = "pb-09a5f8eb62bde80b1"
OVERRIDE: dict[str, Any] = {
    "OperatingSystem": "DEBIAN",
    "ApprovalRules": {
        "PatchRules": [
            {"PatchFilterGroup": {"PatchFilters": [{"Key": "SECTION", "Values": ["net"]}]}, "ComplianceLevel": "HIGH"}
        ]
    },
    "RejectedPatches": ["telnet"],
}


@pytest.fixture
def api(here: Installation) -> Api:
    return Api(here)


def own_baseline(api: Api, group: str = "web", **members: Any) -> str:
    made: str = api("CreatePatchBaseline", Name="own", OperatingSystem="DEBIAN", **members)["BaselineId"]
    api("RegisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup=group)
    return made


def read(here: Installation, url: str) -> dict[str, Any]:
    assert url.startswith(f"{SITE.public_url}/snapshot/")
    with here.call("snapshot") as call:
        return snapshots.download(call, url.removeprefix(f"{SITE.public_url}/snapshot/"))


def content(api: Api, node: str, snapshot_id: str = ID, **members: Any) -> dict[str, Any]:
    return read(api.here, api(OPERATION, InstanceId=node, SnapshotId=snapshot_id, **members)["SnapshotDownloadUrl"])


def test_the_answer_names_node_snapshot_product_and_where_to_read_it(here: Installation, api: Api) -> None:
    node = here.node()
    answer = api(OPERATION, InstanceId=node, SnapshotId=ID.upper())
    url = answer.pop("SnapshotDownloadUrl")
    assert answer == {"InstanceId": node, "SnapshotId": ID.upper(), "Product": "Debian12"}
    found = read(here, url)
    baseline = found.pop("patchBaseline")
    assert found == {
        "snapshotId": ID,
        "patchGroup": "",
        "createdAt": here.clock.now().isoformat(),
        "isBaselineOverride": False,
        "patches": [],
        "unlistedPatchCount": 0,
    }
    assert baseline == {
        "accountId": "075727635805",
        "baselineId": DEBIAN_DEFAULT,
        "name": "AWS-DebianDefaultPatchBaseline",
        "operatingSystem": "DEBIAN",
        "description": "Default Patch Baseline for Debian Provided by AWS.",
        "globalFilters": {"patchFilters": [{"key": "PRODUCT", "values": ["*"]}]},
        "approvalRules": {
            "patchRules": [
                {
                    "patchFilterGroup": {
                        "patchFilters": [
                            {
                                "key": "PRIORITY",
                                "values": ["Required", "Important", "Standard", "Optional", "Extra"],
                            }
                        ]
                    },
                    "complianceLevel": "UNSPECIFIED",
                    "enableNonSecurity": False,
                }
            ]
        },
        "approvedPatches": [],
        "approvedPatchesComplianceLevel": "UNSPECIFIED",
        "approvedPatchesEnableNonSecurity": False,
        "rejectedPatches": [],
        "rejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "sources": [],
    }


def test_the_same_id_is_the_same_baseline_for_three_days_and_another_one_afterwards(
    here: Installation, api: Api
) -> None:
    node = here.node(tags={"PatchGroup": "web"})
    made = own_baseline(api, RejectedPatches=["before"])
    first = content(api, node)
    assert (first["patchGroup"], first["patchBaseline"]["accountId"]) == ("web", SITE.account_id)
    api("UpdatePatchBaseline", BaselineId=made, RejectedPatches=["after"])
    here.clock.advance(timedelta(days=3, microseconds=-1000))
    assert content(api, node) == first
    assert content(api, node, ID.replace("a", "b"))["patchBaseline"]["rejectedPatches"] == ["after"]
    here.clock.advance(timedelta(milliseconds=1))
    assert content(api, node)["patchBaseline"]["rejectedPatches"] == ["after"]


def test_a_snapshot_outlives_its_baseline(here: Installation, api: Api) -> None:
    node = here.node(tags={"Patch Group": "web"})
    made = own_baseline(api)
    first = content(api, node)
    api("DeregisterPatchBaselineForPatchGroup", BaselineId=made, PatchGroup="web")
    api("DeletePatchBaseline", BaselineId=made)
    assert content(api, node) == first
    assert first["patchBaseline"]["baselineId"] == made


def test_nodes_of_one_group_share_a_snapshot_and_those_of_others_have_theirs(here: Installation, api: Api) -> None:
    web = [here.node(tags={"Patch Group": "web"}) for _ in range(2)]
    db = here.node(tags={"Patch Group": "db"})
    ubuntu = here.node(
        tags={"Patch Group": "web"},
        ping={"PlatformType": "Linux", "PlatformName": "Ubuntu", "PlatformVersion": "22.04"},
    )
    before = content(api, web[0])["patchBaseline"]["baselineId"]
    made = own_baseline(api)
    own_baseline(api, "db")
    assert before == content(api, web[1])["patchBaseline"]["baselineId"] == DEBIAN_DEFAULT
    assert content(api, db)["patchBaseline"]["baselineId"] not in {DEBIAN_DEFAULT, made}
    assert content(api, ubuntu)["patchBaseline"]["name"] == "AWS-UbuntuDefaultPatchBaseline"


def test_a_download_url_is_good_for_a_day_and_gives_the_snapshot_it_was_made_for(here: Installation, api: Api) -> None:
    node = here.node(tags={"PatchGroup": "web"})
    made = own_baseline(api, RejectedPatches=["before"])
    here.clock.advance(timedelta(days=1))
    api(OPERATION, InstanceId=node, SnapshotId=ID)
    here.clock.advance(timedelta(days=2, hours=23))
    url = api(OPERATION, InstanceId=node, SnapshotId=ID)["SnapshotDownloadUrl"]
    api("UpdatePatchBaseline", BaselineId=made, RejectedPatches=["after"])
    here.clock.advance(timedelta(hours=24, milliseconds=-1))
    assert content(api, node)["patchBaseline"]["rejectedPatches"] == ["after"]
    assert read(here, url)["patchBaseline"]["rejectedPatches"] == ["before"]
    here.clock.advance(timedelta(milliseconds=1))
    with pytest.raises(BadSignature, match="was good for 24 hours, which are over; ask for the snapshot again"):
        read(here, url)


def test_a_made_up_url_and_one_for_another_purpose_give_nothing(here: Installation) -> None:
    claims: dict[str, str | int] = {"s": ID, "g": "", "o": "DEBIAN", "v": "", "m": 0, "e": 2**45}
    for token in ("x", seal(SITE.seal_key, "patch-operation", claims), seal(b"k" * 32, "snapshot", claims)):
        with pytest.raises(BadSignature):
            read(here, f"{SITE.public_url}/snapshot/{token}")
    with pytest.raises(NotFound, match=f"snapshot {ID} is not kept any more; ask for it again"):
        read(here, f"{SITE.public_url}/snapshot/{seal(SITE.seal_key, 'snapshot', claims)}")


def test_snapshots_that_nobody_can_ask_for_any_more_are_deleted(here: Installation, api: Api) -> None:
    node = here.node()
    made_at = here.clock.now()
    key = SnapshotKey(snapshot_id=ID, patch_group="", operating_system=snapshots.system_of(_node(here, node)))
    api(OPERATION, InstanceId=node, SnapshotId=ID)
    for days, is_kept in ((4, True), (1, False)):
        here.clock.advance(timedelta(days=days))
        api(OPERATION, InstanceId=node, SnapshotId=f"00000000-0000-4000-8000-00000000000{days}")
        with here.database.read() as work:
            assert (work.snapshots.get(key, made_at) is not None) is is_kept


def test_an_override_takes_the_place_of_the_baseline_and_later_ones_of_that_id_are_not_seen(
    here: Installation, api: Api
) -> None:
    node = here.node()
    first = content(api, node, BaselineOverride=OVERRIDE)
    baseline = first["patchBaseline"]
    assert first["isBaselineOverride"] is True
    assert (baseline["accountId"], baseline["rejectedPatches"]) == (SITE.account_id, ["telnet"])
    assert baseline["approvalRules"]["patchRules"][0]["complianceLevel"] == "HIGH"
    assert content(api, node, BaselineOverride={**OVERRIDE, "RejectedPatches": ["ftp"]}) == first
    # The configured baseline has its own snapshot under the same id.
    assert content(api, node)["patchBaseline"]["baselineId"] == DEBIAN_DEFAULT


def test_an_override_without_an_operating_system_is_for_that_of_the_node(here: Installation, api: Api) -> None:
    override = {name: value for name, value in OVERRIDE.items() if name != "OperatingSystem"}
    assert content(api, here.node(), BaselineOverride=override)["patchBaseline"]["operatingSystem"] == "DEBIAN"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ({"OperatingSystem": "UBUNTU"}, "BaselineOverride is for UBUNTU, and the node runs DEBIAN; give its own"),
        (
            {"RejectedPatches": ["telnet.amd64"]},
            "RejectedPatches[0]: 'telnet.amd64' is no package name; write the bare name, without architecture and version",
        ),
    ],
)
def test_an_override_that_cannot_be_is_refused(
    here: Installation, api: Api, override: dict[str, Any], problem: str
) -> None:
    fault = api.fault(OPERATION, InstanceId=here.node(), SnapshotId=ID, BaselineOverride=override)
    assert (fault.code, fault.message) == ("ValidationException", problem)


WINDOWS_PING = {"PlatformType": "Windows", "PlatformName": "Windows Server 2022", "PlatformVersion": "10.0.20348"}


def report_windows(here: Installation, *updates: dict[str, Any]) -> None:
    """Bring updates into the catalogue as a node reports them."""
    facts = parse(node_data("windows", windowsUpdates=list(updates)))
    with here.database.write() as work:
        work.facts.put(digest(facts), canonical(facts), here.clock.now())
        learn(work, "WINDOWS", facts, digest(facts), here.clock.now())


def test_a_snapshot_for_windows_lists_what_its_baseline_approves_of_all_known_patches(
    here: Installation, api: Api
) -> None:
    released = (here.clock.now() - timedelta(days=30)).date().isoformat()
    lately = (here.clock.now() - timedelta(days=1)).date().isoformat()
    report_windows(
        here,
        kb(1, "missing", "SecurityUpdates", "Critical", released=released),
        kb(2, "missing", "SecurityUpdates", "Critical", released=lately),
        kb(3, "missing", "Drivers", "", released=released),
        kb(4, "installed", "CriticalUpdates", "Important", released=released),
    )
    node = here.node(ping=WINDOWS_PING)
    first = content(api, node)
    assert [one["patch"]["kbNumber"] for one in first["patches"]] == ["KB1", "KB4"]
    assert first["patches"][0]["patch"]["msrcSeverity"] == "Critical"
    assert first["patches"][0]["patchStatus"]["deploymentStatus"] == "APPROVED"
    assert first["unlistedPatchCount"] == 0
    # Whatever becomes known, and whatever day it is: the list is that of the snapshot.
    report_windows(here, kb(5, "missing", "SecurityUpdates", "Critical", released=released))
    here.clock.advance(timedelta(days=2))
    assert content(api, node) == first
    later = content(api, node, ID.replace("a", "b"))["patches"]
    assert [one["patch"]["kbNumber"] for one in later] == ["KB1", "KB4", "KB5"]


def test_a_list_of_patches_beyond_what_a_snapshot_holds_is_counted(
    here: Installation, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LISTED_MAX", 2)
    report_windows(here, *(kb(number, "missing", "SecurityUpdates", "Critical") for number in range(1, 6)))
    found = content(api, here.node(ping=WINDOWS_PING))
    assert (len(found["patches"]), found["unlistedPatchCount"]) == (2, 3)


def test_a_node_of_no_known_system_has_no_snapshot(here: Installation, api: Api) -> None:
    strange = {"PlatformType": "Linux", "PlatformName": "Own Linux", "PlatformVersion": "1"}
    for ping, name in ((strange, "Own Linux 1"), ({}, "an unknown system")):
        node = here.node(ping=ping)
        fault = api.fault(OPERATION, InstanceId=node, SnapshotId=ID)
        assert fault.code == "UnsupportedOperatingSystem"
        assert fault.message == (f"node {node} runs {name}, which is no operating system that patch baselines are for")


def test_a_node_that_is_not_registered_is_named(api: Api) -> None:
    fault = api.fault(OPERATION, InstanceId="mi-0123456789abcdef0", SnapshotId=ID)
    assert fault.code == "ValidationException"
    assert fault.message.startswith("node mi-0123456789abcdef0 is not registered")


def test_a_node_asks_for_its_own_snapshot_and_for_no_other(here: Installation) -> None:
    node, other = here.node(), here.node()
    api = Api(here, as_node(node))
    assert api(OPERATION, InstanceId=node, SnapshotId=ID)["InstanceId"] == node
    fault = api.fault(OPERATION, InstanceId=other, SnapshotId=ID)
    assert fault.code == "AccessDeniedException"
    assert fault.message == f"node {node} may act for itself only, not for {other}"


@pytest.mark.parametrize("snapshot_id", ["", "6f1d1a7e", ID + "0"])
def test_an_id_is_a_uuid(here: Installation, api: Api, snapshot_id: str) -> None:
    assert api.code(OPERATION, InstanceId=here.node(), SnapshotId=snapshot_id) == "ValidationException"


def _node(here: Installation, node_id: str) -> Any:
    with here.database.read() as work:
        return work.nodes.get(node_id)
