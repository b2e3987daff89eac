"""Forms in two steps: what would change is shown first and saved after, and nobody overwrites what he has not seen.

What a form is about is told as words by label. The form carries these words as they were when it was opened, and, once consequences
are shown, a digest of the fields that they are the consequences of.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from patchwindow.console.refusals import by_field
from patchwindow.console.view import Act, Done, View
from patchwindow.domain.errors import Denied, PatchwindowError

NOTHING: Final = "—"
_DIGITS_MAX: Final = 10
_STEERING: Final = frozenset({"csrf", "Step", "Seen", "Weighed"})

W = TypeVar("W")
T = TypeVar("T")
Told = Mapping[str, str]
"""What something is, in words by label."""


@dataclass(frozen=True, slots=True)
class Change:
    """One label whose words are others than before."""

    label: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps(Generic[W]):
    """How far a form is, with consequences of its own kind."""

    seen: str
    """What it is about as its reader has seen it, as JSON."""
    weighed: str = ""
    """The digest of the fields whose consequences are shown."""
    consequences: W | None = None
    meanwhile: Sequence[Change] = ()
    """What others have changed since the form was opened."""
    is_altered: bool = False
    """Whether fields were changed after their consequences were shown."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which plan file made something, and under which name."""

    plan: str
    name: str


def begin(told: Told) -> Steps[Any]:
    """Return the first step of a form about what is told."""
    return Steps(seen=_as_json(told))


def carry_out(
    act: Act,
    told: Told,
    *,
    weigh: Callable[[], W],
    do: Callable[[], Done],
    explain: Callable[[PatchwindowError], Mapping[str, str]] | None = None,
) -> Done | Steps[W]:
    """Do what a form asks if its consequences have been seen; otherwise weigh them.

    What is done is done before them as well, so that whatever is refused is refused in the first step; since a page is
    returned, nothing of it is kept. What is refused stands in the act's problems.

    Raises:
        Denied: its sender may not do it.
    """
    need_operator(act.view)
    meanwhile = compare(_read(act.first("Seen")), told)
    digest = digest_of(act.form)
    is_to_save = act.first("Step") == "save"
    is_confirmed = is_to_save and act.first("Weighed") == digest and not meanwhile
    explained = explain or (lambda problem: by_field(problem, act.form))

    def attempt(job: Callable[[], T]) -> T | None:
        try:
            return job()
        except Denied:
            raise
        except PatchwindowError as problem:
            # What was noted before, such as while the fields were read, says more of a field; the rest may follow from it.
            found = {field: text for field, text in explained(problem).items() if field or not act.problems}
            act.problems.update({**found, **act.problems})
            return None

    consequences = None if is_confirmed else attempt(weigh)
    done = attempt(do)
    if act.problems:
        consequences = None
    elif is_confirmed and done is not None:
        return done
    return Steps(
        seen=_as_json(told),
        weighed="" if consequences is None else digest,
        consequences=consequences,
        meanwhile=meanwhile,
        is_altered=is_to_save and consequences is not None and act.first("Weighed") not in ("", digest),
    )


def compare(before: Told, now: Told) -> list[Change]:
    """Return what is told otherwise, in the order of *now*; what is told by only one of them is nothing in the other."""
    labels = [*now, *(label for label in before if label not in now)]
    pairs = ((label, before.get(label, NOTHING), now.get(label, NOTHING)) for label in labels)
    return [Change(label, old, new) for label, old, new in pairs if old != new]


def digest_of(form: Mapping[str, Sequence[str]]) -> str:
    """Return the digest of what stands in the fields of a form; empty ones, of which a page may have more or less, say nothing."""
    fields = {name: list(values) for name, values in form.items() if name not in _STEERING and any(values)}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def words(value: object) -> str:
    """Return the value of a member in words."""
    match value:
        case None | "" | [] | () | {}:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
        case list() | tuple() if all(isinstance(one, str) for one in value):
            return ", ".join(value)
        case Mapping() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, default=str)
        case _:
            return str(value)


def plan_of(view: View, resource_type: str, resource_id: str) -> Plan | None:
    """Return which plan made a baseline or a window, from its tags."""
    tags = view.ask("ListTagsForResource", ResourceType=resource_type, ResourceId=resource_id)["TagList"]
    found = {tag["Key"]: tag["Value"] for tag in tags}
    # The tags that plans set (docs/plan.md).
    return Plan(found["patchwindow:plan"], found.get("patchwindow:name", "")) if "patchwindow:plan" in found else None


def need_operator(view: View) -> None:
    """Return if the reader may change something.

    Raises:
        Denied: he may only look.
    """
    if view.person.role == "viewer":
        raise Denied(f"{view.person.name} is a viewer and may only look; ask an admin for the role operator")


def whole(act: Act, name: str) -> int | None:
    """Return the whole number in a field; None where it is empty, or is none, which is noted as a problem."""
    text = act.first(name)
    if not text:
        return None
    if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < _DIGITS_MAX:
        return int(text)
    act.problems[name] = f"{text!r} is no whole number; write digits alone"
    return None


def lines(act: Act, name: str) -> list[str]:
    """Return what stands in a field, one a line, or in boxes that are ticked."""
    return [line.strip() for text in act.all(name) for line in text.splitlines() if line.strip()]


def _as_json(told: Told) -> str:
    return json.dumps(dict(told), ensure_ascii=False)


def _read(seen: str) -> Told:
    """Return the words that a form carries; where it carries none that can be read, it has seen nothing."""
    try:
        found = json.loads(seen)
    except ValueError:
        return {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return {}
    return found
