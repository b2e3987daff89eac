"""Migrations: numbered SQL files, each run once, in order; never changed after a release."""

import re
from collections.abc import Mapping
from importlib import resources

import sqlalchemy as sa

from patchwindow.domain.errors import Conflict
from patchwindow.store.dialect import Dialect


def migrate(connection: sa.Connection, dialect: Dialect) -> None:
    """Run the migrations that the database lacks, in the transaction that *connection* is in.

    Raises:
        Conflict: the database was written by a newer version.
    """
    scripts = _scripts()
    # Two replicas may start at once.
    dialect.lock_migrations(connection)
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    version = connection.scalar(sa.text("SELECT max(version) FROM schema_version")) or 0
    if version > len(scripts):
        raise Conflict(
            f"the database has schema version {version}, and this patchwindow knows {len(scripts)}: "
            "it was written by a newer version; start that one, or use another data directory"
        )
    for number, script in enumerate(scripts[version:], start=version + 1):
        for statement in _statements(script, dialect.TYPES):
            connection.exec_driver_sql(statement)
        connection.execute(sa.text("INSERT INTO schema_version VALUES (:number)"), {"number": number})


def _scripts() -> list[str]:
    folder = resources.files("patchwindow.store").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files]


def _statements(script: str, types: Mapping[str, str]) -> list[str]:
    spelled = re.sub(r"\b[A-Z]+\b", lambda word: types.get(word[0], word[0]), script)
    return [statement.strip() for statement in spelled.split(";\n") if statement.strip()]
