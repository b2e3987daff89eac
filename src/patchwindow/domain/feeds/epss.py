"""EPSS: how probable it is that a CVE is exploited within 30 days, as CSV."""

import csv
import io
from decimal import Decimal, InvalidOperation
from typing import Final

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.members import cve
from patchwindow.domain.feeds.notice import Cve, Feed
from patchwindow.domain.feeds.scope import Scope

_COLUMNS: Final = ["cve", "epss", "percentile"]


def read(data: bytes, _: Scope) -> Feed:
    """Return score and place of every CVE; lines that begin with `#` say of which model they are.

    Raises:
        Invalid: it is no such CSV; the message names the row.
    """
    try:
        written = data.decode()
    except UnicodeDecodeError as problem:
        raise Invalid(f"it is no text in UTF-8: {problem}") from None
    lines = csv.reader(line for line in io.StringIO(written) if not line.startswith("#"))
    header = next(lines, [])
    if header != _COLUMNS:
        raise Invalid(f"its columns are {','.join(header):.60}, not {','.join(_COLUMNS)}")
    return Feed(cves=tuple(_cve(row, f"row {number}") for number, row in enumerate(lines, start=1) if row))


def _cve(row: list[str], path: str) -> Cve:
    if len(row) != len(_COLUMNS):
        raise Invalid(f"{path}: it has {len(row)} columns, not {len(_COLUMNS)}")
    return Cve(
        cve_id=cve(row[0], path),
        epss_score_billionths=_billionths(row[1], path),
        epss_percentile_billionths=_billionths(row[2], path),
    )


def _billionths(written: str, path: str) -> int:
    try:
        found = Decimal(written)
    except InvalidOperation:
        raise Invalid(f"{path}: {written!r:.60} is no number") from None
    if not found.is_finite() or not 0 <= found <= 1:
        raise Invalid(f"{path}: {written} is not from 0 to 1")
    return int(found.scaleb(9))
