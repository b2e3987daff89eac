"""A service in memory with the client's own shape, for tests of what speaks the public API.

Requests are checked against the public service model. Semantics are the documented ones: reads fill in defaults, lists
come in pages, updates merge unless they replace, client tokens are remembered even after a deletion.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator
from tests.fakes.ssm_others import Others
from tests.fakes.ssm_refusals import refusals

Members = dict[str, Any]

_PAGE: Final = 2
_WINDOWS_DEFAULT: Final = "arn:aws:ssm:us-east-1:075727635805:patchbaseline/pb-09ca3fb51f0412ec3"
_DEBIAN_DEFAULT: Final = "arn:aws:ssm:us-east-1:075727635805:patchbaseline/pb-09a5f8eb62bde80b1"


@cache
def _model() -> Any:
    return botocore.session.Session().get_service_model("ssm")


@cache
def _operation_of(method: str) -> str | None:
    return next((name for name in _model().operation_names if xform_name(name) == method), None)


def refusal(code: str, message: str, operation: str) -> ClientError:
    """Return the error that boto3 raises for an answer of this code."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _baseline(members: Mapping[str, Any]) -> Members:
    defaults: Members = {
        "OperatingSystem": "WINDOWS",
        "GlobalFilters": {"PatchFilters": []},
        "ApprovalRules": {"PatchRules": []},
        "ApprovedPatches": [],
        "ApprovedPatchesComplianceLevel": "UNSPECIFIED",
        "ApprovedPatchesEnableNonSecurity": False,
        "RejectedPatches": [],
        "RejectedPatchesAction": "ALLOW_AS_DEPENDENCY",
        "Sources": [],
    }
    return defaults | dict(members)


