"""Making a service be as a plan wants it: look, compare, do what is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from patchwindow.client import SsmClient
from patchwindow.plans.closing import closed_windows
from patchwindow.plans.current import Current, read_current
from patchwindow.plans.definitions import Plan
from patchwindow.plans.desired import desired_state, models_of, predefined_of
from patchwindow.plans.difference import Change, difference
from patchwindow.plans.naming import made_by
from patchwindow.plans.perform import Applied, perform
from patchwindow.plans.problems import PlanProblems, Problem


@dataclass(frozen=True, slots=True)
class Comparison:
    """What there is, and all that an apply would do about it."""

    plan: Plan
    current: Current
    changes: tuple[Change, ...]

    @property
    def coming(self) -> tuple[Change, ...]:
        """The changes that change something."""
        return tuple(change for change in self.changes if change.changes_something)


def apply(client: SsmClient, comparison: Comparison, on_change: Callable[[Change], None] = lambda _: None) -> Applied:
    """Do what *comparison* says, telling *on_change* of each change when it is done.

    A second apply changes nothing.  After a failure, comparing and applying again goes on where this one stopped.

    Raises:
        ClientProblem: the API could not be asked, or it refused; what came before stays done.
    """
    return perform(
        comparison.changes,
        client,
        plan_name=comparison.plan.name,
        predefined_ids=comparison.current.predefined_ids,
        on_change=on_change,
    )


def compare(
    client: SsmClient, plan: Plan, *, now: datetime, heeds_freezes: bool = True, prunes: bool = False
) -> Comparison:
    """Return what *client* finds, and all that an apply of *plan* would do about it; change nothing.

    Where the service's windows heed no freezes, as those of AWS, what must not open next is to be disabled.  With
    *prunes* what has left the plan is to be deleted.

    Raises:
        PlanProblems: something stands in the way of an apply, such as a baseline that is for another operating system.
        ClientProblem: the API could not be asked.
    """
    closed = frozenset() if heeds_freezes else closed_windows(plan, now)
    current = read_current(client, made_by(plan.name), models=models_of(plan), predefined=predefined_of(plan))
    result = difference(desired_state(plan, current.models, closed), current.found, prunes=prunes)
    if result.obstacles:
        raise PlanProblems(Problem(mark.file or plan.file, mark, message) for mark, message in result.obstacles)
    return Comparison(plan, current, result.changes)
