"""The files of a plan become a plan, or a list of everything that is wrong with it."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Final

import yaml

from patchwindow.plans.calendars import read_calendars
from patchwindow.plans.check_associations import check_associations
from patchwindow.plans.check_baselines import check_baselines, check_groups
from patchwindow.plans.check_windows import check_windows
from patchwindow.plans.definitions import PLAN_VERSION, Plan
from patchwindow.plans.files import compose_paths, compose_text, overlay
from patchwindow.plans.nodes import INTEGER, mark_of
from patchwindow.plans.problems import PlanProblems, Problem
from patchwindow.plans.reading import ROOT, Reading
from patchwindow.plans.variables import substitute

_VERSION: Final = "version"


def read_plan(path: Path, overlays: Iterable[Path] = ()) -> Plan:
    """Return the plan in the file or directory at *path*, with what each of *overlays*, in their order, says instead.

    Raises:
        PlanProblems: a file cannot be read, or it is no plan; all that is wrong is in it, with its place.
    """
    return _plan(reduce(overlay, compose_paths([path, *overlays])), str(path))


def parse_plan(text: str, file: str) -> Plan:
    """Return the plan that *text* holds; *file* is what problems call it.

    Raises:
        PlanProblems: it is no plan; all that is wrong is in it, with its place.
    """
    return _plan(compose_text(text, file), file)


def _plan(root: yaml.Node, file: str) -> Plan:
    _check_version(root)
    reading = Reading(file)
    substitute(root, reading.note)
    plan = reading.record(Plan, root, ROOT)
    check_baselines(plan, reading.note)
    check_groups(plan, reading.note)
    check_windows(plan, reading.note)
    check_associations(plan, reading.note)
    calendars = read_calendars(plan, file, reading.note)
    if reading.problems:
        raise PlanProblems(reading.problems)
    return replace(plan, file=file, calendars=calendars)


def _check_version(root: yaml.Node) -> None:
    """Refuse a plan for a later patchwindow, alone: what else is strange in it may be right there."""
    if not isinstance(root, yaml.MappingNode):
        return
    for key, value in root.value:
        if key.value == _VERSION and value.tag == INTEGER and value.value.isdigit() and int(value.value) > PLAN_VERSION:
            mark = mark_of(value)
            message = (
                f"the plan: version is {value.value}, and this patchwindow reads plans up to version {PLAN_VERSION}; "
                "use a newer patchwindow"
            )
            raise PlanProblems([Problem(mark.file, mark, message)])
