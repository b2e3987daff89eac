"""One run of a script: its functions, its variables, and the way from a node of the tree to what it does."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Protocol

from tests.powershell.tree import bare, named, parse, problems, text
from tests.powershell.values import Block, Kind, NotKnown, Thrown, enumerated
from tree_sitter import Node


class System(Protocol):
    """What a script reaches of its machine."""

    environment: dict[str, str]

    def cmdlet(self, name: str, given: list[Any], options: Mapping[str, Any]) -> list[Any]:
        """Return the output of a cmdlet."""

    def member(self, value: Any, name: str) -> Any:
        """Return a member of an object."""

    def put_member(self, value: Any, name: str, new: Any) -> None:
        """Change a member of an object; a type stands for its static ones."""

    def call(self, value: Any, name: str, arguments: list[Any]) -> Any:
        """Call a method of an object; a type stands for its static ones."""

    def cast(self, kind: Kind, value: Any) -> Any:
        """Return *value* as of a type."""

    def is_of(self, value: Any, kind: Kind) -> bool:
        """Return whether *value* is of a type."""


class Exit(Exception):
    """The script has ended by itself."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Return(Exception):
    """A function has ended; what it returns is in its output."""


class Break(Exception):
    """A loop has ended."""


class Continue(Exception):
    """A turn of a loop has ended."""


FLOW: Final = (Exit, Return, Break, Continue)

Statement = Callable[["Run", Node, list[Any]], None]
Expression = Callable[["Run", Node], Any]

_AUTOMATIC: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class Run:
    """What a run knows; the tables say what it does with each kind of node."""

    def __init__(
        self, system: System, statements: Mapping[str, Statement], expressions: Mapping[str, Expression]
    ) -> None:
        self.system = system
        self.functions: dict[str, Node] = {}
        self._statements = statements
        self._expressions = expressions
        # The innermost scope last: what is called sees the variables of its callers.
        self._scopes: list[dict[str, Any]] = [{}]

    def block(self, node: Node, output: list[Any]) -> None:
        """Carry out all statements of *node*; what they leave goes to *output*."""
        for child in named(node):
            if child.type in ("statement_list", "script_block"):
                self.block(child, output)
            elif child.type != "param_block":
                self.statement(child, output)

    def statement(self, node: Node, output: list[Any]) -> None:
        """Carry out one statement."""
        node = bare(node)
        if node.type in self._statements:
            self._statements[node.type](self, node, output)
        else:
            output.extend(enumerated(self.value(node)))

    def outputs(self, node: Node) -> list[Any]:
        """Return what the statements of *node* leave."""
        output: list[Any] = []
        self.block(node, output)
        return output

    def value(self, node: Node) -> Any:
        """Return the value of an expression."""
        node = bare(node)
        if node.type not in self._expressions:
            raise NotKnown(f"line {node.start_point.row + 1}: {node.type}: {text(node)[:80]}")
        return self._expressions[node.type](self, node)

    def values(self, node: Node) -> list[Any]:
        """Return the values of the parts of an expression."""
        return [self.value(child) for child in named(node)]

    def variable(self, name: str) -> Any:
        """Return what a variable holds.

        Raises:
            NotKnown: it holds nothing yet, which for PowerShell is $null; in this script it is a slip.
        """
        if name in _AUTOMATIC:
            return _AUTOMATIC[name]
        if name.startswith("env:"):
            return self.system.environment.get(name.removeprefix("env:").upper())
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        raise NotKnown(f"the variable ${name} has no value yet")

    def assign(self, name: str, value: Any) -> None:
        """Let a variable hold *value*, in the innermost scope."""
        if name.startswith("env:"):
            self.system.environment[name.removeprefix("env:").upper()] = value
        elif name in _AUTOMATIC or ":" in name:
            raise NotKnown(f"an assignment to ${name}")
        else:
            self._scopes[-1][name] = value

    @contextmanager
    def current(self, value: Any) -> Iterator[None]:
        """Let $_ be *value* meanwhile."""
        scope = self._scopes[-1]
        former = scope.get("_")
        scope["_"] = value
        try:
            yield
        finally:
            scope["_"] = former

    def call(self, body: Node, variables: Mapping[str, Any]) -> list[Any]:
        """Return the output of *body* in a scope of its own."""
        output: list[Any] = []
        self._scopes.append(dict(variables))
        try:
            self.block(body, output)
        except Return:
            return output
        finally:
            self._scopes.pop()
        return output


@lru_cache(maxsize=16)
def compiled(script: str) -> Block:
    """Return a script as a block.

    Raises:
        Thrown: it is no PowerShell.
    """
    root = parse(script)
    if found := problems(root):
        raise Thrown("ParseException", f"At {found[0]}")
    return Block(root)
