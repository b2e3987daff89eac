"""How results look: tables that align, details line by line, JSON.

Text from elsewhere is shown without its control characters: a node chooses its own name, and may not write to the
terminal of whoever lists it.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

Record = Mapping[str, Any]
Columns = Mapping[str, str | Callable[[Any], object]]
"""Header → the member to show, or a function of the record.  Text without a bound stands last, where it may be cut."""

GAP = "  "
UNKNOWN = "-"


def table(records: Iterable[Record], columns: Columns, *, as_json: bool = False) -> None:
    """Print one line per record under a header, or all records as JSON."""
    records = list(records)
    if as_json:
        document(records)
        return
    rows = [[_value(record, what) for what in columns.values()] for record in records]
    for line in aligned(list(columns), rows, width=_width()):
        click.echo(line)


def details(values: Mapping[str, object]) -> None:
    """Print one ``name  value`` line each, without those that are unknown or empty."""
    known = {name: value for name, value in values.items() if value not in (None, "", [], {})}
    margin = max(map(len, known), default=0)
    for name, value in known.items():
        click.echo(f"{name:<{margin}}{GAP}{text(value)}")


def section(title: str, records: Iterable[Record], columns: Columns) -> None:
    """Print a table under a title, and nothing where there are no records."""
    records = list(records)
    if records:
        click.echo(f"\n{title}")
        table(records, columns)


def document(value: object) -> None:
    """Print *value* as JSON: the API's own members, times as ISO 8601."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_json))


def members(answer: Record) -> dict[str, Any]:
    """Return what the API answered, without what the SDK adds of the transport."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def note(message: str) -> None:
    """Say something that is not the result: to standard error."""
    click.echo(message, err=True)


def aligned(headers: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None) -> list[str]:
    """Return the lines of a table; numbers stand right, the last column is cut at *width* and not padded."""
    cells = [[text(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    numeric = [_are_numbers([row[at] for row in rows]) for at in range(len(headers))]
    lines = []
    for line in [list(headers), *cells]:
        padded = [
            cell.rjust(room) if right else cell.ljust(room)
            for cell, room, right in zip(line, widths, numeric, strict=True)
        ]
        lines.append(_cut(GAP.join(padded).rstrip(), width))
    return lines


def text(value: object) -> str:
    """Return *value* for people: times in UTC, lists with commas, ``-`` for what is unknown."""
    match value:
        case None | "" | []:
            return UNKNOWN
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case list() | tuple():
            return ", ".join(text(item) for item in value)
        case Mapping():
            return ", ".join(f"{name}={text(item)}" for name, item in value.items())
        case _:
            return _plain(str(value), keep="")


def written(output: str) -> str:
    """Return what a program wrote, for the terminal: its lines and tabs, and no other control characters."""
    return _plain(output.replace("\r\n", "\n"), keep="\n\t")


def _plain(value: str, *, keep: str) -> str:
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in value)


def instant(written: str | None) -> datetime | None:
    """Return the instant that the API wrote as text, `None` for none.

    Windows report their openings as ISO 8601 text in their own zone; without a zone it is UTC.
    """
    if not written:
        return None
    read = datetime.fromisoformat(written)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _value(record: Record, what: str | Callable[[Any], object]) -> object:
    return record.get(what) if isinstance(what, str) else what(record)


def _are_numbers(values: Sequence[object]) -> bool:
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int) and not isinstance(value, bool) for value in known)


def _cut(line: str, width: int | None) -> str:
    return line if width is None or len(line) <= width else f"{line[: width - 1]}…"


def _width() -> int | None:
    # Cut only before eyes: a program that reads our output gets every character.
    return max(shutil.get_terminal_size().columns, 40) if sys.stdout.isatty() else None


def _json(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no form in JSON")
