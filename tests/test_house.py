"""House rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = sorted((ROOT / "src").rglob("*.py"))
SERVER: Final = [path for path in SOURCE if path.is_relative_to(ROOT / "src" / "patchwindow")]
STORE: Final = [path for path in SOURCE if path.parent == ROOT / "src" / "patchwindow" / "store"]
LINES_MAX: Final = 400
ONLY_IN_SYSTEM: Final = {"datetime.now", "datetime.utcnow", "date.today", "time.time", "uuid4", "uuid1"}
MODULES_ONLY_IN_SYSTEM: Final = {"random", "secrets"}
HOME: Final = re.compile(r"(?:/home/|/Users/|C:\\Users\\|/root/)\w")
LEFT_BEHIND: Final = {"dist", "build", "__pycache__"}


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if any(part in LEFT_BEHIND or part.endswith(".egg-info") for part in parts):
            continue
        if parts[0].startswith(".") and parts[0] not in (".ci", ".github", ".gitignore"):
            continue
        if path.is_file():
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def outside_things(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield where a module takes time, identity or chance by itself, and what."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names = [*imported, *(alias.name for alias in node.names)]
            yield from ((node.lineno, name) for name in names if name in {*MODULES_ONLY_IN_SYSTEM, "uuid4", "uuid1"})
        elif isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            for name in (f"{owner}.{node.attr}", node.attr):
                if name in ONLY_IN_SYSTEM:
                    yield node.lineno, name


@pytest.mark.parametrize("path", SOURCE, ids=short)
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


@pytest.mark.parametrize("path", [path for path in SERVER if path.name != "system.py"], ids=short)
def test_time_identity_and_chance_come_in_as_arguments(path: Path) -> None:
    assert list(outside_things(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from random import choice",
        "import secrets",
        "from uuid import uuid4",
        "import uuid\nuuid.uuid4()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "import time\ntime.time()",
    ],
)
def test_every_way_to_take_time_identity_and_chance_is_noticed(source: str) -> None:
    assert list(outside_things(ast.parse(source)))


def test_no_text_names_a_path_below_somebodys_home() -> None:
    found = [
        f"{short(path)}:{number}: {line.strip()}"
        for path, text in texts()
        if path != Path(__file__)
        for number, line in enumerate(text.splitlines(), start=1)
        if HOME.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_a_dialect_is_named_only_in_its_own_file_and_where_it_is_chosen(dialect: str) -> None:
    named = {path.name for path in STORE if dialect in path.read_text(encoding="utf-8")}
    assert named == {f"{dialect}.py", "database.py"}
