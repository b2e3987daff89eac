"""`patchwindow catalog`: what is known of patches beside what nodes report."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from patchwindow.cli import show
from patchwindow.cli.feed_files import content_of
from patchwindow.cli.options import json_option, own_client_command
from patchwindow.client import SsmClient, call
from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Cve, Feed, Notice
from patchwindow.domain.feeds.reading import FeedKind, merged, read
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.protocol.records import to_members

Members = dict[str, Any]

_REQUEST_BYTES_MAX: Final = 700_000
"""How large a part of an import is at most: the server takes 1 MiB, and other writers want their turn."""

_PATCHES: Final[show.Columns] = {
    "OPERATING SYSTEM": "OperatingSystem",
    "PATCHES": "PatchCount",
    "REPORTED": "ReportedCount",
}
_SOURCES: Final[show.Columns] = {"IMPORTED": "ImportedAt", "ADVISORIES": "AdvisoryCount", "SOURCE": "Source"}


@click.group()
def catalog() -> None:
    """Import advisories, and show what is known of patches."""


@catalog.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE_OR_URL…")
@click.option("--kind", type=click.Choice([kind.value for kind in FeedKind]), required=True, help="What they are")
@click.option("--source", metavar="NAME", help="Under which name they are kept; otherwise kind and product")
@click.option(
    "--operating-system",
    type=click.Choice([system.value for system in OperatingSystem]),
    help="For which system they are; needed for updateinfo, which does not say it",
)
@click.option("--product", default="", metavar="NAME", help="For which product, such as RockyLinux9; otherwise for any")
@json_option
@own_client_command
def import_(
    client: SsmClient,
    *,
    files: Sequence[str],
    kind: str,
    source: str | None,
    operating_system: str | None,
    product: str,
    as_json: bool,
) -> None:
    """Import advisory feeds from files or URLs.

    All of them are read before anything is sent, and what is imported again takes the place of what was there.
    """
    scope = Scope(
        operating_system=None if operating_system is None else OperatingSystem(operating_system), product=product
    )
    feed = merged([_read(FeedKind(kind), name, scope) for name in files])
    name = source or " ".join(filter(None, (kind, product)))
    for part in parts(feed):
        call(client, "ImportAdvisories", Source=name, **part)
    told = {"Source": name, "AdvisoryCount": len(feed.notices), "CveCount": len(feed.cves)}
    if as_json:
        show.document(told)
    else:
        show.details(told)


@catalog.command("status")
@json_option
@own_client_command
def status(client: SsmClient, *, as_json: bool) -> None:
    """Show how many patches are known, and what was imported."""
    answer = show.members(call(client, "GetCatalogStatus"))
    if as_json:
        show.document(answer)
        return
    show.details(
        {
            "CVEs": answer["CveCount"],
            "Known exploited": answer["ExploitedCveCount"],
            "With a score": answer["ScoredCveCount"],
        }
    )
    show.section("Patches", answer["Patches"], _PATCHES)
    show.section("Imports", answer["Sources"], _SOURCES)


def _read(kind: FeedKind, name: str, scope: Scope) -> Feed:
    try:
        return read(kind, content_of(name), scope)
    except Invalid as problem:
        raise Invalid(f"{name}: {problem}") from None


def parts(feed: Feed) -> Iterator[Members]:
    """Yield the members of the requests that import *feed*; there is one at least, which says that it was imported."""
    part: Members = {}
    size = 0
    for member, each in [
        *(("Advisories", _members(notice)) for notice in feed.notices),
        *(("Cves", _members(cve)) for cve in feed.cves),
    ]:
        added = len(json.dumps(each))
        if size + added > _REQUEST_BYTES_MAX and part:
            yield part
            part, size = {}, 0
        part.setdefault(member, []).append(each)
        size += added
    yield part


def _members(record: Notice | Cve) -> Members:
    """Return the members of *record* that say something."""
    members = {name: value for name, value in to_members(record).items() if value not in ("", [], None)}
    if "Fixes" in members:
        members["Fixes"] = [{name: value for name, value in fix.items() if value} for fix in members["Fixes"]]
    return members
