"""Making a service be as a plan wants it: look, compare, do what is missing."""

from collections.abc import Callable

from patchwindow.client import SsmClient
from patchwindow.plans.current import Current, read_current
from patchwindow.plans.definitions import Plan
from patchwindow.plans.desired import desired_state, models_of, predefined_of
from patchwindow.plans.difference import Change, difference
from patchwindow.plans.perform import Applied, perform
from patchwindow.plans.problems import PlanProblems, Problem


def apply(client: SsmClient, plan: Plan, on_change: Callable[[Change], None] = lambda _: None) -> Applied:
    """Bring what *client* talks to in line with *plan*, telling *on_change* of each change when it is done.

    A second apply changes nothing.  After a failure, applying again goes on where this one stopped.

    Raises:
        PlanProblems: something stands in the way, such as a baseline that is for another operating system;
            nothing was changed.
        ClientProblem: the API could not be asked, or it refused; what came before stays done.
    """
    current, changes = compare(client, plan)
    return perform(changes, client, plan_name=plan.name, predefined_ids=current.predefined_ids, on_change=on_change)


def compare(client: SsmClient, plan: Plan) -> tuple[Current, tuple[Change, ...]]:
    """Return what *client* finds, and all that an apply of *plan* would do about it; change nothing.

    Raises:
        PlanProblems: something stands in the way of an apply.
        ClientProblem: the API could not be asked.
    """
    current = read_current(client, plan.name, models=models_of(plan), predefined=predefined_of(plan))
    result = difference(desired_state(plan, current.models), current.found)
    if result.obstacles:
        raise PlanProblems(Problem(mark.file or plan.file, mark, message) for mark, message in result.obstacles)
    return current, result.changes
