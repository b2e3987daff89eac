"""What a page shows as CSV and JSON."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Final

from patchwindow.console.view import Cell, Table

# What a spreadsheet takes for a formula when it stands first.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: Table) -> str:
    """Return *table* as CSV (RFC 4180); a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(table.columns)
    writer.writerows([_tame(_plain(cell)) for cell in row] for row in table.rows)
    return file.getvalue()


def to_json(table: Table) -> str:
    """Return *table* as a JSON list of objects."""
    rows = [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows]
    return json.dumps(rows, ensure_ascii=False)


def _plain(cell: Cell) -> str | int | float | bool | None:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return cell


def _tame(cell: str | float | bool | None) -> str | float | bool | None:  # noqa: FBT001  (a cell, not a switch)
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
