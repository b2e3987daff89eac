"""Making a baseline, also from another one, and changing one: which patches on how many nodes, before it is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from patchwindow.console import edits
from patchwindow.console.baseline_fields import by_field, read_members, rule_count
from patchwindow.console.baseline_words import SYSTEM_NAMES, told
from patchwindow.console.followers import bare
from patchwindow.console.pages import baselines
from patchwindow.console.pages.baselines import Preview
from patchwindow.console.view import Act, Again, Done, Shown, View
from patchwindow.domain.baseline import ComplianceLevel
from patchwindow.domain.errors import Invalid
from patchwindow.domain.filter_values import ANY, FILTERS
from patchwindow.domain.operating_system import FAMILIES, LINUX, OperatingSystem


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What saving it would mean."""

    changes: Sequence[edits.Change]
    preview: Preview


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """The form."""

    baseline_id: str
    """Empty where one is made."""
    baseline: Mapping[str, Any]
    """What the fields begin with."""
    system: str
    system_name: str
    is_linux: bool
    filters: Sequence[tuple[str, Sequence[str]]]
    """The keys that rules of this system have, with the values that there are; none where any word will do."""
    rule_count: int
    levels: Sequence[str]
    plan: edits.Plan | None
    steps: edits.Steps[Weighed]
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePage:
    """From what a new baseline begins."""

    baselines: Sequence[tuple[str, str]]
    systems: Sequence[tuple[str, str]]


def show_new(view: View) -> Shown:
    """Return the form for a new baseline, or the choice of what it begins with."""
    edits.need_operator(view)
    if not view.first("copy") and not view.first("system"):
        found = view.each("DescribePatchBaselines", "BaselineIdentities", MaxResults=100)
        ordered = sorted(found, key=lambda one: (SYSTEM_NAMES[one["OperatingSystem"]], one["BaselineName"]))
        page = ChoicePage(
            baselines=[(bare(one["BaselineId"]), one["BaselineName"]) for one in ordered],
            systems=sorted(SYSTEM_NAMES.items(), key=lambda pair: pair[1]),
        )
        return Shown(title="New baseline", template="baseline_new.html", page=page)
    model = _model(view)
    return _shown(view, model, edits.begin({}), len(_rules(model)) or 1)


def create(act: Act) -> Done | Again:
    """Make a baseline."""
    view, model = act.view, _model(act.view)
    members, places = read_members(act, model)

    def weigh() -> Weighed:
        found = baselines.preview(view, members, PatchGroups=[])
        return Weighed(changes=edits.compare({}, told(members)), preview=found)

    def do() -> Done:
        made = view.ask("CreatePatchBaseline", **members)["BaselineId"]
        return Done(url=f"/console/baselines/{made}", said=f"{members['Name']} is made; no node follows it yet")

    if act.first("Step") == "add":
        return lambda view: _shown(view, model, edits.begin({}), rule_count(act) + 1)
    outcome = edits.carry_out(act, {}, weigh=weigh, do=do, explain=lambda problem: by_field(problem, act, places))
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, model, outcome, rule_count(act))


def show_edit(view: View) -> Shown:
    """Return the form with a baseline in it."""
    edits.need_operator(view)
    baseline = _own(view)
    return _shown(view, baseline, edits.begin(told(baseline)), len(_rules(baseline)) or 1)


def update(act: Act) -> Done | Again:
    """Change a baseline."""
    view, baseline = act.view, _own(act.view)
    members, places = read_members(act, baseline)
    baseline_id = bare(baseline["BaselineId"])

    def weigh() -> Weighed:
        found = baselines.preview(view, members, BaselineId=baseline_id, PatchGroups=baseline["PatchGroups"])
        return Weighed(changes=edits.compare(told(baseline), told(members)), preview=found)

    def do() -> Done:
        given = {name: value for name, value in members.items() if name != "OperatingSystem"}
        view.ask("UpdatePatchBaseline", BaselineId=baseline_id, Replace=True, **given)
        return Done(url=f"/console/baselines/{baseline_id}", said=f"{members['Name']} is saved")

    if act.first("Step") == "add":
        return lambda view: _shown(view, baseline, edits.Steps(seen=act.first("Seen")), rule_count(act) + 1)
    outcome = edits.carry_out(
        act, told(baseline), weigh=weigh, do=do, explain=lambda problem: by_field(problem, act, places)
    )
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, baseline, outcome, rule_count(act))


def _model(view: View) -> dict[str, Any]:
    """Return what a new baseline begins with: the members of another one but its name, or a system alone."""
    if copied := view.first("copy"):
        found = view.ask("GetPatchBaseline", BaselineId=copied)
        return {**found, "Name": "", "BaselineId": "", "PatchGroups": [], "Description": ""}
    system = view.first("system")
    if system not in SYSTEM_NAMES:
        raise Invalid(f"system {system!r} is none; use one of {', '.join(SYSTEM_NAMES)}")
    everything: dict[str, Any] = {"PatchFilterGroup": {"PatchFilters": []}}
    return {"Name": "", "BaselineId": "", "OperatingSystem": system, "ApprovalRules": {"PatchRules": [everything]}}


def _own(view: View) -> dict[str, Any]:
    baseline = baselines.read(view)
    if baseline["BaselineId"].startswith("arn:"):
        raise Invalid(f"{baseline['Name']} is predefined and cannot be changed; copy it, and register the copy")
    return baseline


def _rules(baseline: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    rules: Sequence[Mapping[str, Any]] = baseline.get("ApprovalRules", {}).get("PatchRules", ())
    return rules


def _shown(view: View, baseline: Mapping[str, Any], steps: edits.Steps[Weighed], count: int) -> Shown:
    system = OperatingSystem(baseline["OperatingSystem"])
    baseline_id = bare(baseline["BaselineId"])
    page = FormPage(
        baseline_id=baseline_id,
        baseline=baseline,
        system=system,
        system_name=SYSTEM_NAMES[system],
        is_linux=FAMILIES[system] in LINUX,
        filters=[(key, (ANY, *values) if values else ()) for key, values in FILTERS[system].items()],
        rule_count=count,
        levels=list(ComplianceLevel),
        plan=edits.plan_of(view, "PatchBaseline", baseline_id) if baseline_id else None,
        steps=steps,
        back="/console/baselines" + (f"/{baseline_id}" if baseline_id else ""),
    )
    title = f"Edit {baseline['Name']}" if baseline_id else f"New baseline for {page.system_name}"
    return Shown(title=title, template="baseline_form.html", page=page)
