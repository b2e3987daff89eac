"""A plan file becomes a plan, or a list of everything that is wrong with it."""

from dataclasses import replace
from pathlib import Path

import yaml

from patchwindow.plans.check_baselines import check_baselines, check_groups
from patchwindow.plans.check_windows import check_windows
from patchwindow.plans.definitions import Plan
from patchwindow.plans.problems import Mark, PlanProblems, Problem
from patchwindow.plans.reading import ROOT, Reading


def read_plan(path: Path) -> Plan:
    """Return the plan in the file at *path*.

    Raises:
        PlanProblems: the file cannot be read, or it is no plan; all that is wrong is in it, with its place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanProblems([Problem(str(path), Mark(1, 1), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise PlanProblems([Problem(str(path), Mark(1, 1), f"is not UTF-8 text: {error.reason}")]) from error
    return parse_plan(text, str(path))


def parse_plan(text: str, file: str) -> Plan:
    """Return the plan that *text* holds; *file* is what problems call it.

    Raises:
        PlanProblems: it is no plan; all that is wrong is in it, with its place.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
        message = ", ".join(part for part in (error.problem, error.context) if part)
        raise PlanProblems([Problem(file, mark, f"is not YAML: {message}")]) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        mark = Mark(before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        raise PlanProblems([Problem(file, mark, f"is not YAML: {error.reason}")]) from error
    if root is None:
        raise PlanProblems([Problem(file, Mark(1, 1), "is empty; a plan needs at least a name")])
    reading = Reading(file)
    plan = reading.record(Plan, root, ROOT)
    check_baselines(plan, reading.note)
    check_groups(plan, reading.note)
    check_windows(plan, reading.note)
    if reading.problems:
        raise PlanProblems(reading.problems)
    return replace(plan, file=file)
