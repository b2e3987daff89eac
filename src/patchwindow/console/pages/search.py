"""One field that finds a CVE, a KB, a package, an advisory, a node or a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from patchwindow.console.pages.nodes import Row, rows_of
from patchwindow.console.view import Shown, View
from patchwindow.domain.errors import Invalid

_SHOWN_MAX: Final = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What was found."""

    asked: str
    patches: Sequence[Mapping[str, Any]]
    nodes: Sequence[Row]
    windows: Sequence[Mapping[str, Any]]


def show(view: View) -> Shown:
    """Return what the field's text finds."""
    asked = view.first("q")
    page = SearchPage(
        asked=asked,
        patches=_patches(view, asked) if asked else [],
        nodes=_nodes(view, asked) if asked else [],
        windows=_windows(view, asked) if asked else [],
    )
    return Shown(
        title="Search",
        template="search.html",
        page=page,
        command=(f"patchwindow patches list --name {asked!r}",) if asked else (),
    )


def _patches(view: View, asked: str) -> list[Mapping[str, Any]]:
    key = "CVE" if asked.upper().startswith("CVE-") else "Name"
    filters = [{"Key": key, "Values": [asked]}]
    found: list[Mapping[str, Any]] = view.ask("ListPatches", Filters=filters, MaxResults=_SHOWN_MAX)["Patches"]
    return found


def _nodes(view: View, asked: str) -> list[Row]:
    """Return the nodes whose id or name begins so."""
    is_id = asked.startswith(("mi-", "i-"))
    wanted = {"Key": "InstanceId" if is_id else "ComputerName", "Values": [asked], "Type": "BeginWith"}
    try:
        told = view.ask("ListNodes", Filters=[wanted], MaxResults=_SHOWN_MAX)["Nodes"]
    except Invalid:
        # What no node can be called is found nowhere.
        return []
    return rows_of(view, [view.ask("GetNodeCompliance", InstanceId=one["Id"]) for one in told])


def _windows(view: View, asked: str) -> list[Mapping[str, Any]]:
    wanted = asked.casefold()
    windows = view.each("DescribeMaintenanceWindows", "WindowIdentities", MaxResults=100)
    hits = (one for one in windows if wanted in one["Name"].casefold() or one["WindowId"] == asked)
    return list(islice(hits, _SHOWN_MAX))
