"""A fleet of 1,000 nodes on the night of its patch Thursday: what the console is tried on, and shown with.

It stands at 23:40 in Berlin on 3 December 2026. The web servers' window is open since 23:00, a command under way in it; the others
open on later days, or were open last month.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from tests.engine.agent import STEP, Agent, step
from tests.engine.scanning import prepare
from tests.engine.world import World
from tests.fakes.scans import facts_of, package, update

from patchwindow.domain import facts as facts_form
from patchwindow.domain.facts_reading import parse
from patchwindow.domain.node import Node, PlatformType
from patchwindow.domain.overlay import NOTHING, Failure, Overlay
from patchwindow.domain.run import WindowExecution
from patchwindow.operations import catalog, cohorts
from patchwindow.operations.tags import NODE
from patchwindow.store.cohorts import CohortKey
from patchwindow.store.patch_states import Operation
from patchwindow.store.work import Work

NOW: Final = datetime(2026, 12, 3, 22, 40, tzinfo=UTC)
OPENED: Final = datetime(2026, 12, 3, 22, 0, tzinfo=UTC)
COUNT: Final = 1000
DAYS: Final = 90
"""So many days have a place in the trend; of the last one the engine notes what is."""
SYSTEMS: Final = {"DEBIAN": "Debian GNU/Linux", "UBUNTU": "Ubuntu"}
ENVIRONMENTS: Final = ("Production", "Acceptance", "Development")
SCHEDULES: Final = {
    "Web Server": "cron(0 23 ? * THU#1 *)",
    "Application Server": "cron(0 23 ? * THU#2 *)",
    "Database Server": "cron(0 23 ? * THU#3 *)",
    "Management Server": "cron(0 23 ? * TUE#1 *)",
}
"""The patch groups, by the schedule of the window of each."""
EXPLOITED: Final = (("CVE-2026-5001", "2026-11-10", "2026-12-01"), ("CVE-2026-5032", "2026-11-25", "2026-12-16"))
"""CVEs that are known to be exploited, since when, and by when they are to be closed: one is overdue."""
HOSTILE: Final = "<script>alert(1)</script>\"'&{{7*7}}"
"""The name of one node: what a hostile machine calls itself."""

_CALENDAR: Final = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//EN\r\nX-CALENDAR-TYPE:DEFAULT_OPEN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20261215T000000Z\r\nDTEND:20270106T000000Z\r\nSUMMARY:end of the year\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
_PACKAGES: Final = (
    "openssl",
    "bash",
    "curl",
    "libc6",
    "sudo",
    "vim",
    "openssh-server",
    "linux-image-amd64",
    "zlib1g",
    "perl",
)
_NAMES: Final = {"Web Server": "web", "Application Server": "app", "Database Server": "db", "Management Server": "mgmt"}
_AGES: Final = (3, 10, 21, 45, 120)
_FACT_SETS: Final = 40
_ROUNDS: Final = 9
_ROUND_MINUTES: Final = 4
_ZONE: Final = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Member:
    """A node as it is made."""

    node_id: str
    name: str
    group: str
    system: str
    environment: str
    number: int


class Fleet:
    """The world, and who is in it."""

    def __init__(self, url: str, *, count: int = COUNT) -> None:
        self.world = World(url)
        self.count = count
        self.world.clock.advance(OPENED - timedelta(minutes=30) - self.world.clock.now())
        prepare(self.world)
        self.windows = {group: self._window(group, schedule) for group, schedule in SCHEDULES.items()}
        self._scans()
        self._freeze()
        self.members = list(self._members(count))
        self._put()
        self._advise()
        self._past()
        self.agents = {one.node_id: Agent(one.node_id, self.world.perform) for one in self.members}
        self._miss()
        self._stop_a_script()
        self._patch_night()
        self._lose()

    def close(self) -> None:
        """Give up the database."""
        self.world.close()

    def _members(self, count: int) -> Iterator[Member]:
        groups = list(SCHEDULES)
        for number in range(count):
            group = groups[number % 10 % 4] if number % 50 else ""
            name = HOSTILE if number == 7 else f"{_NAMES.get(group, 'spare')}-{number:04}.example.net"
            yield Member(
                node_id=f"mi-{number * 0x9E3779B97F4A7C15 % 2**68:017x}",
                name=name,
                group=group,
                system=list(SYSTEMS)[number % 3 % 2],
                environment=ENVIRONMENTS[number % 7 % 3],
                number=number,
            )

    def _window(self, group: str, schedule: str) -> str:
        window = self.world.window(
            schedule,
            Name=f"{group} patching",
            Duration=6,
            Cutoff=1,
            ScheduleTimezone=_ZONE,
            AllowUnassociatedTargets=False,
        )
        target = self.world.target(window, "tag:Patch Group", group, Name=group)
        self.world.task(
            window,
            target,
            TaskArn="AWS-RunPatchBaseline",
            parameters={"Parameters": {"Operation": ["Install"], "RebootOption": ["RebootIfNeeded"]}},
            MaxConcurrency="20%",
            MaxErrors="5%",
            Name="install",
        )
        return window

    def _scans(self) -> None:
        """Let a window scan everybody at three in the morning."""
        window = self.world.window("cron(0 3 * * ? *)", Name="Nightly scan", Duration=2, ScheduleTimezone=_ZONE)
        target = self.world.target(window, "tag-key", "Patch Group", Name="all groups")
        scan = {"Parameters": {"Operation": ["Scan"]}}
        self.world.task(window, target, TaskArn="AWS-RunPatchBaseline", parameters=scan, Name="scan")

    def _freeze(self) -> None:
        """Let nothing be patched over the end of the year."""
        self.world.perform(
            "CreateDocument", Name="year-end", Content=_CALENDAR, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
        )
        for window in self.windows.values():
            tags = [{"Key": "patchwindow:freezes", "Value": "year-end"}]
            self.world.perform("AddTagsToResource", ResourceType="MaintenanceWindow", ResourceId=window, Tags=tags)

    def _put(self) -> None:
        sets = {(system, at): parse(_facts(name, at)) for system, name in SYSTEMS.items() for at in range(_FACT_SETS)}
        digests = {key: facts_form.digest(facts) for key, facts in sets.items()}
        with self.world.database.write() as work:
            for key, facts in sets.items():
                seen_at = NOW - timedelta(days=3 * (_FACT_SETS - key[1]))
                work.facts.put(digests[key], facts_form.canonical(facts), seen_at)
                catalog.learn(work, key[0], facts, digests[key], seen_at)
            for one in self.members:
                key = (one.system, one.number % _FACT_SETS)
                _register(work, one)
                # Every fortieth was never scanned.
                if one.number % 40 != 39:
                    _scan(work, one, digests[key], partial(sets.__getitem__, key))

    def _advise(self) -> None:
        """Import a feed: advisories of different ages, and two CVEs that are known to be exploited."""
        advisories = [
            {
                "Id": f"EXA-2026-{1000 + 10 * at + minor}",
                "Kind": "security",
                "Severity": "important",
                "Issued": f"{NOW - timedelta(days=_AGES[(at + minor) % len(_AGES)]):%Y-%m-%d}",
                "CVEIds": [f"CVE-2026-{5000 + 10 * at + minor}"],
                "Fixes": [
                    {"OperatingSystem": system, "Name": name, "Version": f"2.{minor}", "Extent": "EXACT"}
                    for system in SYSTEMS
                ],
            }
            for at, name in enumerate(_PACKAGES[:8])
            for minor in range(3)
        ]
        cves = [
            {"CVEId": cve, "IsKnownExploited": True, "ExploitedSince": since, "DueOn": due}
            for cve, since, due in EXPLOITED
        ]
        self.world.perform("ImportAdvisories", Source="example", Advisories=advisories, Cves=cves)

    def _past(self) -> None:
        """Note how the fleet was on each day of three months: it grew, and got better by and by."""
        with self.world.database.write() as work:
            for before in range(1, DAYS):
                total = self.count - before
                compliant = total * (520 - 3 * before + 60 * (before % 28 > 20)) // 1000
                failed, lost = total // 40, total // 60
                rest = total - compliant - failed - lost
                states = {"Compliant": compliant, "Failed": failed, "Offline": lost, "Missing": rest - rest // 4}
                states |= {"Stale": rest // 4 - rest // 8, "PendingReboot": rest // 8}
                work.trend.put(
                    (NOW - timedelta(days=before)).date(),
                    [("Web Server", "DEBIAN", state, count) for state, count in states.items() if count],
                )

    def _miss(self) -> None:
        """Note that the management servers' window could not be opened on Tuesday."""
        opens_at = OPENED - timedelta(days=2)
        missed = WindowExecution(
            window_execution_id="00000000-0000-4000-8000-00000000a155",
            window_id=self.windows["Management Server"],
            opens_at=opens_at,
            cutoff_at=opens_at + timedelta(hours=5),
            ends_at=opens_at + timedelta(hours=6),
            status="TIMED_OUT",
            status_details="Missed: no server was running from the opening to the cutoff.",
            start_time=opens_at,
            end_time=opens_at + timedelta(hours=9),
        )
        with self.world.database.write() as work:
            work.executions.open(missed, wake_at=None)

    def _stop_a_script(self) -> None:
        """Send a script to nodes of no group, one at a time, which is stopped as it fails on the first."""
        spare = [one.node_id for one in self.members if not one.group][:20]
        self.world.perform(
            "SendCommand",
            DocumentName="AWS-RunShellScript",
            InstanceIds=spare,
            Parameters={"commands": ["systemctl restart chrony"]},
            MaxConcurrency="1",
            MaxErrors="0",
        )
        self.world.turn()
        for node_id in spare:
            self.agents[node_id].run("Failed")
        self.world.turn()

    def _lose(self) -> None:
        """Let some of the web servers that are slow not be heard of since they have begun."""
        slow = [one for one in self.members if one.group == "Web Server" and not _is_lost(one)][::7]
        with self.world.database.write() as work:
            for one in slow[::12]:
                node = work.nodes.get(one.node_id)
                assert node is not None, "it was registered"
                silent = replace(node, last_ping_date_time=NOW - timedelta(minutes=20))
                work.nodes.put(silent, operating_system=one.system, patch_group=one.group)

    def _patch_night(self) -> None:
        """Open the web servers' window: most nodes are done, a few badly, some are at work, and some wait."""
        self.world.clock.advance(OPENED - self.world.clock.now())
        self.world.turn()
        agents = self._of("Web Server")
        for _ in range(_ROUNDS):
            taken = [(at, agent, command) for at, agent in enumerate(agents) for command in agent.take()]
            self.world.after(minutes=_ROUND_MINUTES)
            # Every seventh node is slow, and still at work.
            for at, agent, command in taken:
                if at % 7:
                    self._answer(agent, command, "Failed" if at % 60 == 5 else "Success")
            self.world.turn()
        self.world.clock.advance(NOW - self.world.clock.now())
        self.world.turn()

    def _answer(self, agent: Agent, command: str, status: str) -> None:
        told = {STEP: step(status, 0 if status == "Success" else 1, standardOutput="12 patches installed\n")}
        agent.say(command, status, told)

    def _of(self, group: str) -> list[Agent]:
        return [self.agents[one.node_id] for one in self.members if one.group == group and not _is_lost(one)]


