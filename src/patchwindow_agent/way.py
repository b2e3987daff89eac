"""How the server is reached: whose certificates count, and through which proxy. Two variables carry it to patch operations."""

import base64
from typing import Mapping, NamedTuple, Optional
from urllib.parse import unquote, urlsplit

from patchwindow_agent.errors import Unusable

CA_VARIABLE = "PATCHWINDOW_CA"
"""A PEM file: the one authority whose certificates the server may show. Not `SSL_CERT_FILE`, which package managers and
scripts obey as well: their mirrors have certificates of others."""

PROXY_VARIABLE = "PATCHWINDOW_PROXY"
"""The proxy on the way to the server, empty for none; it goes before `HTTPS_PROXY` and `NO_PROXY`."""


class Proxy(NamedTuple):
    """An HTTP proxy that is asked to connect (RFC 9110, section 9.3.6)."""

    host: str
    port: int
    # The value of the header Proxy-Authorization; empty for none.
    authorization: str = ""


class Way(NamedTuple):
    """How connections to one server are made."""

    # The file of the authority to trust; None for those that the system trusts.
    ca: Optional[str] = None
    proxy: Optional[Proxy] = None


def parse_proxy(url: str) -> Proxy:
    """Return the proxy at *url*, such as `http://user:password@proxy.lan:3128`.

    Raises:
        ValueError: it is no URL of an HTTP proxy.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{shown!r} is no http:// URL of a proxy, such as http://proxy.lan:3128")
    authorization = ""
    if parts.username is not None:
        words = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(words.encode()).decode()}"
    return Proxy(parts.hostname, parts.port or 80, authorization)


def way_to(host: str, *, is_tls: bool, environ: Mapping[str, str]) -> Way:
    """Return the way to *host* that *environ* tells.

    Raises:
        Unusable: it names a proxy that can be none.
    """
    try:
        return Way(environ.get(CA_VARIABLE) or None, _proxy(host, environ) if is_tls else None)
    except ValueError as problem:
        raise Unusable(f"the environment names a proxy that cannot be used: {problem}") from problem


def _proxy(host: str, environ: Mapping[str, str]) -> Optional[Proxy]:
    if PROXY_VARIABLE in environ:
        url = environ[PROXY_VARIABLE]
    elif _is_spared(host, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        url = ""
    else:
        url = environ.get("https_proxy") or environ.get("HTTPS_PROXY") or ""
    return parse_proxy(url) if url else None


def _is_spared(host: str, spared: str) -> bool:
    """Return whether NO_PROXY, as *spared*, names *host*: by itself, by a domain that it is in, or by `*`."""
    # A dot before a domain changes nothing, as with curl.
    names = [name.strip().lstrip(".").lower() for name in spared.replace(" ", ",").split(",")]
    return any(name in ("*", host.lower()) or (name and host.lower().endswith(f".{name}")) for name in names)
