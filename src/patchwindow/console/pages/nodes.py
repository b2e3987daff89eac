"""All nodes: in which of seven states each is, with what narrows the list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.console.view import Cell, Shown, Table, View

FILTERS: Final = ("State", "PatchGroup", "Environment", "OperatingSystem")
WITHOUT: Final = "(none)"
"""What stands for an empty value; no tag can have this one, which has parentheses."""
PAGE_SIZE: Final = 50
_NAMED_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One node of the list."""

    node_id: str
    name: str
    state: str
    patch_group: str
    environment: str
    operating_system: str
    pinged_at: datetime
    scanned_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesPage:
    """The list, its counts and what it can be narrowed by."""

    rows: Sequence[Row]
    counts: Mapping[str, int]
    """Of the nodes that pass the filters, by state; `Total` is the sum."""
    chosen: Mapping[str, str]
    values: Mapping[str, Sequence[str]]
    """The values that nodes have, by filter."""
    next: str


def show(view: View) -> Shown:
    """Return the list of nodes."""
    chosen = {name: view.first(name) for name in FILTERS}
    filters = [{"Key": name, "Values": ["" if value == WITHOUT else value]} for name, value in chosen.items() if value]
    answer = view.ask(
        "GetFleetCompliance", Filters=filters or None, MaxResults=PAGE_SIZE, NextToken=view.first("after") or None
    )
    # A page after the first is told no counts, which are of all pages.
    counted = answer if "Counts" in answer else view.ask("GetFleetCompliance", Filters=filters or None, MaxResults=1)
    rows = rows_of(view, answer["Nodes"])
    page = NodesPage(
        rows=rows,
        counts=counted["Counts"],
        chosen=chosen,
        values=_values(view),
        next=answer.get("NextToken", ""),
    )
    asked = "".join(f" --filter {name}={value!r}" for name, value in chosen.items() if value)
    return Shown(
        title="Nodes",
        template="nodes.html",
        page=page,
        command=(f"patchwindow compliance fleet{asked}",),
        table=Table(_COLUMNS, _cells(view, filters)),
    )


_COLUMNS: Final = (
    "InstanceId", "Name", "State", "PatchGroup", "Environment", "OperatingSystem", "LastPingTime", "FactsTime",
)  # fmt: skip


def rows_of(view: View, nodes: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return what GetFleetCompliance tells of *nodes*, with their names."""
    names = names_of(view, [node["InstanceId"] for node in nodes])
    return [
        Row(
            node_id=node["InstanceId"],
            name=names.get(node["InstanceId"], ""),
            state=node["State"],
            patch_group=node["PatchGroup"],
            environment=node["Environment"],
            operating_system=node["OperatingSystem"],
            pinged_at=node["LastPingTime"],
            scanned_at=node.get("FactsTime"),
        )
        for node in nodes
    ]


def names_of(view: View, node_ids: Sequence[str]) -> dict[str, str]:
    """Return the computer name of each node that is known, by id."""
    found: dict[str, str] = {}
    for at in range(0, len(node_ids), _NAMED_AT_ONCE):
        some = list(node_ids[at : at + _NAMED_AT_ONCE])
        wanted = [{"Key": "InstanceIds", "Values": some}]
        for node in view.each("DescribeInstanceInformation", "InstanceInformationList", Filters=wanted, MaxResults=50):
            found[node["InstanceId"]] = node.get("ComputerName") or node.get("Name") or ""
    return found


def _values(view: View) -> dict[str, list[str]]:
    """Return the values that nodes have, by what the list can be narrowed by."""
    by = list(FILTERS[1:])
    answer = view.ask("GetFleetCompliance", GroupBy=by, MaxResults=1)
    found = {name: sorted({group[name] or WITHOUT for group in answer["Groups"]}) for name in by}
    return {"State": [state for state in answer["Counts"] if state != "Total"], **found}


def _cells(view: View, filters: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[Cell]]:
    nodes = list(view.each("GetFleetCompliance", "Nodes", Filters=list(filters) or None, MaxResults=PAGE_SIZE))
    for row in rows_of(view, nodes):
        yield (
            row.node_id, row.name, row.state, row.patch_group, row.environment, row.operating_system, row.pinged_at,
            row.scanned_at,
        )  # fmt: skip
