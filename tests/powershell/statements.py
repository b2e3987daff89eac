"""What statements do: choices, loops, errors and the ways out, as about_If, about_Foreach, about_Try_Catch_Finally have them."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from tests.powershell.expressions import member_name, variable_name
from tests.powershell.operators import BINARY
from tests.powershell.running import FLOW, Break, Continue, Exit, Return, Run, Statement
from tests.powershell.tree import bare, named, text
from tests.powershell.values import ErrorRecord, NotKnown, Table, Thrown, as_text, enumerated, is_null, plain, truth
from tree_sitter import Node


def _function(run: Run, node: Node, _: list[Any]) -> None:
    name, body = named(node)
    run.functions[text(name).casefold()] = body


def _if(run: Run, node: Node, output: list[Any]) -> None:
    condition, block, *others = named(node)
    clauses = [clause for other in others for clause in (named(other) if other.type == "elseif_clauses" else [other])]
    for parts in ([condition, block], *map(named, clauses)):
        # An else has no condition.
        if len(parts) == 1 or truth(run.value(parts[0])):
            run.block(parts[-1], output)
            return


def _while(run: Run, node: Node, output: list[Any]) -> None:
    condition, block = named(node)
    with contextlib.suppress(Break):
        while truth(run.value(condition)):
            _turn(run, block, output)


def _for(run: Run, node: Node, output: list[Any]) -> None:
    first, condition, last, block = named(node)
    run.statement(first, output)
    with contextlib.suppress(Break):
        while truth(run.value(condition)):
            _turn(run, block, output)
            run.statement(last, output)


def _foreach(run: Run, node: Node, output: list[Any]) -> None:
    variable, source, block = named(node)
    values = run.value(source)
    with contextlib.suppress(Break):
        # $null has no turn, unlike in a pipeline.
        for value in [] if is_null(values) else list(enumerated(values)):
            run.assign(variable_name(variable), value)
            _turn(run, block, output)


def _turn(run: Run, block: Node, output: list[Any]) -> None:
    with contextlib.suppress(Continue):
        run.block(block, output)


def _try(run: Run, node: Node, output: list[Any]) -> None:
    block, *others = named(node)
    # One catch clause alone looks like the list of them.
    catches = [clause for other in others if other.type != "finally_clause" for clause in _clauses(other)]
    finals = [named(other)[0] for other in others if other.type == "finally_clause"]
    try:
        _tried(run, block, catches, output)
    except (Thrown, *FLOW):
        # A kill, which is none of these, leaves no time for a finally.
        for final in finals:
            run.block(final, output)
        raise
    for final in finals:
        run.block(final, output)


def _clauses(node: Node) -> list[Node]:
    return [node] if node.type == "catch_clause" else named(node)


def _tried(run: Run, block: Node, catches: list[Node], output: list[Any]) -> None:
    try:
        run.block(block, output)
    except Thrown as thrown:
        if not catches:
            raise
        if len(catches) > 1 or len(named(catches[0])) != 1:
            raise NotKnown(f"a catch for certain errors: {text(catches[0])[:80]}") from thrown
        with run.current(ErrorRecord(thrown)):
            run.block(named(catches[0])[0], output)


def _flow(run: Run, node: Node, output: list[Any]) -> None:
    what = text(node.children[0]).casefold()
    values = run.values(node)
    match what:
        case "continue":
            raise Continue
        case "break":
            raise Break
        case "exit":
            raise Exit(values[0] if values else 0)
        case "return":
            output.extend(each for value in values for each in enumerated(value))
            raise Return
        case "throw" if values:
            raise Thrown("RuntimeException", as_text(values[0]))
        case "throw":
            raise run.variable("_").exception
        case unknown:
            raise NotKnown(f"the statement {unknown}")


def _assignment(run: Run, node: Node, _: list[Any]) -> None:
    target, operator, source = (bare(child) for child in node.children)
    new = run.value(source)
    if text(operator) == "+=":
        new = BINARY["+"](run.value(target), new)
    elif text(operator) != "=":
        raise NotKnown(f"the operator {text(operator)}")
    _put(run, target, new)


def _increment(run: Run, node: Node, _: list[Any]) -> None:
    (target,) = named(node)
    _put(run, target, BINARY["+"](run.value(target), 1))


def _put(run: Run, target: Node, new: Any) -> None:
    if target.type == "variable":
        run.assign(variable_name(target), new)
        return
    if target.type not in ("element_access", "member_access"):
        raise NotKnown(f"{text(target)} on the left of an assignment")
    owner_node, member = named(target)
    owner = run.value(owner_node)
    if is_null(owner):
        raise Thrown("RuntimeException", "The property cannot be found on this object, or a null array was indexed.")
    key = run.value(member) if target.type == "element_access" else member_name(member)
    if isinstance(owner, Table) and not is_null(key):
        owner.put(key, plain(new))
    elif target.type == "member_access":
        run.system.put_member(owner, key, plain(new))
    else:
        raise NotKnown(f"{text(target)}: {key!r} of a {type(owner).__name__}")


def _empty(_run: Run, _node: Node, _output: list[Any]) -> None:
    """Do nothing: what is left of a semicolon."""


STATEMENTS: Final[Mapping[str, Statement]] = {
    "function_statement": _function,
    "empty_statement": _empty,
    "if_statement": _if,
    "while_statement": _while,
    "for_statement": _for,
    "foreach_statement": _foreach,
    "try_statement": _try,
    "flow_control_statement": _flow,
    "assignment_expression": _assignment,
    "post_increment_expression": _increment,
}
