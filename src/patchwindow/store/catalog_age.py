"""What of the catalogue is old: patches that nodes have no more, and advisories that no import names any more.

Nothing here is settled anew; who forgets something settles what it was about (`Catalog.settle`).
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.store.catalog import Subject
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import (
    advisory,
    advisory_fix,
    cohort,
    facts_read,
    known_patch,
    known_product,
    patch_reference,
)

Subjects = dict[str, set[Subject]]
"""What is to be settled, by operating system."""

_AT_ONCE: Final = 400
_UNMARKED: Final = prepared(
    sa.select(facts_read.c.facts_digest)
    .where(facts_read.c.marked_at_ms < sa.bindparam("before"))
    .order_by(facts_read.c.marked_at_ms, facts_read.c.facts_digest)
    .limit(sa.bindparam("limit"))
)
_SYSTEMS: Final = prepared(
    sa.select(cohort.c.operating_system).where(cohort.c.facts_digest == sa.bindparam("digest")).distinct()
)
_SEE: Final = sa.update(known_patch).where(
    known_patch.c.operating_system == sa.bindparam("os"),
    known_patch.c.title.in_(sa.bindparam("titles", expanding=True)),
    known_patch.c.seen_at_ms < sa.bindparam("now"),
)
_MARK: Final = prepared(
    sa.update(facts_read)
    .where(facts_read.c.facts_digest == sa.bindparam("digest"))
    .values(marked_at_ms=sa.bindparam("now"))
)
_KEY: Final = tuple(known_patch.primary_key)
_OLD_PATCHES: Final = prepared(
    sa.select(*_KEY, known_patch.c.name, known_patch.c.source)
    .where(known_patch.c.seen_at_ms < sa.bindparam("before"))
    .order_by(known_patch.c.seen_at_ms, *_KEY)
    .limit(sa.bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_DROP_PATCH: Final = prepared(
    sa.delete(known_patch).where(*(column == sa.bindparam(f"of_{column.name}") for column in _KEY))
)
_OF_WHAT_NODES_HAVE: Final = (
    sa.select(advisory_fix.c.source)
    .join(
        known_patch,
        sa.and_(
            known_patch.c.operating_system == advisory_fix.c.operating_system,
            sa.or_(known_patch.c.name == advisory_fix.c.name, known_patch.c.source == advisory_fix.c.name),
        ),
    )
    .where(
        advisory_fix.c.source == advisory.c.source,
        advisory_fix.c.advisory_id == advisory.c.advisory_id,
        known_patch.c.first_seen_at_ms.is_not(None),
    )
)
_OLD_ADVISORIES: Final = prepared(
    sa.select(advisory.c.source, advisory.c.advisory_id)
    .where(advisory.c.named_at_ms < sa.bindparam("before"), ~_OF_WHAT_NODES_HAVE.exists())
    .order_by(advisory.c.named_at_ms, advisory.c.source, advisory.c.advisory_id)
    .limit(sa.bindparam("limit"))
)
_ABOUT: Final = prepared(
    sa.select(advisory_fix.c.operating_system, advisory_fix.c.name)
    .where(advisory_fix.c.source == sa.bindparam("source"), advisory_fix.c.advisory_id == sa.bindparam("id"))
    .distinct()
)
_DROP_ADVISORY: Final = prepared(
    sa.delete(advisory).where(advisory.c.source == sa.bindparam("source"), advisory.c.advisory_id == sa.bindparam("id"))
)
_DROP_REFERENCES: Final = sa.delete(patch_reference).where(
    patch_reference.c.operating_system == sa.bindparam("os"),
    patch_reference.c.name.in_(sa.bindparam("names", expanding=True)),
    ~sa.exists().where(
        known_patch.c.operating_system == patch_reference.c.operating_system,
        known_patch.c.name == patch_reference.c.name,
    ),
)
_DROP_PRODUCTS: Final = prepared(
    sa.delete(known_product).where(
        known_product.c.operating_system == sa.bindparam("os"),
        ~sa.exists().where(
            known_patch.c.operating_system == known_product.c.operating_system,
            known_patch.c.product == known_product.c.product,
        ),
    )
)


class CatalogAge(Rows):
    """When nodes last had what is in the catalogue, and imports last named it."""

    def unmarked(self, before: datetime, limit: int) -> list[str]:
        """Return the digests of up to *limit* facts whose patches were last marked as seen *before*."""
        return self._scalars(_UNMARKED, {"before": ms(before), "limit": limit})

    def systems_of(self, facts_digest: str) -> set[str]:
        """Return as which operating systems nodes with these facts are taken."""
        return set(self._scalars(_SYSTEMS, {"digest": facts_digest}))

    def mark(
        self, facts_digest: str, operating_systems: Collection[str], titles: Collection[str], now: datetime
    ) -> None:
        """Note that nodes with these facts have the patches of *titles* now."""
        ordered = sorted(titles)
        for system in sorted(operating_systems):
            for start in range(0, len(ordered), _AT_ONCE):
                given = {"os": system, "now": ms(now), "titles": ordered[start : start + _AT_ONCE]}
                self._change(_SEE.values(seen_at_ms=ms(now)), given)
        self._change(_MARK, {"digest": facts_digest, "now": ms(now)})

    def forget_patches(self, before: datetime, limit: int) -> Subjects:
        """Forget up to *limit* patches that no node had since; return what is to be settled."""
        rows = self._rows(_OLD_PATCHES, {"before": ms(before), "limit": limit})
        names = [column.name for column in _KEY]
        self._change_all(_DROP_PATCH, ({f"of_{name}": getattr(row, name) for name in names} for row in rows))
        return _by_system((row.operating_system, Subject(row.name, row.title, row.source)) for row in rows)

    def forget_advisories(self, before: datetime, limit: int) -> Subjects:
        """Forget up to *limit* advisories that no import named since and no node has anything of; return likewise."""
        found: list[tuple[str, Subject]] = []
        for row in self._rows(_OLD_ADVISORIES, {"before": ms(before), "limit": limit}):
            given = {"source": row.source, "id": row.advisory_id}
            found += [(one.operating_system, Subject(one.name)) for one in self._rows(_ABOUT, given)]
            self._change(_DROP_ADVISORY, given)
        return _by_system(found)

    def forget_index(self, operating_system: str, names: Collection[str]) -> None:
        """Forget under which references, and for which products, patches were found that are gone."""
        ordered = sorted(names)
        for start in range(0, len(ordered), _AT_ONCE):
            self._change(_DROP_REFERENCES, {"os": operating_system, "names": ordered[start : start + _AT_ONCE]})
        self._change(_DROP_PRODUCTS, {"os": operating_system})


def _by_system(found: Any) -> Subjects:
    subjects: defaultdict[str, set[Subject]] = defaultdict(set)
    for system, subject in found:
        subjects[system].add(subject)
    return dict(subjects)
