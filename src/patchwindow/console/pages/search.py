"""One field that finds a CVE, a KB, a package, an advisory, a node or a window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from patchwindow.console.view import Shown, View

SHOWN_MAX: Final = 25
_ASKED_MAX: Final = 200
"""Nothing that is searched for is called by more letters."""
_OPTIONS: Final = {"CVE": "--cve", "Name": "--name", "AdvisoryId": "--advisory"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A node that was found."""

    node_id: str
    name: str
    state: str
    patch_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What was found."""

    asked: str
    patches: Sequence[Mapping[str, Any]]
    nodes: Sequence[Hit]
    windows: Sequence[Mapping[str, Any]]
    shown_max: int
    """Of more than so many of a kind, the first are shown."""


def show(view: View) -> Shown:
    """Return what the field's text finds."""
    asked = view.first("q")[:_ASKED_MAX]
    key, patches = _patches(view, asked) if asked else ("", [])
    page = SearchPage(
        asked=asked,
        patches=patches,
        nodes=_nodes(view, asked) if asked else [],
        windows=_windows(view, asked) if asked else [],
        shown_max=SHOWN_MAX,
    )
    return Shown(
        title="Search",
        template="search.html",
        page=page,
        command=(f"patchwindow patches list --all {_OPTIONS[key]} {asked!r}",) if asked else (),
    )


def _patches(view: View, asked: str) -> tuple[str, list[Mapping[str, Any]]]:
    """Return what finds the patches, and those; an advisory's id has no form of its own, so it is tried last."""
    for key in ("CVE",) if asked.upper().startswith("CVE-") else ("Name", "AdvisoryId"):
        filters = [{"Key": key, "Values": [asked]}]
        found = view.ask("ListPatches", Filters=filters, MaxResults=SHOWN_MAX)["Patches"]
        if found:
            return key, found
    return key, []


def _nodes(view: View, asked: str) -> list[Hit]:
    """Return the nodes whose id, name or address begins so."""
    told = view.ask("SearchInstances", Text=asked, MaxResults=SHOWN_MAX)["Instances"]
    return [_hit(one, view.ask("GetNodeCompliance", InstanceId=one["InstanceId"])) for one in told]


def _hit(found: Mapping[str, Any], standing: Mapping[str, Any]) -> Hit:
    return Hit(
        node_id=found["InstanceId"],
        name=found["InstanceName"],
        state=standing["State"],
        patch_group=standing["PatchGroup"],
    )


def _windows(view: View, asked: str) -> list[Mapping[str, Any]]:
    wanted = asked.casefold()
    windows = view.each("DescribeMaintenanceWindows", "WindowIdentities", MaxResults=100)
    hits = (one for one in windows if wanted in one["Name"].casefold() or one["WindowId"] == asked)
    return list(islice(hits, SHOWN_MAX))
