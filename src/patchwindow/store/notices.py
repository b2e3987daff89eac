"""What feeds say: notices by the source they were imported from, with the packages that they name, and CVEs."""

import dataclasses
import functools
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.feeds.notice import Cve, Notice
from patchwindow.protocol.records import dumps, from_ms
from patchwindow.store.catalog import Subject
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import Insert, Rows, ms
from patchwindow.store.tables import advisory, advisory_fix, cve, feed


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFeed:
    """What was last imported under one name, and how many notices it has brought."""

    source: str
    imported_at: datetime
    advisory_count: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CveCounts:
    """How many CVEs something is known of."""

    cve_count: int
    exploited_count: int
    scored_count: int


_AT_ONCE: Final = 400
_VALUES: Final[sa.BindParameter[Any]] = sa.bindparam("values", expanding=True)
_DIGESTS: Final = sa.select(advisory.c.advisory_id, advisory.c.digest).where(
    advisory.c.source == sa.bindparam("source"), advisory.c.advisory_id.in_(_VALUES)
)
_NAME: Final = (
    sa.update(advisory)
    .where(advisory.c.source == sa.bindparam("of_source"), advisory.c.advisory_id.in_(_VALUES))
    .values(named_at_ms=sa.bindparam("now"))
)
_OF_THESE: Final = (advisory_fix.c.source == sa.bindparam("source"), advisory_fix.c.advisory_id.in_(_VALUES))
_FIXED: Final = (
    sa.select(advisory_fix.c.operating_system, advisory_fix.c.name, advisory_fix.c.subject).where(*_OF_THESE).distinct()
)
_DROP_FIXES: Final = sa.delete(advisory_fix).where(*_OF_THESE)
_CVES: Final = sa.select(cve).where(cve.c.cve_id.in_(_VALUES))
_FEEDS: Final = prepared(
    sa.select(feed, sa.func.count(advisory.c.advisory_id).label("advisory_count"))
    .join(advisory, advisory.c.source == feed.c.source, isouter=True)
    .group_by(feed.c.source, feed.c.imported_at_ms)
    .order_by(feed.c.source)
)
# Columns of numbers alone would make a kind of statement that no annotation here has.
_COUNT: Final[Any] = sa.func.count
_COUNTS: Final = prepared(
    sa.select(
        _COUNT().label("cve_count"),
        _COUNT(cve.c.is_known_exploited).label("exploited_count"),
        _COUNT(cve.c.epss_score_billionths).label("scored_count"),
    )
)
_FIX: Final = ("operating_system", "product", "name", "arch", "version", "extent", "subject")


class Notices(Rows):
    """Imported notices and CVEs.  Their packages are joined with the catalogue by `Catalog.settle`."""

    def put(self, source: str, notices: Collection[Notice], now: datetime) -> dict[str, set[Subject]]:
        """Keep *notices* of one source in place of their former ones; return what to settle, by operating system.

        What is unchanged costs little.
        """
        self._upsert(feed, source=source, imported_at_ms=ms(now))
        digests = {notice.id: _digest(notice) for notice in notices}
        known = {row.advisory_id: row.digest for row in self._each(_DIGESTS, digests, source)}
        # Of notices with one id the last counts.
        changed = {notice.id: notice for notice in notices if known.get(notice.id) != digests[notice.id]}
        concerned = defaultdict[str, set[Subject]](set)
        for row in self._each(_FIXED, changed.keys() & known.keys(), source):
            concerned[row.operating_system].add(_subject(row.name, row.subject))
        for ids in _some(changed.keys() & known.keys()):
            self._change(_DROP_FIXES, {"source": source, "values": ids})
        self._upsert_all(advisory, (_row(source, notice, digests[id], now) for id, notice in changed.items()))
        for ids in _some(digests.keys() - changed.keys()):
            self._change(_NAME, {"of_source": source, "values": ids, "now": ms(now)})
        self._insert_new(advisory_fix, (row for notice in changed.values() for row in _fixes(source, notice)))
        for notice in changed.values():
            for fix in notice.fixes:
                concerned[fix.operating_system].add(_subject(fix.name, fix.subject))
        return dict(concerned)

    def put_cves(self, source: str, cves: Collection[Cve], now: datetime) -> None:
        """Keep what *cves* say; what they do not say stays as another source has said it."""
        self._upsert(feed, source=source, imported_at_ms=ms(now))
        self._change_all(_keep_cve(self._insert), map(_cve_row, cves))

    def cves(self, cve_ids: Collection[str]) -> dict[str, Cve]:
        """Return what is known of those of *cve_ids* that something is known of, by id."""
        return {row.cve_id: _cve(row) for row in self._each(_CVES, cve_ids, None)}

    def feeds(self) -> list[ImportedFeed]:
        """Return what was imported, by source."""
        return [
            ImportedFeed(source=row.source, imported_at=from_ms(row.imported_at_ms), advisory_count=row.advisory_count)
            for row in self._rows(_FEEDS)
        ]

    def cve_counts(self) -> CveCounts:
        """Return how many CVEs something is known of."""
        (row,) = self._rows(_COUNTS)
        return CveCounts(cve_count=row.cve_count, exploited_count=row.exploited_count, scored_count=row.scored_count)

    def _each(self, statement: sa.Select[Any], values: Collection[str], source: str | None) -> Iterator[Any]:
        given = {} if source is None else {"source": source}
        for some in _some(values):
            yield from self._rows(statement, {**given, "values": some})


def _subject(name: str, subject: str) -> Subject:
    return Subject(name, "" if subject == name else subject)


def _some(values: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


@functools.cache
def _keep_cve(insert: Insert) -> Prepared:
    statement = insert(cve)
    said = {
        column.name: sa.func.coalesce(statement.excluded[column.name], column)
        for column in cve.c
        if not column.primary_key
    }
    return prepared(statement.on_conflict_do_update(index_elements=["cve_id"], set_=said))


def _digest(notice: Notice) -> str:
    return hashlib.sha256(dumps(notice).encode()).hexdigest()[:32]


def _row(source: str, notice: Notice, digest: str, now: datetime) -> dict[str, object]:
    body = dumps(dataclasses.replace(notice, fixes=()))
    return {"source": source, "advisory_id": notice.id, "digest": digest, "body": body, "named_at_ms": ms(now)}


def _fixes(source: str, notice: Notice) -> Iterator[dict[str, object]]:
    for ordinal, fix in enumerate(notice.fixes):
        of = {"source": source, "advisory_id": notice.id, "ordinal": ordinal}
        yield {**of, **{name: getattr(fix, name) for name in _FIX}}


def _cve_row(one: Cve) -> dict[str, object]:
    return {
        "cve_id": one.cve_id,
        "severity": one.severity,
        "is_known_exploited": None if one.is_known_exploited is None else int(one.is_known_exploited),
        "exploited_since": one.exploited_since,
        "due_on": one.due_on,
        "epss_score_billionths": one.epss_score_billionths,
        "epss_percentile_billionths": one.epss_percentile_billionths,
    }


def _cve(row: Any) -> Cve:
    return Cve(
        cve_id=row.cve_id,
        severity=row.severity,
        is_known_exploited=None if row.is_known_exploited is None else bool(row.is_known_exploited),
        exploited_since=row.exploited_since,
        due_on=row.due_on,
        epss_score_billionths=row.epss_score_billionths,
        epss_percentile_billionths=row.epss_percentile_billionths,
    )
