"""`patchwindow server` and `patchwindow keys`: where they refuse to start, and keys that take effect at once."""

import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.fakes.commandline import PATCHWINDOW, Done, environment, line_of, run
from tests.fakes.server import Plane, ServerProcess

from patchwindow.bootstrap import Config, open_database
from patchwindow.store.settings import AccessKey, Role


def refusal(folder: Path, *options: str, exit_code: int = 1) -> str:
    """Start a server that must not come up, and return the one line that it says."""
    done = run([*PATCHWINDOW, "server", *options], environment(folder), exit_code=exit_code)
    assert done.out == ""
    assert done.err.count("\n") == 1, "it is one line"
    return done.err.strip()


def keys(plane: Plane, *arguments: str, exit_code: int = 0) -> Done:
    """Run `patchwindow keys` on the data directory of the running server."""
    command = [*PATCHWINDOW, "keys", *arguments, "--data", str(plane.server.data)]
    return run(command, environment(plane.home), exit_code=exit_code)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named(tmp_path: Path, taken: int) -> None:
    said = refusal(tmp_path, "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{taken}")
    assert said.startswith(f"patchwindow: 127.0.0.1:{taken} is in use; give another with --listen")


def test_a_second_server_on_one_data_directory_is_refused(plane: Plane, tmp_path: Path) -> None:
    said = refusal(tmp_path, "--data", str(plane.server.data), "--listen", "127.0.0.1:0")
    assert said == (
        f"patchwindow: data directory {plane.server.data} is in use by another patchwindow server; "
        "stop that one, or give another with --data"
    )
    assert plane.client.describe_maintenance_windows()["WindowIdentities"] == []


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    # Not even root can make one there.
    said = refusal(tmp_path, "--data", "/proc/patchwindow", "--listen", "127.0.0.1:0")
    assert said.startswith("patchwindow: data directory /proc/patchwindow cannot be written: ")


def test_a_file_in_place_of_the_data_directory_is_a_misuse(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("mine")
    said = refusal(tmp_path, "--data", str(file), "--listen", "127.0.0.1:0", exit_code=2)
    assert str(file) in said
    assert file.read_text() == "mine"


def test_the_data_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    open_database(Config(data=data)).close()
    with sqlite3.connect(data / "patchwindow.db") as connection:
        connection.execute("INSERT INTO schema_version VALUES (999)")
    connection.close()
    said = refusal(tmp_path, "--data", str(data), "--listen", "127.0.0.1:0")
    assert "schema version 999" in said
    assert "written by a newer version" in said
    with sqlite3.connect(data / "patchwindow.db") as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (999,)
    connection.close()


@pytest.mark.parametrize("listen", ["8080", "127.0.0.1:65536"])
def test_an_address_of_another_form_is_a_misuse(tmp_path: Path, listen: str) -> None:
    said = refusal(tmp_path, "--data", str(tmp_path / "data"), "--listen", listen, exit_code=2)
    assert repr(listen) in said
    assert not (tmp_path / "data").exists()


def test_a_database_url_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0")
    said = refusal(tmp_path, *where, "--database-url", "mysql://host/db")
    assert said.startswith("patchwindow: database URL mysql://host/db is of another kind")
    said = refusal(tmp_path, *where, "--database-url", "postgresql://nobody:secret@127.0.0.1:1/none?connect_timeout=2")
    assert said.startswith("patchwindow: database postgresql://nobody:***@127.0.0.1:1/none")
    assert "Connection refused" in said
    assert "secret" not in said


def test_a_key_made_while_the_server_runs_works_at_once_until_it_is_disabled(plane: Plane) -> None:
    made = keys(plane, "create", "--role", "operator", "--comment", "ci", "--json").json
    assert made.keys() == {"AccessKeyId", "SecretAccessKey"}
    key = AccessKey(access_key_id=made["AccessKeyId"], secret_access_key=made["SecretAccessKey"], role=Role.OPERATOR)
    client = plane.connect(key)
    activation_id = client.create_activation(IamRole="node")["ActivationId"]
    client.delete_activation(ActivationId=activation_id)

    keys(plane, "disable", key.access_key_id)
    with pytest.raises(ClientError, match=rf"\(UnrecognizedClientException\).*{key.access_key_id} is disabled"):
        client.describe_activations()
    (listed,) = (each for each in keys(plane, "list", "--json").json if each["AccessKeyId"] == key.access_key_id)
    assert (listed["Role"], listed["Status"], listed["Comment"]) == ("operator", "Inactive", "ci")

    keys(plane, "enable", key.access_key_id)
    assert client.describe_activations()["ActivationList"] == []
    keys(plane, "delete", key.access_key_id)
    with pytest.raises(ClientError, match=rf"{key.access_key_id} is not known here"):
        client.describe_activations()


def test_an_unknown_key_is_named_by_the_command(plane: Plane) -> None:
    done = keys(plane, "disable", "AKIA0000000000000000", exit_code=1)
    assert done.err.startswith("patchwindow: there is no access key AKIA0000000000000000")


def test_a_key_is_printed_as_two_lines_for_a_shell(plane: Plane) -> None:
    lines = keys(plane, "create", "--role", "viewer").out.splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "export AWS_ACCESS_KEY_ID",
        "export AWS_SECRET_ACCESS_KEY",
    ]


def test_account_and_region_stand_in_arns(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--account-id", "210987654321", "--region", "eu-central-1") as server:
        default = Plane(server, tmp_path).client.get_default_patch_baseline(OperatingSystem="DEBIAN")
        assert default["BaselineId"].startswith("arn:aws:ssm:eu-central-1:")


def test_a_server_keeps_to_its_quotas(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--quota", "baselines=2", "--quota", "baselines=1") as server:
        client = Plane(server, tmp_path).client
        client.create_patch_baseline(Name="first")
        with pytest.raises(ClientError, match=r"\(ResourceLimitExceededException\).*--quota baselines=2"):
            client.create_patch_baseline(Name="second")


def test_an_unknown_quota_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    said = refusal(tmp_path, "--data", str(tmp_path / "data"), "--quota", "window=3", exit_code=2)
    assert "quota 'window=3' is not known; use NAME=NUMBER with one of windows, " in said


def test_a_server_ends_when_it_is_asked_and_starts_again_where_it_was(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        plane = Plane(server, tmp_path)
        url, id = plane.url, plane.client.create_patch_baseline(Name="kept")["BaselineId"]
        assert server.stop() == 0
        server.start()
        assert server.url == url
        assert plane.client.get_patch_baseline(BaselineId=id)["Name"] == "kept"
    assert "Traceback" not in server.log.read_text()


def test_a_server_holds_more_connections_than_a_process_may_have_files_at_first(tmp_path: Path) -> None:
    command = [*PATCHWINDOW, "server", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"]
    limited = ["sh", "-c", 'ulimit -Sn 64; exec "$@"', "sh", *command]
    server = subprocess.Popen(
        limited, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with ExitStack() as open_ones:
        open_ones.callback(server.communicate)
        open_ones.callback(server.kill)
        assert server.stdout is not None, "it is a pipe"
        host, _, port = line_of(server.stdout, "patchwindow is ready at ").strip().rpartition("/")[2].partition(":")
        for _ in range(100):
            held = open_ones.enter_context(socket.create_connection((host, int(port)), timeout=10))
            held.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert held.recv(12) == b"HTTP/1.1 200"
