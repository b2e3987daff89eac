"""The one way into the operations: client tokens and transactions. Rights are in the wire's tests."""

from datetime import timedelta
from typing import Any, Final

import pytest
from tests.fakes.api import MODELS, Api
from tests.fakes.site import Installation

from patchwindow.domain.errors import NotServed
from patchwindow.operations.service import CLIENT_TOKEN_LIFE
from patchwindow.operations.table import OPERATIONS

WINDOW: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "rate(1 day)",
    "Duration": 2,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
    "StartDate": "2026-04-01T00:00:00Z",
}
TARGET: Final[dict[str, Any]] = {
    "ResourceType": "INSTANCE",
    "Targets": [{"Key": "tag:env", "Values": ["live"]}],
}
TOKEN: Final = "0f1e2d3c-0000-4000-8000-000000000001"
OTHER: Final = "0f1e2d3c-0000-4000-8000-000000000002"
TASK: Final[dict[str, Any]] = {"TaskArn": "SSMfunction", "TaskType": "LAMBDA"}


def requests(api: Api) -> dict[str, dict[str, Any]]:
    """Return a request for each operation that takes a client token."""
    window = api("CreateMaintenanceWindow", **WINDOW)
    rack = {"TypeName": "Custom:Rack", "SchemaVersion": "1.0", "CaptureTime": "2026-04-01T00:00:00Z", "Content": [{}]}
    api("PutInventory", InstanceId=api.here.node(), Items=[rack])
    return {
        "CreatePatchBaseline": {"Name": "own"},
        "CreateMaintenanceWindow": WINDOW,
        "RegisterTargetWithMaintenanceWindow": {**TARGET, **window},
        "RegisterTaskWithMaintenanceWindow": {**TASK, **window},
        "DeleteInventory": {"TypeName": "Custom:Rack"},
    }


def test_each_served_operation_with_a_client_token_is_covered_here(api: Api) -> None:
    assert requests(api).keys() == {name for name in OPERATIONS if "ClientToken" in MODELS[name].members}


def test_the_same_token_and_request_give_the_same_answer_and_make_nothing_new(api: Api) -> None:
    for operation, request in requests(api).items():
        first = api(operation, ClientToken=TOKEN, **request)
        api.here.clock.advance(timedelta(hours=1))
        assert api(operation, ClientToken=TOKEN, **dict(reversed(request.items()))) == first
        assert api(operation, ClientToken=OTHER, **request) != first
        assert api(operation, **request) != first
    assert len(api("DescribeMaintenanceWindows")["WindowIdentities"]) == 4


def test_the_same_token_with_another_request_is_a_mismatch(api: Api) -> None:
    for operation, request in requests(api).items():
        api(operation, ClientToken=TOKEN, **request)
        # Deleting inventory has no description to change, and no error of its own for this in the model.
        is_plain = operation != "DeleteInventory"
        change = {"Description": "changed"} if is_plain else {"DryRun": True}
        fault = api.fault(operation, ClientToken=TOKEN, **{**request, **change})
        assert (fault.code, fault.message) == (
            "IdempotentParameterMismatch" if is_plain else "ValidationException",
            f"ClientToken '{TOKEN}' was used for another {operation}; use a new one",
        )


def test_a_token_is_good_for_its_time(api: Api) -> None:
    first = api("CreatePatchBaseline", Name="own", ClientToken="token")
    api.here.clock.advance(CLIENT_TOKEN_LIFE - timedelta(milliseconds=1))
    assert api("CreatePatchBaseline", Name="own", ClientToken="token") == first
    api.here.clock.advance(timedelta(milliseconds=1))
    again = api("CreatePatchBaseline", Name="other", ClientToken="token")
    assert again != first
    assert api("CreatePatchBaseline", Name="other", ClientToken="token") == again


def test_a_refused_request_leaves_its_token_free(api: Api) -> None:
    bad = {**WINDOW, "Cutoff": 2}
    assert api.code("CreateMaintenanceWindow", ClientToken="token", **bad) == "ValidationException"
    assert api("CreateMaintenanceWindow", ClientToken="token", **WINDOW)["WindowId"]


def test_what_is_refused_halfway_leaves_nothing_behind(api: Api) -> None:
    tags = [{"Key": "aws:env", "Value": "live"}]
    assert api.code("CreatePatchBaseline", Name="own", Tags=tags) == "ValidationException"
    assert api.code("CreateMaintenanceWindow", Tags=tags, **WINDOW) == "ValidationException"
    own = [{"Key": "OWNER", "Values": ["Self"]}]
    assert api("DescribePatchBaselines", Filters=own)["BaselineIdentities"] == []
    assert api("DescribeMaintenanceWindows")["WindowIdentities"] == []


def test_what_is_not_served_is_refused_with_its_reason(api: Api) -> None:
    fault = api.fault("GetParameter", Name="x")
    assert fault.code == "UnknownOperationException"
    assert fault.message == "GetParameter is not served here: Parameter Store is outside its scope"
    with pytest.raises(NotServed, match="MakeCoffee is not served here: no such operation"):
        api.here.perform("MakeCoffee")


def test_a_node_and_a_key_are_looked_up_by_id(here: Installation) -> None:
    node = here.node()
    with here.service.keyring() as keys:
        found = keys.node(node)
        assert found is not None
        assert found.instance_id == node
        assert keys.node("mi-0123456789abcdef0") is None
        assert keys.access_key("AKIAUNKNOWN") is None
