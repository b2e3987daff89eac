"""Resource groups."""

from typing import Final

import sqlalchemy as sa

from patchwindow.domain.resource_group import ResourceGroup
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows
from patchwindow.store.tables import resource_group

GROUP_TAGS: Final = "ResourceGroup"

_ONE: Final = sa.select(resource_group.c.body).where(resource_group.c.name == sa.bindparam("name"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_ALL: Final = prepared(sa.select(resource_group.c.body).order_by(resource_group.c.name))
_DELETE: Final = prepared(sa.delete(resource_group).where(resource_group.c.name == sa.bindparam("name")))


class ResourceGroups(Rows):
    """Resource groups, by name."""

    def add(self, value: ResourceGroup) -> bool:
        """Keep a new group, and return whether there was none of its name."""
        return self._insert_if_new(resource_group, name=value.name, body=dumps(value))

    def put(self, value: ResourceGroup) -> None:
        """Keep a changed group."""
        self._upsert(resource_group, name=value.name, body=dumps(value))

    def get(self, name: str) -> ResourceGroup | None:
        """Return the group."""
        body = self._scalar(_GET, {"name": name})
        return None if body is None else loads(ResourceGroup, body)

    def lock(self, name: str) -> ResourceGroup | None:
        """Return the group, and keep other writers from it until the transaction ends."""
        body = self._scalar(_LOCK, {"name": name})
        return None if body is None else loads(ResourceGroup, body)

    def all(self) -> list[ResourceGroup]:
        """Return all groups, by name."""
        return [loads(ResourceGroup, body) for body in self._scalars(_ALL)]

    def delete(self, name: str) -> None:
        """Delete the group; what it selected stays."""
        self._change(_DELETE, {"name": name})
