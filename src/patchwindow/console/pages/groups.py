"""Patch groups: their nodes, which baseline they follow and why, the windows that reach them; giving one another baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchwindow.console import edits
from patchwindow.console.baseline_words import SYSTEM_NAMES
from patchwindow.console.effects import NODES_MAX, Reach, some_nodes, windows_reaching
from patchwindow.console.followers import Following, following
from patchwindow.console.pages.baselines import Preview, preview
from patchwindow.console.render import url
from patchwindow.console.view import Act, Again, Done, Shown, Table, View
from patchwindow.domain.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What the nodes of a group with one operating system follow."""

    system: str
    system_name: str
    node_count: int
    baseline_id: str
    baseline_name: str
    is_registered: bool
    default_name: str
    choices: Sequence[tuple[str, str]]
    """The baselines of the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of the list."""

    name: str
    counts: Mapping[str, int]
    """Nodes by state; `Total` is the sum."""
    followed: Sequence[Followed]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsPage:
    """The list."""

    rows: Sequence[Row]
    without: int
    """How many nodes have no group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What another baseline would mean."""

    changes: Sequence[edits.Change]
    preview: Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """One group."""

    group: str
    counts: Mapping[str, int]
    followed: Sequence[Followed]
    others: Sequence[tuple[str, str]]
    """The baselines of systems that the group has neither nodes nor a baseline of."""
    windows: Sequence[Reach]
    is_sampled: bool
    """Whether not all of its nodes were asked which windows reach them."""
    steps: edits.Steps[Weighed]
    system: str
    """The system for which another baseline is to be confirmed."""


def show_all(view: View) -> Shown:
    """Return the list."""
    known, systems = following(view), _systems(view)
    found = view.ask("GetFleetCompliance", GroupBy=["PatchGroup"], MaxResults=1)["Groups"]
    counts = {one["PatchGroup"]: one["Counts"] for one in found}
    names = sorted({*counts, *(group for group, _ in known.registered)} - {""})
    rows = [Row(name=name, counts=counts.get(name, _NONE), followed=_followed(known, systems, name)) for name in names]
    return Shown(
        title="Groups",
        template="groups.html",
        page=GroupsPage(rows=rows, without=counts.get("", _NONE)["Total"]),
        command=("patchwindow groups list",),
        table=Table(
            ("PatchGroup", "OperatingSystem", "InstanceCount", "BaselineId", "BaselineName", "IsRegistered"),
            [(row.name, *_cells(one)) for row in rows for one in row.followed],
        ),
    )


def show(view: View) -> Shown:
    """Return one group."""
    known = following(view)
    return _shown(view, edits.begin(_told(known, view.path["group"])), "")


def submit(act: Act) -> Done | Again:
    """Give the nodes of one system in a group another baseline, or the default again."""
    view, group = act.view, act.view.path["group"]
    known = following(view)
    chosen, system = act.first("BaselineId"), act.first("System")
    if chosen:
        system = str(view.ask("GetPatchBaseline", BaselineId=chosen)["OperatingSystem"])
    if system not in known.defaults:
        raise NotFound(f"operating system {system!r} has no baseline; choose one of those that are offered")
    before = known.registered.get((group, system))
    told = _told(known, group)

    def weigh() -> Weighed:
        baseline = view.ask("GetPatchBaseline", BaselineId=chosen or known.defaults[system])
        now = {**told, f"Baseline for {SYSTEM_NAMES[system]}": _name(known, chosen, system)}
        return Weighed(changes=edits.compare(told, now), preview=preview(view, baseline, PatchGroups=[group]))

    def do() -> Done:
        if before and before != chosen:
            view.ask("DeregisterPatchBaselineForPatchGroup", BaselineId=before, PatchGroup=group)
        if chosen and before != chosen:
            view.ask("RegisterPatchBaselineForPatchGroup", BaselineId=chosen, PatchGroup=group)
        return Done(
            url=url("/console/groups/{}", group),
            said=f"{group} follows {_name(known, chosen, system)} on {SYSTEM_NAMES[system]}",
        )

    outcome = edits.carry_out(act, told, weigh=weigh, do=do)
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, outcome, system)


_NONE: Mapping[str, int] = {"Total": 0, "Compliant": 0}


def _shown(view: View, steps: edits.Steps[Weighed], system: str) -> Shown:
    group = view.path["group"]
    known, systems = following(view), _systems(view)
    followed = _followed(known, systems, group)
    if not followed:
        raise NotFound(
            f"patch group {group!r} has no node and no baseline; it is there once a node has its tag Patch Group"
        )
    by = [{"Key": "PatchGroup", "Values": [group]}]
    counts = view.ask("GetFleetCompliance", Filters=by, MaxResults=1)["Counts"]
    has = {one.system for one in followed}
    page = GroupPage(
        group=group,
        counts=counts,
        followed=followed,
        others=sorted((id, known.names[id]) for id, of in systems.items() if of not in has),
        windows=windows_reaching(view, some_nodes(view, [group])),
        is_sampled=counts["Total"] > NODES_MAX,
        steps=steps,
        system=system,
    )
    return Shown(
        title=group,
        template="group.html",
        page=page,
        command=(f"patchwindow groups show {group!r}",),
        table=Table(
            ("OperatingSystem", "InstanceCount", "BaselineId", "BaselineName", "IsRegistered"),
            [_cells(one) for one in followed],
        ),
    )


def _cells(one: Followed) -> tuple[str, int, str, str, bool]:
    return one.system, one.node_count, one.baseline_id, one.baseline_name, one.is_registered


def _systems(view: View) -> dict[str, str]:
    """Return the operating system of each baseline."""
    found = view.each("DescribePatchBaselines", "BaselineIdentities", MaxResults=100)
    return {one["BaselineId"].rpartition("/")[2]: str(one["OperatingSystem"]) for one in found}


def _followed(known: Following, systems: Mapping[str, str], group: str) -> list[Followed]:
    pairs = {*known.node_counts, *known.registered}
    return [
        Followed(
            system=system,
            system_name=SYSTEM_NAMES[system],
            node_count=known.node_counts.get((group, system), 0),
            baseline_id=known.baseline_of(group, system),
            baseline_name=known.names[known.baseline_of(group, system)],
            is_registered=(group, system) in known.registered,
            default_name=known.names[known.defaults[system]],
            choices=sorted((id, known.names[id]) for id, of in systems.items() if of == system),
        )
        for system in sorted({system for name, system in pairs if name == group and system in known.defaults})
    ]


def _told(known: Following, group: str) -> dict[str, str]:
    systems = sorted(known.defaults)
    return {
        f"Baseline for {SYSTEM_NAMES[system]}": _name(known, known.registered.get((group, system), ""), system)
        for system in systems
    }


def _name(known: Following, baseline_id: str, system: str) -> str:
    if not baseline_id:
        return f"the default, {known.names[known.defaults[system]]}"
    return known.names.get(baseline_id, baseline_id)
