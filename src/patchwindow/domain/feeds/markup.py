"""XML from elsewhere, read element by element without entities of its own: none are declared in any feed."""

from collections.abc import Callable, Collection
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from patchwindow.domain.errors import Invalid

_DEPTH_MAX = 100


def read(data: bytes, *, each: Collection[str], found: Callable[[Element], None]) -> str:
    """Hand every element of a name in *each*, with all in it, to *found*; return the name of the root.

    Names are without their namespaces.  An element is forgotten once it was handed over, so that a large feed takes
    little memory.

    Raises:
        Invalid: it is no XML, declares a document type, or is nested too deeply.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    state = _State(each, found)
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.text
    # Entities, which can grow without bound or name files, are declared in a document type and nowhere else.
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise Invalid(f"it is no XML: {problem}") from None
    return state.root


def _refuse(name: str, *_: object) -> None:
    raise Invalid(f"it declares the document type {name}, which no feed does; entities are not read")


class _State:
    """Where the parser is, and the element that is being built."""

    def __init__(self, each: Collection[str], found: Callable[[Element], None]) -> None:
        self.root = ""
        self._each = each
        self._found = found
        self._depth = 0
        self._builder: TreeBuilder | None = None
        self._since = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        self.root = self.root or name
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise Invalid(f"it is nested more than {_DEPTH_MAX} deep")
        if self._builder is None and name in self._each:
            self._builder, self._since = TreeBuilder(), self._depth
        if self._builder is not None:
            self._builder.start(name, {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(name.rpartition(" ")[2])
            if self._depth == self._since:
                element = self._builder.close()
                self._builder = None
                self._found(element)
        self._depth -= 1

    def text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)
