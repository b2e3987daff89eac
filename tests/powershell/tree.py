"""PowerShell as a tree: what the grammar makes of a script, without the levels that say nothing."""

from collections.abc import Iterator

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

# Levels of precedence: with one child and nothing else they are that child.
_LEVELS = frozenset(
    {
        "pipeline",
        "pipeline_chain",
        *(
            f"{level}{kind}_expression"
            for level in ("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range")
            for kind in ("", "_argument")
        ),
        "array_literal_expression",
        "left_assignment_expression",
        "unary_expression",
        "argument_expression",
        "primary_expression",
        "key_expression",
        "for_initializer",
        "for_condition",
        "for_iterator",
        "while_condition",
        "script_block_body",
        "type_spec",
        "string_literal",
        "integer_literal",
        "elseif_clauses",
    }
)


def parse(script: str) -> Node:
    """Return the root of the tree of *script*."""
    return Parser(Language(tree_sitter_powershell.language())).parse(script.encode()).root_node


def nodes(node: Node) -> Iterator[Node]:
    """Yield *node* and all below it."""
    yield node
    for child in node.children:
        yield from nodes(child)


def bare(node: Node) -> Node:
    """Return what *node* is below all levels that say nothing."""
    while node.type in _LEVELS and node.child_count == 1:
        (node,) = node.children
    return node


def named(node: Node) -> list[Node]:
    """Return the children of *node* that mean something: no punctuation, no comments."""
    return [bare(child) for child in node.named_children if child.type not in ("comment", "command_argument_sep")]


def text(node: Node) -> str:
    """Return the source of *node*."""
    return (node.text or b"").decode()


def problems(root: Node) -> list[str]:
    """Return where the grammar could not follow, a line for each."""
    return [
        f"line {node.start_point.row + 1}: {text(node)[:80]!r}"
        for node in nodes(root)
        if node.is_missing or node.type == "ERROR"
    ]