class FakeSsm(Others):
    """The operations that a plan needs, over dictionaries that a test may look into."""

    def __init__(self) -> None:
        super().__init__()
        self.meta = SimpleNamespace(endpoint_url="https://fake.example")
        self.calls: list[tuple[str, Members]] = []
        self.fail_at: int | None = None
        self.is_answer_lost = False
        self.baselines: dict[str, Members] = {}
        self.groups: dict[tuple[str, str], str] = {}
        self.windows: dict[str, Members] = {}
        self.targets: dict[str, Members] = {}
        self.tasks: dict[str, Members] = {}
        self._tokens: dict[str, tuple[Members, str]] = {}
        self._made_count = 0
        for name, id, system in (
            ("AWS-DefaultPatchBaseline", _WINDOWS_DEFAULT, "WINDOWS"),
            ("AWS-DebianDefaultPatchBaseline", _DEBIAN_DEFAULT, "DEBIAN"),
        ):
            self.baselines[id] = _baseline({"Name": name, "OperatingSystem": system, "RejectedPatches": ["nano"]})
        self.defaults = {"WINDOWS": _WINDOWS_DEFAULT, "DEBIAN": _DEBIAN_DEFAULT}

    @property
    def writes(self) -> list[str]:
        """The names of the operations so far that were not mere reads."""
        return [name for name, _ in self.calls if not name.startswith(("Get", "Describe", "List"))]

    def __getattr__(self, method: str) -> Any:
        operation = None if method.startswith("_") else _operation_of(method)
        if operation is None:
            raise AttributeError(method)

        def run(**members: Any) -> Members:
            shape = _model().operation_model(operation).input_shape
            report = ParamValidator().validate(members, shape)
            if report.has_errors():
                raise ParamValidationError(report=report.generate_report())
            for reason in refusals(operation, members):
                raise refusal("ValidationException", reason, operation)
            is_cut_off = self.fail_at == len(self.calls)
            self.calls.append((operation, members))
            # A connection that breaks before the request arrives, or before its answer does.
            cut_off = refusal("InternalServerError", "the power went off", operation)
            if is_cut_off and not self.is_answer_lost:
                raise cut_off
            answer: Members = getattr(self, f"_{method}")(dict(members))
            if is_cut_off:
                raise cut_off
            return answer

        return run

    def refusal(self, code: str, operation: str) -> ClientError:
        """Return the error for an answer of this code."""
        return ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)

    def _once(self, operation: str, prefix: str, members: Members) -> tuple[str, bool]:
        """Return the id for a request, and whether it is a new one."""
        token = members.pop("ClientToken")
        if token in self._tokens:
            before, id = self._tokens[token]
            if before != members:
                raise refusal("IdempotentParameterMismatch", "same token, other parameters", operation)
            return id, False
        self._made_count += 1
        id = f"{prefix}-{self._made_count:017x}" if prefix else f"00000000-0000-4000-8000-{self._made_count:012x}"
        self._tokens[token] = (dict(members), id)
        return id, True

    def _find(self, rows: dict[str, Members], id: str, operation: str) -> Members:
        if id not in rows:
            raise refusal("DoesNotExistException", f"{id} does not exist", operation)
        return rows[id]

    def page(self, key: str, rows: list[Members], members: Members) -> Members:
        """Return a page of *rows*, two of them."""
        start = int(members.get("NextToken", "0"))
        answer: Members = {key: rows[start : start + _PAGE], "NextToken": ""}
        if start + _PAGE < len(rows):
            answer["NextToken"] = str(start + _PAGE)
        return answer

    def _update(self, row: Members, members: Members, keys: tuple[str, ...], *, kept: tuple[str, ...]) -> None:
        changes = {name: value for name, value in members.items() if name not in {*keys, "Replace"}}
        if members.get("Replace"):
            for name in row.keys() - {*kept, *keys}:
                del row[name]
        row |= changes

    # Tags

    def _list_tags_for_resource(self, members: Members) -> Members:
        tags = self.tags.get(members["ResourceId"], {})
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    # Baselines and groups

    def _create_patch_baseline(self, members: Members) -> Members:
        id, is_new = self._once("CreatePatchBaseline", "pb", members)
        if is_new:
            self.tags[id] = {tag["Key"]: tag["Value"] for tag in members.pop("Tags", [])}
            self.baselines[id] = _baseline(members)
        return {"BaselineId": id}

    def _get_patch_baseline(self, members: Members) -> Members:
        id = members["BaselineId"]
        return {"BaselineId": id} | _baseline(self._find(self.baselines, id, "GetPatchBaseline"))

    def _update_patch_baseline(self, members: Members) -> Members:
        row = self._find(self.baselines, members["BaselineId"], "UpdatePatchBaseline")
        self._update(row, members, ("BaselineId",), kept=("OperatingSystem",))
        return {}

    def _describe_patch_baselines(self, members: Members) -> Members:
        owners = {value for entry in members.get("Filters", []) for value in entry["Values"]}
        rows = [
            self._identity(id)
            for id in self.baselines
            if ("AWS" in owners and id.startswith("arn:")) or ("Self" in owners and not id.startswith("arn:"))
        ]
        return self.page("BaselineIdentities", rows, members)

    def _identity(self, id: str) -> Members:
        row = self.baselines[id]
        system = row["OperatingSystem"]
        is_default = self.defaults.get(system) == id
        return {
            "BaselineId": id,
            "BaselineName": row["Name"],
            "OperatingSystem": system,
            "DefaultBaseline": is_default,
        }

    def _register_default_patch_baseline(self, members: Members) -> Members:
        id = members["BaselineId"]
        row = self._find(self.baselines, id, "RegisterDefaultPatchBaseline")
        self.defaults[row["OperatingSystem"]] = id
        return {"BaselineId": id}

    def _register_patch_baseline_for_patch_group(self, members: Members) -> Members:
        operation = "RegisterPatchBaselineForPatchGroup"
        id, group = members["BaselineId"], members["PatchGroup"]
        key = (group, self._find(self.baselines, id, operation)["OperatingSystem"])
        if key in self.groups:
            raise refusal("AlreadyExistsException", f"{group} already has a baseline for {key[1]}", operation)
        self.groups[key] = id
        return {"BaselineId": id, "PatchGroup": group}

    def _deregister_patch_baseline_for_patch_group(self, members: Members) -> Members:
        gone = [
            key for key, id in self.groups.items() if (key[0], id) == (members["PatchGroup"], members["BaselineId"])
        ]
        for key in gone:
            del self.groups[key]
        return members

    def _delete_patch_baseline(self, members: Members) -> Members:
        """Source: DeletePatchBaseline, "if the patch baseline is registered for a patch group, or is the default"."""
        id = members["BaselineId"]
        if id in self.defaults.values() or id in self.groups.values():
            raise refusal("ResourceInUseException", "the baseline is registered", "DeletePatchBaseline")
        del self.baselines[id]
        return {"BaselineId": id}

    def _describe_patch_groups(self, members: Members) -> Members:
        rows = [{"PatchGroup": group, "BaselineIdentity": self._identity(id)} for (group, _), id in self.groups.items()]
        return self.page("Mappings", rows, members)

    # Windows, targets, tasks

    def _create_maintenance_window(self, members: Members) -> Members:
        id, is_new = self._once("CreateMaintenanceWindow", "mw", members)
        if is_new:
            self.tags[id] = {tag["Key"]: tag["Value"] for tag in members.pop("Tags", [])}
            self.windows[id] = members | {"WindowId": id, "Enabled": True}
        return {"WindowId": id}

    def _get_maintenance_window(self, members: Members) -> Members:
        return dict(self._find(self.windows, members["WindowId"], "GetMaintenanceWindow"))

    def _update_maintenance_window(self, members: Members) -> Members:
        row = self._find(self.windows, members["WindowId"], "UpdateMaintenanceWindow")
        self._update(row, members, ("WindowId",), kept=("Enabled",))
        return {}

    def _describe_maintenance_windows(self, members: Members) -> Members:
        return self.page("WindowIdentities", list(self.windows.values()), members)

    def _register_target_with_maintenance_window(self, members: Members) -> Members:
        self._find(self.windows, members["WindowId"], "RegisterTargetWithMaintenanceWindow")
        id, is_new = self._once("RegisterTargetWithMaintenanceWindow", "", members)
        if is_new:
            self.targets[id] = members | {"WindowTargetId": id}
        return {"WindowTargetId": id}

    def _update_maintenance_window_target(self, members: Members) -> Members:
        row = self._find(self.targets, members["WindowTargetId"], "UpdateMaintenanceWindowTarget")
        self._update(row, members, ("WindowId", "WindowTargetId"), kept=("ResourceType",))
        return {}

    def _describe_maintenance_window_targets(self, members: Members) -> Members:
        return self.page("Targets", list(self._of_window(self.targets, members)), members)

    def _register_task_with_maintenance_window(self, members: Members) -> Members:
        operation = "RegisterTaskWithMaintenanceWindow"
        self._find(self.windows, members["WindowId"], operation)
        for target in members["Targets"]:
            for target_id in target["Values"]:
                self._find(self.targets, target_id, operation)
        id, is_new = self._once(operation, "", members)
        if is_new:
            self.tasks[id] = members | {"WindowTaskId": id}
        return {"WindowTaskId": id}

    def _get_maintenance_window_task(self, members: Members) -> Members:
        row = self._find(self.tasks, members["WindowTaskId"], "GetMaintenanceWindowTask")
        # AWS fills these in where the caller has not said them.
        role = "arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"
        empties = {"Comment": "", "NotificationConfig": {"NotificationArn": "", "NotificationEvents": []}}
        run_command = empties | row["TaskInvocationParameters"]["RunCommand"]
        return {"ServiceRoleArn": role} | row | {"TaskInvocationParameters": {"RunCommand": run_command}}

    def _update_maintenance_window_task(self, members: Members) -> Members:
        row = self._find(self.tasks, members["WindowTaskId"], "UpdateMaintenanceWindowTask")
        self._update(row, members, ("WindowId", "WindowTaskId"), kept=("TaskType",))
        return {}

    def _describe_maintenance_window_tasks(self, members: Members) -> Members:
        rows: list[Members] = [
            {name: row[name] for name in ("WindowId", "WindowTaskId", "Name") if name in row}
            for row in self._of_window(self.tasks, members)
        ]
        return self.page("Tasks", rows, members)

    def _delete_maintenance_window(self, members: Members) -> Members:
        del self.windows[members["WindowId"]]
        return {"WindowId": members["WindowId"]}

    def _deregister_target_from_maintenance_window(self, members: Members) -> Members:
        id = members["WindowTargetId"]
        if members.get("Safe") and any(
            id in entry["Values"] for row in self.tasks.values() for entry in row["Targets"]
        ):
            operation = "DeregisterTargetFromMaintenanceWindow"
            raise refusal("TargetInUseException", "a task refers to the target", operation)
        del self.targets[id]
        return {"WindowTargetId": id}

    def _deregister_task_from_maintenance_window(self, members: Members) -> Members:
        del self.tasks[members["WindowTaskId"]]
        return {"WindowTaskId": members["WindowTaskId"]}

    def _of_window(self, rows: dict[str, Members], members: Members) -> Iterator[Members]:
        self._find(self.windows, members["WindowId"], "DescribeMaintenanceWindowTargets")
        return (row for row in rows.values() if row["WindowId"] == members["WindowId"])
