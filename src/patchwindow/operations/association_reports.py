"""Reports of AWS-RunPatchBaselineAssociation: compliance with an association, and nothing else of the node changes."""

import re
from datetime import datetime
from typing import Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import Invalid
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_state import Counts
from patchwindow.operations import cohorts
from patchwindow.operations.association_items import Finding, put_item
from patchwindow.operations.tags import BASELINE
from patchwindow.store.baselines import OWNER_SELF
from patchwindow.store.work import Work

_TAG: Final = re.compile(r"Key=([^,]+),Values=(.*)")
_BATCH: Final = 500


def baseline_for(work: Work, tag: str, system: OperatingSystem, group: str) -> Baseline:
    """Return the baseline that such an operation goes by: the one of the system with the *tag*, else as any operation.

    Raises:
        Invalid: several baselines of the system have the tag.
    """
    found = _TAG.fullmatch(tag)
    tagged = [] if found is None else _tagged(work, found[1], found[2], system)
    if len(tagged) > 1:
        named = ", ".join(one.baseline_id for one in tagged)
        raise Invalid(f"BaselineTags is {tag}, which the {system} baselines {named} have; leave the tag on one of them")
    return tagged[0] if tagged else cohorts.baseline_of(work, system, group).baseline


def keep(
    work: Work, association_id: str, node_id: str, *, command_id: str, baseline: Baseline, counts: Counts, at: datetime
) -> None:
    """Keep what the operation found as the node's compliance with the association, where that is still there.

    With SyncCompliance MANUAL, too: by that the runs of an association say nothing, so that its document can.
    """
    stored = work.associations.get(association_id.lower())
    if stored is None:
        return
    finding = Finding(
        status=counts.status,
        command_id=command_id,
        at=at,
        details={
            "PatchBaselineId": baseline.baseline_id,
            "MissingCount": counts.missing_count,
            "FailedCount": counts.failed_count,
            "InstalledPendingRebootCount": counts.installed_pending_reboot_count,
        },
    )
    put_item(work, stored.association, node_id, finding)


def _tagged(work: Work, key: str, value: str, system: OperatingSystem) -> list[Baseline]:
    found: list[Baseline] = []
    after = ""
    while batch := work.baselines.page(after=after, limit=_BATCH, owner=OWNER_SELF, operating_systems=(system,)):
        after = batch[-1].baseline.baseline_id
        tags = work.tags.of_many(BASELINE, [stored.baseline.baseline_id for stored in batch])
        found.extend(stored.baseline for stored in batch if tags.get(stored.baseline.baseline_id, {}).get(key) == value)
    return found
