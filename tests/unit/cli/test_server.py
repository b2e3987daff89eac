"""The settings of `patchwindow server`, without a server."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from patchwindow import bootstrap
from patchwindow.cli.server import server
from patchwindow.operations.quotas import Quotas, names


def test_quotas_are_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[bootstrap.Config] = []

    def build(config: bootstrap.Config) -> None:
        built.append(config)
        raise bootstrap.CannotStart("enough")

    monkeypatch.setattr(bootstrap, "Server", build)
    settings = ["--quota", "windows=500", "--quota", "tasks-per-window=50"]
    CliRunner().invoke(server, ["--data", str(tmp_path), *settings])
    assert [config.quotas for config in built] == [Quotas(windows=500, tasks_per_window=50)]


@pytest.mark.parametrize(
    ("setting", "told"), [("window=3", f"one of {', '.join(names())}"), ("windows=few", "from 1 to 1000000000")]
)
def test_a_quota_that_cannot_be_is_refused_with_what_could(tmp_path: Path, setting: str, told: str) -> None:
    done = CliRunner().invoke(server, ["--data", str(tmp_path), "--quota", setting])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
