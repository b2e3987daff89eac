"""Where overrides may be fetched from."""

import re
from ipaddress import ip_address

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.override_source import FileSource, WebSource, check_address, parse_source, parse_web


def web(url: str, endpoint: str | None = None) -> str:
    source = parse_source(url, s3_endpoint=endpoint)
    assert isinstance(source, WebSource)
    return source.url.geturl()


@pytest.mark.parametrize(
    ("url", "endpoint", "asked"),
    [
        ("https://mirror.example:8443/a/b.yaml?x=1", None, "https://mirror.example:8443/a/b.yaml?x=1"),
        ("s3://my-bucket/a/b.yaml", None, "https://my-bucket.s3.amazonaws.com/a/b.yaml"),
        ("s3://my-bucket/a%20b.yaml", None, "https://my-bucket.s3.amazonaws.com/a%20b.yaml"),
        ("s3://my.bucket/b.yaml", None, "https://s3.amazonaws.com/my.bucket/b.yaml"),
        ("s3://bucket/b.yaml", "http://10.0.0.9:9000/", "http://10.0.0.9:9000/bucket/b.yaml"),
        ("s3://my.bucket/b.yaml", "https://s3.example", "https://s3.example/my.bucket/b.yaml"),
    ],
)
def test_a_url_leads_to_a_web_server(url: str, endpoint: str | None, asked: str) -> None:
    assert web(url, endpoint) == asked


def test_a_file_is_named_by_its_absolute_path() -> None:
    assert parse_source("file:///srv/overrides/a%20b.yaml") == FileSource("/srv/overrides/a b.yaml")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://mirror.example/a.yaml", "is not https://, s3:// or file:///"),
        ("ftp://mirror.example/a.yaml", "is not https://, s3:// or file:///"),
        ("file://host/a.yaml", "is not https://, s3:// or file:///"),
        ("https:///a.yaml", "has no host"),
        ("https://user@mirror.example/a.yaml", "has no host, or a user"),
        ("https://mirror.example:0/a.yaml", "or no port"),
        ("https://mirror.example:99999/a.yaml", "or no port"),
        ("https://[::1/a.yaml", "cannot be read"),
        ("https://mirror.example/", "names no file"),
        ("https://mirror.example/a$b.yaml", "names no file, or one with any of `'\"$"),
        ("https://mirror.example/a%27b.yaml", "names no file, or one with any of `'\"$"),
        ("https://mirror.example/a b.yaml", "is not one; use at most 2000 visible ASCII characters"),
        ("https://mirror.example/" + "a" * 2000, "is not one; use at most 2000 visible ASCII characters"),
        ("s3://evil.example#/a.yaml", "names no file"),
        ("s3://b/a.yaml", "is no name of a bucket"),
        ("s3://UPPER/a.yaml", "is no name of a bucket"),
        ("s3://user@bucket/a.yaml", "is no name of a bucket"),
        ("s3://bucket:80/a.yaml", "is no name of a bucket"),
        ("s3://.bucket/a.yaml", "is no name of a bucket"),
    ],
)
def test_another_url_is_refused(url: str, problem: str) -> None:
    with pytest.raises(Invalid, match=re.escape(problem)):
        parse_source(url)


def test_http_is_for_the_s3_endpoint_of_the_operator_alone() -> None:
    assert parse_web("http://s3.example/b/a", is_plain_allowed=True).hostname == "s3.example"
    for url in ("http://s3.example/b/a", "gopher://s3.example/b"):
        with pytest.raises(Invalid, match="is not encrypted, or no URL of a web server; use https://"):
            parse_web(url)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_a_public_address_may_be_asked(address: str) -> None:
    check_address(ip_address(address), "mirror.example", known_hosts=())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::1",
        "0.1.2.3",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::1",
        "64:ff9b::10.0.0.1",
    ],
)
def test_an_address_inside_may_be_asked_for_a_host_that_the_operator_named(address: str) -> None:
    with pytest.raises(Invalid, match=r"start the server with --override-host mirror\.lan"):
        check_address(ip_address(address), "mirror.lan", known_hosts=("other.lan",))
    check_address(ip_address(address), "mirror.lan", known_hosts=("mirror.lan",))


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.1.1",
        "fe80::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::169.254.169.254",
        "224.0.0.1",
        "0.0.0.0",
        "::",
    ],
)
def test_link_local_addresses_and_metadata_services_are_never_asked(address: str) -> None:
    with pytest.raises(Invalid, match="overrides are never fetched from there"):
        check_address(ip_address(address), "mirror.lan", known_hosts=("mirror.lan",))
