"""Why a patch is in its state on a node: the baseline, the rule, the date, and when a window could install it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from patchwindow.console.pages.nodes import names_of
from patchwindow.console.view import Shown, View
from patchwindow.domain.explanation_words import baseline_reason, differences


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPage:
    """What ExplainPatch tells."""

    node_id: str
    node_name: str
    patch: str
    found: Mapping[str, Any]
    baseline_reason: str
    misses: Mapping[str, str]
    """What would have to differ, by title of what is not approved."""


def show(view: View) -> Shown:
    """Return why a patch is in its state on a node."""
    node_id, patch = view.path["node_id"], view.path["title"]
    found = view.ask("ExplainPatch", InstanceId=node_id, Patch=patch)
    page = ExplainedPage(
        node_id=node_id,
        node_name=names_of(view, [node_id]).get(node_id) or node_id,
        patch=patch,
        found=found,
        baseline_reason=baseline_reason(found),
        misses={
            one["Title"]: differences(one["Decision"]["NearestMiss"])
            for one in found["Patches"]
            if one["Decision"].get("NearestMiss")
        },
    )
    return Shown(
        title=f"{patch} on {page.node_name}",
        template="explained.html",
        page=page,
        command=(f"patchwindow explain {node_id} {patch!r}",),
    )
