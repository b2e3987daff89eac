"""`patchwindow webhooks`, on a data directory of its own."""

import json
from pathlib import Path

import pytest
from tests.unit.cli.fake import Outcome, run

from patchwindow.bootstrap import DATABASE_FILE
from patchwindow.cli.exits import Exit
from patchwindow.domain.webhook import Webhook
from patchwindow.store.database import Database

ARN = "arn:aws:lambda:us-east-1:123456789012:function:SSMDrain"
URL = "https://hooks.example/drain"


def webhooks(data: Path, *arguments: str) -> Outcome:
    return run("webhooks", *arguments, "--data", str(data))


def kept(data: Path) -> Webhook | None:
    database = Database(data / DATABASE_FILE)
    try:
        with database.read() as work:
            return work.webhooks.get(ARN)
    finally:
        database.close()


def test_a_secret_is_made_and_shown_this_once(tmp_path: Path) -> None:
    outcome = webhooks(tmp_path, "set", ARN, "--url", URL)
    found = kept(tmp_path)
    assert found == Webhook(arn=ARN, url=URL, secret=outcome.stdout.strip())
    assert len(found.secret) == 40
    assert outcome.stderr == f"{ARN}: set; this is its secret, which is not shown again:\n"
    assert found.secret not in webhooks(tmp_path, "list").stdout


def test_what_is_set_again_keeps_its_secret_and_its_times(tmp_path: Path) -> None:
    first = json.loads(
        webhooks(tmp_path, "set", ARN, "--url", URL, "--timeout", "5", "--time-limit", "600", "--json").stdout
    )
    again = webhooks(tmp_path, "set", ARN, "--url", f"{URL}/2")
    assert again.stdout == ""
    assert "with the secret that it has" in again.stderr
    assert kept(tmp_path) == Webhook(arn=ARN, url=f"{URL}/2", secret=first["Secret"], timeout_s=5, time_limit_s=600)
    renewed = json.loads(webhooks(tmp_path, "set", ARN, "--url", URL, "--new-secret", "--json").stdout)
    assert renewed["Secret"] not in ("", first["Secret"])
    assert json.loads(webhooks(tmp_path, "set", ARN, "--url", URL, "--json").stdout) == {"Arn": ARN, "Url": URL}


def test_webhooks_are_listed_and_forgotten(tmp_path: Path) -> None:
    webhooks(tmp_path, "set", ARN, "--url", URL)
    (one,) = json.loads(webhooks(tmp_path, "list", "--json").stdout)
    assert one == {"Arn": ARN, "Timeout": 30, "TimeLimit": 3600, "OwnCertificates": False, "Url": URL}
    assert webhooks(tmp_path, "delete", ARN).exit_code == Exit.DONE
    gone = webhooks(tmp_path, "delete", ARN)
    assert (gone.exit_code, kept(tmp_path)) == (Exit.FAILED, None)
    assert f"there is no webhook for {ARN}" in gone.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "told"),
    [
        ((ARN, "--url", "http://hooks.example/"), Exit.FAILED, "is not encrypted"),
        ((ARN, "--url", "https://169.254.169.254/"), Exit.FAILED, "is link-local or a metadata service"),
        (("", "--url", URL), Exit.FAILED, "ARN has 0 characters"),
        ((ARN, "--url", URL, "--timeout", "301"), Exit.MISUSED, "301 is not in the range"),
        ((ARN, "--url", URL, "--time-limit", "0"), Exit.MISUSED, "0 is not in the range"),
        ((ARN, "--url", URL, "--ca-file", __file__), Exit.FAILED, "holds no certificates in PEM"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    tmp_path: Path, arguments: tuple[str, ...], exit_code: Exit, told: str
) -> None:
    outcome = webhooks(tmp_path, "set", *arguments)
    assert outcome.exit_code == exit_code
    assert told in outcome.stderr
    assert not (tmp_path / DATABASE_FILE).exists() or kept(tmp_path) is None
