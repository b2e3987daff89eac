"""A server for each test, and agents that end with it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.agent.fake_server import ACTIVATION, REGION, FakeServer

from patchwindow_agent.agent import Agent, Start
from patchwindow_agent.connection import parse_endpoint
from patchwindow_agent.register import register
from patchwindow_agent.settings import Kept

StartAgent = Callable[..., Agent]


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def state(server: FakeServer, tmp_path: Path) -> Path:
    """Return the state folder of a registered node."""
    folder = tmp_path / "state"
    activation_id, activation_code = ACTIVATION
    register(
        Kept(server.url),
        activation_id=activation_id,
        activation_code=activation_code,
        region=REGION,
        state=folder,
        name="web-1",
        is_forced=False,
        environ={},
    )
    return folder


@pytest.fixture
def start_agent(server: FakeServer, state: Path) -> Iterator[StartAgent]:
    """Return what starts an agent in this process; all are stopped at the end."""
    agents = []

    def start(*, reboot_command: tuple[str, ...] = ("true",), boot_id: str = "boot-1") -> Agent:
        given = Start(parse_endpoint(server.url), state, reboot_command, os.environ)
        # Without patience: what waits for seconds in the field waits for hundredths here.
        agent = Agent(given, chance=lambda low, _: low / 50, boot_id=lambda: boot_id)
        agent.start()
        agents.append(agent)
        return agent

    yield start
    for agent in agents:
        agent.stop()
