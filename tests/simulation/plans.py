"""What callers plan: windows with targets and tasks, and commands, drawn from a world's chance."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from patchwindow.operations.call import Answer

RINGS: Final = ("a", "b", "c")
TAG_KEYS: Final = ("ring", "tier")
GROUPS: Final[dict[str, list[dict[str, Any]]]] = {
    "first": [{"Key": "ring", "Values": ["a"]}],
    "most": [{"Key": "ring", "Values": ["a", "b"]}, {"Key": "tier", "Values": ["1"]}],
}
"""Resource groups, each by the tags of its nodes."""
ARNS: Final = {
    "AUTOMATION": "Restart",
    "LAMBDA": "arn:aws:lambda:eu-central-1:123456789012:function:restart",
    "STEP_FUNCTIONS": "arn:aws:states:eu-central-1:123456789012:stateMachine:restart",
}
"""What tasks run that are no commands, by their type."""
PAYLOADS: Final[dict[str, dict[str, Any]]] = {
    "AUTOMATION": {"Automation": {"Parameters": {"NodeId": ["{{TARGET_ID}}"]}}},
    "LAMBDA": {"Lambda": {"Payload": b'{"execution": "{{WINDOW_EXECUTION_ID}}"}'}},
    "STEP_FUNCTIONS": {"StepFunctions": {"Input": '{"window": "{{WINDOW_ID}}"}'}},
}


@dataclass(frozen=True, slots=True)
class Night:
    """Where a world begins: shortly before the clocks of these zones change, if they do."""

    starts_at: datetime
    zones: tuple[str, ...]


def _night(start: str, *zones: str) -> Night:
    return Night(datetime.fromisoformat(start).replace(tzinfo=UTC), zones)


NIGHTS: Final = (
    _night("2026-01-15T00:00", "UTC", "Asia/Kolkata"),
    _night("2026-12-31T21:30", "UTC", "Pacific/Kiritimati"),
    # An hour that does not come, and one that comes twice.
    _night("2026-03-29T00:00", "Europe/Berlin", "Europe/London"),
    _night("2026-10-25T00:00", "Europe/Berlin", "Europe/London"),
    _night("2026-03-08T06:00", "America/New_York", "America/Toronto"),
    _night("2026-11-01T05:00", "America/New_York", "America/Toronto"),
    # Half an hour, and a midnight that does not come.
    _night("2026-10-03T14:45", "Australia/Lord_Howe"),
    _night("2026-04-04T14:00", "Australia/Lord_Howe"),
    _night("2026-09-06T03:00", "America/Santiago"),
)


class Asker(Protocol):
    """Through whom plans are made."""

    random: random.Random

    @property
    def node_ids(self) -> Sequence[str]:
        """The nodes that are there."""
        ...

    def ask(self, operation: str, /, *caller: Any, **request: Any) -> Answer | None:
        """Return a server's answer; None where there was none, whatever was done."""
        ...


