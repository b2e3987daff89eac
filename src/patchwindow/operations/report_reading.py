"""Reports of patch operations, read and checked as far as that needs nothing that is kept (docs/facts.md)."""

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from patchwindow.domain import facts as facts_form
from patchwindow.domain import facts_reading
from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import Facts, Manager
from patchwindow.domain.overlay import Failure, Overlay

SCHEMA: Final = 1
INSTALL: Final = "Install"

_SECONDS_MAX: Final = 2**35
_TITLES_MAX: Final = 10_000
_TITLE_MAX: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFacts:
    """Facts that were read, what they are kept as, and in which order of theirs the packages of the report come."""

    facts: Facts
    digest: str
    canonical: bytes
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a patch operation found."""

    operation: str
    started_at: datetime
    ended_at: datetime
    known: KnownFacts
    installed_at: tuple[int, ...]
    overlay: Overlay


def read(report: Mapping[str, Any]) -> Report:
    """Return what *report*, from JSON, states.

    Raises:
        Invalid: it is not of this schema; the message says where.
    """
    if report.get("schema") != SCHEMA:
        raise Invalid(f"schema: {report.get('schema')!r} is not known; this server reads schema {SCHEMA}")
    started_s, ended_s = _seconds(report, "startedAt"), _seconds(report, "endedAt")
    if ended_s < started_s:
        raise Invalid(f"endedAt: {ended_s} is before startedAt, {started_s}")
    operation = str(report.get("operation"))
    known = _known(_Raw(report.get("facts")))
    return Report(
        operation=operation,
        started_at=_instant(started_s),
        ended_at=_instant(ended_s),
        known=known,
        installed_at=_installed_at(report, known),
        overlay=_overlay(report, operation),
    )


def read_facts(asked: Mapping[str, Any]) -> KnownFacts:
    """Return the facts in *asked*, from JSON: what a node sends to be told what to install.

    Raises:
        Invalid: they are not of this schema; the message says where.
    """
    if asked.get("schema") != SCHEMA:
        raise Invalid(f"schema: {asked.get('schema')!r} is not known; this server reads schema {SCHEMA}")
    return _known(_Raw(asked.get("facts")))


class _Raw:
    """Facts as they came, known by their digest: nodes of one image send the same, which is then read once."""

    __slots__ = ("data", "digest")

    def __init__(self, data: object) -> None:
        self.data = data
        try:
            self.digest = hashlib.sha256(json.dumps(data).encode()).digest()
        except RecursionError:
            raise Invalid("facts: they are nested too deeply") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Raw) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


@functools.lru_cache(maxsize=32)
def _known(raw: _Raw) -> KnownFacts:
    facts = facts_reading.parse(raw.data)
    dated = facts.windows_updates if facts.manager is Manager.WINDOWS else facts.packages
    places = facts_reading.aligned(raw.data, list(range(len(dated))))
    # It is the key of the memory from now on, which needs no more than its digest.
    raw.data = None
    return KnownFacts(
        facts=facts,
        digest=facts_form.digest(facts),
        canonical=facts_form.canonical(facts),
        order=tuple(int(place) for place in places),
    )


def _installed_at(report: Mapping[str, Any], known: KnownFacts) -> tuple[int, ...]:
    """Return the times of installation in the order of the facts."""
    times = report.get("installedAt")
    # Nearly always they are as they should be, and then the facts need not be looked at again.
    if (
        isinstance(times, list)
        and len(times) == len(known.order)
        and set(map(type, times)) <= {int}
        and (not times or (min(times) >= 0 and max(times) < _SECONDS_MAX))
    ):
        return tuple([times[place] for place in known.order])
    # Whatever else it is, this says what is wrong with it.
    return tuple(int(instant) for instant in facts_reading.aligned(report["facts"], times))


def _overlay(report: Mapping[str, Any], operation: str) -> Overlay:
    """Return what the operation left on top of the facts: two members of the report that it may do without."""
    failed = report.get("failed", {})
    if not isinstance(failed, dict) or len(failed) > _TITLES_MAX:
        raise Invalid(f"failed: expected an object of at most {_TITLES_MAX} reasons by title")
    for title, reason in failed.items():
        _check_text("failed", title)
        _check_text(f"failed[{title!r}]", reason)
    waiting = report.get("pendingReboot", [])
    if not isinstance(waiting, list) or len(waiting) > _TITLES_MAX:
        raise Invalid(f"pendingReboot: expected a list of at most {_TITLES_MAX} titles")
    for title in waiting:
        _check_text("pendingReboot", title)
    return Overlay(
        pending_reboot=tuple(sorted(set(waiting))),
        failed=tuple(Failure(title=title, reason=failed[title]) for title in sorted(failed)),
        after_install=operation == INSTALL,
    )


def _check_text(name: str, text: object) -> None:
    if not isinstance(text, str) or not text.isprintable() or not 0 < len(text) <= _TITLE_MAX:
        raise Invalid(f"{name}: {text!r:.100} is no text of 1 to {_TITLE_MAX} printable characters")


def _instant(seconds: float) -> datetime:
    # To the millisecond, as it is stored: the same instant must come back.
    return datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)


def _seconds(report: Mapping[str, Any], name: str) -> float:
    found = report.get(name)
    # The bounds also keep out what JSON calls Infinity and NaN.
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < _SECONDS_MAX:
        raise Invalid(f"{name}: {found!r} is no time; write seconds since 1970")
    return float(found)
