"""The server's own certificate authority: what it makes, what it keeps, and what it refuses."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.fakes.clock import START

from patchwindow.tls.authority import (
    CERTIFICATE_FILE,
    KEY_FILE,
    SERVER_LIFE,
    Authority,
    CertificateProblem,
    fingerprint,
    open_authority,
    read_certificate,
)


def issued(authority: Authority, *names: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.issue(names, START))


def test_an_authority_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    made = open_authority(folder, "1", START)
    again = open_authority(folder, "2", START + timedelta(days=400))
    assert fingerprint(again.certificate) == fingerprint(made.certificate)
    assert made.certificate.subject.rfc4514_string() == "CN=patchwindow CA 1"
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        CERTIFICATE_FILE: 0o600,
        KEY_FILE: 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_authority_signs_servers_and_no_further_authority() -> None:
    authority = Authority.make("1", START)
    constraints = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    certificate = issued(authority, "patch.example.net")
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert authority.has_signed(certificate)
    assert not Authority.make("1", START).has_signed(certificate)


def test_a_certificate_names_hosts_and_addresses_each_in_its_kind() -> None:
    names = issued(Authority.make("1", START), "patch.example.net", "192.0.2.7", "2001:db8::7")
    found = names.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["patch.example.net"]
    assert {str(each) for each in found.get_values_for_type(x509.IPAddress)} == {"192.0.2.7", "2001:db8::7"}


def test_a_certificate_holds_90_days_and_never_longer_than_its_authority() -> None:
    authority = Authority.make("1", START)
    assert issued(authority, "a").not_valid_after_utc == START + SERVER_LIFE
    late = authority.certificate.not_valid_after_utc - timedelta(days=10)
    certificate = x509.load_pem_x509_certificate(authority.issue(["a"], late))
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_an_authority_without_its_key_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    made = open_authority(tmp_path, "1", START)
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(CertificateProblem, match=r"ca\.key cannot be read: .* put back the key"):
        open_authority(tmp_path, "2", START)
    assert fingerprint(read_certificate(tmp_path / CERTIFICATE_FILE)) == fingerprint(made.certificate)


def test_a_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    open_authority(tmp_path / "a", "1", START)
    open_authority(tmp_path / "b", "2", START)
    (tmp_path / "b" / KEY_FILE).replace(tmp_path / "a" / KEY_FILE)
    with pytest.raises(CertificateProblem, match=r"is not the key of .*ca\.pem"):
        open_authority(tmp_path / "a", "1", START)


@pytest.mark.parametrize(("count", "told"), [(0, "no certificate that can be read"), (2, "holds 2 certificates")])
def test_what_nodes_trust_is_exactly_one_certificate(tmp_path: Path, count: int, told: str) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(Authority.make("1", START).pem * count)
    with pytest.raises(CertificateProblem, match=told):
        read_certificate(path)
