"""The real way to overrides, to servers on a loopback address and files in a directory."""

import os
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.web import Act, WebServer, answering, drip, serving

from patchwindow.domain.errors import Invalid
from patchwindow.fetch import REDIRECTS_MAX, Fetcher, Places

BYTES_MAX = 1000


def fetch(server: WebServer, url: str = "s3://bucket/lists/one.yaml", **more: Any) -> bytes:
    return Fetcher(Places(s3_endpoint=server.url), **more).fetch(url, BYTES_MAX)


def refused(url: str, places: Places | None = None, **more: Any) -> str:
    with pytest.raises(Invalid) as caught:
        Fetcher(places or Places(), **more).fetch(url, BYTES_MAX)
    return str(caught.value)


def test_an_object_is_read_from_the_service_that_the_operator_named() -> None:
    with serving(answering(200, b"patches: []")) as server:
        assert fetch(server) == b"patches: []"
        assert [(each.path, each.headers["Host"]) for each in server.asked] == [
            ("/bucket/lists/one.yaml", f"127.0.0.1:{server.server_port}")
        ]


def test_what_is_too_large_is_not_read_to_its_end() -> None:
    with serving(answering(200, b"x" * BYTES_MAX)) as server:
        assert len(fetch(server)) == BYTES_MAX
    with (
        serving(answering(200, b"x" * (BYTES_MAX + 1))) as server,
        pytest.raises(Invalid, match=f"s3://bucket/lists/one.yaml is larger than {BYTES_MAX} bytes"),
    ):
        fetch(server)


def test_an_answer_that_is_not_the_file_is_told() -> None:
    with (
        serving(answering(404, b"gone")) as server,
        pytest.raises(Invalid, match=r"/bucket/lists/one\.yaml answers 404; see that it can be read there"),
    ):
        fetch(server)


def test_a_redirect_is_followed_where_the_url_itself_could_lead() -> None:
    def act(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/there":
            answering(200, b"found")(handler)
        else:
            answering(307, Location="/there")(handler)

    with serving(act) as server:
        assert fetch(server) == b"found"
        assert server.paths == ["/bucket/lists/one.yaml", "/there"]


def test_a_redirect_for_ever_is_given_up() -> None:
    with (
        serving(answering(302, Location="/again")) as server,
        pytest.raises(Invalid, match=f"redirects more than {REDIRECTS_MAX} times"),
    ):
        fetch(server)
    assert len(server.paths) == REDIRECTS_MAX + 1


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("http://169.254.169.254/latest/meta-data/iam", "overrides are never fetched from there"),
        ("http://10.0.0.1/x", "is not public; start the server with --override-host"),
        ("http://[::1]/x", "is not public; start the server with --override-host"),
        ("file:///etc/hostname", "no URL of a web server"),
        ("gopher://mirror.example/x", "no URL of a web server"),
    ],
)
def test_a_redirect_leads_nowhere_else(location: str, problem: str) -> None:
    with serving(answering(302, Location=location)) as server, pytest.raises(Invalid) as caught:
        fetch(server)
    assert problem in str(caught.value)
    assert len(server.paths) == 1


def test_a_host_with_an_address_inside_is_asked_only_where_the_operator_named_it() -> None:
    assert "host localhost has the address" in refused("https://localhost/a.yaml")
    assert "host mirror.lan has the address 10.0.0.9, which is not public" in refused(
        "https://mirror.lan/a.yaml", look_up=lambda *_: ("10.0.0.9",)
    )


def test_each_address_of_a_host_is_looked_at_before_any_is_asked() -> None:
    problem = refused(
        "https://rebound.example/a.yaml",
        Places(hosts=("rebound.example",)),
        look_up=lambda *_: ("127.0.0.1", "169.254.169.254"),
    )
    assert "host rebound.example has the address 169.254.169.254, which is link-local" in problem


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    asked: list[tuple[str, int]] = []

    def look_up(host: str, port: int) -> tuple[str, ...]:
        asked.append((host, port))
        return ("127.0.0.7", "127.0.0.1")

    with serving(answering(200, b"x")) as server:
        endpoint = f"http://objects.example:{server.server_port}"
        assert Fetcher(Places(s3_endpoint=endpoint), look_up=look_up).fetch("s3://bucket/a", BYTES_MAX) == b"x"
        assert [each.headers["Host"] for each in server.asked] == [f"objects.example:{server.server_port}"]
    assert asked == [("objects.example", server.server_port)]


@pytest.mark.parametrize("act", [drip, lambda _: time.sleep(5)])
def test_all_of_it_has_to_come_in_time(act: Act) -> None:
    with serving(act) as server:
        began_at = time.monotonic()
        with pytest.raises(Invalid, match=r"s3://bucket/lists/one\.yaml did not come within 0\.3 seconds"):
            fetch(server, timeout_s=0.3)
        assert time.monotonic() - began_at < 4


def test_where_nobody_listens_the_url_is_named_without_what_may_be_secret() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    problem = refused(f"https://127.0.0.1:{port}/a.yaml?X-Amz-Signature=5ec7e7", Places(hosts=("127.0.0.1",)))
    assert problem.startswith(f"https://127.0.0.1:{port}/a.yaml cannot be fetched: ")
    assert "5ec7e7" not in problem
    assert "mirror.invalid/a.yaml cannot be fetched: " in refused("https://mirror.invalid/a.yaml")
    assert refused("https://mirror.example/a", look_up=lambda *_: ()) == "host mirror.example has no address"


def test_certificates_are_checked(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(hosts=("LocalHost", "127.0.0.1"))
    with serving(answering(200, b"x"), pem) as server:
        url = f"https://localhost:{server.server_port}/a.yaml"
        assert "certificate verify failed" in refused(url, places)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert Fetcher(places).fetch(url, BYTES_MAX) == b"x"
        assert "certificate verify failed" in refused(url.replace("localhost", "127.0.0.1"), places)


class TestFiles:
    """Files, which are read from one directory alone."""

    def test_a_file_below_the_directory_is_read(self, tmp_path: Path) -> None:
        file = tmp_path / "lists" / "a b.yaml"
        file.parent.mkdir()
        file.write_bytes(b"patches: []")
        url = f"file://{tmp_path}/lists/a%20b.yaml"
        assert Fetcher(Places(directory=tmp_path)).fetch(url, BYTES_MAX) == b"patches: []"
        file.write_bytes(b"x" * (BYTES_MAX + 1))
        assert "is larger than" in refused(url, Places(directory=tmp_path))

    def test_without_a_directory_no_file_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"x")
        assert "start the server with --override-dir" in refused(f"file://{tmp_path}/a")

    def test_nothing_outside_the_directory_is_read(self, tmp_path: Path) -> None:
        inside, outside = tmp_path / "in", tmp_path / "out"
        inside.mkdir()
        outside.write_bytes(b"secret")
        (inside / "link").symlink_to(outside)
        (tmp_path / "in-other").write_bytes(b"secret")
        for path in ("in/link", "in/../out", "in/%2e%2e/out", "in-other"):
            assert "is not below the directory of overrides" in refused(
                f"file://{tmp_path}/{path}", Places(directory=inside)
            )

    def test_what_is_no_file_is_told(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "folder").mkdir()
        places = Places(directory=tmp_path)
        assert "is no regular file" in refused(f"file://{tmp_path}/pipe", places)
        assert "is no regular file" in refused(f"file://{tmp_path}/folder", places)
        assert "cannot be fetched: [Errno 2]" in refused(f"file://{tmp_path}/absent", places)