class Plans:
    """Draws what is planned in one world."""

    def __init__(self, asker: Asker, night: Night, hours: int) -> None:
        self._asker = asker
        self._random = asker.random
        self._night = night
        self._ends_at = night.starts_at + timedelta(hours=hours)
        self._hours = hours
        self._numbers = count(1)

    def window(self) -> dict[str, Any]:
        """Return the members of a new window."""
        draw = self._random
        members = self.times()
        if draw.random() < 0.4:
            members["StartDate"] = _text(self._night.starts_at + timedelta(minutes=draw.choice([1, 7, 30, 55])))
        # A window without an end opens until it is deleted.
        if draw.random() < 0.9:
            members["EndDate"] = _text(self._ends_at)
        return {
            "Name": f"window-{next(self._numbers)}",
            "AllowUnassociatedTargets": True,
            "Enabled": draw.random() < 0.92,
            **self.length(),
            **members,
        }

    def length(self) -> dict[str, int]:
        """Return a duration and a cutoff."""
        duration = self._random.choice([1, 1, 2, 3])
        return {"Duration": duration, "Cutoff": self._random.randrange(duration)}

    def group(self, name: str) -> dict[str, str]:
        """Return the query of a resource group, which may be changed in the course of a world."""
        filters = GROUPS[name] if self._random.random() < 0.7 else [{"Key": "ring", "Values": ["b", "c"]}]
        query = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": filters}
        return {"Type": "TAG_FILTERS_1_0", "Query": json.dumps(query)}

    def times(self) -> dict[str, Any]:
        """Return a schedule with its zone, and an offset where it can have one."""
        draw = self._random
        zone = draw.choice(self._night.zones)
        starts_at = self._night.starts_at.astimezone(ZoneInfo(zone))
        soon = (starts_at + timedelta(minutes=draw.choice([20, 75, 100, 150]))).replace(tzinfo=None)
        schedule = draw.choice(
            [
                "rate(1 hour)",
                "rate(2 hours)",
                "rate(25 minutes)",
                "cron(0 * * * ? *)",
                "cron(10/30 * ? * * *)",
                "cron(30 5 * * * ? *)",
                f"cron({soon.minute} {soon.hour} * * ? *)",
                f"cron({soon.minute},59 {soon.hour}-{(soon.hour + 2) % 24} ? * * *)",
                f"cron({soon.minute} {soon.hour} ? * {(soon.isoweekday() % 7) + 1}#{(soon.day - 1) // 7 + 1} *)",
                f"at({soon:%Y-%m-%dT%H:%M:%S})",
                f"at({soon:%Y-%m-%dT%H:%M:%S})",
            ]
        )
        members: dict[str, Any] = {"Schedule": schedule}
        if zone != "UTC" or draw.random() < 0.3:
            members["ScheduleTimezone"] = zone
        if self._hours > 24 and schedule.startswith("cron(") and draw.random() < 0.7:
            members["ScheduleOffset"] = 1
        return members

    def target(self) -> list[dict[str, Any]]:
        """Return the targets of a window target, or of a command; all of them must agree on a node."""
        draw = self._random
        match draw.choice(["ids", "ring", "ring", "ring", "key", "both", "group"]):
            case "ids" if ids := self._asker.node_ids:
                return [{"Key": "InstanceIds", "Values": draw.sample(ids, min(len(ids), draw.randint(1, 5)))}]
            case "group":
                return [{"Key": "resource-groups:Name", "Values": [draw.choice([*GROUPS])]}]
            case "key":
                return [{"Key": "tag-key", "Values": [draw.choice(TAG_KEYS)]}]
            case "both":
                return [{"Key": "tag:ring", "Values": list(RINGS[:2])}, {"Key": "tag-key", "Values": ["tier"]}]
            case _:
                return [{"Key": "tag:ring", "Values": draw.sample(RINGS, draw.randint(1, 3))}]

    def task(self, target_ids: Sequence[str]) -> dict[str, Any]:
        """Return the members of a new task for some of these window targets."""
        draw = self._random
        chosen = draw.sample(target_ids, draw.randint(1, min(3, len(target_ids))))
        members: dict[str, Any] = {
            "TaskType": "RUN_COMMAND",
            "Targets": [{"Key": "WindowTargetIds", "Values": chosen}],
            "Priority": draw.randint(0, 2),
            **self.limits(),
        }
        if draw.random() < 0.8:
            members["CutoffBehavior"] = draw.choice(["CONTINUE_TASK", "CANCEL_TASK"])
        if draw.random() < 0.2:
            kind = draw.choice(sorted(ARNS))
            if draw.random() < 0.2:
                for name in ("Targets", "MaxConcurrency", "MaxErrors"):
                    del members[name]
            return {**members, "TaskType": kind, "TaskArn": ARNS[kind], "TaskInvocationParameters": PAYLOADS[kind]}
        document, run = self.run()
        if draw.random() < 0.05:
            run = {"Parameters": {"nonsense": ["1"]}}
        return {**members, "TaskArn": document, "TaskInvocationParameters": {"RunCommand": run}}

    def run(self) -> tuple[str, dict[str, Any]]:
        """Return a document, and how it is run."""
        draw = self._random
        timeouts = {"TimeoutSeconds": draw.choice([30, 600, 3600])}
        if draw.random() < 0.3:
            return "AWS-RunPatchBaseline", {"Parameters": {"Operation": ["Scan"]}, **timeouts}
        parameters = {"commands": ["true"], "executionTimeout": [draw.choice(["60", "600", "3600"])]}
        return "AWS-RunShellScript", {"Parameters": parameters, **timeouts}

    def limits(self) -> dict[str, str]:
        """Return how many nodes may be at work, and how many may fail."""
        return {
            "MaxConcurrency": self._random.choice(["1", "2", "5", "25%", "100%"]),
            "MaxErrors": self._random.choice(["0", "0", "1", "25%", "100%"]),
        }

    def association(self) -> dict[str, Any]:
        """Return the members of a new association."""
        draw = self._random
        document, run = self.run()
        minute = draw.randrange(60)
        schedule = draw.choice(
            ["rate(30 minutes)", "rate(1 hour)", f"cron({minute} 0/1 * * ? *)", "cron(0/30 * * * ? *)"]
        )
        members: dict[str, Any] = {"Name": document, "Parameters": run["Parameters"], "ScheduleExpression": schedule}
        if schedule.startswith("cron(") and draw.random() < 0.5:
            members["ApplyOnlyAtCronInterval"] = True
        everybody = [{"Key": "InstanceIds", "Values": ["*"]}]
        return {**members, **self.limits(), "Targets": everybody if draw.random() < 0.3 else self.target()}

    def command(self) -> dict[str, Any]:
        """Return the members of a command of its own."""
        document, run = self.run()
        ids = self._asker.node_ids
        if self._random.random() < 0.4 and ids:
            to: dict[str, Any] = {"InstanceIds": self._random.sample(ids, min(len(ids), 5))}
        else:
            to = {"Targets": self.target()}
        return {"DocumentName": document, **run, **to, **self.limits()}


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
