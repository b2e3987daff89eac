"""Activations: what lets machines register as nodes, and the lines that do so, which are shown once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from patchwindow.console import edits
from patchwindow.console.refusals import FormProblem
from patchwindow.console.view import Act, Cell, Done, Once, Shown, Table, View
from patchwindow.domain.installation import Installation, powershell_line, shell_line

PAGE_SIZE: Final = 50
GROUP_TAG: Final = "Patch Group"
PLACE: Final = "/console/activations"
LIVES: Final = (("1", "1 hour"), ("24", "1 day"), ("168", "7 days"), ("720", "30 days"))
"""For how long a new one is good, in hours; 30 days are the most."""
_ROLE: Final = "AmazonEC2RunCommandRoleForManagedInstances"
_COLUMNS: Final = (
    "ActivationId", "Description", "DefaultInstanceName", "RegistrationsCount", "RegistrationLimit", "CreatedDate",
    "ExpirationDate", "Expired",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One activation."""

    about: Mapping[str, Any]
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationsPage:
    """The list."""

    rows: Sequence[Row]
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPage:
    """The form for a new one."""

    lives: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePage:
    """A new one, with what is told this once."""

    activation_id: str
    code: str
    limit: int
    lines: Sequence[tuple[str, str]]
    """Where to paste it, and the line."""


def show_all(view: View) -> Shown:
    """Return the list of activations."""
    answer = view.ask("DescribeActivations", MaxResults=PAGE_SIZE, NextToken=view.first("after") or None)
    return Shown(
        title="Activations",
        template="activations.html",
        page=ActivationsPage(
            rows=[Row(about=one, state=_state(one)) for one in answer["ActivationList"]],
            next=answer.get("NextToken", ""),
        ),
        command=("patchwindow activations list",),
        table=Table(
            _COLUMNS,
            (_cells(one) for one in view.each("DescribeActivations", "ActivationList", MaxResults=PAGE_SIZE)),
        ),
    )


def delete(act: Act) -> Done:
    """Delete an activation; the nodes that registered with it stay."""
    act.view.ask("DeleteActivation", ActivationId=act.first("ActivationId"))
    return Done(url=PLACE, said="The activation is deleted: nothing registers with it any more")


def show_new(view: View) -> Shown:
    """Return the form for a new activation."""
    edits.need_operator(view)
    return Shown(
        title="Register nodes",
        template="activation_new.html",
        page=NewPage(lives=LIVES),
        command=("patchwindow activations create --limit 10 --tag 'Patch Group=Web Server'",),
    )


def create(act: Act) -> Once:
    """Make an activation, and return the page with its code.

    Raises:
        FormProblem: a number or a tag is none.
        PatchwindowError: whatever CreateActivation refuses.
    """
    view = act.view
    limit, hours = edits.whole(act, "RegistrationLimit"), act.first("ExpirationDate", LIVES[1][0])
    if act.problems:
        raise FormProblem(act.problems)
    if hours not in dict(LIVES):
        raise FormProblem({"ExpirationDate": f"{hours!r} hours cannot be chosen; use one of {', '.join(dict(LIVES))}"})
    given = {"Description": act.first("Description"), "DefaultInstanceName": act.first("DefaultInstanceName")}
    made = view.ask(
        "CreateActivation",
        IamRole=_ROLE,
        RegistrationLimit=1 if limit is None else limit,
        # The longest is 30 days from when it is made, not from when its form was read.
        ExpirationDate=view.now + timedelta(hours=int(hours)),
        Tags=_tags(act) or None,
        **{name: value or None for name, value in given.items()},
    )
    return Once(_made(view, made, limit or 1))


def _made(view: View, made: Mapping[str, Any], limit: int) -> Shown:
    server = view.ask("GetAgentInstallation")
    installation = Installation(
        url=server["Url"],
        region=server["Region"],
        ca_fingerprint=server.get("CaFingerprint", ""),
        activation_id=made["ActivationId"],
        activation_code=made["ActivationCode"],
    )
    page = MadePage(
        activation_id=made["ActivationId"],
        code=made["ActivationCode"],
        limit=limit,
        lines=(
            ("Linux or macOS, in a shell", shell_line(installation)),
            ("Windows with an amazon-ssm-agent, in an elevated PowerShell", powershell_line(installation)),
        ),
    )
    return Shown(title="Register nodes", template="activation_made.html", page=page)


def _tags(act: Act) -> list[dict[str, str]]:
    tags = [{"Key": GROUP_TAG, "Value": act.first("PatchGroup")}] if act.first("PatchGroup") else []
    for line in edits.lines(act, "Tags"):
        key, equals, value = line.partition("=")
        if not key or not equals:
            raise FormProblem({"Tags": f"{line!r} is not of the form KEY=VALUE, such as Environment=Production"})
        tags.append({"Key": key, "Value": value})
    return tags


def _state(one: Mapping[str, Any]) -> str:
    if one["Expired"]:
        return "Expired"
    return "UsedUp" if one["RegistrationsCount"] >= one["RegistrationLimit"] else "Open"


def _cells(one: Mapping[str, Any]) -> Sequence[Cell]:
    return [one.get(name) for name in _COLUMNS]
