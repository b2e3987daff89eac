"""Documents of one's own."""

from dataclasses import replace
from typing import Final

import pytest
from tests.store.samples import UNICODE

from patchwindow.domain.own_document import DocumentVersion, OwnDocument
from patchwindow.protocol.records import from_ms
from patchwindow.store.work import Work

MADE_AT: Final = from_ms(1_795_400_000_123)
FIRST: Final = DocumentVersion(
    document_version=1, digest="ab", document_format="JSON", created_date=MADE_AT, version_name="first"
)
DOCUMENT: Final = OwnDocument(
    name="Say-Hello", default_version=1, latest_number=1, created_date=MADE_AT, versions=(FIRST,)
)


def test_a_document_comes_back_as_it_was_kept(work: Work) -> None:
    assert work.documents.add(DOCUMENT)
    assert work.documents.get("Say-Hello") == DOCUMENT
    assert work.documents.lock("Say-Hello") == DOCUMENT
    assert work.documents.get("say-hello") is None


def test_there_is_one_document_of_a_name(work: Work) -> None:
    assert work.documents.add(DOCUMENT)
    assert not work.documents.add(replace(DOCUMENT, latest_number=7))
    assert work.documents.get("Say-Hello") == DOCUMENT


def test_a_changed_document_replaces_what_was_kept(work: Work) -> None:
    work.documents.add(DOCUMENT)
    second = replace(FIRST, document_version=2, display_name=UNICODE)
    changed = replace(DOCUMENT, latest_number=2, versions=(FIRST, second))
    work.documents.put(changed)
    assert work.documents.all() == [changed]
    assert work.documents.count() == 1


def test_texts_stay_when_their_document_is_gone(work: Work) -> None:
    work.documents.add(DOCUMENT)
    work.documents.put_text("ab", "YAML", UNICODE)
    work.documents.put_text("ab", "YAML", "what has this digest already is not replaced")
    work.documents.delete("Say-Hello")
    work.documents.delete("Say-Hello")
    assert work.documents.all() == []
    assert work.documents.text("ab") == ("YAML", UNICODE)


def test_a_text_that_nobody_kept_is_a_mistake_of_the_caller(work: Work) -> None:
    with pytest.raises(AssertionError):
        work.documents.text("cd")
