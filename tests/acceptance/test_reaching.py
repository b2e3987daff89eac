"""An agent behind a proxy, which trusts the server's own CA and no other: registration, commands, patch operation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.commandline import AGENT, environment, run
from tests.fakes.machine import Machine
from tests.fakes.proxy import running_proxy
from tests.fakes.server import Plane, ServerProcess, running_agent, until


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane on loopback with a CA of its own."""
    folder = tmp_path_factory.mktemp("secured")
    with ServerProcess(folder / "data", "--tls", "on") as server:
        yield Plane(server, folder)


def registration(plane: Plane, state: Path, *options: str) -> list[str]:
    """Return the command that registers a node."""
    id, code = plane.activation()
    named = ("--activation-id", id, "--activation-code", code, "--region", "us-east-1")
    return [*AGENT, "register", "--endpoint", plane.url, "--state", str(state), *named, *options]


def test_a_scan_runs_from_end_to_end_through_the_proxy_alone(secured: Plane, machine: Machine, tmp_path: Path) -> None:
    assert secured.ca_bundle is not None
    state = tmp_path / "state"
    # What the environment says would lead nowhere: the setting that was kept goes before it.
    environ = {**machine.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}
    with running_proxy() as proxy:
        command = registration(secured, state, "--ca", secured.ca_bundle, "--proxy", proxy.url)
        node_id = run(command, environ).out.strip()
        with running_agent(secured, state, environ):
            sent = secured.client.send_command(
                InstanceIds=[node_id], DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": ["Scan"]}
            )["Command"]["CommandId"]

            def ended() -> str | None:
                invocations = secured.client.list_command_invocations(CommandId=sent)["CommandInvocations"]
                status: str = invocations[0]["Status"] if invocations else "Pending"
                return None if status in ("Pending", "InProgress") else status

            assert until(ended, "the end of the scan", within_s=60) == "Success"
        assert set(proxy.asked) == {f"CONNECT {secured.url.removeprefix('https://')}"}
        # Registration, its greeting, polls, replies; program, order and report of the patch operation.
        assert len(proxy.asked) >= 6
    (found,) = secured.client.describe_instance_patch_states(InstanceIds=[node_id])["InstancePatchStates"]
    assert found["MissingCount"] > 0


def test_without_the_ca_nothing_is_said_to_the_server(secured: Plane, tmp_path: Path) -> None:
    done = run(registration(secured, tmp_path / "state"), environment(tmp_path), exit_code=1)
    assert "its certificate is not accepted: unable to get local issuer certificate" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("password", "given", "told"), [("Basic dTpw", "u:p", None), ("Basic dTpw", "u:other", "407 Proxy Authentication")]
)
def test_a_proxy_with_a_password_is_given_it(
    secured: Plane, tmp_path: Path, password: str, given: str, told: str | None
) -> None:
    assert secured.ca_bundle is not None
    with running_proxy(password) as proxy:
        url = proxy.url.replace("//", f"//{given}@")
        command = registration(secured, tmp_path / "state", "--ca", secured.ca_bundle, "--proxy", url)
        done = run(command, environment(tmp_path), exit_code=0 if told is None else 1)
    assert told is None or told in done.err
    assert f"through the proxy 127.0.0.1:{proxy.port}" in done.err or told is None


def test_a_proxy_that_is_none_is_a_misuse(secured: Plane, tmp_path: Path) -> None:
    done = run(registration(secured, tmp_path, "--proxy", "socks5://x"), environment(tmp_path), exit_code=2)
    assert "'socks5://x' is no http:// URL of a proxy" in done.err
