"""The certificate that a server shows: whose names, and how it is exchanged while connections are made."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.fakes.clock import START, CountingIds, FixedClock

from patchwindow.system import SystemClock
from patchwindow.tls.authority import SERVER_LIFE, Authority, CertificateProblem, fingerprint, read_certificate
from patchwindow.tls.serving import GivenFiles, Mode, OwnFiles, Tls, TlsSettings, is_loopback, names_of, secure

NOW = SystemClock().now()


@contextmanager
def serving(tls: Tls) -> Iterator[int]:
    """Take connections on loopback, one after the other; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    with tls.context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(1)
                except OSError:
                    plain.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def shown(port: int, ca: Authority, name: str = "localhost") -> x509.Certificate:
    """Connect as a client that trusts *ca* alone, and return the server's certificate."""
    context = ssl.create_default_context(cadata=ca.pem.decode())
    with (
        socket.create_connection(("127.0.0.1", port), 5) as plain,
        context.wrap_socket(plain, server_hostname=name) as connection,
    ):
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_a_client_that_trusts_the_authority_reaches_the_server_by_each_of_its_names(tmp_path: Path) -> None:
    authority = Authority.make("1", NOW)
    tls = Tls(OwnFiles(authority, tmp_path, ["localhost", "127.0.0.1"], SystemClock()))
    with serving(tls) as port:
        assert authority.has_signed(shown(port, authority))
        assert authority.has_signed(shown(port, authority, "127.0.0.1"))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            shown(port, authority, "elsewhere.example.net")
        with pytest.raises(ssl.SSLCertVerificationError):
            shown(port, Authority.make("2", NOW))


def test_given_files_are_taken_up_when_they_change_and_kept_when_they_are_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority.make("1", NOW)
    path = tmp_path / "server.pem"

    def put(content: bytes) -> None:
        path.with_suffix(".new").write_bytes(content)
        path.with_suffix(".new").replace(path)

    put(authority.issue(["localhost"], NOW))
    tls = Tls(GivenFiles(path, None))
    with serving(tls) as port:
        first = shown(port, authority)
        put(b"half a file")
        tls.refresh()
        assert "the server goes on with the certificate that it has" in caplog.text
        assert shown(port, authority) == first
        put(authority.issue(["localhost"], NOW))
        assert shown(port, authority) == first
        tls.refresh()
        assert shown(port, authority) != first


def test_the_servers_certificate_is_renewed_when_a_third_of_its_life_is_left(tmp_path: Path) -> None:
    clock = FixedClock()
    source = OwnFiles(Authority.make("1", START), tmp_path, ["localhost"], clock)
    first = source.stamp()
    clock.advance(SERVER_LIFE * 2 / 3)
    assert source.stamp() == first
    clock.advance(timedelta(minutes=1))
    second = source.stamp()
    assert second != first
    assert read_certificate(tmp_path / "server.pem").not_valid_after_utc == clock.now() + SERVER_LIFE
    assert source.stamp() == second


def test_near_the_end_of_its_authority_a_certificate_is_not_renewed_again_and_again(tmp_path: Path) -> None:
    clock = FixedClock()
    authority = Authority.make("1", START)
    clock.advance(authority.certificate.not_valid_after_utc - START - timedelta(days=5))
    source = OwnFiles(authority, tmp_path, ["localhost"], clock)
    assert source.stamp() == source.stamp()


def test_another_name_or_another_authority_makes_another_certificate(tmp_path: Path) -> None:
    authority = Authority.make("1", START)
    first = OwnFiles(authority, tmp_path, ["localhost", "a"], FixedClock()).stamp()
    assert OwnFiles(authority, tmp_path, ["localhost"], FixedClock()).stamp() == first, "it names that one too"
    second = OwnFiles(authority, tmp_path, ["localhost", "b"], FixedClock()).stamp()
    assert second != first
    assert OwnFiles(Authority.make("1", START), tmp_path, ["localhost", "b"], FixedClock()).stamp() != second


def test_a_server_finds_the_same_authority_at_every_start(tmp_path: Path) -> None:
    found = [
        secure(TlsSettings(), data=tmp_path, names=["localhost"], clock=FixedClock(), ids=CountingIds()).ca
        for _ in range(2)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert fingerprint(found[0]) == fingerprint(found[1])


def test_of_given_files_nodes_trust_what_is_named_or_what_their_systems_do(tmp_path: Path) -> None:
    authority = Authority.make("1", START)
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    (tmp_path / "server.pem").write_bytes(authority.issue(["localhost"], START))
    given = TlsSettings(certificate=tmp_path / "server.pem")
    known = TlsSettings(certificate=tmp_path / "server.pem", ca=tmp_path / "ca.pem")
    for settings, expected in ((given, None), (known, authority.certificate)):
        secured = secure(settings, data=tmp_path, names=[], clock=FixedClock(), ids=CountingIds())
        assert secured.ca == expected


def test_an_encrypted_key_is_refused_without_a_question_on_the_terminal(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    authority = Authority.make("1", START)
    encrypted = authority.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "cert.pem").write_bytes(authority.pem)
    (tmp_path / "key.pem").write_bytes(encrypted)
    with pytest.raises(CertificateProblem, match="the key of the certificate is encrypted"):
        Tls(GivenFiles(tmp_path / "cert.pem", tmp_path / "key.pem"))


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(CertificateProblem, match=rf"the certificate in {tmp_path}{os.sep}none cannot be used"):
        Tls(GivenFiles(tmp_path / "none", None))


@pytest.mark.parametrize(
    ("host", "is_ours_alone"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("pw", False)],
)
def test_tls_is_the_default_as_soon_as_others_can_listen_in(host: str, is_ours_alone: bool) -> None:  # noqa: FBT001 - a row of a table
    assert is_loopback(host) is is_ours_alone
    assert TlsSettings().is_on(host) is not is_ours_alone
    assert TlsSettings(certificate=Path("x")).is_on(host)
    assert TlsSettings(mode=Mode.ON).is_on(host)
    assert not TlsSettings(mode=Mode.OFF).is_on(host)


def test_a_certificate_is_for_where_the_server_listens_and_for_what_it_is_told() -> None:
    settings = TlsSettings(names=("patch",))
    loopback = {"localhost", "127.0.0.1", "::1"}
    assert names_of("192.0.2.7", settings, "https://public.example.net:8443") == {
        *loopback,
        "patch",
        "192.0.2.7",
        "public.example.net",
    }
    everywhere = names_of("0.0.0.0", settings, None)
    assert everywhere >= {*loopback, "patch", socket.gethostname()}
    assert "0.0.0.0" not in everywhere