def _is_lost(one: Member) -> bool:
    return one.number % 60 == 8


def _facts(name: str, at: int) -> Any:
    """Return facts of which each *at* misses others; about half of them miss nothing."""
    missing = (
        [] if at * 37 % 97 < 50 else [update(title, f"2.{at % 3}") for title in _PACKAGES[at % 5 : at % 5 + 1 + at % 6]]
    )
    found = facts_of([package(title) for title in _PACKAGES], missing, name=name)
    found["os"]["id"] = "ubuntu" if name == "Ubuntu" else "debian"
    if at % 13 == 5:
        found["reboot"] = {"required": True, "reasons": ["linux-image-amd64"]}
    return json.loads(json.dumps(found))


def _register(work: Work, one: Member) -> None:
    seen = NOW - (timedelta(days=1) if _is_lost(one) else timedelta(seconds=one.number % 200))
    node = Node(
        instance_id=one.node_id,
        activation_id="00000000-0000-4000-8000-000000000000",
        iam_role="service",
        registration_date=NOW - timedelta(days=300),
        last_ping_date_time=seen,
        agent_name="patchwindow-agent",
        agent_version="1.0.0",
        platform_type=PlatformType.LINUX,
        platform_name=SYSTEMS[one.system],
        platform_version="12" if one.system == "DEBIAN" else "24.04",
        ip_address=f"10.0.{one.number // 250}.{one.number % 250 + 1}",
        computer_name=one.name,
        fingerprint=f"{one.number:036}",
        public_key="k" * 44,
        public_key_type="Hmac-Sha256",
    )
    work.nodes.put(node, operating_system=one.system, patch_group=one.group)
    tags: Mapping[str, str] = {"Environment": one.environment, **({"Patch Group": one.group} if one.group else {})}
    work.tags.add(NODE, one.node_id, tags)


