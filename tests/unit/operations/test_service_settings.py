"""Settings of the service."""

from typing import Final

import pytest
from tests.fakes.api import Api

TIER: Final = "/ssm/managed-instance/activation-tier"
ARN: Final = f"arn:aws:ssm:eu-central-1:123456789012:servicesetting{TIER}"


@pytest.mark.parametrize("name", [TIER, TIER.lstrip("/"), ARN])
def test_a_setting_has_its_default_until_somebody_sets_it(api: Api, name: str) -> None:
    default = {
        "SettingId": TIER,
        "SettingValue": "standard",
        "LastModifiedUser": "System",
        "ARN": ARN,
        "Status": "Default",
    }
    assert api("GetServiceSetting", SettingId=name) == {"ServiceSetting": default}
    assert api("UpdateServiceSetting", SettingId=name, SettingValue="advanced") == {}
    assert api("GetServiceSetting", SettingId=name)["ServiceSetting"] == {
        "SettingId": TIER,
        "SettingValue": "advanced",
        "LastModifiedDate": api.here.clock.now().timestamp(),
        "LastModifiedUser": "arn:aws:iam::123456789012:user/AKIAOPERATOR",
        "ARN": ARN,
        "Status": "Customized",
    }
    assert api("ResetServiceSetting", SettingId=name) == {"ServiceSetting": default}
    assert api("GetServiceSetting", SettingId=name) == {"ServiceSetting": default}


def test_a_value_that_the_setting_cannot_have_is_refused(api: Api) -> None:
    fault = api.fault("UpdateServiceSetting", SettingId=TIER, SettingValue="gold")
    assert fault.code == "ValidationException"
    assert fault.message == f"SettingValue of {TIER} is 'gold'; use one of standard, advanced"


def test_a_setting_of_free_text_is_kept_as_it_is(api: Api) -> None:
    role = "/ssm/managed-instance/default-ec2-instance-management-role"
    api("UpdateServiceSetting", SettingId=role, SettingValue="service-role/patching")
    assert api("GetServiceSetting", SettingId=role)["ServiceSetting"]["SettingValue"] == "service-role/patching"
    assert api.code("UpdateServiceSetting", SettingId=role, SettingValue="x" * 513) == "ValidationException"


@pytest.mark.parametrize("operation", ["GetServiceSetting", "UpdateServiceSetting", "ResetServiceSetting"])
def test_a_setting_that_there_is_not_is_refused_with_those_there_are(api: Api, operation: str) -> None:
    value = {"SettingValue": "x"} if operation == "UpdateServiceSetting" else {}
    fault = api.fault(operation, SettingId="/ssm/none", **value)
    assert fault.code == "ServiceSettingNotFound"
    assert TIER in fault.message
