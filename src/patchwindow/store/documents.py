"""Documents of one's own, and their texts."""

from typing import Any, Final

import sqlalchemy as sa

from patchwindow.domain.own_document import OwnDocument
from patchwindow.protocol.records import dumps, loads
from patchwindow.store.document_tables import document, document_text
from patchwindow.store.prepared import prepared
from patchwindow.store.rows import Rows

_ONE: Final = sa.select(document.c.body).where(document.c.name == sa.bindparam("name"))
_GET: Final = prepared(_ONE)
_LOCK: Final = prepared(_ONE.with_for_update())
_ALL: Final = prepared(sa.select(document.c.body).order_by(document.c.name))
_COUNT: Final = prepared(sa.select(sa.func.count()).select_from(document))
_DELETE: Final = prepared(sa.delete(document).where(document.c.name == sa.bindparam("name")))
_TEXT: Final = prepared(
    sa.select(document_text.c.format, document_text.c.content).where(document_text.c.digest == sa.bindparam("digest"))
)


class Documents(Rows):
    """Documents by name, and texts by digest.

    Texts stay when a document is gone: commands that were sent still tell of them. They are small, and equal ones are one.
    """

    def add(self, value: OwnDocument) -> bool:
        """Keep a new document, and return whether there was none of its name."""
        return self._insert_if_new(document, name=value.name, body=dumps(value))

    def put(self, value: OwnDocument) -> None:
        """Keep a changed document."""
        self._upsert(document, name=value.name, body=dumps(value))

    def get(self, name: str) -> OwnDocument | None:
        """Return the document."""
        return _read(self._scalar(_GET, {"name": name}))

    def lock(self, name: str) -> OwnDocument | None:
        """Return the document, and keep other writers from it until the transaction ends."""
        return _read(self._scalar(_LOCK, {"name": name}))

    def all(self) -> list[OwnDocument]:
        """Return all documents, by name."""
        return [loads(OwnDocument, body) for body in self._scalars(_ALL)]

    def count(self) -> int:
        """Return how many there are."""
        return int(self._scalar(_COUNT))

    def delete(self, name: str) -> None:
        """Delete the document with all its versions; their texts stay."""
        self._change(_DELETE, {"name": name})

    def put_text(self, digest: str, format: str, content: str) -> None:
        """Keep a text, if it is not there."""
        self._insert_if_new(document_text, digest=digest, format=format, content=content)

    def text(self, digest: str) -> tuple[str, str]:
        """Return the text of *digest*, which some version or command has: its format, and itself."""
        row = self._row(_TEXT, {"digest": digest})
        assert row is not None, "texts are never deleted"
        return row.format, row.content


def _read(body: Any) -> OwnDocument | None:
    return None if body is None else loads(OwnDocument, body)
