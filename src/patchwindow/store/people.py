"""People who use the console, their sessions, and the links by which they sign in without a password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from patchwindow.protocol.records import from_ms
from patchwindow.store.people_tables import console_session, person, sign_in_link
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows, ms
from patchwindow.store.settings import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signs in to the console."""

    name: str
    role: Role
    password_hash: str = ""
    """An argon2 hash; empty where there is no password, so that links alone sign in."""
    is_enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser in which somebody is signed in."""

    person: Person
    opened_at: datetime
    seen_at: datetime


_PERSON: Final = prepared(sa.select(person).where(person.c.name == sa.bindparam("name")))
_PEOPLE: Final = prepared(sa.select(person).order_by(person.c.name))
_DELETE: Final = prepared(sa.delete(person).where(person.c.name == sa.bindparam("of")))
_SESSION: Final = prepared(
    sa.select(person, console_session.c.opened_at_ms, console_session.c.seen_at_ms)
    .join(person, person.c.name == console_session.c.person)
    .where(console_session.c.token_digest == sa.bindparam("digest"))
)
_SEEN: Final = prepared(
    sa.update(console_session)
    .where(console_session.c.token_digest == sa.bindparam("digest"))
    .values(seen_at_ms=sa.bindparam("now_ms"))
)
_END: Final = prepared(sa.delete(console_session).where(console_session.c.token_digest == sa.bindparam("digest")))
_END_ALL: Final = prepared(sa.delete(console_session).where(console_session.c.person == sa.bindparam("of")))
_END_OLD: Final = prepared(
    sa.delete(console_session).where(
        sa.or_(
            console_session.c.seen_at_ms < sa.bindparam("seen_before_ms"),
            console_session.c.opened_at_ms < sa.bindparam("opened_before_ms"),
        )
    )
)
_LINK: Final = prepared(
    sa.select(sign_in_link.c.person).where(
        sign_in_link.c.secret_digest == sa.bindparam("digest"), sign_in_link.c.ends_at_ms > sa.bindparam("now_ms")
    )
)
_DELETE_LINK: Final = prepared(sa.delete(sign_in_link).where(sign_in_link.c.secret_digest == sa.bindparam("digest")))
_DELETE_LINKS: Final = prepared(sa.delete(sign_in_link).where(sign_in_link.c.person == sa.bindparam("of")))
_DELETE_OLD_LINKS: Final = prepared(sa.delete(sign_in_link).where(sign_in_link.c.ends_at_ms <= sa.bindparam("now_ms")))


class People(Rows):
    """The people of an installation."""

    def get(self, name: str) -> Person | None:
        """Return the person, enabled or not."""
        row = self._row(_PERSON, {"name": name})
        return None if row is None else _person(row)

    def all(self) -> list[Person]:
        """Return all, by name."""
        return [_person(row) for row in self._rows(_PEOPLE)]

    def add(self, one: Person, now: datetime) -> bool:
        """Keep somebody new, and return whether the name was free."""
        return self._insert_if_new(
            person,
            name=one.name,
            role=one.role,
            password_hash=one.password_hash,
            is_enabled=int(one.is_enabled),
            created_at_ms=ms(now),
        )

    def change(self, one: Person) -> None:
        """Let somebody who is known be as *one* says."""
        changed = sa.update(person).where(person.c.name == one.name)
        self._change(changed.values(role=one.role, password_hash=one.password_hash, is_enabled=int(one.is_enabled)), {})

    def delete(self, name: str) -> bool:
        """Forget somebody with every session and link, and return whether there was one."""
        return self._change(_DELETE, {"of": name}) == 1

    def open_session(self, token_digest: str, name: str, now: datetime) -> None:
        """Keep that a browser is signed in."""
        row = {"opened_at_ms": ms(now), "seen_at_ms": ms(now)}
        self._upsert(console_session, token_digest=token_digest, person=name, **row)

    def session(self, token_digest: str) -> Session | None:
        """Return the session with this digest, however old."""
        row = self._row(_SESSION, {"digest": token_digest})
        if row is None:
            return None
        return Session(person=_person(row), opened_at=from_ms(row.opened_at_ms), seen_at=from_ms(row.seen_at_ms))

    def see(self, token_digest: str, now: datetime) -> None:
        """Note that the session is in use."""
        self._change(_SEEN, {"digest": token_digest, "now_ms": ms(now)})

    def end_session(self, token_digest: str) -> None:
        """Forget one session."""
        self._change(_END, {"digest": token_digest})

    def end_sessions(self, name: str) -> None:
        """Forget all sessions and links of somebody."""
        self._change(_END_ALL, {"of": name})
        self._change(_DELETE_LINKS, {"of": name})

    def end_old(self, *, seen_before: datetime, opened_before: datetime, now: datetime) -> None:
        """Forget sessions that are over, and links that nobody used in time."""
        self._change(_END_OLD, {"seen_before_ms": ms(seen_before), "opened_before_ms": ms(opened_before)})
        self._change(_DELETE_OLD_LINKS, {"now_ms": ms(now)})

    def add_link(self, secret_digest: str, name: str, ends_at: datetime) -> None:
        """Keep a link that signs somebody in once, before an instant."""
        self._upsert(sign_in_link, secret_digest=secret_digest, person=name, ends_at_ms=ms(ends_at))

    def person_of_link(self, secret_digest: str, now: datetime) -> str | None:
        """Return whom the link signs in, None where it is unknown, used or over."""
        name: str | None = self._scalar(_LINK, {"digest": secret_digest, "now_ms": ms(now)})
        return name

    def use_link(self, secret_digest: str, now: datetime) -> str | None:
        """Return whom the link signs in, as `person_of_link`; it does so no second time."""
        name = self.person_of_link(secret_digest, now)
        # Whoever deletes the row has used it: two who come at once are not both let in.
        return name if self._change(_DELETE_LINK, {"digest": secret_digest}) == 1 else None


def _person(row: Any) -> Person:
    return Person(name=row.name, role=Role(row.role), password_hash=row.password_hash, is_enabled=bool(row.is_enabled))
