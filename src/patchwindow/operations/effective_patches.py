"""What a baseline makes of the patches of the catalogue: which it approves, will approve, or rejects."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.decision import Decision, DecisionStatus, compiled
from patchwindow.domain.facts_patches import seen, verdict
from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.patch import Patch
from patchwindow.operations.first_sight import goes_by_first_sight, sights
from patchwindow.store.work import Work

EFFECTIVE: Final = frozenset(DecisionStatus) - {DecisionStatus.NOT_MATCHED}
_BATCH: Final = 500


class Effects:
    """What a baseline makes of patches of the catalogue on a day."""

    def __init__(self, work: Work, baseline: Baseline, today: date) -> None:
        self._work = work
        self._baseline = baseline
        self._ready = compiled(baseline)
        self._today = today

    def of(
        self, patches: Sequence[KnownPatch], statuses: Collection[DecisionStatus] = EFFECTIVE
    ) -> Iterator[dict[str, Any] | None]:
        """Yield the API's EffectivePatch of each of *patches*; `None` of those whose status is none of *statuses*."""
        readings = [known.readings for known in patches]
        if goes_by_first_sight(self._baseline):
            first_seen = sights(self._work, self._baseline.operating_system, readings)
            readings = [seen(several, first_seen, self._today) for several in readings]
        for known, several in zip(patches, readings, strict=True):
            patch, decision = verdict(several, self._today, self._ready.decide)
            if decision.status not in statuses:
                yield None
                continue
            approved_on = self._approved_on(patch, decision)
            yield {
                "Patch": known_members(known, known.shown),
                "PatchStatus": {
                    "DeploymentStatus": str(decision.status),
                    "ComplianceLevel": str(decision.compliance_level),
                    **({} if approved_on is None else {"ApprovalDate": _instant(approved_on)}),
                },
            }

    def all(self, statuses: Collection[DecisionStatus]) -> Iterator[dict[str, Any]]:
        """Yield the API's EffectivePatch of every patch of the baseline's operating system with one of *statuses*."""
        after: tuple[str, str, str, str] | None = None
        system = self._baseline.operating_system
        while batch := self._work.catalog.page(after=after, limit=_BATCH, operating_system=system):
            yield from (one for one in self.of(batch, statuses) if one is not None)
            after = batch[-1].key

    def _approved_on(self, patch: Patch, decision: Decision) -> date | None:
        """Return when a rule approved the patch, or will; `None` where dates do not count."""
        if decision.approval_date is not None or decision.rule_index is None:
            return decision.approval_date
        dated = self._ready.rules[decision.rule_index].timing(patch, self._today).dated
        if dated is None:
            return None
        days = self._baseline.approval_rules.patch_rules[decision.rule_index].approve_after_days or 0
        return dated.on + timedelta(days=days)


def known_members(known: KnownPatch, patch: Patch) -> dict[str, Any]:
    """Return the API's Patch of a patch of the catalogue, as *patch*, one of its readings, has it."""
    released_on = patch.released_on or patch.updated_on
    is_windows = bool(patch.kb_number)
    said: dict[str, Any] = {
        "Title": patch.title,
        "Product": patch.product,
        "ProductFamily": patch.product_family,
        "Classification": patch.classification,
        "AdvisoryIds": list(patch.advisory_ids),
        "BugzillaIds": list(patch.bugzilla_ids),
        "CVEIds": list(patch.cve_ids),
        "ReleaseDate": None if released_on is None else _instant(released_on),
    }
    if is_windows:
        said |= {
            "Id": known.update_id,
            "Vendor": "Microsoft",
            "MsrcSeverity": patch.severity or "Unspecified",
            "KbNumber": patch.kb_number,
            "MsrcNumber": next(iter(patch.advisory_ids), ""),
        }
    else:
        said |= {
            "Name": patch.name,
            "Epoch": int(patch.epoch or 0),
            "Version": patch.version,
            "Release": patch.release,
            "Arch": patch.arch,
            "Severity": patch.severity,
            "Repository": patch.repository,
        }
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
