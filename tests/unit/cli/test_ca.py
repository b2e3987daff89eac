"""`patchwindow ca`, and how a server is told about TLS."""

import hashlib
import json
import ssl
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.fakes.clock import START
from tests.unit.cli.fake import run

from patchwindow import bootstrap
from patchwindow.cli.server import server
from patchwindow.tls.authority import open_authority
from patchwindow.tls.serving import Mode, TlsSettings


def test_the_fingerprint_is_the_sha_256_of_the_certificate_that_is_printed(tmp_path: Path) -> None:
    open_authority(tmp_path / "tls", "1", START)
    pem = run("ca", "show", "--pem", "--data", str(tmp_path)).stdout
    told = json.loads(run("ca", "show", "--json", "--data", str(tmp_path)).stdout)
    assert told["Fingerprint"] == hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert told["File"] == str(tmp_path / "tls" / "ca.pem")
    assert told["Fingerprint"] in run("ca", "show", "--data", str(tmp_path)).stdout


def test_without_an_authority_it_says_when_one_is_made(tmp_path: Path) -> None:
    outcome = run("ca", "show", "--data", str(tmp_path))
    assert outcome.exit_code == 1
    assert f"there is no CA in {tmp_path}/tls; a server makes one when it first speaks TLS" in outcome.stderr


def test_the_settings_of_tls_reach_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[bootstrap.Config] = []

    def build(config: bootstrap.Config) -> None:
        built.append(config)
        raise bootstrap.CannotStart("enough")

    monkeypatch.setattr(bootstrap, "Server", build)
    file = tmp_path / "chain.pem"
    file.touch()
    where = ["--data", str(tmp_path)]
    CliRunner().invoke(server, [*where])
    CliRunner().invoke(server, [*where, "--tls", "on", "--tls-name", "patch.lan", "--tls-name", "10.0.0.5"])
    CliRunner().invoke(server, [*where, "--tls-cert", str(file), "--tls-key", str(file), "--tls-ca", str(file)])
    assert [config.tls for config in built] == [
        TlsSettings(),
        TlsSettings(mode=Mode.ON, names=("patch.lan", "10.0.0.5")),
        TlsSettings(certificate=file, key=file, ca=file),
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tls-key", __file__], "give that with --tls-cert"),
        (["--tls-ca", __file__], "give that with --tls-cert"),
        (["--tls-cert", __file__, "--tls-name", "a"], "has its names already"),
        (["--tls-cert", __file__, "--tls", "off"], "contradict each other"),
        (["--tls-cert", "absent.pem"], "does not exist"),
        (["--tls-name", "two words"], "'two words' is no host name and no address"),
    ],
)
def test_what_does_not_go_together_is_a_misuse(tmp_path: Path, options: list[str], told: str) -> None:
    done = CliRunner().invoke(server, ["--data", str(tmp_path), *options])
    assert done.exit_code == 2
    assert told in " ".join(done.output.split())
