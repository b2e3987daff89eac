"""Advisory feeds from bytes: which kinds there are, and what each says in the form of all.

Nothing is fetched here, and nothing stored.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from patchwindow.domain.feeds import debian_tracker, epss, exploited, microsoft, osv, updateinfo
from patchwindow.domain.feeds.notice import Feed
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
