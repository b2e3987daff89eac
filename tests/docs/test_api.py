"""The page of operations is drawn from the tables that serve them; running this file draws it anew."""

from itertools import groupby
from pathlib import Path
from typing import Final

from patchwindow.operations.not_served import NOT_SERVED
from patchwindow.operations.table import AGENT_OPERATIONS, OPERATIONS

PAGE: Final = Path(__file__).parents[2] / "docs" / "api.md"

HEAD: Final = """# Operations

AWS JSON 1.1 at `POST /`, API version 2014-11-06. Drawn from the tables that the server itself runs by.
A viewer may call those that read; `writes` needs the role operator or admin.
"""


def page() -> str:
    served = [f"| {name} | {'writes' if one.writes else 'reads'} |" for name, one in sorted(OPERATIONS.items())]
    agents = [
        f"| {name} | {'unsigned' if one.is_unsigned else 'the node, for itself'} |"
        for name, one in sorted(AGENT_OPERATIONS.items())
    ]
    ordered = sorted(NOT_SERVED.items(), key=lambda item: (item[1], item[0]))
    reasons = [
        f"- {reason}: {', '.join(name for name, _ in names)}"
        for reason, names in groupby(ordered, key=lambda item: item[1])
    ]
    return "\n".join(
        [
            HEAD,
            f"## Served: {len(OPERATIONS)}\n\n| operation | it |\n|---|---|",
            *served,
            f"\n## For agents: {len(AGENT_OPERATIONS)}\n\n| operation | who may call it |\n|---|---|",
            *agents,
            f"\n## Not served: {len(NOT_SERVED)}\n\nEach answers `UnknownOperationException` with this reason.\n",
            *reasons,
            "",
        ]
    )


def test_the_page_of_operations_shows_the_tables() -> None:
    assert PAGE.read_text() == page(), f"draw it anew: python {Path(__file__).relative_to(PAGE.parents[1])}"


def test_the_readme_counts_the_operations() -> None:
    readme = (PAGE.parents[1] / "README.md").read_text()
    assert f"{len(OPERATIONS)} operations of the public model" in readme


if __name__ == "__main__":
    PAGE.write_text(page())
