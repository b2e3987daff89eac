"""The catalogue of patches: what nodes have reported, and what imported notices name (`store/notices.py`), joined.

The two are joined as they come, so that what is read for a page is complete as it stands: whoever adds to either side
settles the names that this is about.
"""

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from patchwindow.domain.feeds.known_patch import KnownPatch, Named, settled
from patchwindow.domain.feeds.notice import Extent, Fix, Notice
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.protocol.records import from_ms, loads, to_ms
from patchwindow.store.catalog_rows import KEY, Key, added_text, patch_of, row_of
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import Insert, Rows, ms
from patchwindow.store.tables import advisory, advisory_fix, facts_read, known_patch, known_product, patch_reference


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product of which patches are known."""

    name: str
    family: str
    patch_set: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PatchCount:
    """How many patches are known of an operating system, and how many of them nodes have reported."""

    operating_system: str
    patch_count: int
    reported_count: int


class Subject(NamedTuple):
    """What is to be settled: a patch with its source package, or where there is no *title*, all versions of the name."""

    name: str
    title: str = ""
    source: str = ""


_AT_ONCE: Final = 400
"""How many values a list in a statement has: databases bound that."""

_KEY: Final = tuple(known_patch.c[name] for name in KEY)
_THIS: Final = tuple(column == sa.bindparam(f"of_{column.name}") for column in _KEY)
_SYSTEM: Final = known_patch.c.operating_system == sa.bindparam("os")
_VALUES: Final[sa.BindParameter[Any]] = sa.bindparam("values", expanding=True)
_IS_READ: Final = prepared(
    sa.select(facts_read.c.facts_digest).where(facts_read.c.facts_digest == sa.bindparam("digest"))
)
_TITLED: Final = sa.select(known_patch).where(_SYSTEM, known_patch.c.title.in_(_VALUES)).order_by(*_KEY)
_NAMED: Final = (
    sa.select(known_patch)
    .where(_SYSTEM, known_patch.c.name.in_(_VALUES) | known_patch.c.source.in_(_VALUES))
    .order_by(*_KEY)
)
_FIXES: Final = (
    sa.select(advisory_fix, advisory.c.body)
    .join(
        advisory,
        sa.and_(advisory.c.source == advisory_fix.c.source, advisory.c.advisory_id == advisory_fix.c.advisory_id),
    )
    .where(advisory_fix.c.operating_system == sa.bindparam("os"), advisory_fix.c.subject.in_(_VALUES))
    .order_by(advisory_fix.c.source, advisory_fix.c.advisory_id, advisory_fix.c.ordinal)
)
_ADD: Final = prepared(sa.update(known_patch).where(*_THIS).values(added=sa.bindparam("new_added")))
_FORGET: Final = prepared(sa.delete(known_patch).where(*_THIS, known_patch.c.first_seen_at_ms.is_(None)))
_SEE: Final = prepared(sa.update(known_patch).where(*_THIS).values(seen_at_ms=sa.bindparam("now")))
_DAY_MS: Final = 24 * 3600 * 1000
"""When nodes last had a patch is noted to the day."""
_REFERRED: Final = sa.select(patch_reference.c.name).where(patch_reference.c.reference.in_(_VALUES)).distinct()
_FIRST_SEEN: Final = (
    sa.select(known_patch.c.title, known_patch.c.repository, sa.func.min(known_patch.c.first_seen_at_ms).label("at_ms"))
    .where(_SYSTEM, known_patch.c.title.in_(_VALUES), known_patch.c.first_seen_at_ms.is_not(None))
    .group_by(known_patch.c.title, known_patch.c.repository)
)
_PRODUCTS: Final = prepared(
    sa.select(known_product)
    .where(known_product.c.operating_system == sa.bindparam("os"))
    .order_by(known_product.c.product, known_product.c.product_family, known_product.c.patch_set)
)
_COUNTS: Final = prepared(
    sa.select(
        known_patch.c.operating_system,
        sa.func.count().label("patch_count"),
        sa.func.count(known_patch.c.first_seen_at_ms).label("reported_count"),
    )
    .group_by(known_patch.c.operating_system)
    .order_by(known_patch.c.operating_system)
)


class Catalog(Rows):
    """Patches by operating system, title, product and repository; notices by source and id; CVEs by id."""

    def is_read(self, facts_digest: str) -> bool:
        """Return whether the patches of these facts are in the catalogue."""
        return self._scalar(_IS_READ, {"digest": facts_digest}) is not None

    def note_read(self, facts_digest: str, now: datetime) -> None:
        """Note that the patches of these facts are in the catalogue; the facts are kept."""
        self._insert_if_new(facts_read, facts_digest=facts_digest, marked_at_ms=ms(now))

    def report(self, patches: Iterable[KnownPatch], facts_digest: str, now: datetime) -> None:
        """Keep *patches*, all of one operating system, as reported: seen first now, unless they were seen before."""
        by_key = {patch.key: patch for patch in patches}
        if not by_key:
            return
        system = next(iter(by_key))[0]
        rows = {
            _key(row): row
            for row in self._each(_TITLED, {key[1] for key in by_key}, os=system)
            if row.first_seen_at_ms is not None
        }
        before = {key: (row.readings, row.update_id) for key, row in rows.items()}
        long_ago = to_ms(now) - _DAY_MS
        known = sorted(key for key in by_key.keys() & rows.keys() if (rows[key].seen_at_ms or 0) < long_ago)
        self._change_all(_SEE, ({**_given(key), "now": to_ms(now)} for key in known))
        changed = [
            (patch, row)
            # In one order, whoever writes: two that wait for each other would both fail.
            for key, patch in sorted(by_key.items(), key=itemgetter(0))
            if before.get(key) != ((row := row_of(patch))["readings"], row["update_id"])
        ]
        seen = {"first_seen_at_ms": ms(now), "first_seen_in": facts_digest, "seen_at_ms": ms(now)}
        self._change_all(_keep(self._insert), ({**row, **seen} for _, row in changed))
        self._index([patch for patch, _ in changed])
        self.settle(system, {Subject(patch.name, patch.readings[0].title, patch.source) for patch, _ in changed})

    def settle(self, operating_system: str, subjects: Collection[Subject]) -> None:
        """Join all that is known of the patches that *subjects* are about, and keep what has changed by that."""
        system = operating_system
        of_names, rows = self._about(system, subjects)
        whole = {one.name for one in subjects if not one.title} | {row.name for row in of_names}
        titles = {one.title for one in subjects if one.name not in whole and one.source not in whole}
        rows |= {_key(row): row for row in self._each(_TITLED, titles, os=system)}
        titles |= {one.title for one in subjects if one.title} | {row.title for row in rows.values()}
        named = defaultdict[str, list[Named]](list)
        for row in (*of_names, *self._each(_FIXES, titles, os=system)):
            named[row.name].append(Named(notice=loads(Notice, row.body), fix=_fix(row)))
        before = {key: patch_of(row) for key, row in rows.items()}
        reported = defaultdict[str, list[KnownPatch]](list)
        for patch in before.values():
            if patch.first_seen_at is not None:
                reported[patch.name].append(patch)
        after: list[KnownPatch] = []
        for name in sorted(named.keys() | reported.keys()):
            sources = sorted({patch.source for patch in reported[name]} - {name})
            of_sources = [one for source in sources for one in named.get(source, ())]
            after += settled(reported[name], named.get(name, ()), of_sources)
        self._bring(before, after)

    def _about(self, system: str, subjects: Collection[Subject]) -> tuple[list[Any], dict[Key, Any]]:
        """Return what notices say of the names that *subjects* are about, and the patches that this may be about.

        What is said of a package as such may be about any version, so that all of them are looked at; and what is said
        of a source package about any package that is built from it, of which other notices may say more.
        """
        fixes: list[Any] = []
        rows: dict[Key, Any] = {}
        names = {name for one in subjects for name in (one.name, one.source)}
        whole = {one.name for one in subjects if not one.title}
        asked, looked_at = {""}, {""}
        while names - asked or whole - looked_at:
            found = list(self._each(_FIXES, names - asked, os=system))
            asked |= names
            fixes += found
            whole |= {row.name for row in found}
            more = list(self._each(_NAMED, whole - looked_at, os=system))
            looked_at |= whole
            rows |= {_key(row): row for row in more}
            names |= {name for row in more for name in (row.name, row.source)}
        return fixes, rows

    def _bring(self, before: Mapping[Key, KnownPatch], after: Sequence[KnownPatch]) -> None:
        """Bring what is kept from *before* to *after*."""
        changed = sorted((patch for patch in after if before.get(patch.key) != patch), key=attrgetter("key"))
        # Of what was reported the notices change what they add, and nothing else.
        self._change_all(_ADD, (_addition(patch) for patch in changed if patch.first_seen_at is not None))
        unseen = {"first_seen_at_ms": None, "first_seen_in": "", "seen_at_ms": None}
        self._change_all(
            _keep(self._insert), ({**row_of(patch), **unseen} for patch in changed if patch.first_seen_at is None)
        )
        gone = before.keys() - {patch.key for patch in after}
        self._change_all(_FORGET, (_given(key) for key in sorted(gone)))
        self._index(changed)

    def _index(self, patches: Sequence[KnownPatch]) -> None:
        """Let *patches* be found by what they are about, and their products be listed."""
        references = {
            (reference, patch.operating_system, patch.name)
            for patch in patches
            for reference in (*patch.shown.cve_ids, *patch.shown.advisory_ids, *patch.shown.bugzilla_ids)
        }
        self._insert_new(
            patch_reference,
            ({"reference": one, "operating_system": system, "name": name} for one, system, name in sorted(references)),
        )
        products = {
            (patch.operating_system, first.patch_set, first.product, first.product_family)
            for patch in patches
            if (first := patch.readings[0]).product
        }
        columns = ("operating_system", "patch_set", "product", "product_family")
        self._insert_new(known_product, (dict(zip(columns, one, strict=True)) for one in sorted(products)))

    def first_seen(self, operating_system: str, titles: Collection[str]) -> dict[tuple[str, str], datetime]:
        """Return when each patch of these *titles* was first reported by any node, by repository and title."""
        return {
            (row.repository, row.title): from_ms(row.at_ms)
            for row in self._each(_FIRST_SEEN, titles, os=operating_system)
        }

    def known(self, operating_system: str, titles: Collection[str]) -> list[KnownPatch]:
        """Return the patches of these *titles*."""
        return [patch_of(row) for row in self._each(_TITLED, titles, os=operating_system)]

    def names_of(self, references: Collection[str]) -> set[str]:
        """Return under which names patches are to be looked for that one of *references* may be about.

        These are CVEs, advisories and bugs; a patch that was revised may not refer to them any more.
        """
        return {row.name for row in self._each(_REFERRED, references)}

    def page(
        self,
        *,
        after: Key | None,
        limit: int,
        operating_system: str | None = None,
        products: Collection[str] | None = None,
        names: Collection[str] | None = None,
    ) -> list[KnownPatch]:
        """Return up to *limit* patches that come after the key *after*, in order of keys.

        Of *names* they have one as their name or their title, for an update of Windows is named by its title too.
        """
        statement = sa.select(known_patch).order_by(*_KEY).limit(limit)
        if after is not None:
            statement = statement.where(sa.tuple_(*_KEY) > sa.tuple_(*(sa.literal(part) for part in after)))
        if operating_system is not None:
            statement = statement.where(known_patch.c.operating_system == operating_system)
        if products is not None:
            statement = statement.where(known_patch.c.product.in_(products))
        if names is not None:
            statement = statement.where(known_patch.c.name.in_(names) | known_patch.c.title.in_(names))
        return [patch_of(row) for row in self._rows(statement)]

    def products(self, operating_system: str) -> list[Product]:
        """Return the products of which patches are known, in order."""
        return [
            Product(name=row.product, family=row.product_family, patch_set=row.patch_set)
            for row in self._rows(_PRODUCTS, {"os": operating_system})
        ]

    def counts(self) -> list[PatchCount]:
        """Return how many patches are known of each operating system that has any."""
        return [
            PatchCount(
                operating_system=row.operating_system, patch_count=row.patch_count, reported_count=row.reported_count
            )
            for row in self._rows(_COUNTS)
        ]

    def _each(self, statement: sa.Select[Any], values: Collection[str], **given: str) -> Iterator[Any]:
        """Yield the rows that *statement* selects for *values*, some at a time."""
        ordered = sorted(values)
        for start in range(0, len(ordered), _AT_ONCE):
            yield from self._rows(statement, {**given, "values": ordered[start : start + _AT_ONCE]})


@functools.cache
def _keep(insert: Insert) -> Prepared:
    """Return what keeps a patch, and of one that was seen before, when that was."""
    statement = insert(known_patch)
    values = {name: statement.excluded[name] for name in ("name", "source", "update_id", "readings", "added")}
    for name in ("first_seen_at_ms", "first_seen_in"):
        ledger = known_patch.c[name]
        values[name] = sa.case((known_patch.c.first_seen_at_ms.is_(None), statement.excluded[name]), else_=ledger)
    values["seen_at_ms"] = sa.func.coalesce(statement.excluded["seen_at_ms"], known_patch.c.seen_at_ms)
    return prepared(statement.on_conflict_do_update(index_elements=list(KEY), set_=values))


def _key(row: Any) -> Key:
    return row.operating_system, row.title, row.product, row.repository


def _given(key: Key) -> dict[str, str]:
    return {f"of_{name}": value for name, value in zip(KEY, key, strict=True)}


def _addition(patch: KnownPatch) -> dict[str, str]:
    return {**_given(patch.key), "new_added": added_text(patch.added)}


def _fix(row: Any) -> Fix:
    return Fix(
        operating_system=OperatingSystem(row.operating_system),
        product=row.product,
        name=row.name,
        arch=row.arch,
        version=row.version,
        extent=Extent(row.extent),
    )
