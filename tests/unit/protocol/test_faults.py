"""What the wire calls our errors."""

import json
from collections.abc import Iterator

import pytest

from patchwindow.domain import errors
from patchwindow.domain.errors import PatchwindowError
from patchwindow.operations.not_served import GROUPS_NOT_SERVED
from patchwindow.protocol.faults import FRAMEWORK, NAMES, Fault, internal_fault, to_fault
from patchwindow.protocol.rest import load_routes
from patchwindow.protocol.scalars import Malformed
from patchwindow.protocol.service import OperationModel, load_operations

# Rooms above the wire have errors of their own, which other tests may have imported; no request ever meets them.
ABOVE = tuple(f"patchwindow.{room}" for room in ("bootstrap", "checks", "cli", "client", "console", "plans", "tls"))


def tree(root: type[PatchwindowError]) -> Iterator[type[PatchwindowError]]:
    for cls in root.__subclasses__():
        if not cls.__module__.startswith(ABOVE):
            yield cls
            yield from tree(cls)


def raised(cls: type[PatchwindowError]) -> PatchwindowError:
    return errors.IllegalTransition("A", "b") if cls is errors.IllegalTransition else cls("why")


def operation(name: str) -> OperationModel:
    return next(each for each in load_operations().values() if each.name == name)


@pytest.mark.parametrize("cls", [*tree(PatchwindowError)])
def test_every_class_has_a_name_on_the_wire(cls: type[PatchwindowError]) -> None:
    fault = to_fault(raised(cls))
    assert fault == Fault(fault.code, str(raised(cls)), 400)
    assert fault.code[0].isupper()


@pytest.mark.parametrize("cls", [*tree(PatchwindowError)])
def test_an_operation_answers_only_errors_that_it_documents_or_the_framework_has(cls: type[PatchwindowError]) -> None:
    for each in load_operations().values():
        assert to_fault(raised(cls), each).code in each.errors | FRAMEWORK, each


def test_every_name_is_an_error_of_some_model_or_the_framework() -> None:
    known = FRAMEWORK.union(*(each.errors for each in load_operations().values()))
    assert {name for names in NAMES.values() for name in names} <= known


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("CreatePatchBaseline", errors.TokenReused, "IdempotentParameterMismatch"),
        ("CreatePatchBaseline", errors.Invalid, "ValidationException"),
        ("CreatePatchBaseline", errors.LimitExceeded, "ResourceLimitExceededException"),
        ("CreatePatchBaseline", Malformed, "SerializationException"),
        ("GetPatchBaseline", errors.NotFound, "DoesNotExistException"),
        ("GetPatchBaseline", errors.InvalidResourceId, "InvalidResourceId"),
        ("DeletePatchBaseline", errors.InUse, "ResourceInUseException"),
        ("RegisterPatchBaselineForPatchGroup", errors.AlreadyExists, "AlreadyExistsException"),
        ("DeregisterTargetFromMaintenanceWindow", errors.TargetInUse, "TargetInUseException"),
        ("DescribeInstancePatches", errors.UnknownNode, "InvalidInstanceId"),
        ("DescribeInstancePatches", errors.InvalidFilterKey, "InvalidFilter"),
        ("DescribeInstancePatches", errors.InvalidFilterValue, "InvalidFilter"),
        ("DescribePatchGroupState", errors.InvalidPageToken, "InvalidNextToken"),
        ("DescribePatchBaselines", errors.InvalidPageToken, "ValidationException"),
        ("DescribePatchBaselines", errors.InvalidFilterKey, "ValidationException"),
        ("DescribeInstanceInformation", errors.InvalidFilterKey, "InvalidFilterKey"),
        ("DescribeInstanceInformation", errors.InvalidFilterValue, "InvalidInstanceInformationFilterValue"),
        ("ListCommands", errors.InvalidFilter, "InvalidFilterKey"),
        ("ListCommands", errors.UnknownCommand, "InvalidCommandId"),
        ("GetCommandInvocation", errors.UnknownInvocation, "InvocationDoesNotExist"),
        ("GetCommandInvocation", errors.UnknownStep, "InvalidPluginName"),
        ("SendCommand", errors.UnknownDocument, "InvalidDocument"),
        ("SendCommand", errors.UnsupportedPlatform, "UnsupportedPlatformType"),
        ("SendCommand", errors.DuplicateNode, "DuplicateInstanceId"),
        ("CreateActivation", errors.InvalidParameters, "InvalidParameters"),
        ("DeleteActivation", errors.UnknownActivation, "InvalidActivation"),
        ("RegisterManagedInstance", errors.UnknownActivation, "InvalidActivation"),
        ("RequestManagedInstanceRoleToken", errors.UnknownNode, "InvalidInstanceId"),
        ("GetMessages", errors.UnknownNode, "InvalidDestinationException"),
        ("SendReply", errors.UnknownInvocation, "InvalidMessageIdException"),
        ("AddTagsToResource", errors.TooManyTags, "TooManyTagsError"),
        ("AddTagsToResource", errors.UnknownResource, "InvalidResourceId"),
        ("UpdateMaintenanceWindow", errors.MovedMeanwhile, "ThrottlingException"),
        ("UpdateMaintenanceWindow", errors.UnknownKey, "UnrecognizedClientException"),
        ("UpdateMaintenanceWindow", errors.StaleSignature, "InvalidSignatureException"),
        ("UpdateMaintenanceWindow", errors.MissingSignature, "MissingAuthenticationTokenException"),
        ("UpdateMaintenanceWindow", errors.Denied, "AccessDeniedException"),
        ("StartAutomationExecution", errors.NotServed, "UnknownOperationException"),
    ],
)
def test_an_operation_calls_a_refusal_as_it_documents_it(name: str, error: type[PatchwindowError], code: str) -> None:
    assert to_fault(error("why"), operation(name)) == Fault(code, "why")


