"""Baselines of tests, and what is asked about them."""

from typing import Any

from tests.fakes.api import Api
from tests.fakes.site import SITE

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import arn, default_for


def create(api: Api, **members: Any) -> str:
    baseline_id: str = api("CreatePatchBaseline", **{"Name": "own", "OperatingSystem": "DEBIAN", **members})[
        "BaselineId"
    ]
    return baseline_id


def predefined(system: OperatingSystem) -> str:
    return arn(default_for(system).baseline_id, SITE.region)


def only(key: str, *values: str) -> list[dict[str, Any]]:
    return [{"Key": key, "Values": list(values)}]
