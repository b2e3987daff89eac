"""Windows that are open at the same time for the same nodes."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from patchwindow.plans.closing import openings_of, skipped
from patchwindow.plans.codes import PlanCode, found
from patchwindow.plans.definitions import Plan, Target, Window
from patchwindow.plans.finding import Finding


def overlaps(plan: Plan, now: datetime, known: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Yield each pair of enabled windows that name the same nodes and are open together within a year of *now*.

    Nodes are the same where a patch group, a tag with its value or a node's id is; *known* has the windows of nodes
    whose tags are known besides.  An opening that a freeze gives up overlaps nothing.
    """
    by_nodes: dict[str, list[str]] = {}
    for name, window in plan.windows.items():
        for nodes in (
            {each for target in window.targets.values() for each in nodes_of(target)} if window.enabled else ()
        ):
            by_nodes.setdefault(nodes, []).append(name)
    by_nodes |= known
    told: set[tuple[str, str]] = set()
    openings: dict[str, list[datetime]] = {}
    for nodes, names in sorted(by_nodes.items()):
        if len(names) < 2:
            continue
        for name in names:
            if name not in openings:
                openings[name] = _openings(plan, plan.windows[name], now)
        for one, other, at in _meetings(plan, names, openings):
            if (one, other) in told:
                continue
            told.add((one, other))
            mark = plan.marks.at("windows", other)
            yield found(
                plan,
                PlanCode.WINDOWS_OVERLAP,
                mark,
                f"window {other!r} and window {one!r} are both open for {nodes} at {at:%Y-%m-%dT%H:%MZ}",
                "move one of them, or make it shorter",
            )


def _openings(plan: Plan, window: Window, now: datetime) -> list[datetime]:
    openings = list(openings_of(window, now))
    given_up = {at for at, _ in skipped(plan, window, openings)}
    return [at for at in openings if at not in given_up]


def nodes_of(target: Target) -> Iterator[str]:
    """Yield words for what *target* asks for, so that equal words mean the same nodes.

    Several conditions narrow one another, so each combination would be its own; only the whole is compared.
    """
    groups = target.patch_groups or ((target.patch_group,) if target.patch_group is not None else ())
    tags = {**({"Patch Group": tuple(groups)} if groups else {}), **(target.tags or {})}
    if len(tags) == 1:
        ((key, values),) = tags.items()
        yield from (f"nodes with {key} {value!r}" for value in values)
    elif tags:
        yield "nodes with " + " and ".join(f"{key} {' or '.join(map(repr, tags[key]))}" for key in sorted(tags))
    yield from (f"node {id}" for id in target.node_ids or ())


def _meetings(plan: Plan, names: list[str], openings: dict[str, list[datetime]]) -> Iterator[tuple[str, str, datetime]]:
    """Yield pairs, in the order of the plan, with an instant at which both are open."""
    order = {name: index for index, name in enumerate(plan.windows)}
    spans = sorted(
        (at, at + timedelta(hours=plan.windows[name].duration), name) for name in names for at in openings[name]
    )
    still_open: list[tuple[datetime, str]] = []
    for at, until, name in spans:
        still_open = [(end, other) for end, other in still_open if end > at]
        for _, other in still_open:
            if other != name:
                first, second = sorted((name, other), key=order.__getitem__)
                yield first, second, at
        still_open.append((until, name))