def test_the_nearest_class_names_an_error_that_has_no_name_of_its_own() -> None:
    class Unlisted(errors.UnknownNode):
        pass

    assert to_fault(Unlisted("why")).code == "InvalidInstanceId"


def test_a_body_names_the_code_and_the_message() -> None:
    assert json.loads(Fault("DoesNotExistException", "no such window 'mw-1'").body()) == {
        "__type": "DoesNotExistException",
        "Message": "no such window 'mw-1'",
    }
    assert json.loads(Fault("ValidationException", "why").body()) == {"__type": "ValidationException", "message": "why"}


def test_a_refusal_of_inventory_says_of_which_type_where_the_model_has_room_for_it() -> None:
    put = operation("PutInventory")
    for error in (errors.InvalidItemContent, errors.ItemContentMismatch, errors.ItemTooLarge):
        body = json.loads(to_fault(error("why", type_name="Custom:Rack"), put).body())
        assert body["TypeName"] == "Custom:Rack"
    assert "TypeName" not in json.loads(to_fault(errors.InvalidItemContent("why"), put).body())
    elsewhere = to_fault(errors.UnsupportedSchemaVersion("why", type_name="AWS:Service"), put)
    assert elsewhere.code == "UnsupportedInventorySchemaVersionException"
    assert "TypeName" not in json.loads(elsewhere.body())


def test_every_error_with_a_type_name_in_the_model_tells_it() -> None:
    services = {id(each._service): each._service for each in load_operations().values()}
    shapes = {name: shape for service in services.values() for name, shape in service.shapes.items()}
    for name in {name for names in NAMES.values() for name in names} - FRAMEWORK:
        told = json.loads(Fault(name, "why", type_name="Custom:Rack").body()).keys()
        assert ("TypeName" in told) == ("TypeName" in shapes[name]["members"]), name


def test_the_spelling_of_message_is_that_of_the_models() -> None:
    names = {name for names in NAMES.values() for name in names} - FRAMEWORK
    services = {id(each._service): each._service for each in load_operations().values()}
    shapes = {name: shape for service in services.values() for name, shape in service.shapes.items()}
    for name in names:
        spelled = (shapes[name]["members"].keys() or {"Message"}) & {"message", "Message"}
        assert json.loads(Fault(name, "why").body()).keys() == {"__type"} | spelled, name


def test_a_defect_of_ours_is_answered_with_500_and_the_request_to_look_for() -> None:
    fault = internal_fault("1f0c")
    assert (fault.code, fault.http_status) == ("InternalServerError", 500)
    assert "1f0c" in fault.message


@pytest.mark.parametrize("cls", [*tree(PatchwindowError)])
def test_in_rest_a_refusal_is_an_error_that_the_operation_documents_or_says_who_was_not_identified(
    cls: type[PatchwindowError],
) -> None:
    for each in load_routes():
        fault = to_fault(raised(cls), each)
        if issubclass(cls, errors.Unauthenticated):
            assert (fault.code in FRAMEWORK, fault.http_status) == (True, 403)
        elif fault.code in each.errors:
            assert fault.http_status == each.status_of(fault.code)
        else:
            # Of the operations that are served, these look no group up.
            assert fault.code == "NotFoundException"
            assert each.name in GROUPS_NOT_SERVED or each.name in {"CreateGroup", "ListGroups", "SearchResources"}


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (errors.Invalid, "BadRequestException", 400),
        (Malformed, "BadRequestException", 400),
        (errors.InvalidPageToken, "BadRequestException", 400),
        (errors.NotFound, "NotFoundException", 404),
        (errors.AlreadyExists, "BadRequestException", 400),
        (errors.TooManyTags, "BadRequestException", 400),
        (errors.MovedMeanwhile, "TooManyRequestsException", 429),
        (errors.Denied, "ForbiddenException", 403),
        (errors.NotServed, "MethodNotAllowedException", 405),
        (errors.UnknownKey, "UnrecognizedClientException", 403),
        (errors.StaleSignature, "InvalidSignatureException", 403),
        (errors.MissingSignature, "MissingAuthenticationTokenException", 403),
    ],
)
def test_a_rest_operation_calls_a_refusal_as_it_documents_it(
    error: type[PatchwindowError], code: str, status: int
) -> None:
    get_group = next(each for each in load_routes() if each.name == "GetGroup")
    assert to_fault(error("why"), get_group) == Fault(code, "why", status)
    assert internal_fault("1f0c", get_group).code == "InternalServerErrorException"
