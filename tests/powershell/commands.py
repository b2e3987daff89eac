"""What commands do: functions of the script, script blocks, cmdlets of the machine, and pipelines."""

from collections.abc import Mapping
from typing import Any, Final

from tests.powershell.expressions import variable_name
from tests.powershell.running import FLOW, Expression, Run
from tests.powershell.tree import named, text
from tests.powershell.values import Block, NotKnown, collected, enumerated, plain, truth
from tree_sitter import Node

_SWITCHES: Final = frozenset({"compress"})


def _pipeline(run: Run, node: Node) -> Any:
    first, *rest = named(node)
    values = list(enumerated(run.value(first)))
    for command in rest:
        values = _filtered(run, command, values)
    return collected(values)


def _filtered(run: Run, node: Node, values: list[Any]) -> list[Any]:
    name = text(named(node)[0])
    given, options = _arguments(run, node)
    if name == "Sort-Object" and not given and not options:
        return sorted(values, key=str.casefold)
    if name not in ("Where-Object", "ForEach-Object") or options or len(given) != 1 or not isinstance(given[0], Block):
        raise NotKnown(f"{text(node)} in a pipeline")
    results = [_of_each(run, given[0], value) for value in values]
    if name == "Where-Object":
        return [value for value, result in zip(values, results, strict=True) if truth(collected(result))]
    return [each for result in results for each in result]


def _of_each(run: Run, block: Block, value: Any) -> list[Any]:
    """Return what *block* leaves of *value*; it runs in the scope around it."""
    with run.current(value):
        try:
            return run.outputs(block.root)
        except FLOW as flow:
            raise NotKnown(f"{flow!r} in a block of a pipeline, which ends more than the block") from None


def _command(run: Run, node: Node) -> Any:
    first, *_ = named(node)
    if first.type == "command_invokation_operator":
        return collected(_invoked(run, node))
    name = text(first)
    given, options = _arguments(run, node)
    body = run.functions.get(name.casefold())
    if body is None:
        return collected(run.system.cmdlet(name, given, options))
    if options:
        raise NotKnown(f"{name} is not called by place: {text(node)}")
    return collected(run.call(body, _bound(name, body, given)))


def _invoked(run: Run, node: Node) -> list[Any]:
    """Run the script block after `&`."""
    operator, expression, *arguments = named(node)
    (block,) = run.values(expression)
    if text(operator) != "&" or not isinstance(block, Block) or arguments:
        raise NotKnown(text(node)[:80])
    return run.call(block.root, {})


def _bound(name: str, body: Node, given: list[Any]) -> dict[str, Any]:
    """Return the variables that a function begins with."""
    blocks = [block for block in named(body) if block.type == "param_block"]
    parameters = [
        variable_name(named(each)[-1]) for block in blocks for listed in named(block) for each in named(listed)
    ]
    if len(given) > len(parameters):
        raise NotKnown(f"{name} takes {len(parameters)} arguments, and got {len(given)}")
    return dict(zip(parameters, [*given, *[None] * (len(parameters) - len(given))], strict=True))


def _arguments(run: Run, node: Node) -> tuple[list[Any], dict[str, Any]]:
    """Return what a command is given by place, and by name."""
    given: list[Any] = []
    options: dict[str, Any] = {}
    waiting = ""
    for element in (element for elements in named(node)[1:] for element in named(elements)):
        if element.type == "command_parameter" and not waiting:
            waiting = text(element).removeprefix("-").casefold()
            if waiting in _SWITCHES:
                options[waiting], waiting = True, ""
        elif waiting:
            options[waiting], waiting = plain(run.value(element)), ""
        else:
            given.append(plain(run.value(element)))
    if waiting:
        raise NotKnown(f"-{waiting} without a value: {text(node)}")
    return given, options


COMMANDS: Final[Mapping[str, Expression]] = {"pipeline_chain": _pipeline, "command": _command}
