"""Statements that are compiled once: they do what SQLAlchemy does with them, only in less time."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert
from tests.fakes.databases import migrated_url

import patchwindow.store
from patchwindow.store.database import Database
from patchwindow.store.prepared import Prepared, direct, prepared
from patchwindow.store.rows import Rows
from patchwindow.store.tables import facts, setting, tag
from patchwindow.store.window_tables import window_target
from patchwindow.store.work import Work

ODD: Final = "a\x00b\ud800c"
_OF: Final = prepared(sa.select(setting.c.value, setting.c.name).where(setting.c.name == sa.bindparam("name")))
_FIRST: Final = prepared(sa.select(setting.c.name).order_by(setting.c.name).limit(sa.bindparam("limit")))
_CONSTANT: Final = prepared(sa.select(setting.c.name).where(setting.c.value == ODD))
_NAMES: Final = prepared(sa.select(setting.c.name).order_by(setting.c.name))
_CHANGE: Final = prepared(
    sa.update(setting).where(setting.c.name != sa.bindparam("but")).values(value=sa.bindparam("to"))
)
_ADD: Final = prepared(sa.insert(setting))
_ADD_TARGET: Final = prepared(sa.insert(window_target))
_OVERFLOWING: Final = prepared(sa.select(sa.func.abs(sa.bindparam("number", type_=sa.BigInteger))))


def constants() -> dict[str, Prepared]:
    """Return the prepared statements of the store, by where they stand."""
    found: dict[str, Prepared] = {}
    for module in pkgutil.iter_modules(patchwindow.store.__path__):
        names = vars(importlib.import_module(f"patchwindow.store.{module.name}"))
        kinds = [kind for kind in names.values() if isinstance(kind, type) and issubclass(kind, Rows)]
        for owner, holder in ((module.name, names), *((kind.__name__, vars(kind)) for kind in kinds)):
            found |= {f"{owner}.{name}": one for name, one in holder.items() if isinstance(one, Prepared)}
    return found


CONSTANTS: Final = constants()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Database]:
    """A migrated database whose driver is asked directly."""
    with migrated_url("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def quick(embedded: Database) -> Iterator[Rows]:
    """Rows whose prepared statements go to the driver."""
    with embedded.write() as work:
        yield work.settings


@pytest.fixture
def plain(quick: Rows) -> Rows:
    """Rows in the same transaction whose statements go through SQLAlchemy."""
    return Rows(quick._connection, insert, None)


def seen(connection: sa.Connection) -> list[str]:
    """Return the list of what SQLAlchemy executes from now on."""
    texts: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        texts.append(text)

    sa.event.listen(connection, "before_cursor_execute", note)
    return texts


def test_the_store_has_its_statements_prepared() -> None:
    assert len(CONSTANTS) > 40


@pytest.mark.parametrize("one", CONSTANTS.values(), ids=CONSTANTS)
def test_a_prepared_statement_has_one_value_for_each_parameter(quick: Rows, one: Prepared) -> None:
    execute = direct(quick._connection)
    assert execute is not None
    compiled = one._for(quick._connection)
    assert one._for(quick._connection) is compiled, "compiled once"
    assert execute(f"EXPLAIN {compiled._text}", [None] * len(compiled.names)).fetchall()


def test_a_list_cannot_be_a_parameter_of_a_prepared_statement(quick: Rows) -> None:
    many = prepared(sa.select(setting.c.name).where(setting.c.name.in_(sa.bindparam("names", expanding=True))))
    with pytest.raises(AssertionError, match="a list has no constant text"):
        quick._rows(many, {"names": ["a"]})


def test_the_embedded_database_is_asked_past_sqlalchemy(quick: Rows) -> None:
    texts = seen(quick._connection)
    assert quick._change(_ADD, {"name": "a", "value": "1"}) == 1
    assert quick._scalar(_OF, {"name": "a"}) == "1"
    assert texts == []


def test_a_database_beyond_a_socket_is_asked_through_sqlalchemy(tmp_path: Path) -> None:
    with migrated_url("postgresql", tmp_path) as url:
        database = Database(url)
        with database.write() as work:
            rows: Rows = work.settings
            assert direct(rows._connection) is None
            texts = seen(rows._connection)
            assert rows._change(_ADD, {"name": "a", "value": "1"}) == 1
            assert rows._scalar(_OF, {"name": "a"}) == "1"
            assert len(texts) == 2
        database.close()


def test_both_ways_find_the_same_and_rows_know_their_columns(quick: Rows, plain: Rows) -> None:
    for rows, name in ((quick, "a"), (plain, "b"), (quick, "c")):
        assert rows._change(_ADD, {"name": name, "value": ODD}) == 1
    for rows in (quick, plain):
        row = rows._row(_OF, {"name": "b"})
        assert (row.name, row.value) == ("b", "a\ufffdb\ufffdc")
        assert tuple(row) == (row.value, row.name)
        assert rows._row(_OF, {"name": "d"}) is None
        assert rows._scalar(_OF, {"name": "d"}) is None
        assert rows._scalars(_NAMES) == ["a", "b", "c"]
        assert rows._scalars(_FIRST, {"limit": 2}) == ["a", "b"]
        assert rows._scalars(_CONSTANT) == ["a", "b", "c"]
        assert rows._change(_CHANGE, {"but": "b", "to": ODD}) == 2


def test_bytes_come_back_as_they_were_put(quick: Rows, plain: Rows) -> None:
    get = prepared(sa.select(facts.c.body).where(facts.c.digest == sa.bindparam("digest")))
    quick._upsert(facts, digest="d", first_seen_at_ms=1, body=b"\x00\xff")
    assert quick._scalar(get, {"digest": "d"}) == plain._scalar(get, {"digest": "d"}) == b"\x00\xff"


def test_what_is_there_already_is_replaced_or_left_and_counted(quick: Rows, plain: Rows) -> None:
    for rows, resource in ((quick, "q"), (plain, "p")):
        key = {"resource_type": "t", "resource_id": resource, "key": "k"}
        assert rows._insert_if_new(tag, **key, value="1")
        assert not rows._insert_if_new(tag, **key, value="2")
        rows._upsert(tag, **key, value="3")
        assert [one.value for one in rows._rows(sa.select(tag).where(tag.c.resource_id == resource))] == ["3"]


def test_many_are_changed_by_one_call_and_counted(quick: Rows, plain: Rows) -> None:
    for rows, names in ((quick, "abc"), (plain, "def")):
        assert rows._change_all(_ADD, ({"name": name, "value": ODD} for name in names)) == 3
        assert rows._change_all(_ADD, []) == 0
    assert quick._scalars(_NAMES) == list("abcdef")
    assert quick._scalar(_OF, {"name": "c"}) == plain._scalar(_OF, {"name": "f"}) == "a\ufffdb\ufffdc"
    for rows in (quick, plain):
        with pytest.raises(sa.exc.IntegrityError):
            rows._change_all(_ADD, [{"name": "g", "value": "1"}, {"name": "a", "value": "1"}])


_OVERFLOWING_LATE: Final = prepared(
    sa.select(sa.func.abs(sa.column("number"))).select_from(
        sa.text(f"(SELECT 1 AS number UNION ALL SELECT {-(2**63)})")
    )
)


@pytest.mark.parametrize(
    ("one", "given", "kind"),
    [
        (_ADD, {"name": "a", "value": None}, sa.exc.IntegrityError),
        (_ADD_TARGET, {"window_target_id": "wt-1", "window_id": "mw-1", "body": "{}"}, sa.exc.IntegrityError),
        (_OVERFLOWING, {"number": -(2**63)}, sa.exc.OperationalError),
        (_FIRST, {"limit": object()}, sa.exc.ProgrammingError),
    ],
)
def test_both_ways_raise_the_same(
    quick: Rows, plain: Rows, one: Prepared, given: dict[str, object], kind: type[sa.exc.DBAPIError]
) -> None:
    problems = []
    for rows in (quick, plain):
        with pytest.raises(kind) as raised:
            rows._rows(one, given)
        problems.append(raised.value)
    quickly, plainly = ((type(one), one.statement, type(one.orig), str(one.orig)) for one in problems)
    assert quickly == plainly


def test_both_ways_raise_the_same_where_a_later_row_cannot_be_read(quick: Rows, plain: Rows) -> None:
    for rows in (quick, plain):
        with pytest.raises(sa.exc.OperationalError, match="integer overflow"):
            rows._rows(_OVERFLOWING_LATE)


def test_a_repository_is_made_when_it_is_asked_for_and_then_kept(embedded: Database) -> None:
    with embedded.read() as work:
        assert "tags" not in vars(work)
        assert work.tags is work.tags
        assert {name for name, value in vars(work).items() if isinstance(value, Rows)} == {"tags"}


def test_every_repository_belongs_to_its_transaction(work: Work) -> None:
    found = [getattr(work, name) for name in vars(Work) if not name.startswith("_")]
    repositories = [each for each in found if isinstance(each, Rows)]
    assert len(repositories) > 16
    assert {repository._connection for repository in repositories} == {work.basis[0]}