def _overlay(one: Member) -> Overlay:
    """Return what the last operation left: on some what it was to install failed, on some it waits for a reboot."""
    if one.number % 37 == 4:
        titles = [f"{name}.amd64:2.{at}" for name in _PACKAGES for at in range(3)]
        return Overlay(failed=tuple(Failure(title=title, reason="dpkg ended with status 1") for title in titles))
    return Overlay(pending_reboot=("linux-image-amd64.amd64:1",)) if one.number % 43 == 6 else NOTHING


def _scan(work: Work, one: Member, digest: str, facts: Any) -> None:
    key = CohortKey(facts_digest=digest, operating_system=one.system, patch_group=one.group, overlay=_overlay(one))
    cohort = cohorts.join(work, key, NOW, facts)
    # Every twentieth scan is too old to go by.
    ended_at = NOW - (timedelta(days=12) if one.number % 20 == 11 else timedelta(minutes=45 + one.number % 600))
    work.patch_states.put(
        one.node_id,
        Operation(
            patch_group=one.group,
            operation="Scan" if _overlay(one) == NOTHING else "Install",
            operation_start_time=ended_at - timedelta(seconds=4),
            operation_end_time=ended_at,
            last_no_reboot_install_operation_time=ended_at - timedelta(days=one.number % 6),
            reboot_option="RebootIfNeeded",
        ),
        cohort_id=cohort.cohort_id,
        evaluation_id=cohort.evaluation_id,
        installed_at=[1_760_000_000] * len(_PACKAGES),
        command_id=f"00000000-0000-4000-8000-{one.number // 100:012}",
    )
