"""500 agents on one server: what it takes while nothing happens, and how soon all have carried out a command.

The server is a process of its own, with SQLite on disk or a PostgreSQL beside it; the agents are coroutines of this
process and share the machine with it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import uvloop
from bench.children import ChildFailed, Control, control, scratch
from bench.nodes import client_of
from bench.processes import cpu_s, is_told, memory_mib
from bench.report import median, milliseconds, table
from bench.simulated import Counted, SimulatedAgent, register
from tests.fakes.databases import empty_url

from patchwindow_agent.connection import parse_endpoint

_NODES: Final = 500
_OUR_POLL_S: Final = 50
_OTHER_POLL_S: Final = 15
"""For how long the server holds a poll of patchwindow's agent, and of the amazon-ssm-agent, which does not say."""
_SETTLE_S: Final = 20.0
_IDLE_S: Final = 60.0
_ROUNDS: Final = 3
_LIMITS: Final = ("100%", "50")
_REGISTER_AT_ONCE: Final = 16
_PATIENCE_S: Final = 300.0
_LOOK_S: Final = 0.05


def run() -> None:
    """Measure where processor time can be read, and print."""
    if not is_told():
        print("skipped: this machine has no /proc, where processor time is read")
        return
    idle: list[list[str]] = []
    rounds: list[list[str]] = []
    with scratch() as folder:
        with control(folder / "sqlite") as server:
            uvloop.run(_measure(server, "SQLite", {_OUR_POLL_S: _LIMITS, _OTHER_POLL_S: ()}, idle, rounds))
        with empty_url("postgresql", folder) as url, control(folder / "postgresql", database_url=url) as server:
            uvloop.run(_measure(server, "PostgreSQL", {_OUR_POLL_S: _LIMITS[:1]}, idle, rounds))
    columns = [f"{_NODES} agents at rest for {_IDLE_S:.0f} s", "processor, %", "requests per s", "VmRSS, MiB"]
    print(table(columns, idle))
    print()
    times = ["SendCommand answered", "first start", "last start", "all done", "processor"]
    print(table(["MaxConcurrency", *(f"{each}, ms" for each in times), "all done, most ms"], rounds))
    print(f"\n{_ROUNDS} commands each, medians; times are from the call of SendCommand")


async def _measure(
    server: Control, name: str, limits: Mapping[int, Sequence[str]], idle: list[list[str]], rounds: list[list[str]]
) -> None:
    """Add to the two tables what the server takes with agents of each poll, and what comes of commands with each limit."""
    for poll_s, each in limits.items():
        # A fleet of its own each time: the nodes of the one before are there, and silent.
        async with _fleet(server, poll_s) as counted:
            await asyncio.sleep(_SETTLE_S)
            idle.append([f"{name}, polls of {poll_s} s", *await _idle(server, counted)])
            rounds += [[f"{limit}, {name}", *await _commands(server, counted, poll_s, limit)] for limit in each]


@asynccontextmanager
async def _fleet(server: Control, poll_s: int) -> AsyncIterator[Counted]:
    """Register nodes with the tag `poll` of that value, and let their agents run."""
    endpoint = parse_endpoint(server.url)
    activation = client_of(server).create_activation(
        IamRole="bench", RegistrationLimit=_NODES, Tags=[{"Key": "poll", "Value": str(poll_s)}]
    )
    room = asyncio.Semaphore(_REGISTER_AT_ONCE)
    counted = Counted()

    async def start() -> SimulatedAgent:
        async with room:
            identity = await register(endpoint, activation["ActivationId"], activation["ActivationCode"])
        return SimulatedAgent(endpoint, identity, counted, poll_s=poll_s)

    agents = await asyncio.gather(*(start() for _ in range(_NODES)))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(agent.run()) for agent in agents]
        yield counted
        for task in tasks:
            task.cancel()


async def _idle(server: Control, counted: Counted) -> list[str]:
    cpu_before_s, calls_before = cpu_s(server.pid), counted.calls
    await asyncio.sleep(_IDLE_S)
    share = (cpu_s(server.pid) - cpu_before_s) / _IDLE_S
    rate = (counted.calls - calls_before) / _IDLE_S
    return [f"{share:.1%}".rstrip("%"), f"{rate:.1f}", f"{memory_mib(server.pid)['VmRSS']:.0f}"]


async def _commands(server: Control, counted: Counted, poll_s: int, limit: str) -> list[str]:
    """Send commands, one after the other, and return a row of how they went."""
    client = client_of(server)
    found = [await _command(client, server.pid, counted, poll_s, limit) for _ in range(_ROUNDS)]
    medians = [median(column) for column in zip(*found, strict=True)]
    return [*map(milliseconds, medians), milliseconds(max(done for *_, done, _ in found))]


async def _command(client: Any, pid: int, counted: Counted, poll_s: int, limit: str) -> tuple[float, ...]:
    """Send one command; return the seconds until it was answered, was with the first and the last node, and was done."""
    cpu_before_s, began_at = cpu_s(pid), time.monotonic()
    sent = await asyncio.to_thread(
        client.send_command,
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["true"]},
        Targets=[{"Key": "tag:poll", "Values": [str(poll_s)]}],
        MaxConcurrency=limit,
    )
    answered_at = time.monotonic()
    id = sent["Command"]["CommandId"]
    while True:
        (command,) = (await asyncio.to_thread(client.list_commands, CommandId=id))["Commands"]
        done_at = time.monotonic()
        if command["Status"] == "Success":
            break
        if done_at > began_at + _PATIENCE_S or command["ErrorCount"]:
            raise ChildFailed(f"after {done_at - began_at:.0f} s command {id} is {command}")
        await asyncio.sleep(_LOOK_S)
    given_at = counted.given_at.pop(id)
    if len(given_at) != _NODES:
        raise ChildFailed(f"command {id} was given {len(given_at)} times to {_NODES} nodes")
    taken_s = cpu_s(pid) - cpu_before_s
    return *(at - began_at for at in (answered_at, min(given_at), max(given_at), done_at)), taken_s
