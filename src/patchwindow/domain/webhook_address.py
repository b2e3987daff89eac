"""Where a webhook may be: what its URL may say, and which addresses may stand behind it.

A server stands where the metadata service of a cloud can be reached, which gives credentials to whoever asks.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from patchwindow.domain.errors import Invalid

Address = IPv4Address | IPv6Address

_EXAMPLE: Final = "https://hooks.example/patching"
_URL_MAX: Final = 2000
_METADATA: Final = frozenset(map(ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")))
"""What is not link-local of the metadata services of clouds."""
_NAT64: Final = IPv6Network("64:ff9b::/96")


def parse_url(url: str) -> SplitResult:
    """Return the parts of a webhook's URL.

    Raises:
        Invalid: it is no URL, or not one that a webhook may have.
    """
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _URL_MAX:
        raise Invalid(f"URL {url!r} is not one; use at most {_URL_MAX} visible ASCII characters, such as {_EXAMPLE}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise Invalid(f"URL {url!r} cannot be read: {problem}; write it as {_EXAMPLE}") from None
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise Invalid(f"URL {url!r} is not https:// with a host; write it as {_EXAMPLE}")
    if parts.username is not None or parts.fragment:
        raise Invalid(f"URL {url!r} has a user or a fragment; leave them out: requests are signed")
    is_plain = parts.scheme == "http"
    try:
        literal = ip_address(host)
    except ValueError:
        if is_plain and host != "localhost":
            raise Invalid(f"URL {url!r} is not encrypted; use https://, as http:// is for loopback addresses") from None
    else:
        check_address(literal, is_plain=is_plain)
    return parts


def check_address(address: Address, *, is_plain: bool) -> None:
    """Refuse an address to which nothing is sent.

    Raises:
        Invalid: it is link-local, a metadata service or no single host's; or *is_plain*, and it is not loopback.
    """
    real = unwrapped(address)
    if real.is_link_local or real in _METADATA:
        raise Invalid(f"address {address} is link-local or a metadata service; webhooks are never sent there")
    if real.is_multicast or real.is_unspecified:
        raise Invalid(f"address {address} is not the address of one host; use another")
    # A loopback address that goes through a translator is another machine's.
    here = (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
    if is_plain and not here.is_loopback:
        raise Invalid(f"address {address} is not loopback; use https://, as http:// is for loopback addresses")


def unwrapped(address: Address) -> Address:
    """Return the address that another of version 6 carries inside, which is where it leads to."""
    if not isinstance(address, IPv6Address):
        return address
    if address in _NAT64:
        return ip_address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
