"""Settings of the service: kept and told again. None of them changes what this server does, which has no tiers."""

from collections.abc import Mapping
from typing import Any, Final

from patchwindow.domain.errors import Invalid, NotFound
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.store.service_settings import ChangedSetting

_SYSTEM: Final = "System"
_VALUE_MAX: Final = 512


class _Setting:
    """A setting: its default, and the values that it can have; none means that any text will do."""

    def __init__(self, default: str, *values: str) -> None:
        self.default: Final = default
        self.values: Final = values


_SETTINGS: Final[Mapping[str, _Setting]] = {
    "/ssm/appmanager/appmanager-enabled": _Setting("True", "True", "False"),
    "/ssm/automation/customer-script-log-destination": _Setting("None", "None", "CloudWatch"),
    "/ssm/automation/customer-script-log-group-name": _Setting("/aws/ssm/automation/customer-scripts"),
    "/ssm/automation/enable-adaptive-concurrency": _Setting("False", "True", "False"),
    "/ssm/documents/console/public-sharing-permission": _Setting("Enable", "Enable", "Disable"),
    "/ssm/managed-instance/activation-tier": _Setting("standard", "standard", "advanced"),
    "/ssm/managed-instance/default-ec2-instance-management-role": _Setting("$None"),
    "/ssm/opsinsights/opscenter": _Setting("Disabled", "Enabled", "Disabled"),
    "/ssm/parameter-store/default-parameter-tier": _Setting("Standard", "Standard", "Advanced", "Intelligent-Tiering"),
    "/ssm/parameter-store/high-throughput-enabled": _Setting("false", "true", "false"),
}


def get(call: Call, request: Request) -> Answer:
    """GetServiceSetting: the value that counts now."""
    id, setting = _found(request)
    return {"ServiceSetting": _members(call, id, setting)}


def update(call: Call, request: Request) -> Answer:
    """UpdateServiceSetting: the default, too, counts as customized once somebody has set it."""
    id, setting = _found(request)
    value = request["SettingValue"]
    if setting.values and value not in setting.values:
        raise Invalid(f"SettingValue of {id} is {value!r}; use one of {', '.join(setting.values)}")
    if len(value) > _VALUE_MAX:
        raise Invalid(f"SettingValue of {id} has {len(value)} characters; use {_VALUE_MAX} at most")
    by = f"arn:aws:iam::{call.site.account_id}:user/{call.caller.id}"
    call.work.service_settings.put(id, ChangedSetting(value=value, modified_at=call.now, modified_by=by))
    return {}


def reset(call: Call, request: Request) -> Answer:
    """ResetServiceSetting: back to the default, which is the answer."""
    id, setting = _found(request)
    call.work.service_settings.reset(id)
    return {"ServiceSetting": _members(call, id, setting)}


def _found(request: Request) -> tuple[str, _Setting]:
    """Return the setting that an id, with or without its ARN, means.

    Raises:
        NotFound: there is none.
    """
    id = f"/{bare_id(request['SettingId']).lstrip('/')}"
    setting = _SETTINGS.get(id)
    if setting is None:
        raise NotFound(f"there is no service setting {request['SettingId']!r}; use one of {', '.join(_SETTINGS)}")
    return id, setting


def _members(call: Call, id: str, setting: _Setting) -> dict[str, Any]:
    found = {"SettingId": id, "ARN": call.site.arn(f"servicesetting{id}")}
    changed = call.work.service_settings.get(id)
    if changed is None:
        return {**found, "SettingValue": setting.default, "LastModifiedUser": _SYSTEM, "Status": "Default"}
    return {
        **found,
        "SettingValue": changed.value,
        "LastModifiedDate": changed.modified_at,
        "LastModifiedUser": changed.modified_by,
        "Status": "Customized",
    }
