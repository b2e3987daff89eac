"""Advisory feeds from bytes: which kinds there are, and what each says in the form of all.

Nothing is fetched here, and nothing stored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from patchwindow.domain.feeds import debian_tracker, epss, exploited, microsoft, osv, updateinfo
from patchwindow.domain.feeds.notice import Feed, Notice
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.feeds.unpack import unpack


class FeedKind(StrEnum):
    """The kinds of feeds that can be read."""

    UPDATEINFO = "updateinfo"
    OSV = "osv"
    DEBIAN_TRACKER = "debian-tracker"
    MICROSOFT = "microsoft"
    KEV = "kev"
    EPSS = "epss"


_READERS: Final[Mapping[FeedKind, Callable[[bytes, Scope], Feed]]] = {
    FeedKind.UPDATEINFO: updateinfo.read,
    FeedKind.OSV: osv.read,
    FeedKind.DEBIAN_TRACKER: debian_tracker.read,
    FeedKind.MICROSOFT: microsoft.read,
    FeedKind.KEV: exploited.read,
    FeedKind.EPSS: epss.read,
}


def read(kind: FeedKind, data: bytes, scope: Scope) -> Feed:
    """Return what *data*, which may be compressed, says.

    Raises:
        Invalid: it is not of this *kind*, damaged or too large; the message says where.
    """
    return _READERS[kind](unpack(data), scope)


def merged(feeds: Sequence[Feed]) -> Feed:
    """Return what several files of one source say together: a notice that is in several has the packages of all."""
    notices: dict[str, Notice] = {}
    for notice in (notice for feed in feeds for notice in feed.notices):
        before = notices.get(notice.id)
        fixes = notice.fixes if before is None else tuple(dict.fromkeys((*before.fixes, *notice.fixes)))
        notices[notice.id] = replace(notice, fixes=fixes)
    return Feed(notices=tuple(notices.values()), cves=tuple(cve for feed in feeds for cve in feed.cves))
