"""What machines fetch that are to become nodes."""

import hashlib
import subprocess

import pytest
from tests.fakes.edge import PROGRAM, Edge, Received, Sent


def ask(edge: Edge, path: str, **headers: str) -> Received:
    return edge.ask(Sent(method="GET", path=path, headers={"Host": "patch.example.net", **headers}))


def test_the_installer_names_the_hash_of_the_program_that_is_beside_it(edge: Edge) -> None:
    script = ask(edge, "/agent/install.sh")
    assert script.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"digest='{hashlib.sha256(PROGRAM).hexdigest()}'".encode() in script.body
    assert ask(edge, "/agent/agent.pyz").body == PROGRAM
    assert subprocess.run(["sh", "-n"], input=script.body, check=False).returncode == 0


def test_the_installer_for_windows_is_whole_in_form(edge: Edge) -> None:
    script = ask(edge, "/agent/install.ps1").body.decode()
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
    assert all(f"[string]${name}" in script for name in ("Url", "ActivationId", "ActivationCode", "Region"))


@pytest.mark.parametrize("path", ["/agent/ca.der", "/agent/ca.pem"])
def test_a_server_without_a_ca_of_its_own_says_so(edge: Edge, path: str) -> None:
    received = ask(edge, path)
    assert (received.status, b"has no CA of its own" in received.body) == (404, True)


def test_what_a_client_has_already_is_not_sent_again_and_what_is_kept_is_asked_about(edge: Edge) -> None:
    first = ask(edge, "/agent/agent.pyz")
    assert first.headers["cache-control"] == "no-cache"
    again = ask(edge, "/agent/agent.pyz", **{"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    other = ask(edge, "/agent/agent.pyz", **{"If-None-Match": '"another"'})
    assert (other.status, other.body) == (200, PROGRAM)
