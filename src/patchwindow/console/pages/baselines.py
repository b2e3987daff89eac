"""Patch baselines: what each approves in words, and who follows it; another default, and deleting one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.baseline_words import SYSTEM_NAMES, filters_in_words, rule_in_words, told
from patchwindow.console.effects import Reach, first_install
from patchwindow.console.followers import bare, following
from patchwindow.console.view import Act, Again, Done, Shown, Table, View
from patchwindow.domain.errors import Invalid

_PROPOSED: Final = (
    "OperatingSystem", "GlobalFilters", "ApprovalRules", "ApprovedPatches", "ApprovedPatchesComplianceLevel",
    "ApprovedPatchesEnableNonSecurity", "RejectedPatches", "RejectedPatchesAction",
    "AvailableSecurityUpdatesComplianceStatus",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One baseline of the list."""

    baseline_id: str
    name: str
    system: str
    is_default: bool
    is_own: bool
    group_count: int
    node_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinesPage:
    """The list, and what it can be narrowed by."""

    rows: Sequence[Row]
    chosen: Mapping[str, str]
    systems: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What other approvals would mean, by patch group."""

    node_count: int
    groups: Sequence[Mapping[str, Any]]
    first: Reach | None
    """The window that installs first on these nodes."""

    @property
    def changes_nothing(self) -> bool:
        """Whether no node is approved anything else."""
        return not any(one["NewlyApprovedCount"] or one["NoLongerApprovedCount"] for one in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePage:
    """One baseline."""

    baseline_id: str
    baseline: Mapping[str, Any]
    system: str
    is_own: bool
    is_default: bool
    scope: str
    rules: Sequence[str]
    groups: Sequence[tuple[str, int]]
    """Those it is registered for, with their nodes of its system."""
    node_count: int
    plan: edits.Plan | None
    steps: edits.Steps[Preview]
    doing: str
    """What is to be confirmed: `default`, `delete`, or nothing."""


def show_all(view: View) -> Shown:
    """Return the list."""
    chosen = {"system": view.first("system"), "owner": view.first("owner")}
    wanted = (("OPERATING_SYSTEM", chosen["system"]), ("OWNER", chosen["owner"]))
    filters = [{"Key": key, "Values": [value]} for key, value in wanted if value]
    known = following(view)
    counts = known.counts()
    found = view.each("DescribePatchBaselines", "BaselineIdentities", Filters=filters or None, MaxResults=100)
    rows = [
        Row(
            baseline_id=bare(one["BaselineId"]),
            name=one["BaselineName"],
            system=SYSTEM_NAMES[one["OperatingSystem"]],
            is_default=one["DefaultBaseline"],
            is_own=not one["BaselineId"].startswith("arn:"),
            group_count=sum(id == bare(one["BaselineId"]) for id in known.registered.values()),
            node_count=counts[bare(one["BaselineId"])],
        )
        for one in found
    ]
    rows.sort(key=lambda row: (-row.node_count, not row.is_own, row.system, row.name))
    return Shown(
        title="Baselines",
        template="baselines.html",
        page=BaselinesPage(rows=rows, chosen=chosen, systems=list(SYSTEM_NAMES.items())),
        command=("patchwindow baselines list",),
        table=Table(
            ("BaselineId", "Name", "OperatingSystem", "DefaultBaseline", "PatchGroupCount", "InstanceCount"),
            [
                (one.baseline_id, one.name, one.system, one.is_default, one.group_count, one.node_count)
                for one in rows
            ],
        ),
    )  # fmt: skip


def show(view: View) -> Shown:
    """Return one baseline."""
    baseline = read(view)
    return _shown(view, baseline, edits.begin(_standing(view, baseline)), "")


def submit(act: Act) -> Done | Again:
    """Make a baseline the default of its system, or delete it, after having shown what that changes."""
    view, doing = act.view, act.first("Do")
    if doing not in _DOINGS:
        raise Invalid(f"Do is {doing!r}; use one of {', '.join(_DOINGS)}")
    baseline = read(view)
    baseline_id = view.path["baseline_id"]

    def weigh() -> Preview:
        return (
            preview(view, baseline, IsDefault=True)
            if doing == "default"
            else Preview(node_count=0, groups=(), first=None)
        )

    def do() -> Done:
        operation, said = _DOINGS[doing]
        view.ask(operation, BaselineId=baseline_id)
        there = "/console/baselines" + (f"/{baseline_id}" if doing == "default" else "")
        return Done(url=there, said=said.format(baseline["Name"]))

    outcome = edits.carry_out(act, _standing(view, baseline), weigh=weigh, do=do)
    return outcome if isinstance(outcome, Done) else lambda view: _shown(view, baseline, outcome, doing)


_DOINGS: Final = {
    "default": ("RegisterDefaultPatchBaseline", "{} is the default now"),
    "delete": ("DeletePatchBaseline", "{} is deleted"),
}


def read(view: View) -> dict[str, Any]:
    """Return the baseline that the URL names.

    Raises:
        NotFound: it does not exist.
    """
    return view.ask("GetPatchBaseline", BaselineId=view.path["baseline_id"])


def preview(view: View, baseline: Mapping[str, Any], **follows: Any) -> Preview:
    """Return what it would mean if nodes followed a baseline; *follows* says which, as PreviewBaseline asks."""
    proposed = {name: baseline[name] for name in _PROPOSED if baseline.get(name) is not None}
    found = view.ask("PreviewBaseline", Baseline=proposed, **follows)
    groups = [one["PatchGroup"] for one in found["Groups"]]
    return Preview(
        node_count=found["InstanceCount"],
        groups=found["Groups"],
        first=first_install(view, groups, baseline["OperatingSystem"]),
    )


def _standing(view: View, baseline: Mapping[str, Any]) -> dict[str, str]:
    default = view.ask("GetDefaultPatchBaseline", OperatingSystem=baseline["OperatingSystem"])["BaselineId"]
    groups = edits.words(list(baseline["PatchGroups"]))
    return {**told(baseline), "Patch groups": groups, "Default of its system": bare(default)}


def _shown(view: View, baseline: Mapping[str, Any], steps: edits.Steps[Preview], doing: str) -> Shown:
    baseline_id, system = bare(baseline["BaselineId"]), baseline["OperatingSystem"]
    known = following(view)
    rules = baseline.get("ApprovalRules", {}).get("PatchRules", ())
    page = BaselinePage(
        baseline_id=baseline_id,
        baseline=baseline,
        system=SYSTEM_NAMES[system],
        is_own=not baseline["BaselineId"].startswith("arn:"),
        is_default=known.defaults[system] == baseline_id,
        scope=filters_in_words(baseline.get("GlobalFilters", {})),
        rules=[rule_in_words(rule, system) for rule in rules],
        groups=[(group, known.node_counts.get((group, system), 0)) for group in baseline["PatchGroups"]],
        node_count=known.counts()[baseline_id],
        plan=edits.plan_of(view, "PatchBaseline", baseline_id),
        steps=steps,
        doing=doing,
    )
    return Shown(
        title=baseline["Name"],
        template="baseline.html",
        page=page,
        command=(f"patchwindow baselines show {baseline_id}",),
        table=Table(("Label", "Value"), list(told(baseline).items())),
    )
