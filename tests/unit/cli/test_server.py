"""The settings of `patchwindow server`, without a server."""

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from patchwindow import bootstrap
from patchwindow.cli.server import server
from patchwindow.fetch import Places
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


def test_the_ages_of_scans_are_set_in_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[bootstrap.Config] = []

    def build(config: bootstrap.Config) -> None:
        built.append(config)
        raise bootstrap.CannotStart("enough")

    monkeypatch.setattr(bootstrap, "Server", build)
    CliRunner().invoke(server, ["--data", str(tmp_path)])
    CliRunner().invoke(server, ["--data", str(tmp_path), "--history-days", "30", "--stale-after-days", "2"])
    ages = [(config.retention.history_days, config.retention.stale_after_days) for config in built]
    assert ages == [(400, 7), (30, 2)]


def test_places_of_overrides_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[bootstrap.Config] = []

    def build(config: bootstrap.Config) -> None:
        built.append(config)
        raise bootstrap.CannotStart("enough")

    monkeypatch.setattr(bootstrap, "Server", build)
    hosts = ["--override-host", "mirror.lan", "--override-host", "10.0.0.9"]
    places = ["--override-dir", str(tmp_path), *hosts, "--s3-endpoint", "http://10.0.0.9:9000"]
    CliRunner().invoke(server, ["--data", str(tmp_path), *places])
    CliRunner().invoke(server, ["--data", str(tmp_path)])
    assert [config.overrides for config in built] == [
        Places(hosts=("mirror.lan", "10.0.0.9"), s3_endpoint="http://10.0.0.9:9000", directory=tmp_path),
        Places(),
    ]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (["--s3-endpoint", "s3.lan:9000"], "is not encrypted, or no URL of a web server"),
        (["--override-dir", "absent/folder"], "does not exist"),
    ],
)
def test_a_place_that_cannot_be_is_refused(tmp_path: Path, setting: list[str], told: str) -> None:
    done = CliRunner().invoke(server, ["--data", str(tmp_path), *setting])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


@pytest.mark.parametrize("days", ["0", "36501", "soon"])
def test_an_age_that_cannot_be_is_refused(tmp_path: Path, days: str) -> None:
    done = CliRunner().invoke(server, ["--data", str(tmp_path), "--history-days", days])
    assert done.exit_code == 2
    assert "--history-days" in done.output


@pytest.mark.parametrize(
    ("setting", "told"), [("window=3", f"one of {', '.join(names())}"), ("windows=few", "from 1 to 1000000000")]
)
def test_a_quota_that_cannot_be_is_refused_with_what_could(tmp_path: Path, setting: str, told: str) -> None:
    done = CliRunner().invoke(server, ["--data", str(tmp_path), "--quota", setting])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())


def test_the_life_of_keys_of_nodes_is_set_in_days_and_without_end_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[bootstrap.Config] = []

    def build(config: bootstrap.Config) -> None:
        built.append(config)
        raise bootstrap.CannotStart("enough")

    monkeypatch.setattr(bootstrap, "Server", build)
    CliRunner().invoke(server, ["--data", str(tmp_path)])
    CliRunner().invoke(server, ["--data", str(tmp_path), "--node-key-days", "90"])
    assert [config.node_key_life for config in built] == [None, timedelta(days=90)]
