"""What a forecast says is what happens: the same weeks, forecast, and lived through with the real engine."""

from collections import defaultdict
from collections.abc import Iterator
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
        # In an opening that has a node twice, it is the first turn that has something to do.
        in_order = sorted(groups, key=lambda group: group.step is not None and group.step.is_idle)
        for one, group in zip(happened[place], in_order, strict=True):
            _compare_one(one, group)
    given_up = {(one.window.window_id, one.opens_at) for one in told.openings if one.given_up}
    assert world.not_opened() == given_up, "other openings were given up than was forecast"


def _forecasted(told: Forecast) -> Iterator[tuple[Place, NodesForecast]]:
    for opening in told.openings:
        for group in (group for task in opening.tasks for group in task.nodes if group.fate in _OPERATIONS):
            for node_id in group.node_ids:
                operation = _OPERATIONS[group.fate]
                yield Place(opening.window.window_id, opening.opens_at, operation, node_id), group


def _compare_one(one: Done, group: NodesForecast) -> None:
    what = f"{one}, forecast was {group}"
    assert group.begins_at <= one.begun_at < one.ended_at <= group.ends_at, f"another time: {what}"
    missing = {left.title for left in group.left if left.approved_on is None}
    assert one.missing == missing, f"other patches are missing: {what}"
    if group.step is not None:
        installed = {title for title in one.installed if not title.startswith(_ADDED)}
        assert installed == {*group.step.installed, *group.step.brought}, f"other patches were installed: {what}"
        assert one.has_rebooted == group.step.reboots, f"another reboot: {what}"
        assert one.waiting == group.step.after.waiting, f"others wait for a reboot: {what}"
