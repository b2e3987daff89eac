"""How much of each kind one server keeps.

Nothing in this server needs a small limit, so each default lies far above what an installation has. There is one for
each kind all the same: a script that goes round in circles must not fill the database, nor make every list and every
opening slow for the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, Self

from patchwindow.domain.errors import Invalid, LimitExceeded, PatchwindowError, TooManyTags

QUOTA_MAX: Final = 1_000_000_000
"""The greatest value of any quota: as good as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The most of each kind; a field's name with hyphens is the quota's name.

    Transactions that add at the same time do not see each other: an account-wide quota may be passed by a few.
    """

    windows: int = 10_000
    """Maintenance windows. Each is looked at when openings are listed."""
    targets_per_window: int = 1_000
    """Targets of one window. All of them are read when the window opens."""
    tasks_per_window: int = 1_000
    """Tasks of one window. All of them are copied into each of its executions."""
    targets_per_task: int = 100
    """Window targets that one task names. Each is a command of its own, sent one after another."""
    baselines: int = 1_000
    """Patch baselines beside the predefined ones. Every revision of each is kept."""
    groups_per_baseline: int = 1_000
    """Patch groups that follow one baseline. GetPatchBaseline lists all of them."""
    activations: int = 10_000
    """Activations, used up and expired ones included, until they are deleted."""
    documents: int = 1_000
    """Documents beside those that come with the server. All of them are read when documents are listed."""
    versions_per_document: int = 1_000
    """Versions of one document, of which every update makes one. All of them are kept."""
    associations: int = 10_000
    """Associations. Each is looked at every half minute, for nodes that it lacks."""
    versions_per_association: int = 1_000
    """Versions of one association, of which every update makes one. All of them are kept."""
    resource_groups: int = 1_000
    """Resource groups. All of them are read when windows are looked for by a node."""
    custom_inventory_types: int = 200
    """Inventory types of the user's own. All of them are read when inventory is asked for."""
    custom_compliance_types: int = 100
    """Compliance types of the user's own, over all nodes."""
    tags_per_resource: int = 200
    """Tags of one node, baseline, window or group. All of them are read when nodes are selected by tags."""

    @classmethod
    def of(cls, settings: Iterable[str]) -> Self:
        """Return the quotas that *settings* such as ``windows=500`` mean; of one that is set twice the last counts.

        Raises:
            Invalid: a setting has another form, or there is no such quota.
        """
        return cls(**dict(map(_read, settings)))

    def check(self, quota: str, count: int, *, refuse: type[PatchwindowError] = LimitExceeded) -> None:
        """Check that there may be *count* of what the quota named *quota* limits.

        Raises:
            LimitExceeded: (or *refuse*) there may not.
        """
        most: int = getattr(self, _field(quota))
        if count > most:
            raise refuse(
                f"quota {quota} is {most}, and this would be {count}; remove some, "
                f"or start the server with a greater one: --quota {quota}={count}"
            )

    def check_tags(self, count: int) -> None:
        """Check that one resource may carry *count* tags.

        Raises:
            TooManyTags: it may not.
        """
        self.check("tags-per-resource", count, refuse=TooManyTags)


def names() -> list[str]:
    """Return the names of all quotas."""
    return [field.name.replace("_", "-") for field in fields(Quotas)]


def _field(quota: str) -> str:
    return quota.replace("-", "_")


def _read(setting: str) -> tuple[str, int]:
    quota, equals, value = setting.partition("=")
    if not equals or quota not in names():
        raise Invalid(f"quota {setting!r} is not known; use NAME=NUMBER with one of {', '.join(names())}")
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(QUOTA_MAX)) and 1 <= int(value) <= QUOTA_MAX):
        raise Invalid(f"quota {quota} is {value!r}; use a whole number from 1 to {QUOTA_MAX}")
    return _field(quota), int(value)
