"""The command documents that come with the server, written by us under the names that clients know.

The file of a document is its content, as GetDocument gives it; its version changes when its content does.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

from patchwindow.domain.errors import InvalidDocumentVersion, UnknownDocument
from patchwindow.domain.node import PlatformType

DEFAULT_VERSION: Final = "$DEFAULT"
LATEST_VERSION: Final = "$LATEST"

_SHIPPED: Final = {
    "AWS-Noop": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPatchBaseline": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPatchBaselineAssociation": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunShellScript": datetime(2026, 11, 23, tzinfo=UTC),
}
# Only these are ours; what a document means by other names in double braces, its parameters say.
_CAPABILITY: Final = "{{ PatchwindowUrl }}"
_PLATFORMS_OF: Final = {
    "aws:runShellScript": (PlatformType.LINUX, PlatformType.MACOS),
    "aws:runPowerShellScript": (PlatformType.WINDOWS,),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in results, its action, and the one platform that it is meant for, if it names one."""

    name: str
    action: str
    platform: PlatformType | None

    @property
    def platforms(self) -> tuple[PlatformType, ...]:
        """The platforms that it runs on."""
        return _PLATFORMS_OF[self.action] if self.platform is None else (self.platform,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document in one version: *text* is its content as it is given out, *content* the same, parsed."""

    name: str
    version: str
    created_at: datetime
    text: str
    content: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What it does, in a sentence."""
        return str(self.content["description"])

    @property
    def schema_version(self) -> str:
        """The version of the form in which it is written."""
        return str(self.content["schemaVersion"])

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The declarations of its parameters, by name."""
        declared: Mapping[str, Mapping[str, Any]] = self.content["parameters"]
        return declared

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, in order; in schema 1.2 a step has the name of its action."""
        if "runtimeConfig" in self.content:
            return tuple(Step(action, action, None) for action in self.content["runtimeConfig"])
        return tuple(Step(step["name"], step["action"], _platform_of(step)) for step in self.content["mainSteps"])

    @property
    def step_names(self) -> tuple[str, ...]:
        """The names of its steps, in order."""
        return tuple(step.name for step in self.steps)

    @property
    def platform_types(self) -> tuple[PlatformType, ...]:
        """The platforms for which it has a step."""
        found = {platform for step in self.steps for platform in step.platforms}
        return tuple(platform for platform in PlatformType if platform in found)

    @property
    def wants_capability(self) -> bool:
        """Whether a node that runs it is given a URL of its own, under which the patch operation is."""
        return _CAPABILITY in self.text

    def hash_of(self, hash_type: str) -> str:
        """Return the hex digest of the text, `Sha256` or `Sha1`."""
        return hashlib.new(hash_type.lower(), self.text.encode(), usedforsecurity=False).hexdigest()


def get(name: str, version: str = DEFAULT_VERSION) -> Document:
    """Return a document in a version: a number, `$DEFAULT` or `$LATEST`.

    Raises:
        UnknownDocument: there is none of this name.
        InvalidDocumentVersion: it has no such version.
    """
    if name not in _SHIPPED:
        raise UnknownDocument(f"document {name!r} does not exist; there are {', '.join(_SHIPPED)}")
    document = _load(name)
    if version not in (DEFAULT_VERSION, LATEST_VERSION, document.version):
        raise InvalidDocumentVersion(f"document {name} has no version {version!r}; it has {document.version}")
    return document


def documents() -> Iterator[Document]:
    """Yield every document in its default version, by name."""
    return map(_load, _SHIPPED)


@functools.cache
def _load(name: str) -> Document:
    text = (resources.files("patchwindow.documents") / f"{name}.json").read_text(encoding="utf-8")
    return Document(name=name, version="1", created_at=_SHIPPED[name], text=text, content=json.loads(text))


def _platform_of(step: Mapping[str, Any]) -> PlatformType | None:
    """Return what the step's precondition asks for: `{"StringEquals": ["platformType", …]}`."""
    if "precondition" not in step:
        return None
    return PlatformType(step["precondition"]["StringEquals"][1])
