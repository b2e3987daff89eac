"""What a patch operation says to its server, and how long it waits for it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.agent.fake_server import FakeServer

from patchwindow_agent.capability import Capability
from patchwindow_agent.errors import CommandOver, Refused, Unreachable, Unusable
from patchwindow_agent.package_manager import Blocked, Phase, Source, Wanted

ORDER = {"schema": 1, "operation": "Install", "rebootOption": "RebootIfNeeded", "commandId": "c-1", "nodeId": "mi-1"}


class Clock:
    """Time passes by sleeping alone; what shall happen meanwhile happens then."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slept: list[float] = []
        self.meanwhile: Iterator[Any] = iter(())

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds
        next(self.meanwhile, None)

    def steady(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def capability(server: FakeServer, clock: Clock) -> Iterator[Capability]:
    with closing(Capability(f"{server.url}/x", environ={}, sleep=clock.sleep, steady=clock.steady)) as capability:
        yield capability


def test_a_task_is_read_from_the_order(server: FakeServer, capability: Capability) -> None:
    source = {"name": "ours", "configuration": "deb http://mirror.example.net stable main"}
    server.documents = {"/x/order": (200, {**ORDER, "sources": [source], "mayRemove": True})}
    task = capability.task(is_under_way=False)
    assert (task.operation, task.may_reboot, task.may_remove) == ("Install", True, True)
    assert task.sources == [Source(**source)]


@pytest.mark.parametrize("order", [{"operation": "Scan"}, {"rebootOption": "NoReboot"}])
def test_a_scan_never_reboots_nor_does_an_installation_without(
    server: FakeServer, capability: Capability, order: dict[str, str]
) -> None:
    server.documents = {"/x/order": (200, {**ORDER, **order})}
    assert not capability.task(is_under_way=False).may_reboot


def test_a_plan_is_read(server: FakeServer, capability: Capability) -> None:
    wanted = {"title": "bash.all:2", "name": "bash", "arch": "all", "version": "2", "advisories": ["A-1"]}
    blocked = [{"name": "zlib"} | {"arch": "", "version": ""}]
    server.documents = {"/x/plan": (200, {"wanted": [wanted], "blocked": blocked, "failed": {"curl.all:2": "no"}})}
    plan = capability.plan({"manager": "apt"})
    assert plan.wanted == [Wanted("bash.all:2", "bash", "all", "2", ("A-1",))]
    assert (plan.blocked, plan.failed) == ([Blocked("zlib", "")], {"curl.all:2": "no"})


@pytest.mark.parametrize("told", [{}, {"wanted": [{}], "blocked": [], "failed": {}}, {"wanted": 1}])
def test_a_plan_that_cannot_be_read_installs_nothing(
    server: FakeServer, capability: Capability, told: dict[str, Any]
) -> None:
    server.documents = {"/x/plan": (200, told)}
    with pytest.raises(Unusable, match="the server's plan cannot be read"):
        capability.plan({})


def test_a_command_that_is_over_is_told_by_the_order(server: FakeServer, capability: Capability) -> None:
    server.documents = {"/x/order": (200, {**ORDER, "over": "command c-1 is cancelled", "secondsLeft": 0})}
    assert capability.task(is_under_way=False).over == "command c-1 is cancelled"


def test_a_plan_that_comes_too_late_is_told_with_the_reason_of_the_server(
    server: FakeServer, capability: Capability, clock: Clock
) -> None:
    server.documents = {
        "/x/plan": (410, {"error": "it is over; report"}),
        "/x/order": (200, {**ORDER, "over": "it is over", "secondsLeft": 0}),
    }
    with pytest.raises(CommandOver, match=r"\Ait is over\Z"):
        capability.plan({})
    assert clock.slept == []


def test_a_server_that_cannot_be_asked_has_said_how_long_there_is(
    server: FakeServer, capability: Capability, clock: Clock
) -> None:
    server.documents = {"/x/order": (200, {**ORDER, "over": "", "secondsLeft": 60.0})}
    assert capability.task(is_under_way=False).over == ""
    server.documents = {"/x/order": (503, {"error": "it starts"})}
    clock.now_s = 59.0
    assert capability.why_over() == ""
    clock.now_s = 60.0
    assert capability.why_over() == "the time of the command has ended, and its server cannot be asked"
    assert clock.slept == [], "nobody waits for it"


def test_a_command_that_the_server_knows_no_more_is_over(server: FakeServer, capability: Capability) -> None:
    server.documents = {"/x/order": (403, {"error": "the node was deregistered"})}
    assert capability.why_over().endswith("refused the order: the node was deregistered (HTTP 403)")


def test_a_server_that_is_down_for_a_while_is_waited_for(
    server: FakeServer, capability: Capability, clock: Clock
) -> None:
    server.documents = {"/x/report": (503, {"error": "it starts"})}
    clock.meanwhile = (server.documents.update({"/x/report": (200, {"status": "COMPLIANT"})}) for _ in range(1))
    assert capability.report({"schema": 1}) == {"status": "COMPLIANT"}
    assert clock.slept == [1.0]


def test_a_server_that_stays_down_is_given_up(server: FakeServer, capability: Capability, clock: Clock) -> None:
    server.documents = {"/x/report": (500, {})}
    with pytest.raises(Refused, match=r"without a reason \(HTTP 500\)"):
        capability.report({})
    assert (max(clock.slept), 800 < sum(clock.slept) <= 900) == (30.0, True)


def test_what_is_refused_is_not_asked_again(server: FakeServer, capability: Capability, clock: Clock) -> None:
    server.documents = {"/x/plan": (403, {"error": "the command has ended"})}
    with pytest.raises(Refused, match=r"refused the plan: the command has ended \(HTTP 403\)"):
        capability.plan({})
    assert clock.slept == []


def test_before_anything_has_begun_nobody_waits(clock: Clock) -> None:
    with (
        closing(Capability("http://127.0.0.1:9/x", environ={}, sleep=clock.sleep, steady=clock.steady)) as capability,
        pytest.raises(Unreachable),
    ):
        capability.task(is_under_way=False)
    assert clock.slept == []


def test_progress_is_told_at_each_phase_and_else_once_a_second(
    server: FakeServer, capability: Capability, clock: Clock
) -> None:
    server.documents = {"/x/progress": (200, {})}
    for now_s, phase, done in ((0.0, Phase.SCANNING, 0), (0.1, Phase.INSTALLING, 1), (0.2, Phase.INSTALLING, 2)):
        clock.now_s = now_s
        capability.tell(phase, done, 9, "bash")
    clock.now_s = 1.2
    capability.tell(Phase.INSTALLING, 3, 9, "bash")
    assert [(told["phase"], told["done"]) for told in server.progress] == [
        ("Scanning", 0),
        ("Installing", 1),
        ("Installing", 3),
    ]


def test_progress_that_nobody_takes_is_no_error_and_rests_for_a_minute(
    server: FakeServer, capability: Capability, clock: Clock
) -> None:
    capability.tell(Phase.SCANNING, 0, 0, "")
    capability.tell(Phase.INSTALLING, 0, 0, "")
    clock.now_s = 61.0
    capability.tell(Phase.INSTALLING, 1, 1, "")
    assert [told["phase"] for told in server.progress] == ["Scanning", "Installing"]
