"""Documents of one's own, commands and change calendars: what is kept of each, and of each of its versions.

A version never changes; its text is kept apart, under its digest, where commands that were sent still find it when the
document is gone. Fields are the API's members in snake case.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchwindow.domain.errors import InvalidDocumentVersion

DEFAULT: Final = "$DEFAULT"
LATEST: Final = "$LATEST"

COMMAND: Final = "Command"
CALENDAR: Final = "ChangeCalendar"
TYPES: Final = (COMMAND, CALENDAR)
"""The types of documents that there are here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One version: *digest* is the hex SHA-256 of its text, which is written in *document_format*."""

    document_version: int
    digest: str
    document_format: str
    created_date: datetime
    version_name: str | None = None
    display_name: str | None = None
    target_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDocument:
    """A document with all its versions, in the order of their numbers; *latest_number* is never given again."""

    name: str
    default_version: int
    latest_number: int
    created_date: datetime
    versions: tuple[DocumentVersion, ...]
    document_type: str = COMMAND

    @property
    def latest(self) -> DocumentVersion:
        return self.versions[-1]

    @property
    def default(self) -> DocumentVersion:
        return self.version(DEFAULT)

    def version(self, wanted: str) -> DocumentVersion:
        """Return the version that *wanted* means: a number, `$DEFAULT` or `$LATEST`.

        Raises:
            InvalidDocumentVersion: there is no such version.
        """
        if wanted == LATEST:
            return self.latest
        number = str(self.default_version) if wanted == DEFAULT else wanted
        for version in self.versions:
            if str(version.document_version) == number:
                return version
        numbers = ", ".join(str(version.document_version) for version in self.versions[-10:])
        raise InvalidDocumentVersion(f"document {self.name} has no version {wanted!r}; it has {numbers}")

    def named(self, version_name: str) -> DocumentVersion:
        """Return the version of that name.

        Raises:
            InvalidDocumentVersion: there is none.
        """
        for version in self.versions:
            if version.version_name == version_name:
                return version
        raise InvalidDocumentVersion(f"document {self.name} has no version named {version_name!r}; use DocumentVersion")
