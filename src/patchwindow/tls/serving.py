"""The TLS side of a server: which certificate it shows, and how that is exchanged while it serves."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from patchwindow.ports import Clock, Ids
from patchwindow.tls.authority import (
    FOLDER,
    SERVER_LIFE,
    Authority,
    CertificateProblem,
    fingerprint,
    open_authority,
    read_certificate,
    write_private,
)

_LOG: Final = logging.getLogger(__name__)
_SERVER_FILE: Final = "server.pem"
_LOOK_S: Final = 60.0
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Mode(StrEnum):
    """Whether a server speaks TLS."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """What can be set about a server's TLS."""

    mode: Mode = Mode.AUTO
    """AUTO: with certificate files, and wherever others than this machine can listen in."""
    names: tuple[str, ...] = ()
    """Names and addresses for the server's certificate, beside those it finds itself."""
    certificate: Path | None = None
    """The chain to show, in PEM; without it the server has an authority of its own."""
    key: Path | None = None
    """The key of `certificate`; by default in the same file."""
    ca: Path | None = None
    """The certificate of the authority behind `certificate`; without it nodes ask their system's own store."""

    def is_on(self, host: str) -> bool:
        """Return whether a server that listens on *host* speaks TLS."""
        return self.mode is Mode.ON or (
            self.mode is Mode.AUTO and (self.certificate is not None or not is_loopback(host))
        )


class Source(Protocol):
    """Where the certificate comes from."""

    @property
    def files(self) -> tuple[Path, Path | None]:
        """The chain and its key; no key where it is in the same file."""
        ...

    def stamp(self) -> object:
        """Return what differs when the files are others than before, which may have become so by this call.

        Raises:
            OSError, CertificateProblem: they cannot be had now.
        """
        ...


class GivenFiles:
    """Files that somebody else renews."""

    def __init__(self, certificate: Path, key: Path | None) -> None:
        self.files = (certificate, key)

    def stamp(self) -> object:
        """Return what changes when a file is written or replaced."""
        stats = [path.stat() for path in self.files if path is not None]
        return [(stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats]


class OwnFiles:
    """Files that the server's own authority issues, again when a third of their life is left."""

    def __init__(self, authority: Authority, folder: Path, names: Iterable[str], clock: Clock) -> None:
        self._authority = authority
        self._names = frozenset(names)
        self._clock = clock
        self._path = folder / _SERVER_FILE
        self.files = (self._path, None)

    def stamp(self) -> object:
        """Return the serial number of the certificate, after it was renewed where it had to be."""
        now = self._clock.now()
        found = self._found()
        if found is None or self._is_due(found, now):
            write_private(self._path, self._authority.issue(self._names, now))
            found = read_certificate(self._path)
            _LOG.info("made a certificate for %s, until %s", ", ".join(sorted(self._names)), found.not_valid_after_utc)
            if found.not_valid_after_utc == self._authority.certificate.not_valid_after_utc:
                _LOG.warning("the server's CA ends at %s; nodes must get another before", found.not_valid_after_utc)
        return found.serial_number

    def _found(self) -> x509.Certificate | None:
        try:
            return read_certificate(self._path)
        except CertificateProblem:
            return None

    def _is_due(self, found: x509.Certificate, now: datetime) -> bool:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = {str(each.value) for each in names}
        ends_soon = found.not_valid_after_utc - now < SERVER_LIFE / 3
        # Near the end of the authority itself another one would hold no longer.
        can_hold_longer = self._authority.until(now) > found.not_valid_after_utc
        return not known >= self._names or not self._authority.has_signed(found) or (ends_soon and can_hold_longer)


class Tls:
    """A TLS context for as long as the server runs; every new connection gets the certificate of the moment."""

    def __init__(self, source: Source) -> None:
        """Take up the certificate.

        Raises:
            CertificateProblem: it cannot be used.
        """
        self._source = source
        try:
            self._stamp = source.stamp()
            self._current = self.context = _context(source)
        except (OSError, ssl.SSLError) as problem:
            raise CertificateProblem(_told(source, problem)) from None
        # Called for every handshake, also where the client names no host.
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Take up another certificate where there is one; what is wrong with it is logged, and the old one stays."""
        try:
            stamp = self._source.stamp()
            if stamp == self._stamp:
                return
            self._current = _context(self._source)
            self._stamp = stamp
        except (OSError, ssl.SSLError, CertificateProblem) as problem:
            _LOG.warning("%s; the server goes on with the certificate that it has", _told(self._source, problem))
        else:
            _LOG.info("took up the certificate in %s", self._source.files[0])

    async def watch(self) -> None:
        """Refresh every minute until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self.refresh)

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current


@dataclass(frozen=True, slots=True)
class Secured:
    """What a server with TLS has: its side of each connection, and what its nodes are to trust."""

    tls: Tls
    ca: x509.Certificate | None
    """None where the nodes' systems know the authority already."""

    @property
    def ca_der(self) -> bytes | None:
        """The CA as it is hashed."""
        return None if self.ca is None else self.ca.public_bytes(serialization.Encoding.DER)

    @property
    def ca_pem(self) -> bytes | None:
        """The CA as programs read it."""
        return None if self.ca is None else self.ca.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        """The CA's SHA-256; empty without one."""
        return fingerprint(self.ca) if self.ca else ""


def secure(settings: TlsSettings, *, data: Path, names: Iterable[str], clock: Clock, ids: Ids) -> Secured:
    """Return the TLS of a server: of files that are given, or of an authority in *data* that signs for *names*.

    Raises:
        CertificateProblem: a file cannot be used.
    """
    if settings.certificate is not None:
        ca = None if settings.ca is None else read_certificate(settings.ca)
        return Secured(Tls(GivenFiles(settings.certificate, settings.key)), ca)
    folder = data / FOLDER
    authority = open_authority(folder, ids.hex(8), clock.now())
    return Secured(Tls(OwnFiles(authority, folder, names, clock)), authority.certificate)


def names_of(host: str, settings: TlsSettings, public_url: str | None) -> frozenset[str]:
    """Return all names and addresses under which clients may reach a server that listens on *host*."""
    names = {*_LOOPBACK_NAMES, *settings.names}
    if public_url is not None and (public := urlsplit(public_url).hostname):
        names.add(public)
    if host in ("0.0.0.0", "::"):  # noqa: S104  (compared, not listened on)
        names |= _names_of_this_machine()
    else:
        names.add(host)
    return frozenset(name for name in names if name)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches *host*."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names_of_this_machine() -> set[str]:
    """Return the names of this machine, and the addresses that it has under them and on its way out."""
    name = socket.gethostname()
    found = {name, socket.getfqdn()}
    try:
        found |= {str(each[4][0]) for each in socket.getaddrinfo(name, None)}
    except OSError:
        _LOG.warning("the name of this machine, %s, has no address; give others with --tls-name", name)
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                # Connecting a datagram socket chooses the route; nothing is sent.
                probe.connect((elsewhere, 9))
                found.add(probe.getsockname()[0])
        except OSError:
            continue
    # A link-local address has a zone that no certificate can name.
    return {each for each in found if "%" not in each}


def _context(source: Source) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    certificate, key = source.files
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


def _no_password() -> str:
    # Otherwise OpenSSL asks for one on the terminal, for which nobody waits.
    raise CertificateProblem(
        "the key of the certificate is encrypted; give it without a password, readable by its owner only"
    )


def _told(source: Source, problem: Exception) -> str:
    where = " and ".join(str(path) for path in source.files if path is not None)
    return f"the certificate in {where} cannot be used: {problem}"
