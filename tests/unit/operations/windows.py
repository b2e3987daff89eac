"""Windows of tests, and what is asked about them."""

from typing import Any, Final

from tests.fakes.api import Api

UNKNOWN: Final = "mw-0123456789abcdef0"
LEAST: Final[dict[str, Any]] = {
    "Name": "nightly",
    "Schedule": "cron(0 2 ? * SUN *)",
    "Duration": 4,
    "Cutoff": 1,
    "AllowUnassociatedTargets": False,
}
FULL: Final[dict[str, Any]] = {
    **LEAST,
    "Description": "Every Sunday",
    "StartDate": "2026-01-01T00:00:00-08:00",
    "EndDate": "2027-01-01T00:00Z",
    "ScheduleTimezone": "Europe/Berlin",
    "ScheduleOffset": 2,
}
TAG: Final = [{"Key": "tag:env", "Values": ["live"]}]


def create(api: Api, **members: Any) -> str:
    window_id: str = api("CreateMaintenanceWindow", **{**LEAST, **members})["WindowId"]
    return window_id


def get(api: Api, window_id: str) -> dict[str, Any]:
    return api("GetMaintenanceWindow", WindowId=window_id)


def following(api: Api, **members: Any) -> str | None:
    """Return when a window with *members* opens next."""
    found: str | None = get(api, create(api, **members)).get("NextExecutionTime")
    return found


def openings(api: Api, **members: Any) -> list[str]:
    pages = api.pages("DescribeMaintenanceWindowSchedule", "ScheduledWindowExecutions", **members)
    return [one["ExecutionTime"] for page in pages for one in page]


def engine_opens_at(api: Api, window_id: str) -> str | None:
    with api.here.database.read() as work:
        opening = work.windows.opening_of(window_id)
    return None if opening is None else opening.isoformat()


def target(api: Api, window_id: str, targets: list[dict[str, Any]]) -> None:
    api("RegisterTargetWithMaintenanceWindow", WindowId=window_id, ResourceType="INSTANCE", Targets=targets)


def only(key: str, *values: str) -> list[dict[str, Any]]:
    return [{"Key": key, "Values": list(values)}]
