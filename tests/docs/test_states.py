"""The page of state diagrams is drawn from the state tables; running this file draws it anew."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from patchwindow.domain import (
    association_execution,
    command,
    invocation,
    task_execution,
    task_invocation,
    window_execution,
)

PAGE: Final = Path(__file__).parents[2] / "docs" / "states.md"

# Title, what the reader should know, table.
TABLES: Final[tuple[tuple[str, str, Mapping[Any, Mapping[Any, str]]], ...]] = (
    (
        "Window execution",
        "One opening of a maintenance window. These are the API's values of Status.",
        window_execution.TRANSITIONS,
    ),
    ("Task", "One task within one opening. These are the API's values of Status.", task_execution.TRANSITIONS),
    (
        "Task invocation",
        "One window target of a task and its command; or one node, and its call of a webhook. These are the API's values of Status.",
        task_invocation.TRANSITIONS,
    ),
    ("Command", "A command over all its nodes. These are the API's values of Status.", command.TRANSITIONS),
    (
        "Command invocation",
        "A command on one node. These are the API's values of StatusDetails.",
        invocation.TRANSITIONS,
    ),
    (
        "Association execution",
        "One run of an association. These are the API's values of Status.",
        association_execution.TRANSITIONS,
    ),
)

HEAD: Final = """# States

What can happen to what the API reports, and what follows. The diagrams are drawn from the tables that the server
itself runs by; what they do not show is refused.
"""


def diagram(transitions: Mapping[Any, Mapping[Any, str]]) -> Iterator[str]:
    """Yield the lines of a mermaid diagram; events with the same effect share an arrow."""
    yield "stateDiagram-v2"
    yield f"    [*] --> {next(iter(transitions))}"
    for state, moves in transitions.items():
        events: dict[str, list[str]] = {}
        for event, after in moves.items():
            events.setdefault(after, []).append(str(event))
        for after, names in events.items():
            yield f"    {state} --> {after}: {', '.join(names)}"
        if not moves:
            yield f"    {state} --> [*]"


def page() -> str:
    sections = [
        f"## {title}\n\n{text}\n\n```mermaid\n" + "\n".join(diagram(table)) + "\n```\n" for title, text, table in TABLES
    ]
    return "\n".join([HEAD, *sections])


def test_the_page_of_states_shows_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "draw it anew: python tests/docs/test_states.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
