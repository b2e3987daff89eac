"""Requests per second and p99 over loopback, with real signatures, beside moto_server in the same run.

Each server is a process of its own; this process is the only client. In each round both are started anew, with the same
windows in them, and are put under load in turns.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from bench.children import control, moto, scratch, trivial
from bench.load import Measured, Requests, put_under_load
from bench.nodes import client_of, register
from bench.report import median, milliseconds, table, verdict
from bench.signing import Key, signed
from bench.trivial import BODY

LEVELS: Final = (1, 8, 64)
_ROUNDS: Final = 3
_SECONDS: Final = 1.5
_WARM_UP_S: Final = 0.3
_NODES: Final = 10
_WINDOWS: Final = 10
# More than either server creates in a run: a request that creates is sent once.
_CREATES: Final = 5000
_GOAL: Final = 5
_CREATE: Final = "CreateMaintenanceWindow"
_MOTO_KEY: Final = Key("AKIAIOSFODNN7EXAMPLE", "secret")
_BASELINE: Final = "AWS-DebianDefaultPatchBaseline"

Members = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """An operation that is measured, and what the other server is asked in its place."""

    operation: str
    expected: bytes
    beside: str
    """The same, or where moto_server does not have it the nearest that it has."""
    beside_expected: bytes
    beside_members: Members
    keeps_connections: bool = True
    """Whether ours may keep a connection for the next request; moto_server never does."""

    @property
    def label(self) -> str:
        """What the row is called."""
        return self.operation if self.keeps_connections else f"{self.operation}, new connections"


_FOR_GROUP: Final = {"PatchGroup": "none", "OperatingSystem": "DEBIAN"}
# Reads first: what is created last does not make their lists longer.
_CALLS: Final = (
    Call("GetPatchBaseline", b'"ApprovalRules"', "GetPatchBaselineForPatchGroup", b'"BaselineId"', _FOR_GROUP),
    Call(
        "GetPatchBaselineForPatchGroup", b'"BaselineId"', "GetPatchBaselineForPatchGroup", b'"BaselineId"', _FOR_GROUP
    ),
    Call(
        "GetPatchBaselineForPatchGroup",
        b'"BaselineId"',
        "GetPatchBaselineForPatchGroup",
        b'"BaselineId"',
        _FOR_GROUP,
        keeps_connections=False,
    ),
    Call("DescribeInstanceInformation", b'"InstanceId"', "DescribeMaintenanceWindows", b'"WindowId"', {}),
    Call("DescribeMaintenanceWindows", b'"WindowId"', "DescribeMaintenanceWindows", b'"WindowId"', {}),
    Call(_CREATE, b'"WindowId"', _CREATE, b'"WindowId"', {}),
)
_NAMED: Final = (_CREATE, "GetPatchBaseline", "DescribeInstanceInformation")
"""What the goal is about; the other rows are the same call on both sides."""

Address = tuple[str, int]
Figures = dict[tuple[str, int], list[Measured]]


def run() -> None:
    """Measure and print."""
    ours: Figures = {}
    theirs: Figures = {}
    nothing: Figures = {}
    with scratch() as folder:
        for number in range(_ROUNDS):
            here = folder / f"round-{number}"
            here.mkdir()
            _measure_nothing(here, nothing)
            _measure_round(here, ours, theirs)
    rows, missed = [], []
    for call in _CALLS:
        for level in LEVELS:
            mine, other = ours[call.label, level], theirs[call.beside, level]
            # Of what was measured close together: the machine may be busier in one round than in another.
            ratio = median(one.per_second / two.per_second for one, two in zip(mine, other, strict=True))
            if call.label in _NAMED and ratio < _GOAL:
                missed.append(f"{call.label} at {level}")
            beside = "the same" if call.beside == call.operation else call.beside
            rows.append([call.label, beside, str(level), *_shown(mine), *_shown(other), f"{ratio:.1f}"])
    columns = ["operation", "moto_server's", "connections", "req/s", "p99 ms", "moto req/s", "moto p99 ms", "ratio"]
    print(table(columns, rows, left=2))
    print()
    print(table(["doing nothing", "connections", "req/s", "p99 ms", "client µs/request"], _nothing_rows(nothing)))
    print()
    goal = f"at least {_GOAL} times moto_server's requests per second for {', '.join(_NAMED)}"
    print(verdict(goal=goal, is_met=not missed))
    if missed:
        print(f"missed for {', '.join(missed)}")


def _measure_nothing(folder: Path, figures: Figures) -> None:
    with trivial(folder) as address:
        request = signed(address, _MOTO_KEY, "GetPatchBaseline", {"BaselineId": "pb-0123456789abcdef0"})
        for level in LEVELS:
            _note(figures, "uvicorn alone", level, address, Requests([request], BODY, is_repeatable=True))


def _measure_round(folder: Path, ours: Figures, theirs: Figures) -> None:
    with control(folder / "data") as server, moto(folder) as moto_address:
        register(server, folder, _NODES)
        found = client_of(server).describe_patch_baselines(Filters=[{"Key": "NAME_PREFIX", "Values": [_BASELINE]}])
        members: Mapping[str, Members] = {
            "GetPatchBaseline": {"BaselineId": found["BaselineIdentities"][0]["BaselineId"]},
            "GetPatchBaselineForPatchGroup": _FOR_GROUP,
        }
        for address, key in ((server.address, server.key), (moto_address, _MOTO_KEY)):
            windows = Requests(_creates(address, key, _WINDOWS), b'"WindowId"', is_repeatable=False)
            put_under_load(address, windows, connections=1, seconds=_SECONDS, warm_up_s=0)
        measured: set[str] = set()
        for call in _CALLS:
            for level in LEVELS:
                given = members.get(call.operation, {})
                asked = _requests(server.address, server.key, call.operation, given, is_last=not call.keeps_connections)
                _note(ours, call.label, level, server.address, replace(asked, expected=call.expected))
                if call.beside not in measured:
                    asked = _requests(moto_address, _MOTO_KEY, call.beside, call.beside_members)
                    _note(theirs, call.beside, level, moto_address, replace(asked, expected=call.beside_expected))
            measured.add(call.beside)


def _requests(address: Address, key: Key, operation: str, members: Members, *, is_last: bool = False) -> Requests:
    """Return the requests of a run: one that is repeated, or many that create something each."""
    if operation == _CREATE:
        return Requests(_creates(address, key, _CREATES), b"", is_repeatable=False)
    return Requests([signed(address, key, operation, members, is_last=is_last)], b"", is_repeatable=True)


def _creates(address: Address, key: Key, count: int) -> list[bytes]:
    encoded = []
    for _ in range(count):
        token = str(uuid.uuid4())
        members = {
            "Name": f"bench-{token}",
            "Schedule": "cron(0 2 ? * SUN *)",
            "Duration": 3,
            "Cutoff": 1,
            "AllowUnassociatedTargets": False,
            "ClientToken": token,
        }
        encoded.append(signed(address, key, _CREATE, members))
    return encoded


def _note(figures: Figures, name: str, level: int, address: Address, requests: Requests) -> None:
    measured = put_under_load(address, requests, connections=level, seconds=_SECONDS, warm_up_s=_WARM_UP_S)
    figures.setdefault((name, level), []).append(measured)


def _nothing_rows(figures: Figures) -> list[list[str]]:
    return [
        [name, str(level), *_shown(runs), f"{median(each.client_cpu_s for each in runs) * 1e6:.0f}"]
        for (name, level), runs in figures.items()
    ]


def _shown(runs: list[Measured]) -> tuple[str, str]:
    return f"{median(each.per_second for each in runs):.0f}", milliseconds(median(each.p99_s for each in runs))
