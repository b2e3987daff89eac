"""Installing, looking, unregistering, uninstalling: on a machine made of a folder, against a server that speaks the wire."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.agent.fake_server import ACTIVATION, NODE_ID, REGION, FakeServer
from tests.agent.test_service import Recorder

from patchwindow_agent import contact, files, identity, service, settings, setup, status
from patchwindow_agent.errors import ServiceProblem, StateProblem, Unsupported
from patchwindow_agent.programs import Completed


@dataclass
class Machine:
    """A machine that systemd runs, and what was said while something was done to it."""

    folder: Path
    server: FakeServer
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.folder / "root"
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.state = self.folder / "state"
        self.program = self.folder / "fetched.pyz"
        self.program.write_bytes(b"#!/usr/bin/env python3\nPK\x03\x04 and so on")
        self.run = Recorder()

    @property
    def place(self) -> setup.Place:
        return setup.Place(self.root, self._run, {}, self.program)

    def order(self, *, url: str | None = None, is_forced: bool = False, has_service: bool = True) -> setup.Order:
        return setup.Order(
            kept=settings.Kept(url or self.server.url),
            state=self.state,
            activation_id=ACTIVATION[0],
            activation_code=lambda: ACTIVATION[1],
            region=REGION,
            name="",
            ca=None,
            is_forced=is_forced,
            has_service=has_service,
        )

    def install(self, *, has_service: bool = True) -> str:
        return setup.install(self.order(has_service=has_service), self.place, self.said.append)

    def _run(self, command: Sequence[str], **_: object) -> Completed:
        if tuple(command[:2]) == ("systemctl", "restart"):
            # What the agent does as soon as it runs.
            contact.note(self.state)
        return self.run(command)


@pytest.fixture
def machine(server: FakeServer, tmp_path: Path) -> Machine:
    return Machine(tmp_path, server)


def test_an_installation_registers_keeps_the_program_and_starts_the_service(machine: Machine) -> None:
    assert machine.install() == NODE_ID
    assert (machine.state / "agent.pyz").read_bytes() == machine.program.read_bytes()
    assert service.is_installed(service.SYSTEMD, machine.root)
    assert machine.run.ran[-1] == "systemctl restart patchwindow-agent.service"
    assert settings.load(machine.state) == settings.Kept(machine.server.url)
    assert len(machine.server.called("UpdateInstanceInformation")) == 1


def test_an_installation_that_is_done_again_keeps_the_registration_and_renews_the_rest(machine: Machine) -> None:
    machine.install()
    machine.program.write_bytes(b"PK\x03\x04 of a newer version")
    (machine.state / "agent.pyz.bad").touch()
    assert machine.install() == NODE_ID
    assert len(machine.server.called("RegisterManagedInstance")) == 1
    assert machine.said == [f"this machine is {NODE_ID} already; the activation was not used"]
    assert (machine.state / "agent.pyz").read_bytes() == b"PK\x03\x04 of a newer version"
    assert not (machine.state / "agent.pyz.bad").exists()
    assert machine.run.ran.count("systemctl restart patchwindow-agent.service") == 2


def test_a_node_of_another_server_is_not_taken_from_it_by_accident(machine: Machine) -> None:
    machine.install()
    with pytest.raises(StateProblem, match=f"this machine is {NODE_ID} of {machine.server.url}: give --force"):
        setup.install(machine.order(url="https://other.example.net"), machine.place, machine.said.append)
    assert settings.load(machine.state) == settings.Kept(machine.server.url)
    assert service.is_installed(service.SYSTEMD, machine.root)
    assert not any("disable" in command for command in machine.run.ran), "its agent runs on"


def test_where_nothing_starts_services_no_activation_is_used(machine: Machine) -> None:
    (machine.root / "run/systemd/system").rmdir()
    with pytest.raises(Unsupported, match="give --no-service, and let what starts services here run `sh "):
        machine.install()
    assert machine.server.calls == []
    assert machine.install(has_service=False) == NODE_ID
    assert machine.said == [f"no service was made: start the agent with `sh {machine.state}/start.sh`"]
    assert machine.run.ran == []


def test_only_the_zip_application_can_be_installed(machine: Machine) -> None:
    machine.program.write_text("import patchwindow_agent")
    with pytest.raises(StateProblem, match=r"is not the agent's zip application: install with the agent.pyz"):
        machine.install()
    assert machine.server.calls == []


def test_unregistering_forgets_who_this_machine_was_and_says_what_is_left_to_do(machine: Machine) -> None:
    machine.install()
    setup.unregister(machine.state, machine.place, machine.said.append)
    assert not identity.is_registered(machine.state)
    assert not service.is_installed(service.SYSTEMD, machine.root)
    assert (machine.state / "agent.pyz").exists()
    assert f"`patchwindow nodes deregister {NODE_ID}`" in machine.said[-1]
    with pytest.raises(StateProblem, match="holds no registration"):
        setup.unregister(machine.state, machine.place, machine.said.append)


def test_uninstalling_leaves_nothing_but_what_is_not_the_agents(machine: Machine) -> None:
    machine.install()
    (machine.state / "notes.txt").touch()
    setup.uninstall(machine.state, machine.place, machine.said.append)
    assert [path.name for path in machine.state.iterdir()] == ["notes.txt"]
    assert machine.said[-1] == f"{machine.state} holds more than the agent kept there, and stays"
    (machine.state / "notes.txt").unlink()
    setup.uninstall(machine.state, machine.place, machine.said.append)
    assert not machine.state.exists()
    with pytest.raises(StateProblem, match="nothing is installed there"):
        setup.uninstall(machine.state, machine.place, machine.said.append)


def test_what_an_agent_still_uses_is_not_removed(machine: Machine) -> None:
    machine.install(has_service=False)
    held = files.lock(machine.state / "lock")
    assert held is not None
    for remove in (setup.unregister, setup.uninstall):
        with pytest.raises(StateProblem, match="an agent still runs with the state folder"):
            remove(machine.state, machine.place, machine.said.append)
    assert identity.is_registered(machine.state)
    os.close(held)


def test_a_node_that_runs_and_is_answered_has_no_problem(machine: Machine) -> None:
    machine.install()
    held = files.lock(machine.state / "lock")
    assert held is not None
    found, problems = status.look(machine.state, root=machine.root, run=machine.run)
    os.close(held)
    assert problems == []
    assert (found["node"], found["running"], found["service"]) == (NODE_ID, True, "systemd")
    assert found["program"] is not None


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: None, "the agent does not run"),
        (lambda machine: (machine.state / contact.FILE).unlink(), "the server has never answered it"),
        (lambda machine: os.utime(machine.state / contact.FILE, (1, 1)), "the server has not answered it for "),
    ],
)
def test_what_is_wrong_with_a_node_is_said(machine: Machine, spoil: Callable[[Machine], None], told: str) -> None:
    machine.install()
    spoil(machine)
    _, problems = status.look(machine.state, root=machine.root, run=machine.run)
    assert any(problem.startswith(told) for problem in problems)


def test_a_service_that_is_not_active_is_said(machine: Machine) -> None:
    machine.install()
    stopped = Recorder({"systemctl is-active": Completed(3, "", "")})
    _, problems = status.look(machine.state, root=machine.root, run=stopped)
    assert "its service is not active; `journalctl -u patchwindow-agent.service` may say why" in problems


def test_the_password_of_a_proxy_is_not_shown(machine: Machine) -> None:
    machine.install()
    settings.save(settings.Kept(machine.server.url, proxy="http://user:secret@proxy.lan:3128"), machine.state)
    found, _ = status.look(machine.state, root=machine.root, run=machine.run)
    assert found["proxy"] == "http://proxy.lan:3128"


def test_a_service_that_does_not_reach_the_server_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_COME_UP_S", 0.0)
    place = machine.place._replace(run=machine.run)
    with pytest.raises(ServiceProblem, match="the server has not answered it in 0 s"):
        setup.install(machine.order(), place, machine.said.append)
