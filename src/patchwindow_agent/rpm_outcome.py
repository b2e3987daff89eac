"""What became of an order, as rpm's database says it before and after."""

from typing import Mapping, Sequence

from patchwindow_agent import rpm_version
from patchwindow_agent.package_manager import Order, Outcome, Wanted
from patchwindow_agent.rpm_database import Installed

_REASON_MAX = 500


def name(wanted: Wanted) -> str:
    """Return *wanted* as `Installed.title` has it: titles of orders may be written without an epoch."""
    return f"{wanted.name}.{wanted.arch}:{':'.join(rpm_version.parts(wanted.version))}"


def outcome(
    order: Order,
    before: Sequence[Installed],
    after: Sequence[Installed],
    *,
    failed: Mapping[str, str],
    remarks: Sequence[str],
    untried: Sequence[str],
) -> Outcome:
    """Return what has become of *order*; *failed* has the reasons that are known, by title."""
    present = {package.title for package in after}
    names = {name(wanted): wanted.title for wanted in order.wanted}
    left = {package.key for package in after}
    return Outcome(
        installed=[title for wanted, title in names.items() if wanted in present],
        failed={
            title: failed.get(title, "it is not there after the transaction")[:_REASON_MAX]
            for wanted, title in names.items()
            if wanted not in present and title not in untried
        },
        came_along=sorted(present.difference((package.title for package in before), names)),
        removed=sorted(package.title for package in before if package.key not in left),
        remarks=remarks,
        left=[title for wanted, title in names.items() if wanted not in present and title in untried],
    )
