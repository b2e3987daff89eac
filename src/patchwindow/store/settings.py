"""Settings of the installation, access keys, and client tokens that were used."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.errors import MovedMeanwhile
from patchwindow.protocol.records import to_ms
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.tables import access_key, client_token, setting


class Role(StrEnum):
    """What an access key may do."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key that signs requests."""

    access_key_id: str
    secret_access_key: str
    role: Role
    comment: str = ""
    is_enabled: bool = True


_SETTING: Final = prepared(sa.select(setting.c.value).where(setting.c.name == sa.bindparam("name")))
_KEY: Final = prepared(sa.select(access_key).where(access_key.c.access_key_id == sa.bindparam("id")))
_KEYS: Final = prepared(sa.select(access_key).order_by(access_key.c.created_at_ms, access_key.c.access_key_id))
_ENABLE: Final = prepared(
    sa.update(access_key).where(access_key.c.access_key_id == sa.bindparam("id")).values(is_enabled=sa.bindparam("to"))
)
_DELETE_KEY: Final = prepared(sa.delete(access_key).where(access_key.c.access_key_id == sa.bindparam("id")))
_TOKEN: Final = prepared(
    sa.select(client_token.c.digest, client_token.c.answer, client_token.c.expires_at_ms).where(
        client_token.c.operation == sa.bindparam("operation"), client_token.c.token == sa.bindparam("token")
    )
)
_FORGET_TOKEN: Final = prepared(
    sa.delete(client_token).where(
        client_token.c.operation == sa.bindparam("operation"), client_token.c.token == sa.bindparam("token")
    )
)
_FORGOTTEN_MAX: Final = 16
"""How many ended tokens one new token clears away: more than one, so that they become fewer, and few, so that it is quick."""
_ENDED: Final = (
    sa.select(client_token.c.operation, client_token.c.token)
    .where(client_token.c.expires_at_ms <= sa.bindparam("now_ms"))
    .order_by(client_token.c.expires_at_ms)
    .limit(_FORGOTTEN_MAX)
    .with_for_update(skip_locked=True)
)
_FORGET_ENDED: Final = prepared(
    sa.delete(client_token).where(sa.tuple_(client_token.c.operation, client_token.c.token).in_(_ENDED))
)


class Settings(Rows):
    """Named values of the installation."""

    def get(self, name: str) -> str | None:
        """Return the value of setting *name*."""
        value: str | None = self._scalar(_SETTING, {"name": name})
        return value

    def put(self, name: str, value: str) -> None:
        """Set *name* to *value*, whatever it was."""
        self._upsert(setting, name=name, value=value)

    def keep(self, name: str, value: str) -> str:
        """Set *name* to *value* unless it is set, and return what it is then."""
        self._insert_if_new(setting, name=name, value=value)
        kept = self.get(name)
        assert kept is not None
        return kept


class AccessKeys(Rows):
    """The keys of people and programs."""

    def add(self, key: AccessKey, now: datetime) -> None:
        """Keep a new key."""
        self._upsert(
            access_key,
            access_key_id=key.access_key_id,
            secret_access_key=key.secret_access_key,
            role=key.role,
            comment=key.comment,
            is_enabled=int(key.is_enabled),
            created_at_ms=ms(now),
        )

    def get(self, access_key_id: str) -> AccessKey | None:
        """Return the key, enabled or not."""
        row = self._row(_KEY, {"id": access_key_id})
        return None if row is None else _key(row)

    def all(self) -> list[AccessKey]:
        """Return all keys, the oldest first."""
        return [_key(row) for row in self._rows(_KEYS)]

    def enable(self, access_key_id: str, *, to: bool) -> bool:
        """Enable or disable a key, and return whether there is one."""
        return self._change(_ENABLE, {"id": access_key_id, "to": int(to)}) == 1

    def delete(self, access_key_id: str) -> bool:
        """Forget a key, and return whether there was one."""
        return self._change(_DELETE_KEY, {"id": access_key_id}) == 1


class ClientTokens(Rows):
    """Answers kept under the client token of the request, so that a repeated request makes nothing new."""

    def find(self, operation: str, token: str, now: datetime) -> tuple[str, str] | None:
        """Return the request's digest and the answer given to it.

        Where there is none, the token is free to be kept; a few of those whose time is over are then forgotten.
        """
        key = {"operation": operation, "token": token}
        row = self._row(_TOKEN, key)
        if row is not None and row.expires_at_ms > to_ms(now):
            return row.digest, row.answer
        if row is not None:
            self._change(_FORGET_TOKEN, key)
        self._change(_FORGET_ENDED, {"now_ms": ms(now)})
        return None

    def keep(self, operation: str, token: str, *, digest: str, answer: str, until: datetime) -> None:
        """Keep the *answer* given to a request.

        Raises:
            MovedMeanwhile: the same request was answered at the same time; its answer is the one to give.
        """
        row = {"digest": digest, "answer": answer, "expires_at_ms": ms(until)}
        if not self._insert_if_new(client_token, operation=operation, token=token, **row):
            raise MovedMeanwhile(f"a {operation} with ClientToken {token!r} was answered at this moment; send it again")


def _key(row: Any) -> AccessKey:
    return AccessKey(
        access_key_id=row.access_key_id,
        secret_access_key=row.secret_access_key,
        role=Role(row.role),
        comment=row.comment,
        is_enabled=bool(row.is_enabled),
    )
