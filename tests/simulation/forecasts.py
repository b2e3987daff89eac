"""What a forecast says is what happens: the same weeks, forecast, and lived through with the real engine."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.fakes.databases import migrated_url
from tests.simulation.quiet import LASTS_S, Done, QuietWorld

from patchwindow.domain.forecast import Fate, Forecast, NodesForecast
from patchwindow.domain.forecast_facts import FleetFacts, RecordedDurations, Work
from patchwindow.domain.forecast_run import forecast
from patchwindow.operations.forecast_facts import fleet_facts

_OPERATIONS = {Fate.INSTALLED: "Install", Fate.SCANNED: "Scan"}
_ADDED = "libnew."
"""What comes newly along is no patch of the forecast."""


class Place(NamedTuple):
    """Where an operation takes place."""

    window_id: str
    opens_at: datetime
    operation: str
    node_id: str


def check(seed: int, folder: Path) -> None:
    """Let the quiet world of *seed* begin and end, and compare it with what was forecast of it.

    Raises:
        AssertionError: something else happened.
    """
    with living(seed, folder) as world:
        told = forecast(known(world), world.until)
        world.run()
        compare(told, world)


@contextmanager
def living(seed: int, folder: Path) -> Iterator[QuietWorld]:
    """Yield the quiet world of *seed*, at its beginning."""
    with TemporaryDirectory(dir=folder) as own, migrated_url("sqlite", Path(own)) as url:
        world = QuietWorld(seed, url)
        try:
            yield world
        finally:
            world.close()


def known(world: QuietWorld) -> FleetFacts:
    """Return what is known at the beginning, with how long operations last in this world."""
    with world.world.database.read() as work:
        fleet = fleet_facts(work, world.world.clock.now(), world.until, with_references=False)
    durations = tuple(RecordedDurations(work=Work(name), seconds=(lasts,)) for name, lasts in LASTS_S.items())
    return replace(fleet, durations=durations)


def compare(told: Forecast, world: QuietWorld) -> None:
    """Compare all of it.

    Raises:
        AssertionError: something else happened.
    """
    unscanned = set(told.never_scanned)
    happened: defaultdict[Place, list[Done]] = defaultdict(list)
    for one in world.done:
        if one.node_id not in unscanned and one.opens_at <= world.until:
            happened[Place(one.window_id, one.opens_at, one.operation, one.node_id)].append(one)
    forecasted: defaultdict[Place, list[NodesForecast]] = defaultdict(list)
    for place, group in _forecasted(told):
        forecasted[place].append(group)
    differing = happened.keys() ^ forecasted.keys()
    assert not differing, f"forecast and not done, or done and not forecast: {sorted(differing)[:5]}"
    for place, groups in forecasted.items():
        assert len(groups) == len(happened[place]), f"forecast {len(groups)} times, done {happened[place]}"
        left = list(groups)
        for one in happened[place]:
            # A group is of many nodes, and so is no sign of which turn of a node came first.
            left.remove(_match(one, left))
    given_up = {(one.window.window_id, one.opens_at) for one in told.openings if one.given_up}
    assert world.not_opened() == given_up, "other openings were given up than was forecast"


def _forecasted(told: Forecast) -> Iterator[tuple[Place, NodesForecast]]:
    for opening in told.openings:
        for group in (group for task in opening.tasks for group in task.nodes if group.fate in _OPERATIONS):
            for node_id in group.node_ids:
                operation = _OPERATIONS[group.fate]
                yield Place(opening.window.window_id, opening.opens_at, operation, node_id), group


def _match(one: Done, groups: Sequence[NodesForecast]) -> NodesForecast:
    """Return the first of *groups* that says what happened.

    Raises:
        AssertionError: none fits.
    """
    told = [_difference(one, group) for group in groups]
    assert "" in told, f"{told[0]}: {one}, forecast was {groups}"
    return groups[told.index("")]


def _difference(one: Done, group: NodesForecast) -> str:
    """Return in what an operation differs from what was forecast; empty where it does not."""
    if not group.begins_at <= one.begun_at < one.ended_at <= group.ends_at:
        return "another time"
    if one.missing != {left.title for left in group.left if left.approved_on is None}:
        return "other patches are missing"
    if group.step is None:
        return ""
    if {title for title in one.installed if not title.startswith(_ADDED)} != {
        *group.step.installed,
        *group.step.brought,
    }:
        return "other patches were installed"
    if one.has_rebooted != group.step.reboots:
        return "another reboot"
    return "" if one.waiting == group.step.after.waiting else "others wait for a reboot"
