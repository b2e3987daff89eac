"""Who signs in to the console, and which keys sign requests: what admins manage.

An installation keeps somebody who may do everything: what would take that away is refused.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from patchwindow.domain.errors import Conflict, Invalid, NotFound
from patchwindow.operations.call import Answer, Call, Request, slice_after
from patchwindow.operations.sign_in import LINK_LIFE, add_person, make_link
from patchwindow.ports import Ids
from patchwindow.store.people import Person
from patchwindow.store.settings import AccessKey, Role

_PAGE: Final = 50
_ID_DIGITS: Final = 16
_SECRET_LENGTH: Final = 40


def create(call: Call, request: Request) -> Answer:
    """CreatePerson: without a password; the first way in is a link."""
    add_person(call.work, request["Name"], Role(request["Role"]), now=call.now)
    return {}


def list_people(call: Call, request: Request) -> Answer:
    """ListPeople: by name."""
    found = [one for one in call.work.people.all() if request.get("Name") in (None, one.name)]
    return call.pages(
        request,
        "People",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(list(enumerate(found)), after, limit),
        key=lambda pair: (pair[0],),
        shape=lambda pair: _person_members(pair[1]),
    )


def update(call: Call, request: Request) -> Answer:
    """UpdatePerson: what is not given stays; who is disabled is signed out everywhere."""
    person = _person(call, request["Name"])
    changed = replace(
        person,
        role=Role(request.get("Role", person.role)),
        is_enabled=request.get("Enabled", person.is_enabled),
    )
    _keep_an_admin(call, person, changed)
    call.work.people.change(changed)
    if not changed.is_enabled:
        call.work.people.end_sessions(person.name)
    return {}


def delete(call: Call, request: Request) -> Answer:
    """DeletePerson: signed out everywhere at once."""
    person = _person(call, request["Name"])
    _keep_an_admin(call, person, replace(person, is_enabled=False))
    call.work.people.delete(person.name)
    return {}


def create_link(call: Call, request: Request) -> Answer:
    """CreateSignInLink: the link is in this answer and nowhere else."""
    person = _person(call, request["Name"])
    if not person.is_enabled:
        raise Conflict(f"{person.name} is disabled and could not sign in by a link; enable that person first")
    secret = make_link(call.work, person.name, now=call.now, ids=call.ids)
    return {"Link": f"{call.site.public_url}/console/link/{secret}", "ExpiresTime": call.now + LINK_LIFE}


def create_key(call: Call, request: Request) -> Answer:
    """CreateAccessKey: the secret is in this answer and nowhere else."""
    key = _new_key(call.ids, role=Role(request["Role"]), comment=request.get("Comment", ""))
    call.work.access_keys.add(key, call.now)
    return {"AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}


def list_keys(call: Call, request: Request) -> Answer:
    """ListAccessKeys: the oldest first, without their secrets."""
    found = [one for one in call.work.access_keys.all() if request.get("AccessKeyId") in (None, one.access_key_id)]
    return call.pages(
        request,
        "AccessKeys",
        default=_PAGE,
        fetch=lambda after, limit: slice_after(list(enumerate(found)), after, limit),
        key=lambda pair: (pair[0],),
        shape=lambda pair: _key_members(pair[1]),
    )


def update_key(call: Call, request: Request) -> Answer:
    """UpdateAccessKey: what a disabled key signs is refused from now on."""
    key = _key(call, request["AccessKeyId"])
    if not request["Enabled"]:
        _keep_any_admin(call, key)
    call.work.access_keys.enable(key.access_key_id, to=request["Enabled"])
    return {}


def delete_key(call: Call, request: Request) -> Answer:
    """DeleteAccessKey: what it signs is refused from now on."""
    key = _key(call, request["AccessKeyId"])
    _keep_any_admin(call, key)
    call.work.access_keys.delete(key.access_key_id)
    return {}


def _new_key(ids: Ids, *, role: Role, comment: str) -> AccessKey:
    """Return a new access key, which is not kept yet.

    Raises:
        Invalid: the comment cannot be printed.
    """
    if not all(letter.isprintable() for letter in comment):
        raise Invalid(f"Comment {comment!r} has characters that cannot be printed; leave them out")
    return AccessKey(
        access_key_id=f"AKIA{ids.hex(_ID_DIGITS).upper()}",
        secret_access_key=ids.secret(_SECRET_LENGTH),
        role=role,
        comment=comment,
    )


def _keep_an_admin(call: Call, person: Person, changed: Person) -> None:
    """Refuse to let the last person go who may sign in and do everything.

    Keys do not count: who has none at hand would stand before a console in which nobody may let anybody in.
    """
    if _is_admin(person) and not _is_admin(changed) and not _admins(call.work.people.all(), person):
        raise Conflict(f"{person.name} is the only enabled admin who can sign in; let somebody else be an admin first")


def _keep_any_admin(call: Call, key: AccessKey) -> None:
    """Refuse to let the last key of an admin go where no person is one either."""
    if _is_admin(key) and not _admins([*call.work.people.all(), *call.work.access_keys.all()], key):
        raise Conflict(
            f"access key {key.access_key_id} is the only admin that there is; make another one, or a person, first"
        )


def _admins(all_: Iterable[Person | AccessKey], but: Person | AccessKey) -> bool:
    return any(_is_admin(one) and one != but for one in all_)


def _is_admin(one: Person | AccessKey) -> bool:
    return one.role is Role.ADMIN and one.is_enabled


def _person(call: Call, name: str) -> Person:
    found = call.work.people.get(name)
    if found is None:
        raise NotFound(f"there is nobody called {name!r}; `patchwindow people list` shows who there is")
    return found


def _key(call: Call, access_key_id: str) -> AccessKey:
    found = call.work.access_keys.get(access_key_id)
    if found is None:
        raise NotFound(f"there is no access key {access_key_id}; `patchwindow keys list` shows those there are")
    return found


def _person_members(one: Person) -> dict[str, Any]:
    return {
        "Name": one.name,
        "Role": str(one.role),
        "Enabled": one.is_enabled,
        "HasPassword": bool(one.password_hash),
    }


def _key_members(one: AccessKey) -> dict[str, Any]:
    return {
        "AccessKeyId": one.access_key_id,
        "Role": str(one.role),
        "Enabled": one.is_enabled,
        "Comment": one.comment,
    }
