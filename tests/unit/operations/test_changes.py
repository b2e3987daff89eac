"""The record of every change: who, when, from where, by which operation, of what, before and after."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.fakes.api import Api
from tests.fakes.site import OPERATOR, Installation, as_node

from patchwindow.domain.errors import Denied, PatchwindowError
from patchwindow.operations.call import Caller
from patchwindow.operations.change_looks import ABOUT, NO_CHANGES
from patchwindow.operations.table import GROUP_OPERATIONS, OPERATIONS, OWN_OPERATIONS
from patchwindow.store.settings import AccessKey, Role

EVE = Caller(id="person/eve", role=Role.ADMIN, address="192.0.2.7")
OF_CLIENTS = OPERATIONS | GROUP_OPERATIONS | OWN_OPERATIONS


def changes(here: Installation, **asked: Any) -> list[Mapping[str, Any]]:
    return [one for page in here.pages("ListChanges", "Changes", **asked) for one in page]


def last(here: Installation) -> Mapping[str, Any]:
    return changes(here)[0]


def window(here: Installation, caller: Caller = OPERATOR, **more: Any) -> str:
    members = {"Name": "web", "Schedule": "rate(1 day)", "Duration": 4, "Cutoff": 1, "AllowUnassociatedTargets": False}
    made: str = here.perform("CreateMaintenanceWindow", caller, **(members | more))["WindowId"]
    return made


@pytest.mark.parametrize("name", sorted(OF_CLIENTS))
def test_what_writes_says_what_it_changes_or_that_it_changes_nothing(name: str) -> None:
    assert (name in ABOUT or name in NO_CHANGES) is OF_CLIENTS[name].writes


@pytest.mark.parametrize("name", sorted(name for name, about in ABOUT.items() if about.look))
def test_what_is_looked_at_is_read_by_an_operation_that_only_reads(name: str) -> None:
    look = ABOUT[name].look
    assert look is not None
    assert not OF_CLIENTS[look.operation].writes


def test_who_changed_a_window_is_told_with_what_it_was_and_is(here: Installation) -> None:
    made = window(here)
    here.perform("UpdateMaintenanceWindow", EVE, WindowId=made, Cutoff=2)
    one = last(here)
    told = (one["Caller"], one["Address"], one["Operation"], one["Resource"], one["ChangedTime"])
    assert told == ("person/eve", "192.0.2.7", "UpdateMaintenanceWindow", made, here.clock.now())
    assert json.loads(one["Before"])["Cutoff"] == 1
    assert json.loads(one["After"])["Cutoff"] == 2


def test_what_is_new_has_no_before_and_what_is_gone_no_after(here: Installation) -> None:
    made = window(here)
    one = last(here)
    assert one["Before"] == ""
    assert json.loads(one["After"])["WindowId"] == made
    here.perform("DeleteMaintenanceWindow", WindowId=made)
    one = last(here)
    assert json.loads(one["Before"])["WindowId"] == made
    assert one["After"] == ""


def test_what_no_operation_shows_is_kept_as_it_was_asked_for(here: Installation) -> None:
    node = here.node()
    sent = here.perform(
        "SendCommand", DocumentName="AWS-RunPatchBaseline", InstanceIds=[node], Parameters={"Operation": ["Scan"]}
    )
    one = last(here)
    assert one["Resource"] == sent["Command"]["CommandId"]
    assert json.loads(one["After"])["Parameters"] == {"Operation": ["Scan"]}


def test_an_access_key_is_told_with_what_it_was_for_then(here: Installation) -> None:
    with here.database.write() as work:
        work.access_keys.add(
            AccessKey(access_key_id=OPERATOR.id, secret_access_key="s", role=Role.OPERATOR, comment="Terraform"),
            here.clock.now(),
        )
    window(here)
    with here.database.write() as work:
        work.access_keys.delete(OPERATOR.id)
    assert (last(here)["Caller"], last(here)["Comment"]) == (OPERATOR.id, "Terraform")


def test_no_code_is_kept(here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    assert last(here)["Resource"] == made["ActivationId"]
    assert made["ActivationCode"] not in json.dumps(changes(here), default=str)


def test_what_is_refused_is_no_change(here: Installation) -> None:
    with pytest.raises(PatchwindowError):
        window(here, Cutoff=9)
    with pytest.raises(Denied):
        window(here, Caller(id="AKIAVIEWER", role=Role.VIEWER))
    assert changes(here) == []


def test_a_request_that_comes_again_changes_nothing_again(here: Installation) -> None:
    assert window(here, ClientToken="t" * 8) == window(here, ClientToken="t" * 8)
    assert len(changes(here)) == 1


def test_what_nodes_say_is_no_change(here: Installation) -> None:
    node = here.node()
    before = changes(here)
    here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node, PlatformType="Linux")
    assert changes(here) == before
    assert [one["Operation"] for one in before] == ["CreateActivation"]


def test_tags_are_told_as_they_were_and_are(here: Installation) -> None:
    node = here.node(tags={"Role": "web"})
    where = {"ResourceType": "ManagedInstance", "ResourceId": node}
    here.perform("AddTagsToResource", EVE, **where, Tags=[{"Key": "Role", "Value": "db"}])
    one = last(here)
    assert json.loads(one["Before"])["TagList"] == [{"Key": "Role", "Value": "web"}]
    assert json.loads(one["After"])["TagList"] == [{"Key": "Role", "Value": "db"}]


def test_targets_and_tasks_of_a_window_are_told_too(here: Installation) -> None:
    made = window(here)
    target = here.perform(
        "RegisterTargetWithMaintenanceWindow",
        WindowId=made,
        ResourceType="INSTANCE",
        Targets=[{"Key": "tag:Role", "Values": ["web"]}],
    )["WindowTargetId"]
    assert json.loads(last(here)["After"])["Targets"] == [{"Key": "tag:Role", "Values": ["web"]}]
    here.perform("DeregisterTargetFromMaintenanceWindow", WindowId=made, WindowTargetId=target)
    assert (last(here)["Resource"], last(here)["After"]) == (target, "")


def test_advisories_are_told_by_their_source_alone(here: Installation) -> None:
    here.perform("ImportAdvisories", Source="kev", Cves=[{"CVEId": "CVE-2026-1000", "IsKnownExploited": True}])
    assert (last(here)["Resource"], json.loads(last(here)["After"])) == ("kev", {"Source": "kev"})


def test_they_are_found_by_who_what_which_and_when(here: Installation) -> None:
    first = window(here)
    window(here, EVE)
    assert [one["Resource"] for one in changes(here, Caller=OPERATOR.id)] == [first]
    assert [one["Caller"] for one in changes(here, Resource=first)] == [OPERATOR.id]
    assert changes(here, Operation="DeleteMaintenanceWindow") == []
    assert len(changes(here, Before=here.clock.now())) == 0
    assert len(changes(here, After=here.clock.now())) == 2


def test_pages_have_each_change_once(here: Installation) -> None:
    made = [window(here) for _ in range(5)]
    assert [one["Resource"] for one in changes(here, MaxResults=2)] == made[::-1]


def test_an_end_before_its_beginning_is_refused(api: Api, here: Installation) -> None:
    at = here.clock.now().timestamp()
    assert "is not before" in api.fault("ListChanges", After=at, Before=at).message


def test_answers_fit_the_model(api: Api) -> None:
    made = api("CreateMaintenanceWindow", Name="web", Schedule="rate(1 day)", Duration=4, Cutoff=1,
               AllowUnassociatedTargets=False)  # fmt: skip
    assert api("ListChanges")["Changes"][0]["Resource"] == made["WindowId"]


GROUP = '{"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "Role", "Values": ["web"]}]}'
STEP = {"action": "aws:runShellScript", "name": "say", "inputs": {"runCommand": ["echo hello"]}}
DOCUMENT = json.dumps({"schemaVersion": "2.2", "mainSteps": [STEP]})
OTHER = json.dumps({"schemaVersion": "2.2", "description": "other", "mainSteps": [STEP]})
LIVES: dict[str, tuple[tuple[str, dict[str, Any]], tuple[str, dict[str, Any]], tuple[str, dict[str, Any]]]] = {
    "baseline": (
        ("CreatePatchBaseline", {"Name": "own"}),
        ("UpdatePatchBaseline", {"BaselineId": "?", "Name": "other"}),
        ("DeletePatchBaseline", {"BaselineId": "?"}),
    ),
    "document": (
        ("CreateDocument", {"Name": "own", "Content": DOCUMENT, "DocumentType": "Command"}),
        ("UpdateDocument", {"Name": "?", "Content": OTHER, "DocumentVersion": "$LATEST"}),
        ("DeleteDocument", {"Name": "?"}),
    ),
    "association": (
        ("CreateAssociation", {"Name": "AWS-Noop", "Targets": [{"Key": "tag:Role", "Values": ["web"]}]}),
        ("UpdateAssociation", {"AssociationId": "?", "AssociationName": "other"}),
        ("DeleteAssociation", {"AssociationId": "?"}),
    ),
    "group": (
        ("CreateGroup", {"Name": "own", "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": GROUP}}),
        ("UpdateGroup", {"GroupName": "?", "Description": "other"}),
        ("DeleteGroup", {"Group": "?"}),
    ),
}


@pytest.mark.parametrize("kind", LIVES)
def test_a_thing_is_told_from_its_beginning_to_its_end(here: Installation, kind: str) -> None:
    first, then, last_ = LIVES[kind]
    resource = ""
    for name, members in (first, then, last_):
        filled = {member: resource if value == "?" else value for member, value in members.items()}
        here.perform(name, EVE, **filled)
        resource = resource or last(here)["Resource"]
        assert (last(here)["Operation"], last(here)["Resource"]) == (name, resource)
    assert resource
    end, middle, beginning = changes(here)[:3]
    assert (beginning["Before"], end["After"]) == ("", "")
    assert json.loads(middle["Before"]) == json.loads(beginning["After"])
    assert json.loads(end["Before"]) == json.loads(middle["After"])
    assert "other" in middle["After"]
    assert "other" not in middle["Before"]


def test_a_service_setting_is_told_as_it_was_and_is(here: Installation) -> None:
    id = "/ssm/documents/console/public-sharing-permission"
    here.perform("UpdateServiceSetting", EVE, SettingId=id, SettingValue="Disable")
    assert json.loads(last(here)["Before"])["SettingValue"] == "Enable"
    assert json.loads(last(here)["After"])["SettingValue"] == "Disable"


def test_a_node_that_is_deregistered_is_told_as_it_was(here: Installation) -> None:
    node = here.node()
    here.perform("DeregisterManagedInstance", EVE, InstanceId=node)
    assert json.loads(last(here)["Before"])["InstanceId"] == node
    assert last(here)["After"] == ""
