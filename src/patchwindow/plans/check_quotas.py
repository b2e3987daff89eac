"""AWS's quotas, for a plan that is meant for AWS."""

from collections.abc import Iterable, Iterator
from typing import Final

from patchwindow.plans.codes import PlanCode, found
from patchwindow.plans.definitions import Plan
from patchwindow.plans.finding import Finding
from patchwindow.plans.problems import Mark

# Published quotas of AWS Systems Manager, for each account and region.
WINDOWS_MAX: Final = 50
TASKS_OF_A_WINDOW_MAX: Final = 20
TARGETS_OF_A_WINDOW_MAX: Final = 100
BASELINES_MAX: Final = 50
GROUPS_OF_A_BASELINE_MAX: Final = 25


def quotas(plan: Plan) -> Iterator[Finding]:
    """Yield where *plan* alone has more than a new AWS account may have in one region."""

    def over(what: str, count: int, most: int, mark: Mark) -> Iterable[Finding]:
        if count > most:
            sentence = f"{what} has {count}, and AWS allows {most}"
            yield found(plan, PlanCode.AWS_QUOTA, mark, sentence, "use fewer, or ask AWS for a higher quota")

    yield from over("the plan: windows", len(plan.windows), WINDOWS_MAX, plan.marks.at("windows"))
    yield from over("the plan: baselines", len(plan.baselines), BASELINES_MAX, plan.marks.at("baselines"))
    for name, window in plan.windows.items():
        what = f"window {name!r}"
        yield from over(f"{what}: tasks", len(window.tasks), TASKS_OF_A_WINDOW_MAX, window.marks.at("tasks"))
        yield from over(f"{what}: targets", len(window.targets), TARGETS_OF_A_WINDOW_MAX, window.marks.at("targets"))
    for name in plan.baselines:
        groups = sum(name in group.baselines for group in plan.patch_groups.values())
        mark = plan.marks.at("baselines", name)
        yield from over(f"baseline {name!r}: patch groups", groups, GROUPS_OF_A_BASELINE_MAX, mark)
