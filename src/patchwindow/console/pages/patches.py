"""All patches, and one patch on all nodes: who has it, who lacks it, on whom it failed, who is next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.console.pages.node import ACTION_FIRST
from patchwindow.console.pages.nodes import names_of
from patchwindow.console.view import Cell, Shown, Table, View
from patchwindow.domain.errors import NotFound

PAGE_SIZE: Final = 50
FILTERS: Final = ("Name", "State", "CVE", "Classification", "Severity", "Product")
STATES: Final = (*ACTION_FIRST[:5], "NotApproved", *ACTION_FIRST[5:])
_EXPLAINED_MAX: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchesPage:
    """The list, and what it is narrowed by."""

    patches: Sequence[Mapping[str, Any]]
    chosen: Mapping[str, str]
    exploited: bool
    states: Sequence[str]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPage:
    """One title, for each product that has it."""

    title: str
    products: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    """Nodes by state, over all products."""
    state: str
    nodes: Sequence[Mapping[str, Any]]
    failures: Sequence[Mapping[str, Any]]
    """Why it failed, and on how many nodes; of the first page."""
    names: Mapping[str, str]
    next: str
    next_installs: Mapping[str, Mapping[str, Any]]
    """Of the first nodes that lack it: the opening that could install it."""


def show_all(view: View) -> Shown:
    """Return the list of patches."""
    chosen = {name: view.first(name) for name in FILTERS}
    # What somebody should look at, unless the reader asks for all.
    if "State" not in view.query:
        chosen["State"] = "Missing"
    exploited = bool(view.first("exploited"))
    filters = [{"Key": name, "Values": [value]} for name, value in chosen.items() if value]
    if exploited:
        filters.append({"Key": "KnownExploited", "Values": ["true"]})
    answer = view.ask(
        "ListPatches", Filters=filters or None, MaxResults=PAGE_SIZE, NextToken=view.first("after") or None
    )
    page = PatchesPage(
        patches=answer["Patches"],
        chosen=chosen,
        exploited=exploited,
        states=STATES,
        next=answer.get("NextToken", ""),
    )
    return Shown(
        title="Patches",
        template="patches.html",
        page=page,
        command=("patchwindow patches list" + (f" --state {chosen['State']}" if chosen["State"] else ""),),
        table=Table(
            ("Title", "Product", "Classification", "Severity", "CVEIds", "FirstSeen", "InstanceCount", "MissingCount"),
            _rows(view, filters),
        ),
    )


def show(view: View) -> Shown:
    """Return one patch on all nodes."""
    title = view.path["title"]
    products = [one for one in _named(view, title) if one["Title"] == title]
    if not products:
        raise NotFound(f"no node has or is offered patch {title}, or none does any more; search for a part of its name")
    counts = {state: sum(one["StateCounts"].get(state, 0) for one in products) for state in STATES}
    state = view.first("state") or next(name for name in STATES if counts[name])
    answer = view.ask(
        "ListPatchInstances",
        Title=title,
        States=[state],
        MaxResults=PAGE_SIZE,
        NextToken=view.first("after") or None,
    )
    node_ids = [one["InstanceId"] for one in answer["Instances"]]
    page = PatchPage(
        title=title,
        products=products,
        counts=counts,
        state=state,
        nodes=answer["Instances"],
        failures=answer.get("Failures", ()) if state == "Failed" else (),
        names=names_of(view, node_ids),
        next=answer.get("NextToken", ""),
        next_installs=_next_installs(view, title, node_ids) if state in ("Missing", "Failed") else {},
    )
    return Shown(
        title=title,
        template="patch.html",
        page=page,
        command=(f"patchwindow patches show {title!r} --state {state}",),
        table=Table(("InstanceId", "State", "Reason"), _nodes(view, title)),
    )


def _named(view: View, title: str) -> list[Mapping[str, Any]]:
    return list(view.each("ListPatches", "Patches", Filters=[{"Key": "Name", "Values": [title]}], MaxResults=500))


def _next_installs(view: View, title: str, node_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for node_id in node_ids[:_EXPLAINED_MAX]:
        told = view.ask("ExplainPatch", InstanceId=node_id, Patch=title)["Patches"]
        opening = next((one.get("NextInstall") for one in told if one["Title"] == title), None)
        if opening:
            found[node_id] = opening
    return found


def _rows(view: View, filters: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Cell]]:
    for one in view.each("ListPatches", "Patches", Filters=list(filters) or None, MaxResults=500):
        yield (
            one["Title"], one["Product"], one["Classification"], one["Severity"], " ".join(one["CVEIds"]),
            one["FirstSeen"], one["InstanceCount"], one["StateCounts"].get("Missing", 0),
        )  # fmt: skip


def _nodes(view: View, title: str) -> Iterator[Sequence[Cell]]:
    for one in view.each("ListPatchInstances", "Instances", Title=title, MaxResults=500):
        yield one["InstanceId"], one["State"], one.get("Reason")
