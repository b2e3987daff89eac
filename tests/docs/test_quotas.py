"""docs/server.md says of every quota what it is by default."""

import re
from pathlib import Path

from patchwindow.operations.quotas import Quotas, names

PAGE = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z-]+)` \|[^|]+\|[^|]+\| (\d+) \|$", re.MULTILINE)


def test_the_page_has_every_quota_with_its_default() -> None:
    defaults = {name: str(getattr(Quotas(), name.replace("-", "_"))) for name in names()}
    assert dict(ROW.findall(PAGE)) == defaults
