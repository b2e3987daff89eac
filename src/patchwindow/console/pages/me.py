"""The reader's own settings: the zone of times, and the password."""

from collections.abc import Sequence
from dataclasses import dataclass

from patchwindow.console.times import zones
from patchwindow.console.view import Shown, View
from patchwindow.operations.sign_in import PASSWORD_LENGTH_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class MePage:
    """What can be chosen."""

    zones: Sequence[str]
    password_length_min: int


def show(view: View) -> Shown:
    """Return the reader's settings."""
    del view
    page = MePage(zones=zones(), password_length_min=PASSWORD_LENGTH_MIN)
    return Shown(title="You", template="me.html", page=page)
