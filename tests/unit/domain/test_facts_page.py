"""The page on facts says what is read, and its example is read."""

import json
import re
from dataclasses import fields
from pathlib import Path

from patchwindow.domain.facts import (
    Advisory,
    Facts,
    Kind,
    Manager,
    Origin,
    Package,
    RebootBehaviour,
    System,
    Update,
    UpdateState,
    WindowsUpdate,
    canonical,
)
from patchwindow.domain.facts_reading import parse

PAGE = (Path(__file__).parents[3] / "docs" / "facts.md").read_text()


def test_the_example_is_read() -> None:
    (example,) = (
        json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if '"schema": 2' in block
    )
    facts = parse(example)
    assert facts.manager is Manager.DNF
    assert json.loads(canonical(facts))["updates"] == example["updates"]


def test_every_member_and_every_choice_is_on_the_page() -> None:
    classes = (Facts, System, Origin, Advisory, Package, Update, WindowsUpdate)
    members = {re.sub("_(.)", lambda found: found[1].upper(), field.name) for cls in classes for field in fields(cls)}
    choices = {str(choice) for of in (Manager, Kind, RebootBehaviour, UpdateState) for choice in of if choice}
    said = set(re.findall("`([A-Za-z]+)`", PAGE))
    assert members | choices <= said, sorted((members | choices) - said)
