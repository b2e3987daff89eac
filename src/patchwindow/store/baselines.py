"""Patch baselines with their revisions, the defaults, and the patch groups that are registered with them."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import InUse
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.cohorts import Choices
from patchwindow.store.prepared import Prepared, prepared
from patchwindow.store.rows import like_prefix
from patchwindow.store.tables import baseline, baseline_revision, default_baseline, patch_group

OWNER_AWS = "AWS"
OWNER_SELF = "Self"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBaseline:
    """A baseline, who owns it (`AWS` or `Self`), and which revision it is."""

    baseline: Baseline
    owner: str
    revision: int


_ONE: Final = sa.select(baseline.c.owner, baseline.c.revision, baseline.c.body).where(
    baseline.c.baseline_id == sa.bindparam("id")
)
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_REVISION: Final = prepared(
    sa.select(baseline_revision.c.body).where(
        baseline_revision.c.baseline_id == sa.bindparam("id"), baseline_revision.c.revision == sa.bindparam("revision")
    )
)
_DELETE: Final = prepared(sa.delete(baseline).where(baseline.c.baseline_id == sa.bindparam("id")))
_DEFAULT: Final = prepared(
    sa.select(default_baseline.c.baseline_id).where(default_baseline.c.operating_system == sa.bindparam("os"))
)
_DEFAULTS: Final = prepared(sa.select(default_baseline.c.operating_system, default_baseline.c.baseline_id))
_FOR_GROUP: Final = prepared(
    sa.select(patch_group.c.baseline_id).where(
        patch_group.c.patch_group == sa.bindparam("name"), patch_group.c.operating_system == sa.bindparam("os")
    )
)
_GROUPS_OF: Final = prepared(
    sa.select(patch_group.c.patch_group)
    .where(patch_group.c.baseline_id == sa.bindparam("id"))
    .order_by(patch_group.c.patch_group)
)
_COUNT: Final = prepared(
    sa.select(sa.func.count()).select_from(baseline).where(baseline.c.owner == sa.bindparam("owner"))
)
_DEREGISTER: Final = prepared(
    sa.delete(patch_group).where(
        patch_group.c.patch_group == sa.bindparam("name"), patch_group.c.baseline_id == sa.bindparam("id")
    )
)


class Baselines(Choices):
    """Patch baselines, by bare id (`pb-…`)."""

    def get(self, baseline_id: str) -> StoredBaseline | None:
        """Return the baseline as it is now."""
        return self._one(_GET, baseline_id)

    def lock(self, baseline_id: str) -> StoredBaseline | None:
        """Return the baseline, and keep other writers from it until the transaction ends."""
        return self._one(_LOCK, baseline_id)

    def revision(self, baseline_id: str, revision: int) -> Baseline | None:
        """Return the baseline as it was, also when it is deleted."""
        body = self._scalar(_REVISION, {"id": baseline_id, "revision": revision})
        return None if body is None else loads(Baseline, body)

    def put(self, value: Baseline, *, owner: str) -> StoredBaseline:
        """Keep a new baseline, or a new revision of one; unchanged content makes no revision.

        What the former revision said of nodes is due to be evaluated anew.
        """
        before = self.lock(value.baseline_id)
        if before is not None and before.baseline == value:
            return before
        if before is not None:
            self.take(value.operating_system)
            self.mark_baseline(value.baseline_id)
        revision = 1 if before is None else before.revision + 1
        body = dumps(value)
        self._upsert(
            baseline,
            baseline_id=value.baseline_id,
            name=value.name,
            operating_system=value.operating_system,
            owner=owner,
            revision=revision,
            body=body,
        )
        self._upsert(baseline_revision, baseline_id=value.baseline_id, revision=revision, body=body)
        return StoredBaseline(baseline=value, owner=owner, revision=revision)

    def delete(self, baseline_id: str) -> None:
        """Delete the baseline; its revisions stay, for what was evaluated with them.

        Raises:
            InUse: it is a default, or a patch group is registered with it; the transaction cannot go on.
        """
        try:
            self._change(_DELETE, {"id": baseline_id})
        except sa.exc.IntegrityError:
            raise InUse(
                f"baseline {baseline_id} is a default, or patch groups are registered with it; take those from it first"
            ) from None

    def page(
        self,
        *,
        after: str,
        limit: int,
        name_prefix: str | None = None,
        owner: str | None = None,
        operating_systems: tuple[str, ...] = (),
    ) -> list[StoredBaseline]:
        """Return up to *limit* baselines whose ids come after *after*, in order of id."""
        statement = sa.select(baseline).where(baseline.c.baseline_id > after)
        if name_prefix is not None:
            statement = statement.where(like_prefix(baseline.c.name, name_prefix))
        if owner is not None:
            statement = statement.where(baseline.c.owner == owner)
        if operating_systems:
            statement = statement.where(baseline.c.operating_system.in_(operating_systems))
        rows = self._rows(statement.order_by(baseline.c.baseline_id).limit(limit))
        return [
            StoredBaseline(baseline=loads(Baseline, row.body), owner=row.owner, revision=row.revision) for row in rows
        ]

    def count(self, owner: str) -> int:
        """Return how many baselines *owner* has."""
        found: int = self._scalar(_COUNT, {"owner": owner})
        return found

    def default_of(self, operating_system: str) -> str | None:
        """Return the id of the default baseline of *operating_system*."""
        found: str | None = self._scalar(_DEFAULT, {"os": operating_system})
        return found

    def defaults(self) -> dict[str, str]:
        """Return the ids of the default baselines, by operating system."""
        return {row.operating_system: row.baseline_id for row in self._rows(_DEFAULTS)}

    def set_default(self, operating_system: str, baseline_id: str) -> None:
        """Make a baseline the default of its operating system."""
        self.take(operating_system)
        self.mark_system(operating_system)
        self._upsert(default_baseline, operating_system=operating_system, baseline_id=baseline_id)

    def _one(self, statement: Prepared, baseline_id: str) -> StoredBaseline | None:
        row = self._row(statement, {"id": baseline_id})
        if row is None:
            return None
        return StoredBaseline(baseline=loads(Baseline, row.body), owner=row.owner, revision=row.revision)


class PatchGroups(Choices):
    """Which baseline a patch group follows, for each operating system."""

    def baseline_of(self, name: str, operating_system: str) -> str | None:
        """Return the id of the baseline that is registered for the group."""
        found: str | None = self._scalar(_FOR_GROUP, {"name": name, "os": operating_system})
        return found

    def of_baseline(self, baseline_id: str) -> list[str]:
        """Return the names of the groups that are registered with a baseline, in order."""
        return self._scalars(_GROUPS_OF, {"id": baseline_id})

    def register(self, name: str, operating_system: str, baseline_id: str) -> bool:
        """Register the pair, and return False where the group has a baseline for this operating system already."""
        self.take(operating_system)
        self.mark_group(name, operating_system)
        return self._insert_if_new(
            patch_group, patch_group=name, operating_system=operating_system, baseline_id=baseline_id
        )

    def deregister(self, name: str, baseline_id: str) -> bool:
        """Remove the pair, and return whether there was one."""
        system = self.system_of_group(name, baseline_id)
        if system is not None:
            self.take(system)
            self.mark_group(name, system)
        return self._change(_DEREGISTER, {"name": name, "id": baseline_id}) > 0

    def page(
        self,
        *,
        after: tuple[str, str],
        limit: int,
        name_prefix: str | None = None,
        operating_systems: tuple[str, ...] = (),
    ) -> list[tuple[str, str, str]]:
        """Return up to *limit* triples (group, operating system, baseline id) after the pair *after*, in order."""
        key = sa.tuple_(patch_group.c.patch_group, patch_group.c.operating_system)
        statement = sa.select(patch_group).where(key > sa.tuple_(*map(sa.literal, after)))
        if name_prefix is not None:
            statement = statement.where(like_prefix(patch_group.c.patch_group, name_prefix))
        if operating_systems:
            statement = statement.where(patch_group.c.operating_system.in_(operating_systems))
        ordered = statement.order_by(patch_group.c.patch_group, patch_group.c.operating_system).limit(limit)
        return [(row.patch_group, row.operating_system, row.baseline_id) for row in self._rows(ordered)]
