"""What baselines make of facts, kept once for all nodes of which it is true."""

import dataclasses
import functools
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.compliance_item import Tally
from patchwindow.domain.fleet_patches import FleetPatch, Listing, dump
from patchwindow.domain.fleet_state import FleetState
from patchwindow.domain.overlay import NOTHING, Overlay
from patchwindow.domain.patch_state import Counts, PatchEntry
from patchwindow.protocol.records import dumps, from_members, loads, to_members
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import Insert, Rows, ms
from patchwindow.store.tables import cohort, evaluation, facts, listing

_EPOCH: Final = date(1970, 1, 1).toordinal()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an evaluation depends on, but for the day."""

    facts_digest: str
    baseline_id: str
    baseline_revision: int
    overlay: Overlay = NOTHING


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvaluation:
    """The answer: what holds from *day* on, and until *until*."""

    evaluation_id: str
    question: Question
    day: date
    until: date | None
    standing: FleetState
    counts: Counts


_GET: Final = prepared(sa.select(evaluation).where(evaluation.c.evaluation_id == sa.bindparam("id")))
_FIND: Final = prepared(
    sa.select(evaluation)
    .where(
        evaluation.c.facts_digest == sa.bindparam("facts_digest"),
        evaluation.c.baseline_id == sa.bindparam("baseline_id"),
        evaluation.c.baseline_revision == sa.bindparam("baseline_revision"),
        evaluation.c.overlay == sa.bindparam("overlay"),
        evaluation.c.day <= sa.bindparam("today"),
        # Evaluations of older versions lack it, and are made anew.
        evaluation.c.listing_digest.is_not(None),
        sa.or_(evaluation.c.until_day.is_(None), evaluation.c.until_day > sa.bindparam("today")),
    )
    .order_by(evaluation.c.evaluation_id)
    .limit(1)
)
_TALLY: Final = prepared(sa.select(evaluation.c.tally).where(evaluation.c.evaluation_id == sa.bindparam("id")))
_PATCHES: Final = prepared(sa.select(evaluation.c.patches).where(evaluation.c.evaluation_id == sa.bindparam("id")))
_USE: Final = prepared(
    sa.update(evaluation)
    .where(evaluation.c.evaluation_id == sa.bindparam("id"), evaluation.c.used_at_ms < sa.bindparam("since"))
    .values(used_at_ms=sa.bindparam("now"))
)
_UNUSED: Final = prepared(
    sa.select(evaluation.c.evaluation_id)
    .where(
        evaluation.c.used_at_ms < sa.bindparam("before"),
        ~sa.exists().where(cohort.c.evaluation_id == evaluation.c.evaluation_id),
    )
    .order_by(evaluation.c.used_at_ms)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DELETE: Final = sa.delete(evaluation).where(
    evaluation.c.evaluation_id.in_(sa.bindparam("ids", expanding=True)),
    ~sa.exists().where(cohort.c.evaluation_id == evaluation.c.evaluation_id),
)
_LOOSE_LISTING: Final = ~sa.exists().where(evaluation.c.listing_digest == listing.c.digest)
_LOOSE_LISTINGS: Final = prepared(
    sa.select(listing.c.digest)
    .where(_LOOSE_LISTING)
    .order_by(listing.c.digest)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DELETE_LISTINGS: Final = sa.delete(listing).where(
    listing.c.digest.in_(sa.bindparam("digests", expanding=True)), _LOOSE_LISTING
)
_IS_LISTED: Final = prepared(sa.select(listing.c.digest).where(listing.c.digest == sa.bindparam("digest")))
_FACTS: Final = prepared(sa.select(facts.c.body).where(facts.c.digest == sa.bindparam("digest")))
_ARE_KEPT: Final = prepared(sa.select(facts.c.digest).where(facts.c.digest == sa.bindparam("digest")))
_LOOSE: Final = (
    facts.c.first_seen_at_ms < sa.bindparam("before"),
    ~sa.exists().where(cohort.c.facts_digest == facts.c.digest),
    ~sa.exists().where(evaluation.c.facts_digest == facts.c.digest),
)
_LOOSE_FACTS: Final = prepared(
    sa.select(facts.c.digest)
    .where(*_LOOSE)
    .order_by(facts.c.digest)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DELETE_FACTS: Final = sa.delete(facts).where(facts.c.digest.in_(sa.bindparam("digests", expanding=True)), *_LOOSE)
_DAY_MS: Final = 24 * 3600 * 1000


class Facts(Rows):
    """Facts as canonical JSON, compressed, by digest."""

    def put(self, digest: str, canonical: bytes, now: datetime) -> None:
        """Keep facts, unless they are kept already."""
        if self._scalar(_ARE_KEPT, {"digest": digest}) is None:
            self._insert_if_new(facts, digest=digest, first_seen_at_ms=ms(now), body=zlib.compress(canonical))

    def get(self, digest: str) -> bytes | None:
        """Return the canonical JSON of the facts."""
        body = self._scalar(_FACTS, {"digest": digest})
        return None if body is None else zlib.decompress(body)

    def prune(self, before: datetime, limit: int) -> int:
        """Delete up to *limit* facts that were kept *before* and that nothing needs any more; return how many."""
        given = {"before": ms(before)}
        digests = self._scalars(_LOOSE_FACTS, {**given, "limit": limit})
        return self._change(_DELETE_FACTS, {**given, "digests": digests}) if digests else 0


class Evaluations(Rows):
    """Evaluations, by id and by what they answer."""

    def find(self, question: Question, today: date) -> StoredEvaluation | None:
        """Return the answer to *question* that holds *today*."""
        given = {
            "facts_digest": question.facts_digest,
            "baseline_id": question.baseline_id,
            "baseline_revision": question.baseline_revision,
            "overlay": overlay_text(question.overlay),
            "today": day_number(today),
        }
        row = self._row(_FIND, given)
        return None if row is None else _stored(row)

    def get(self, evaluation_id: str) -> StoredEvaluation:
        """Return the evaluation, which something refers to."""
        row = self._row(_GET, {"id": evaluation_id})
        assert row is not None, "what is referred to is kept"
        return _stored(row)

    def add(
        self,
        question: Question,
        *,
        day: date,
        until: date | None,
        standing: FleetState,
        counts: Counts,
        patches: Sequence[PatchEntry],
        tally: Tally,
        listed: Listing,
    ) -> StoredEvaluation:
        """Keep what *question* comes to from *day* on.

        *patches* are those that are not as they should be, *tally* counts all that can be asked whether they are, and
        *listed* has the state of each.
        """
        overlay = overlay_text(question.overlay)
        key = (question.facts_digest, question.baseline_id, question.baseline_revision, overlay, day_number(day))
        id = digest_of(*key)
        digest, packed = _packed(listed.patches)
        if self._scalar(_IS_LISTED, {"digest": digest}) is None:
            self._insert_if_new(listing, digest=digest, body=packed)
        values = {
            "evaluation_id": id,
            "facts_digest": question.facts_digest,
            "baseline_id": question.baseline_id,
            "baseline_revision": question.baseline_revision,
            "overlay": overlay,
            "day": day_number(day),
            "until_day": None if until is None else day_number(until),
            "standing": standing,
            "status": counts.status,
            "overall_severity": counts.overall_severity,
            "used_at_ms": 0,
            "body": dumps(counts),
            "patches": zlib.compress(json.dumps([to_members(entry) for entry in patches]).encode()),
            "tally": json.dumps([(*key, count) for key, count in tally.items()]),
            "listing_digest": digest,
            "places": zlib.compress(listed.places),
        }
        self._change(_keep(self._insert), values)
        return StoredEvaluation(
            evaluation_id=id, question=question, day=day, until=until, standing=standing, counts=counts
        )

    def tally(self, evaluation_id: str) -> Tally | None:
        """Return how many patches have which status and severity; None where that was not kept."""
        text = self._scalar(_TALLY, {"id": evaluation_id})
        return None if text is None else Counter({(status, level): count for status, level, count in json.loads(text)})

    def patches(self, evaluation_id: str) -> tuple[PatchEntry, ...] | None:
        """Return the patches that are not as the baseline wants them, by title; None where they were not kept."""
        packed = self._scalar(_PATCHES, {"id": evaluation_id})
        if packed is None:
            return None
        return tuple(from_members(PatchEntry, members) for members in json.loads(zlib.decompress(packed)))

    def use(self, evaluation_id: str, now: datetime) -> None:
        """Note that the history refers to the evaluation since *now*, to the day."""
        now_ms = ms(now)
        assert now_ms is not None
        self._change(_USE, {"id": evaluation_id, "now": now_ms, "since": now_ms - _DAY_MS})

    def prune(self, before: datetime, limit: int) -> int:
        """Delete up to *limit* evaluations that no node has and no scan since *before* had; return how many."""
        ids = self._scalars(_UNUSED, {"before": ms(before), "limit": limit})
        return self._change(_DELETE, {"ids": ids}) if ids else 0

    def prune_listings(self, limit: int) -> int:
        """Delete up to *limit* listings that no evaluation has; return how many."""
        digests = self._scalars(_LOOSE_LISTINGS, {"limit": limit})
        return self._change(_DELETE_LISTINGS, {"digests": digests}) if digests else 0


@functools.lru_cache(maxsize=1024)
def _packed(patches: tuple[FleetPatch, ...]) -> tuple[str, bytes]:
    """Return the digest of *patches*, and them as they are kept; many evaluations have the same."""
    text = dump(patches).encode()
    return hashlib.sha256(text).hexdigest(), zlib.compress(text)


@functools.cache
def _keep(insert: Insert) -> Prepared:
    """Return what keeps an evaluation: one that is kept already gets what older versions did not keep."""
    statement = insert(evaluation)
    values = {name: statement.excluded[name] for name in ("tally", "listing_digest", "places")}
    return prepared(statement.on_conflict_do_update(index_elements=["evaluation_id"], set_=values))


def overlay_text(overlay: Overlay) -> str:
    """Return *overlay* as it is kept: nothing is the empty text."""
    return "" if overlay == NOTHING else dumps(overlay)


def overlay_of(text: str) -> Overlay:
    """Return the overlay that is kept as *text*."""
    return loads(Overlay, text) if text else NOTHING


def digest_of(*parts: str | int) -> str:
    """Return a key for *parts*: equal ones have equal keys, and no others do."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def day_number(day: date) -> int:
    """Return how many days after 1970-01-01 *day* is."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """Return the day that is so many days after 1970-01-01."""
    return date.fromordinal(number + _EPOCH)


def _stored(row: Any) -> StoredEvaluation:
    return StoredEvaluation(
        evaluation_id=row.evaluation_id,
        question=Question(
            facts_digest=row.facts_digest,
            baseline_id=row.baseline_id,
            baseline_revision=row.baseline_revision,
            overlay=overlay_of(row.overlay),
        ),
        day=day_of(row.day),
        until=None if row.until_day is None else day_of(row.until_day),
        standing=FleetState(row.standing),
        counts=loads(Counts, row.body),
    )
