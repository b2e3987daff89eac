"""The command documents that come with the server, written by us under the names that clients know.

The file of a document is its content, as GetDocument gives it; its version changes when its content does. One is made of another (`with_hooks.py`). Documents of
one's own are read here too (`written`), and become the same kind of value.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any, Final

import yaml

from patchwindow.documents.with_hooks import with_hooks
from patchwindow.domain.document_content import ACTIONS
from patchwindow.domain.errors import InvalidDocumentContent, InvalidDocumentVersion, UnknownDocument
from patchwindow.domain.node import PlatformType
from patchwindow.domain.own_document import COMMAND, DEFAULT, LATEST
from patchwindow.domain.patch_parts import WITH_HOOKS

JSON: Final = "JSON"
YAML: Final = "YAML"
TEXT: Final = "TEXT"

_SHIPPED: Final = {
    "AWS-Noop": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPatchBaseline": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPatchBaselineAssociation": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPatchBaselineWithHooks": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunPowerShellScript": datetime(2026, 11, 23, tzinfo=UTC),
    "AWS-RunShellScript": datetime(2026, 11, 23, tzinfo=UTC),
}
# Only these are ours; what a document means by other names in double braces, its parameters say.
_CAPABILITY: Final = "{{ PatchwindowUrl }}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name in results, its action, and the one platform that it is meant for, if it names one."""

    name: str
    action: str
    platform: PlatformType | None

    @property
    def platforms(self) -> tuple[PlatformType, ...]:
        """The platforms that it runs on."""
        return ACTIONS[self.action] if self.platform is None else (self.platform,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document in one version: *text* is its content as it is given out, *content* the same, parsed.

    Of a change calendar *content* is empty: it has no parameters and no steps.
    """

    name: str
    version: str
    created_at: datetime
    text: str
    content: Mapping[str, Any]
    format: str = JSON
    is_own: bool = False
    """Whether it was written by those who use the server, and did not come with it."""
    type: str = COMMAND

    @property
    def description(self) -> str:
        """What it does, in a sentence; documents of one's own may do without."""
        return str(self.content.get("description", ""))

    @property
    def schema_version(self) -> str:
        """The version of the form in which it is written; empty where that has none."""
        return str(self.content.get("schemaVersion", ""))

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The declarations of its parameters, by name."""
        declared: Mapping[str, Mapping[str, Any]] = self.content.get("parameters", {})
        return declared

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps, in order; in schema 1.2 a step has the name of its action."""
        if "runtimeConfig" in self.content:
            return tuple(Step(action, action, None) for action in self.content["runtimeConfig"])
        steps = self.content.get("mainSteps", ())
        return tuple(Step(step["name"], step["action"], _platform_of(step)) for step in steps)

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
        return not self.is_own and _CAPABILITY in self.text

    def hash_of(self, hash_type: str) -> str:
        """Return the hex digest of the text, `Sha256` or `Sha1`."""
        return hashlib.new(hash_type.lower(), self.text.encode(), usedforsecurity=False).hexdigest()


def is_shipped(name: str) -> bool:
    """Return whether a document of this name came with the server."""
    return name in _SHIPPED


def get(name: str, version: str = DEFAULT) -> Document:
    """Return a document that came with the server in a version: a number, `$DEFAULT` or `$LATEST`.

    Raises:
        UnknownDocument: there is none of this name.
        InvalidDocumentVersion: it has no such version.
    """
    if not is_shipped(name):
        raise UnknownDocument(f"document {name!r} does not exist; ListDocuments has those that do")
    document = _load(name)
    if version not in (DEFAULT, LATEST, document.version):
        raise InvalidDocumentVersion(f"document {name} has no version {version!r}; it has {document.version}")
    return document


def documents() -> Iterator[Document]:
    """Yield every document that came with the server, by name."""
    return map(_load, _SHIPPED)


@functools.lru_cache(maxsize=1024)
def written(text: str, format: str) -> Mapping[str, Any]:
    """Return the content that *text* is, in JSON or YAML; it is not checked (`document_content.check`).

    Raises:
        InvalidDocumentContent: it is not in that format.
    """
    try:
        # What JSON has no word for, as a date, cannot travel to nodes.
        content = json.loads(text if format == JSON else json.dumps(yaml.load(text, _WithoutAliases)))  # noqa: S506  (a safe loader)
    except (TypeError, ValueError, RecursionError, yaml.YAMLError) as problem:
        raise InvalidDocumentContent(f"Content is no {format}: {' '.join(str(problem).split())}") from None
    # What is no object is refused by the check, which says so.
    found: Mapping[str, Any] = content
    return found


class _WithoutAliases(yaml.SafeLoader):
    """Reads YAML in which nothing stands for something else: a few lines of aliases would be gigabytes in JSON."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("an alias (*name) is not taken; write out what it stands for")
        return super().compose_node(parent, index)


@functools.cache
def _load(name: str) -> Document:
    if name == WITH_HOOKS:
        text = json.dumps(with_hooks(_load("AWS-RunPatchBaseline").content), indent=2)
    else:
        text = (resources.files("patchwindow.documents") / f"{name}.json").read_text(encoding="utf-8")
    return Document(name=name, version="1", created_at=_SHIPPED[name], text=text, content=json.loads(text))


_PLATFORM_NAMES: Final = {platform.casefold(): platform for platform in PlatformType}


def _platform_of(step: Mapping[str, Any]) -> PlatformType | None:
    """Return the platform that the step's precondition asks for: `{"StringEquals": ["platformType", …]}`."""
    compared = (step.get("precondition") or {}).get("StringEquals") or ()
    if "platformType" not in compared:
        return None
    return _PLATFORM_NAMES[str(compared[1 - compared.index("platformType")]).casefold()]
