"""The page of operations is drawn from the tables that serve them; running this file draws it anew."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Final

from patchwindow.operations.not_served import GROUPS_NOT_SERVED, NOT_SERVED
from patchwindow.operations.table import AGENT_OPERATIONS, GROUP_OPERATIONS, OPERATIONS, OWN_OPERATIONS, Operation
from patchwindow.protocol.rest import load_routes

PAGE: Final = Path(__file__).parents[2] / "docs" / "api.md"

HEAD: Final = """# Operations

Drawn from the tables that the server itself runs by. A viewer may call those that read; `writes` needs the role operator or admin.

## Systems Manager

AWS JSON 1.1 at `POST /`, API version 2014-11-06.
"""
OWN_HEAD: Final = """## patchwindow

What the public API has no operation for: a service of our own, whose model is in the same format, at the same address, with the same keys.
AWS JSON 1.1 at `POST /`, API version 2026-11-01, signed for the service `ssm`. [own-api.md](own-api.md) says how any client calls it.
"""
GROUPS_HEAD: Final = """## Resource Groups

REST-JSON at the paths below, API version 2017-11-27, signed for the service `resource-groups`. A group is a named set of nodes: those that a query
over tags (`TAG_FILTERS_1_0`) selects when somebody asks.
"""


def does(one: Operation) -> str:
    action = "writes" if one.writes else "reads"
    if one.is_for_admins:
        return f"{action}; an admin"
    if one.is_for_nodes:
        return f"{action}; any node"
    return action if one.node_of is None else f"{action}; a node, for itself"


def by_reason(not_served: Mapping[str, str]) -> list[str]:
    ordered = sorted(not_served.items(), key=lambda item: (item[1], item[0]))
    return [
        f"- {reason}: {', '.join(name for name, _ in names)}"
        for reason, names in groupby(ordered, key=lambda item: item[1])
    ]


def page() -> str:
    served = [f"| {name} | {does(one)} |" for name, one in sorted(OPERATIONS.items())]
    agents = [
        f"| {name} | {'unsigned' if one.is_unsigned else 'the node, for itself'} |"
        for name, one in sorted(AGENT_OPERATIONS.items())
    ]
    routes = {model.name: f"`{model.method} {model.path}`" for model in load_routes()}
    groups = [f"| {name} | {routes[name]} | {does(one)} |" for name, one in sorted(GROUP_OPERATIONS.items())]
    own = [f"| {name} | {does(one)} |" for name, one in sorted(OWN_OPERATIONS.items())]
    return "\n".join(
        [
            HEAD,
            f"### Served: {len(OPERATIONS)}\n\n| operation | it |\n|---|---|",
            *served,
            f"\n### For agents: {len(AGENT_OPERATIONS)}\n\n| operation | who may call it |\n|---|---|",
            *agents,
            f"\n### Not served: {len(NOT_SERVED)}\n\nEach answers `UnknownOperationException` with this reason.\n",
            *by_reason(NOT_SERVED),
            f"\n{OWN_HEAD}",
            f"### Served: {len(OWN_OPERATIONS)}\n\n| operation | it |\n|---|---|",
            *own,
            f"\n{GROUPS_HEAD}",
            f"### Served: {len(GROUP_OPERATIONS)}\n\n| operation | at | it |\n|---|---|---|",
            *groups,
            f"\n### Not served: {len(GROUPS_NOT_SERVED)}\n\nEach answers `MethodNotAllowedException` with this reason.\n",
            *by_reason(GROUPS_NOT_SERVED),
            "",
        ]
    )


def test_the_page_of_operations_shows_the_tables() -> None:
    assert PAGE.read_text() == page(), f"draw it anew: python {Path(__file__).relative_to(PAGE.parents[1])}"


def test_the_readme_counts_the_operations() -> None:
    readme = (PAGE.parents[1] / "README.md").read_text()
    assert f"{len(OPERATIONS)} operations of the public model" in readme
    assert f"{len(GROUP_OPERATIONS)} of Resource Groups" in readme


if __name__ == "__main__":
    PAGE.write_text(page())
