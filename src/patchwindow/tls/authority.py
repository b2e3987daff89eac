"""A certificate authority of the server's own: made once, kept in the data directory, and trusted by its fingerprint.

One key, one level: it signs the certificates of this server and nothing else. Names are not constrained: its key lies
beside the server's own and goes with it, the names of a server change, and no system's own store of certificates is
asked to trust it.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from patchwindow.domain.errors import PatchwindowError

FOLDER: Final = "tls"
CERTIFICATE_FILE: Final = "ca.pem"
KEY_FILE: Final = "ca.key"

_LIFE: Final = timedelta(days=3650)
SERVER_LIFE: Final = timedelta(days=90)
"""How long a certificate of the server holds; it is renewed when a third of that is left."""
_SLACK: Final = timedelta(days=1)
"""How far the clock of a node may be behind."""


class CertificateProblem(PatchwindowError):
    """A certificate or its key cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate that nodes trust, and the key that signs for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, serial: str, now: datetime) -> Self:
        """Return a new authority, whose name ends in *serial*."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"patchwindow CA {serial}")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = (
            _builder(name, name, key.public_key(), now - _SLACK, now + _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(identifier, critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, names: Iterable[str], now: datetime) -> bytes:
        """Return a certificate for *names*, hosts and addresses, after a new key of its own: one file of PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "patchwindow server")])
        public = self.key.public_key()
        certificate = (
            _builder(subject, self.certificate.subject, key.public_key(), now - _SLACK, self.until(now))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_name(each) for each in sorted(names)]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return _key_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)

    def until(self, now: datetime) -> datetime:
        """Return until when a certificate that is issued *now* holds."""
        return min(now + SERVER_LIFE, self.certificate.not_valid_after_utc)

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Return whether *certificate* is of this authority."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, InvalidSignature):
            return False
        return True


def open_authority(folder: Path, serial: str, now: datetime) -> Authority:
    """Return the authority kept in *folder*; made there, its name ending in *serial*, where there is none.

    Raises:
        CertificateProblem: what is there cannot be read, or belongs to something else.
    """
    certificate_path, key_path = folder / CERTIFICATE_FILE, folder / KEY_FILE
    if not certificate_path.exists():
        authority = Authority.make(serial, now)
        folder.mkdir(mode=0o700, exist_ok=True)
        # The key first: without a certificate beside it both are made anew.
        write_private(key_path, _key_pem(authority.key))
        write_private(certificate_path, authority.pem)
        return authority
    certificate = read_certificate(certificate_path)
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as problem:
        raise CertificateProblem(
            f"{key_path} cannot be read: {problem}; put back the key of {certificate_path}, or remove both for a new "
            "authority, to which every node must be introduced again"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise CertificateProblem(
            f"{key_path} is not the key of {certificate_path}; put back the pair that belongs together"
        )
    return Authority(certificate, key)


def read_certificate(path: Path) -> x509.Certificate:
    """Return the one certificate in the PEM file *path*.

    Raises:
        CertificateProblem: it cannot be read, or holds none or several.
    """
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as problem:
        raise CertificateProblem(f"{path} is no certificate that can be read: {problem}") from None
    if len(found) != 1:
        raise CertificateProblem(
            f"{path} holds {len(found)} certificates; give a file with the one that nodes shall trust"
        )
    return found[0]


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate, as 64 lower-case hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def write_private(path: Path, content: bytes) -> None:
    """Make *content* the content of *path*, for its owner's eyes alone; after a crash it is whole or as it was."""
    aside = path.with_name(f".{path.name}.new")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
