"""Every page of the console, its forms and its live parts. Adding one = one function, one template, and one line here."""

from typing import Final

from patchwindow.console.pages import (
    activations,
    attention,
    baseline_form,
    baselines,
    calendar,
    changes,
    commands,
    compliance,
    execution,
    explained,
    exposure,
    groups,
    keys,
    me,
    node,
    nodes,
    opening,
    patch_now,
    patches,
    people,
    search,
    tonight,
    window,
    window_form,
    window_targets,
    window_tasks,
    windows,
)
from patchwindow.console.site_types import Form, Live, Page

PAGES: Final = (
    Page("/", tonight.show),
    Page("/attention", attention.show),
    Page("/compliance", compliance.show),
    Page("/exposure", exposure.show),
    Page("/nodes", nodes.show),
    Page("/nodes/{node_id}", node.show),
    Page("/nodes/{node_id}/patches/{title}", explained.show),
    Page("/patches", patches.show_all),
    Page("/patches/{title}", patches.show),
    Page("/search", search.show),
    Page("/openings/{window_id}/{at}", opening.show),
    Page("/windows", windows.show),
    Page("/windows/{window_id}", window.show),
    Page("/commands", commands.show_all),
    Page("/commands/{command_id}/nodes/{node_id}", commands.show_node),
    Page("/baselines", baselines.show_all),
    Page("/groups", groups.show_all),
    Page("/changes", changes.show),
    Page("/me", me.show),
)

FORMS: Final = (
    Form("/calendar", calendar.show, calendar.feed),
    Form("/executions/{execution_id}", execution.show, execution.cancel),
    Form("/baselines/new", baseline_form.show_new, baseline_form.create),
    Form("/baselines/{baseline_id}", baselines.show, baselines.submit),
    Form("/baselines/{baseline_id}/edit", baseline_form.show_edit, baseline_form.update),
    Form("/windows/new", window_form.show_new, window_form.create),
    Form("/windows/{window_id}/edit", window_form.show_edit, window_form.update),
    Form("/windows/{window_id}/delete", window_form.show_delete, window_form.delete),
    Form("/windows/{window_id}/targets/new", window_targets.show_new, window_targets.register),
    Form("/windows/{window_id}/targets/{target_id}/edit", window_targets.show_edit, window_targets.update),
    Form("/windows/{window_id}/tasks/new", window_tasks.show_new, window_tasks.register),
    Form("/windows/{window_id}/tasks/{task_id}/edit", window_tasks.show_edit, window_tasks.update),
    # A name may have a slash in it.
    Form("/groups/{group:path}", groups.show, groups.submit),
    Form("/commands/{command_id}", commands.show, commands.cancel),
    Form("/patch-now", patch_now.show, patch_now.submit),
    Form("/activations", activations.show_all, activations.delete),
    Form("/people", people.show, people.submit),
    Form("/keys", keys.show, keys.submit),
    Form("/activations/new", activations.show_new, activations.create),
)

LIVES: Final = (
    Live("/executions/{execution_id}/live", execution.look),
    Live("/commands/{command_id}/live", commands.look),
    Live("/commands/{command_id}/nodes/{node_id}/live", commands.look_node),
)

SECTIONS: Final = (
    ("Tonight", "/"),
    ("Needs you", "/attention"),
    ("Compliance", "/compliance"),
    ("Exposure", "/exposure"),
    ("Calendar", "/calendar"),
    ("Nodes", "/nodes"),
    ("Patches", "/patches"),
    ("Windows", "/windows"),
    ("Baselines", "/baselines"),
    ("Groups", "/groups"),
    ("Commands", "/commands"),
    ("Changes", "/changes"),
    ("Activations", "/activations"),
)
"""The parts of the console, by label and path, in the order of its menu."""

ADMIN_SECTIONS: Final = (("People", "/people"), ("Access keys", "/keys"))
"""Those that only admins see."""
