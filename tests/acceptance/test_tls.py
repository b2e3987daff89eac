"""A server with TLS, as those see it who trust its own CA and those who do not."""

import hashlib
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.commandline import PATCHWINDOW, environment, run
from tests.fakes.server import Plane, ServerProcess

from patchwindow.system import SystemClock
from patchwindow.tls.authority import Authority


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane on loopback with a CA of its own."""
    folder = tmp_path_factory.mktemp("secured")
    with ServerProcess(folder / "data", "--tls", "on") as server:
        yield Plane(server, folder)


def health(url: str, *, ca: str | None) -> bytes:
    context = ssl.create_default_context(cafile=ca)
    with urllib.request.urlopen(f"{url}/healthz", context=context, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def test_only_who_trusts_the_servers_own_ca_reaches_it(secured: Plane) -> None:
    assert secured.url.startswith("https://127.0.0.1:")
    assert health(secured.url, ca=secured.ca_bundle) == b"ok\n"
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        health(secured.url, ca=None)


def test_the_ca_is_handed_out_as_it_is_hashed_and_as_programs_read_it(secured: Plane) -> None:
    context = ssl.create_default_context(cafile=secured.ca_bundle)
    found = []
    for name in ("ca.der", "ca.pem"):
        with urllib.request.urlopen(f"{secured.url}/agent/{name}", context=context, timeout=10) as answer:
            found.append(answer.read())
    show = [*PATCHWINDOW, "ca", "show", "--json", "--data", str(secured.server.data)]
    told = run(show, environment(secured.home)).json
    assert hashlib.sha256(found[0]).hexdigest() == told["Fingerprint"]
    assert ssl.PEM_cert_to_DER_cert(found[1].decode()) == found[0]


def test_sdk_and_command_lines_find_the_ca_in_their_environment_or_by_name(secured: Plane) -> None:
    id = secured.client.create_patch_baseline(Name="over-tls")["BaselineId"]
    shell = secured.shell()
    assert shell.aws("get-patch-baseline", "--baseline-id", id)["Name"] == "over-tls"
    assert id in shell.patchwindow("baselines", "list", "--json").out
    without = {name: value for name, value in shell.environ.items() if name != "AWS_CA_BUNDLE"}
    listing = [*PATCHWINDOW, "baselines", "list", "--json"]
    assert secured.ca_bundle is not None
    assert id in run([*listing, "--ca-bundle", secured.ca_bundle], without).out
    refused = run(listing, without, exit_code=1)
    assert refused.err.count("\n") == 1
    assert "certificate" in refused.err.lower()


def test_a_server_keeps_its_ca_over_a_restart(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--tls", "on") as server:
        ca = tmp_path / "data" / "tls" / "ca.pem"
        before = ca.read_bytes()
        assert server.stop() == 0
        server.start()
        assert ca.read_bytes() == before
        assert health(server.url, ca=str(ca)) == b"ok\n"
    assert "Traceback" not in server.log.read_text()


def test_a_server_shows_the_certificate_that_it_is_given(tmp_path: Path) -> None:
    now = SystemClock().now()
    authority = Authority.make("1", now)
    chain, ca = tmp_path / "chain.pem", tmp_path / "ca.pem"
    chain.write_bytes(authority.issue(["127.0.0.1"], now))
    ca.write_bytes(authority.pem)
    with ServerProcess(tmp_path / "data", "--tls-cert", str(chain), "--tls-ca", str(ca)) as server:
        assert health(server.url, ca=str(ca)) == b"ok\n"
        assert not (tmp_path / "data" / "tls").exists()


def test_a_certificate_without_its_key_is_named_before_anything_is_served(tmp_path: Path) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(Authority.make("1", SystemClock().now()).pem)
    command = [
        *PATCHWINDOW,
        "server",
        "--data",
        str(tmp_path / "d"),
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        str(chain),
    ]
    done = run(command, environment(tmp_path), exit_code=1)
    assert done.err.startswith(f"patchwindow: the certificate in {chain} cannot be used: ")
    assert done.out == ""
