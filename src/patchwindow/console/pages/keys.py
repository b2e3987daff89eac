"""The access keys that sign requests: for admins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.console.pages.people import ROLES
from patchwindow.console.refusals import FormProblem
from patchwindow.console.view import Act, Done, Once, Shown, Table, View

PLACE: Final = "/console/keys"
PAGE_SIZE: Final = 50
_COLUMNS: Final = ("AccessKeyId", "Role", "Enabled", "Comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysPage:
    """The list, and the form for a new one."""

    keys: Sequence[Mapping[str, Any]]
    roles: Sequence[tuple[str, str]]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePage:
    """A new key, with the secret that is told once."""

    access_key_id: str
    secret: str
    url: str


def show(view: View) -> Shown:
    """Return the list of access keys.

    Raises:
        Denied: the reader is no admin.
    """
    answer = view.ask("ListAccessKeys", MaxResults=PAGE_SIZE, NextToken=view.first("after") or None)
    return Shown(
        title="Access keys",
        template="keys.html",
        page=KeysPage(keys=answer["AccessKeys"], roles=ROLES, next=answer.get("NextToken", "")),
        command=("patchwindow keys list",),
        table=Table(
            _COLUMNS,
            (
                [one[name] for name in _COLUMNS]
                for one in view.each("ListAccessKeys", "AccessKeys", MaxResults=PAGE_SIZE)
            ),
        ),
    )


def submit(act: Act) -> Done | Once:
    """Make a key, or do what a button of the list says.

    Raises:
        FormProblem: no button says so.
        PatchwindowError: whatever the operation refuses, such as to let the last admin go.
    """
    view, key = act.view, act.first("Which")
    match act.first("Do"):
        case "add":
            made = view.ask("CreateAccessKey", Role=act.first("Role"), Comment=act.first("Comment") or None)
            page = MadePage(access_key_id=made["AccessKeyId"], secret=made["SecretAccessKey"], url=view.public_url)
            return Once(Shown(title="A new access key", template="key_made.html", page=page))
        case "disable":
            view.ask("UpdateAccessKey", AccessKeyId=key, Enabled=False)
            said = f"{key} is disabled: what it signs is refused"
        case "enable":
            view.ask("UpdateAccessKey", AccessKeyId=key, Enabled=True)
            said = f"{key} is enabled again"
        case "delete":
            view.ask("DeleteAccessKey", AccessKeyId=key)
            said = f"{key} is deleted: what it signs is refused"
        case other:
            raise FormProblem({"": f"{other!r} cannot be done here; use a button of the page"})
    return Done(url=PLACE, said=said)
