"""Who is signed in to the console: passwords, links that sign in once, sessions.

No operation of the API: a browser cannot sign requests. What is kept of tokens and links are digests, so that who reads the
database is not signed in by what stands there.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from patchwindow.domain.errors import AlreadyExists, Invalid, Unauthenticated
from patchwindow.ports import Clock, Ids
from patchwindow.store.database import Database
from patchwindow.store.people import Person
from patchwindow.store.settings import Role
from patchwindow.store.work import Work

IDLE_MAX: Final = timedelta(hours=12)
"""After so long without a page a session is over."""
SESSION_MAX: Final = timedelta(days=7)
"""After so long a session is over, however much it is used."""
LINK_LIFE: Final = timedelta(minutes=30)
PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 256

_SEEN_EVERY: Final = timedelta(minutes=5)
"""How exactly the last use of a session is known: not every page is to write."""
_NAME: Final = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_TOKEN_LENGTH: Final = 43  # of 62 characters: 256 bits

_HASHER: Final = PasswordHasher()
# Hashed when nobody has the name: a refusal must not tell by its time which names there are.
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"


class NotSignedIn(Unauthenticated):
    """Name and password, or a link, do not sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who uses a browser."""

    name: str
    role: Role
    has_password: bool


class SignIn:
    """The door of the console."""

    def __init__(self, database: Database, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids

    def by_password(self, name: str, password: str) -> str:
        """Return the token of a new session.

        Raises:
            NotSignedIn: the name is unknown or disabled, has no password, or another; the message does not say which.
        """
        with self._database.read() as work:
            person = work.people.get(name)
        # Outside of any transaction, as it takes long on purpose.
        is_right = _is_right(person.password_hash if person and person.password_hash else _NOBODY, password)
        if person is None or not person.password_hash or not is_right:
            raise NotSignedIn("name and password do not fit; try again, or ask an administrator for a sign-in link")
        return self._open(person.name)

    def by_link(self, secret: str) -> str:
        """Return the token of a new session of whom the link is for; the link is used up.

        Raises:
            NotSignedIn: the link is unknown, was used, or its time is over.
        """
        with self._database.write() as work:
            name = work.people.use_link(_digest(secret), self._clock.now())
        if name is None:
            raise NotSignedIn(
                "this sign-in link was used, or is over, or never was; make another: `patchwindow people link NAME`"
            )
        return self._open(name)

    def person_of_link(self, secret: str) -> str | None:
        """Return whom a link would sign in; the link is not used up."""
        with self._database.read() as work:
            return work.people.person_of_link(_digest(secret), self._clock.now())

    def signed_in(self, token: str) -> SignedIn | None:
        """Return whose session this is; None where there is none, or it is over."""
        now, digest = self._clock.now(), _digest(token)
        with self._database.read() as work:
            session = work.people.session(digest)
        if session is None or not session.person.is_enabled:
            return None
        if now - session.seen_at > IDLE_MAX or now - session.opened_at > SESSION_MAX:
            return None
        if now - session.seen_at > _SEEN_EVERY:
            with self._database.write() as work:
                work.people.see(digest, now)
        person = session.person
        return SignedIn(name=person.name, role=person.role, has_password=bool(person.password_hash))

    def end(self, token: str) -> None:
        """End the session."""
        with self._database.write() as work:
            work.people.end_session(_digest(token))

    def change_password(self, name: str, *, old: str, new: str) -> str:
        """Let somebody have a new password; all sessions end, and the token of a new one is returned.

        Raises:
            Invalid: the new password will not do.
            NotSignedIn: the old password is wrong; who has none need not give one.
        """
        hashed = hash_password(new)
        with self._database.read() as work:
            person = work.people.get(name)
        if person is None or (person.password_hash and not _is_right(person.password_hash, old)):
            raise NotSignedIn("the present password is another; nothing was changed")
        with self._database.write() as work:
            work.people.change(replace(person, password_hash=hashed))
            work.people.end_sessions(name)
        return self._open(name)

    def _open(self, name: str) -> str:
        token, now = self._ids.secret(_TOKEN_LENGTH), self._clock.now()
        with self._database.write() as work:
            person = work.people.get(name)
            if person is None or not person.is_enabled:
                raise NotSignedIn(f"{name} may not sign in any more; ask an administrator")
            work.people.end_old(seen_before=now - IDLE_MAX, opened_before=now - SESSION_MAX, now=now)
            work.people.open_session(_digest(token), name, now)
        return token


def make_link(work: Work, name: str, *, now: datetime, ids: Ids) -> str:
    """Return the secret of a new link that signs in *name*, who is known, once within `LINK_LIFE`."""
    secret = ids.secret(_TOKEN_LENGTH)
    work.people.add_link(_digest(secret), name, now + LINK_LIFE)
    return secret


def add_person(work: Work, name: str, role: Role, *, now: datetime) -> None:
    """Let there be somebody new, who has no password yet.

    Raises:
        Invalid: the name will not do.
        AlreadyExists: there is somebody of this name.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(f"name {name!r} will not do; use 1 to 64 of the letters a-z, digits and . _ @ + -")
    if not work.people.add(Person(name=name, role=role), now):
        raise AlreadyExists(f"there is somebody called {name!r} already; choose another name")


def hash_password(password: str) -> str:
    """Return the hash of a new password.

    Raises:
        Invalid: it is too short or too long.
    """
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise Invalid(
            f"the password has {len(password)} characters; use {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX}"
        )
    return _HASHER.hash(password)


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password[:PASSWORD_LENGTH_MAX])
    except (Argon2Error, InvalidHashError):
        return False


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
