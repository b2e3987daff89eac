"""Who signs in to the console: for admins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patchwindow.console.refusals import FormProblem
from patchwindow.console.view import Act, Done, Once, Shown, Table, View

PLACE: Final = "/console/people"
PAGE_SIZE: Final = 50
ROLES: Final = (
    ("viewer", "viewer: look"),
    ("operator", "operator: everything but people and keys"),
    ("admin", "admin: everything"),
)
_COLUMNS: Final = ("Name", "Role", "Enabled", "HasPassword")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """The list, and the form for somebody new."""

    people: Sequence[Mapping[str, Any]]
    roles: Sequence[tuple[str, str]]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """A link that signs somebody in, told once."""

    name: str
    link: str
    ends_at: datetime
    is_new: bool


def show(view: View) -> Shown:
    """Return the list of people.

    Raises:
        Denied: the reader is no admin.
    """
    answer = view.ask("ListPeople", MaxResults=PAGE_SIZE, NextToken=view.first("after") or None)
    return Shown(
        title="People",
        template="people.html",
        page=PeoplePage(people=answer["People"], roles=ROLES, next=answer.get("NextToken", "")),
        command=("patchwindow people list",),
        table=Table(
            _COLUMNS,
            ([one[name] for name in _COLUMNS] for one in view.each("ListPeople", "People", MaxResults=PAGE_SIZE)),
        ),
    )


def submit(act: Act) -> Done | Once:
    """Add somebody, or do what a button of the list says.

    Raises:
        FormProblem: no button says so.
        PatchwindowError: whatever the operation refuses, such as to let the last admin go.
    """
    view, name = act.view, act.first("Who")
    match act.first("Do"):
        case "add":
            added = act.first("Name")
            view.ask("CreatePerson", Name=added, Role=act.first("Role"))
            return _link(view, added, is_new=True)
        case "link":
            return _link(view, name, is_new=False)
        case "role":
            view.ask("UpdatePerson", Name=name, Role=act.first("NewRole"))
            said = f"{name} has the role {act.first('NewRole')}"
        case "disable":
            view.ask("UpdatePerson", Name=name, Enabled=False)
            said = f"{name} is disabled, and signed out everywhere"
        case "enable":
            view.ask("UpdatePerson", Name=name, Enabled=True)
            said = f"{name} may sign in again"
        case "delete":
            view.ask("DeletePerson", Name=name)
            said = f"{name} is deleted, and signed out everywhere"
        case other:
            raise FormProblem({"": f"{other!r} cannot be done here; use a button of the page"})
    return Done(url=PLACE, said=said)


def _link(view: View, name: str, *, is_new: bool) -> Once:
    made = view.ask("CreateSignInLink", Name=name)
    page = LinkPage(name=name, link=made["Link"], ends_at=made["ExpiresTime"], is_new=is_new)
    return Once(Shown(title=f"A link for {name}", template="person_link.html", page=page))
