"""What an operation is given besides its request, and what operations share."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from patchwindow.domain.errors import InvalidFilter, PatchwindowError
from patchwindow.operations.quotas import Quotas
from patchwindow.ports import Ids
from patchwindow.protocol.pages import Key, next_token, read_page
from patchwindow.store.settings import Role
from patchwindow.store.work import Work

Request = Mapping[str, Any]
"""The input members of an operation, parsed and checked by its model."""

Answer = dict[str, Any]
"""The output members of an operation."""

T = TypeVar("T")
_ARN = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]*:\d*:[a-z-]+/(.+)")
OUTPUT_BYTES_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is the same for all requests to one server."""

    account_id: str
    region: str
    public_url: str
    """Where nodes reach this server, without a slash at the end."""
    seal_key: bytes
    """What session tokens and capability URLs are sealed with."""
    program_digest: str
    """Hex SHA-256 of the agent's zip application."""
    ca_fingerprint: str = ""
    """Hex SHA-256 of the CA that nodes are to trust; empty where their systems know it already, or without TLS."""
    quotas: Quotas = field(default_factory=Quotas)
    node_key_life: timedelta | None = None
    """From which age of its key on a node is asked for another; None: never."""
    output_bytes_max: int = OUTPUT_BYTES_MAX
    """How much of each stream of a step is kept."""

    def arn(self, resource: str) -> str:
        """Return the ARN of *resource*, such as `managed-instance/mi-…`."""
        return f"arn:aws:ssm:{self.region}:{self.account_id}:{resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: a person or program with a role, or a node."""

    id: str
    role: Role | None = None
    node_id: str | None = None
    address: str = ""
    """The IP address that the request came from; empty where it came from none."""


SERVER: Final = Caller(id="server", role=Role.ADMIN)
"""Who has the server's own data at hand, and may do everything: the command line on its machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of one operation: its transaction, its one instant, and who asks."""

    operation: str
    caller: Caller
    work: Work
    now: datetime
    ids: Ids
    site: Site

    def pages(
        self,
        request: Request,
        member: str,
        *,
        default: int,
        fetch: Callable[[Key | None, int], Sequence[T]],
        key: Callable[[T], Key],
        shape: Callable[[T], object],
    ) -> Answer:
        """Return one page of a list, as *member*, with NextToken where more follows.

        *fetch* returns up to so many entries beyond a key; *key* says where an entry stands; *shape* gives its form.

        Raises:
            InvalidPageToken: NextToken was not given out for this request.
        """
        page = read_page(self.operation, request, default=default)
        entries = fetch(page.after, page.size + 1)
        answer: Answer = {member: [shape(entry) for entry in entries[: page.size]]}
        if len(entries) > page.size:
            answer["NextToken"] = next_token(self.operation, request, key(entries[page.size - 1]))
        return answer


def after_text(key: Key | None) -> str:
    """Return the text that a list goes on after; every text comes after the empty one."""
    return "" if key is None else str(key[0])


def after_number(key: Key | None) -> int:
    """Return the number that a list goes on after."""
    return -1 if key is None else int(key[0])


def slice_after(entries: Sequence[T], key: Key | None, limit: int) -> Sequence[T]:
    """Return up to *limit* of *entries*, which are in memory, beyond the position that *key* names."""
    start = 0 if key is None else int(key[0]) + 1
    return entries[start : start + limit]


def filter_values(
    filters: Sequence[Mapping[str, Any]] | None,
    allowed: Sequence[str],
    *,
    refuse: type[PatchwindowError] = InvalidFilter,
) -> dict[str, tuple[str, ...]]:
    """Return the values of `[{Key, Values}]` filters, by key; equal keys are joined.

    The model demands neither of the two members.

    Raises:
        InvalidFilter: (or *refuse*) a key is not one of *allowed*, or has no values.
    """
    found: dict[str, tuple[str, ...]] = {}
    for each in filters or ():
        key, values = each.get("Key", ""), each.get("Values")
        if key not in allowed:
            raise refuse(f"filter key {key!r} is not known here; use one of {', '.join(allowed)}")
        if not values:
            raise refuse(f"filter {key} has no values; give at least one, or leave the filter out")
        found[key] = found.get(key, ()) + tuple(values)
    return found


def bare_id(id_or_arn: str) -> str:
    """Return the id in an ARN of the service, or the id itself."""
    found = _ARN.fullmatch(id_or_arn)
    return id_or_arn if found is None else found[1]
