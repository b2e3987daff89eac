"""The tables of documents of one's own, beside those of `tables.py` and in their form."""

from typing import Final

from patchwindow.store.columns import table, text

document: Final = table("document", text("name", key=True), text("body"))

# By the hex SHA-256 of the text. Versions of documents refer to them, and commands that were sent.
document_text: Final = table("document_text", text("digest", key=True), text("format"), text("content"))
