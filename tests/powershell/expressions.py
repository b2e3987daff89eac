"""What expressions are worth. Assignments are none of them: where one is used as a value, the run ends."""

from collections.abc import Mapping
from typing import Any, Final

from tests.powershell.operators import BINARY
from tests.powershell.running import Expression, Run
from tests.powershell.tree import bare, named, text
from tests.powershell.values import (
    NOTHING,
    Block,
    Kind,
    NotKnown,
    Parsed,
    Table,
    Thrown,
    as_text,
    collected,
    is_null,
    plain,
    truth,
)
from tree_sitter import Node


def variable_name(variable: Node) -> str:
    """Return the name of a variable as scopes have it."""
    return text(variable).removeprefix("$").strip("{}").casefold()


def member_name(member: Node) -> str:
    """Return the name of a member, which the script writes out."""
    if member.type not in ("member_name", "simple_name"):
        raise NotKnown(f"a member that is named by {text(member)}")
    return text(member)


def _variable(run: Run, node: Node) -> Any:
    return run.variable(variable_name(node))


def _parenthesized(run: Run, node: Node) -> Any:
    (value,) = run.values(node)
    return value


def _sub_expression(run: Run, node: Node) -> Any:
    return collected(run.outputs(node))


def _integer(_: Run, node: Node) -> int:
    return int(text(node))


def _verbatim(_: Run, node: Node) -> str:
    return text(node)[1:-1].replace("''", "'")


def _token(_: Run, node: Node) -> str:
    return text(node)


def _expandable(run: Run, node: Node) -> str:
    source, pieces, at = node.text or b"", [], 1
    for child in node.named_children:
        start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
        pieces += [_literal(source[at:start], node), as_text(run.value(child))]
        at = end
    return "".join([*pieces, _literal(source[at:-1], node)])


def _literal(piece: bytes, node: Node) -> str:
    if b"`" in piece or b'""' in piece:
        raise NotKnown(f"an escape in {text(node)}")
    return piece.decode()


def _hash(run: Run, node: Node) -> Table:
    table = Table()
    for entry in (entry for body in named(node) for entry in named(body)):
        key, source = named(entry)
        table.put(text(key) if key.type == "simple_name" else run.value(key), plain(run.value(source)))
    return table


def _block(_: Run, node: Node) -> Block:
    (root,) = named(node)
    return Block(root)


def _type(_: Run, node: Node) -> Kind:
    return Kind(text(node)[1:-1])


def _member(run: Run, node: Node) -> Any:
    owner_node, member = named(node)
    name = member_name(member)
    owner = run.value(owner_node)
    if is_null(owner):
        # No error: $null has no members, and counts none.
        return 0 if name.casefold() == "count" else None
    if isinstance(owner, Table) and (owner.has(name) or name not in ("Keys", "Count")):
        return owner.get(name)
    if isinstance(owner, Parsed) and name != "PSObject":
        return owner.get(name)
    try:
        return run.system.member(owner, name)
    except Thrown as thrown:
        raise _wrapped("GetValueInvocationException", f'Exception getting "{name}"', thrown) from thrown


def _element(run: Run, node: Node) -> Any:
    owner, key = run.values(node)
    if is_null(owner):
        raise Thrown("RuntimeException", "Cannot index into a null array.")
    if isinstance(owner, Table):
        return owner.get(key)
    if isinstance(owner, list) and isinstance(key, list):
        return [_at(owner, index) for index in key]
    if isinstance(owner, list) and isinstance(key, int) and not isinstance(key, bool):
        return _at(owner, key)
    raise NotKnown(f"{text(node)}: an element of a {type(owner).__name__}")


def _at(owner: list[Any], index: int) -> Any:
    # Beyond the end there is $null.
    return owner[index] if -len(owner) <= index < len(owner) else None


def _invocation(run: Run, node: Node) -> Any:
    owner_node, member, listed = named(node)
    name = member_name(member)
    owner = run.value(owner_node)
    given = [plain(value) for child in named(listed) for value in run.values(child)]
    if is_null(owner):
        raise Thrown("RuntimeException", "You cannot call a method on a null-valued expression.")
    try:
        return run.system.call(owner, name, given)
    except Thrown as thrown:
        what = f'Exception calling "{name}" with "{len(given)}" argument(s)'
        raise _wrapped("MethodInvocationException", what, thrown) from thrown


def _wrapped(kind: str, what: str, thrown: Thrown) -> Thrown:
    """Return the exception that PowerShell puts around one of .NET."""
    return Thrown(kind, f'{what}: "{thrown.message}"', inner=thrown)


def _unary(run: Run, node: Node) -> Any:
    first, *rest = (bare(child) for child in node.children)
    if first.type == "cast_expression":
        kind, operand = named(first)
        value = run.value(operand)
        return NOTHING if text(kind).casefold() == "[void]" else run.system.cast(run.value(kind), value)
    (operand,) = rest
    match text(first).casefold():
        case "-not" | "!":
            return not truth(run.value(operand))
        case ",":
            return [plain(run.value(operand))]
        case "-":
            return BINARY["-"](0, run.value(operand))
        case unknown:
            raise NotKnown(f"the operator {unknown}")


def _binary(run: Run, node: Node) -> Any:
    left_node, operator_node, right_node = (bare(child) for child in node.children)
    operator = text(operator_node).casefold()
    left = run.value(left_node)
    if operator == "-and":
        return truth(left) and truth(run.value(right_node))
    if operator == "-or":
        return truth(left) or truth(run.value(right_node))
    right = run.value(right_node)
    if operator == "-is":
        return run.system.is_of(left, right)
    if operator not in BINARY:
        raise NotKnown(f"the operator {operator}")
    return BINARY[operator](left, right)


_KINDS_OF_BINARY: Final = ("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range")

EXPRESSIONS: Final[Mapping[str, Expression]] = {
    **{f"{kind}{form}_expression": _binary for kind in _KINDS_OF_BINARY for form in ("", "_argument")},
    "variable": _variable,
    "braced_variable": _variable,
    "parenthesized_expression": _parenthesized,
    "sub_expression": _sub_expression,
    "array_expression": Run.outputs,
    "array_literal_expression": lambda run, node: [plain(value) for value in run.values(node)],
    "decimal_integer_literal": _integer,
    "verbatim_string_characters": _verbatim,
    "generic_token": _token,
    "expandable_string_literal": _expandable,
    "hash_literal_expression": _hash,
    "script_block_expression": _block,
    "type_literal": _type,
    "member_access": _member,
    "element_access": _element,
    "invokation_expression": _invocation,
    "expression_with_unary_operator": _unary,
}
