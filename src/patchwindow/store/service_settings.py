"""Settings of the service that somebody changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from patchwindow.protocol.records import from_ms
from patchwindow.store.inventory_tables import service_setting
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedSetting:
    """A value that is not the default, and who set it when."""

    value: str
    modified_at: datetime
    modified_by: str


_OF: Final = service_setting.c.setting_id == sa.bindparam("id")
_GET: Final = prepared(sa.select(service_setting).where(_OF))
_DELETE: Final = prepared(sa.delete(service_setting).where(_OF))


class ServiceSettings(Rows):
    """Settings that have another value than their default."""

    def put(self, setting_id: str, setting: ChangedSetting) -> None:
        """Keep a value."""
        self._upsert(
            service_setting,
            setting_id=setting_id,
            value=setting.value,
            modified_at_ms=ms(setting.modified_at),
            modified_by=setting.modified_by,
        )

    def get(self, setting_id: str) -> ChangedSetting | None:
        """Return the value; None where it is the default."""
        row = self._row(_GET, {"id": setting_id})
        if row is None:
            return None
        return ChangedSetting(value=row.value, modified_at=from_ms(row.modified_at_ms), modified_by=row.modified_by)

    def reset(self, setting_id: str) -> None:
        """Go back to the default."""
        self._change(_DELETE, {"id": setting_id})
