"""Rules across the members of associations, and what they refer to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from patchwindow.domain.association_schedule import timing
from patchwindow.domain.errors import Invalid
from patchwindow.domain.schedule import is_cron
from patchwindow.plans.check_windows import check_document, check_freezes, check_nodes
from patchwindow.plans.definitions import Association, Plan
from patchwindow.plans.problems import Mark

Note = Callable[[Mark, str], None]

# What a schedule may be does not depend on when it is set.
_ANY_INSTANT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def check_associations(plan: Plan, note: Note) -> None:
    """Note associations that cannot run, and names of freezes and groups that do not exist."""
    for name, association in plan.associations.items():
        what = f"association {name!r}"
        _check_schedule(association, what, note)
        check_freezes(plan, association, what, note)
        check_document(association, what, note)
        if association.sound("targets"):
            _check_targets(plan, association, f"{what}: targets", note)
        if association.logs is not None and association.logs.cloud_watch_log_group is not None:
            mark = association.logs.marks.at("cloud_watch_log_group")
            note(mark, f"{what}: logs: an association has no cloudWatchLogGroup; use s3Bucket")


def runs_by_schedule_only(association: Association) -> bool:
    """Say whether *association* waits for its schedule when it is made or changed, which a rate cannot."""
    return is_cron(association.schedule) and not association.at_once


def _check_schedule(association: Association, what: str, note: Note) -> None:
    if not association.sound("schedule"):
        return
    try:
        timing(
            association.schedule,
            schedule_offset=association.offset,
            only_at_interval=runs_by_schedule_only(association),
            set_at=_ANY_INSTANT,
        )
    except Invalid as problem:
        note(association.marks.at("schedule"), f"{what}: {problem}")


def _check_targets(plan: Plan, association: Association, what: str, note: Note) -> None:
    nodes = association.targets
    if not nodes.all:
        check_nodes(plan, nodes, what, note)
        return
    others = [nodes.patch_group, nodes.patch_groups, nodes.tags, nodes.node_ids]
    if any(others):
        note(nodes.marks.at("all"), f"{what}: all cannot stand beside other ways to name nodes; keep one of them")
