"""Which proxy and which authority an environment names."""

import pytest

from patchwindow_agent.errors import Unusable
from patchwindow_agent.way import Proxy, Way, parse_proxy, way_to

HOST = "patch.example.net"
LAN = Proxy("proxy.lan", 3128)


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy.lan:3128"}, LAN),
        ({"https_proxy": "proxy.lan"}, Proxy("proxy.lan", 80)),
        ({"HTTP_PROXY": "http://proxy.lan:3128"}, None),
        ({"HTTPS_PROXY": "http://proxy.lan:8080", "NO_PROXY": "localhost,elsewhere.net"}, Proxy("proxy.lan", 8080)),
        ({"HTTPS_PROXY": "http://proxy.lan", "NO_PROXY": "localhost, patch.example.net"}, None),
        ({"HTTPS_PROXY": "http://proxy.lan", "NO_PROXY": ".example.net"}, None),
        ({"HTTPS_PROXY": "http://proxy.lan", "no_proxy": "Example.Net"}, None),
        ({"HTTPS_PROXY": "http://proxy.lan", "NO_PROXY": "*"}, None),
        ({"HTTPS_PROXY": "http://proxy.lan:3128", "NO_PROXY": "ample.net"}, LAN),
        ({"HTTPS_PROXY": "http://other.lan", "PATCHWINDOW_PROXY": "http://proxy.lan:3128"}, LAN),
        ({"PATCHWINDOW_PROXY": "http://proxy.lan:3128", "NO_PROXY": "*"}, LAN),
        ({"HTTPS_PROXY": "http://proxy.lan", "PATCHWINDOW_PROXY": ""}, None),
    ],
)
def test_a_proxy_is_found_as_curl_finds_it_unless_our_own_setting_says_otherwise(
    environ: dict[str, str], proxy: Proxy | None
) -> None:
    assert way_to(HOST, is_tls=True, environ=environ) == Way(None, proxy)


def test_what_is_not_encrypted_goes_through_no_proxy() -> None:
    assert way_to("127.0.0.1", is_tls=False, environ={"HTTPS_PROXY": "http://proxy.lan"}) == Way()


def test_the_authority_is_named_by_a_variable_that_package_managers_do_not_obey() -> None:
    environ = {"PATCHWINDOW_CA": "/var/lib/x/ca.pem", "SSL_CERT_FILE": "/other.pem"}
    assert way_to(HOST, is_tls=True, environ=environ) == Way("/var/lib/x/ca.pem")


def test_a_proxys_password_becomes_a_header_and_may_hold_any_character() -> None:
    # RFC 7617, section 2: the base64 of user-id, colon and password.
    assert parse_proxy("http://Aladdin:open%20sesame@p:1").authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@pytest.mark.parametrize("url", ["https://proxy.lan", "socks5://proxy.lan:1080", "http://", "http://user:secret@"])
def test_what_is_no_http_proxy_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="is no http:// URL of a proxy") as refused:
        parse_proxy(url)
    assert "secret" not in str(refused.value)


def test_a_proxy_of_the_environment_that_is_none_is_a_sentence_of_the_agents_own() -> None:
    with pytest.raises(Unusable, match="the environment names a proxy that cannot be used: 'ftp://x'"):
        way_to(HOST, is_tls=True, environ={"HTTPS_PROXY": "ftp://x"})
