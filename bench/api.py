"""Requests per second and p99 over loopback, with real signatures, beside moto_server in the same run.

Each server is a process of its own; this process is the only client. In each round both are started anew, with the same
windows in them, and are put under load in turns.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


_FOR_GROUP: Final = {"PatchGroup": "none", "OperatingSystem": "DEBIAN"}
# Reads first: what is created last does not make their lists longer.
_CALLS: Final = (
    Call("GetPatchBaseline", b'"ApprovalRules"', "GetPatchBaselineForPatchGroup", b'"BaselineId"', _FOR_GROUP),
    Call(
        "GetPatchBaselineForPatchGroup", b'"BaselineId"', "GetPatchBaselineForPatchGroup", b'"BaselineId"', _FOR_GROUP
    ),
    Call("DescribeInstanceInformation", b'"InstanceId"', "DescribeMaintenanceWindows", b'"WindowId"', {}),
    Call("DescribeMaintenanceWindows", b'"WindowId"', "DescribeMaintenanceWindows", b'"WindowId"', {}),
    Call("CreateMaintenanceWindow", b'"WindowId"', "CreateMaintenanceWindow", b'"WindowId"', {}),
)

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
    rows, is_met = [], True
    for call in _CALLS:
        for level in LEVELS:
            mine, other = ours[call.operation, level], theirs[call.beside, level]
            ratio = _per_second(mine) / _per_second(other)
            is_met = is_met and ratio >= _GOAL
            beside = "the same" if call.beside == call.operation else call.beside
            rows.append([call.operation, beside, str(level), *_shown(mine), *_shown(other), f"{ratio:.1f}"])
    columns = ["operation", "moto_server's", "connections", "req/s", "p99 ms", "moto req/s", "moto p99 ms", "ratio"]
    print(table(columns, rows, left=2))
    print()
    print(table(["doing nothing", "connections", "req/s", "p99 ms", "client µs/request"], _nothing_rows(nothing)))
    print()
    print(verdict(goal=f"at least {_GOAL} times moto_server's requests per second in every row", is_met=is_met))


def _measure_nothing(folder: Path, figures: Figures) -> None:
    with trivial(folder) as address:
        request = signed(address, _MOTO_KEY, "GetPatchBaseline", {"BaselineId": "pb-0123456789abcdef0"})
        for level in LEVELS:
            _note(figures, "uvicorn alone", level, address, Requests([request], BODY, is_repeatable=True))


def _measure_round(folder: Path, ours: Figures, theirs: Figures) -> None:
    with control(folder / "data") as server, moto(folder) as moto_address:
        register(server, folder, _NODES)
        baselines = client_of(server).describe_patch_baselines(Filters=[{"Key": "NAME_PREFIX", "Values": [_BASELINE]}])
        members = {
            "GetPatchBaseline": {"BaselineId": baselines["BaselineIdentities"][0]["BaselineId"]},
            "GetPatchBaselineForPatchGroup": _FOR_GROUP,
        }
        for address, key in ((server.address, server.key), (moto_address, _MOTO_KEY)):
            requests = _creates(address, key, _WINDOWS)
            put_under_load(address, requests, connections=1, seconds=_SECONDS, warm_up_s=0)
        measured: set[str] = set()
        for call in _CALLS:
            for level in LEVELS:
                requests = _requests(call.operation, call.expected, members.get(call.operation, {}))(
                    server.address, server.key
                )
                _note(ours, call.operation, level, server.address, requests)
                if call.beside not in measured:
                    requests = _requests(call.beside, call.beside_expected, call.beside_members)(
                        moto_address, _MOTO_KEY
                    )
                    _note(theirs, call.beside, level, moto_address, requests)
            measured.add(call.beside)


def _requests(operation: str, expected: bytes, members: Members) -> Callable[[Address, Key], Requests]:
    """Return what makes the requests of a run: one that is repeated, or many that create something each."""
    if operation == "CreateMaintenanceWindow":
        return lambda address, key: _creates(address, key, _CREATES)
    return lambda address, key: Requests([signed(address, key, operation, members)], expected, is_repeatable=True)


def _creates(address: Address, key: Key, count: int) -> Requests:
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
        encoded.append(signed(address, key, "CreateMaintenanceWindow", members))
    return Requests(encoded, b'"WindowId"', is_repeatable=False)


def _note(figures: Figures, name: str, level: int, address: Address, requests: Requests) -> None:
    measured = put_under_load(address, requests, connections=level, seconds=_SECONDS, warm_up_s=_WARM_UP_S)
    figures.setdefault((name, level), []).append(measured)


def _nothing_rows(figures: Figures) -> list[list[str]]:
    return [
        [name, str(level), *_shown(runs), f"{median(each.client_cpu_s for each in runs) * 1e6:.0f}"]
        for (name, level), runs in figures.items()
    ]


def _shown(runs: list[Measured]) -> tuple[str, str]:
    return f"{_per_second(runs):.0f}", milliseconds(median(each.p99_s for each in runs))


def _per_second(runs: list[Measured]) -> float:
    return median(each.per_second for each in runs)
