"""Finding the endpoint, the region and the key as the AWS command line does."""

from pathlib import Path
from typing import Final

import pytest

from patchwindow.client import OWN, ClientProblem, connect

_SETTINGS: Final = (
    *("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_RESOURCE_GROUPS"),
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_an_endpoint_of_ones_own_needs_no_region() -> None:
    client = connect(endpoint_url="http://patch.example:8080")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://patch.example:8080", "us-east-1")


def test_the_endpoint_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "https://patch.example")
    assert connect().meta.endpoint_url == "https://patch.example"


def test_without_an_endpoint_the_client_talks_to_aws() -> None:
    assert connect(region="eu-central-1").meta.endpoint_url == "https://ssm.eu-central-1.amazonaws.com"


def test_aws_without_a_region_is_refused_with_what_to_do() -> None:
    with pytest.raises(ClientProblem, match="no region; name one, set AWS_REGION, or give an endpoint URL"):
        connect()


def test_a_profile_gives_its_region_and_endpoint(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[profile home]\nregion = eu-west-1\nservices = home\n[services home]\nssm =\n  endpoint_url = https://home.example\n"
    )
    client = connect(profile="home")
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-west-1", "https://home.example")


def test_a_profile_that_is_not_there_is_named() -> None:
    with pytest.raises(ClientProblem, match=r"\(absent\) could not be found; check its name"):
        connect(profile="absent", region="eu-west-1")


def test_a_file_of_credentials_may_be_named(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("[default]\naws_access_key_id = PWEXAMPLE\naws_secret_access_key = secret\n")
    client = connect(endpoint_url="http://patch.example", credentials_file=str(keys))
    # Which key a client signs with is no part of its public face.
    assert client._request_signer._credentials.access_key == "PWEXAMPLE"


@pytest.mark.parametrize("url", ["patch.example:8080", "ftp://patch.example"])
def test_an_endpoint_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ClientProblem, match="must begin with http:// or https://"):
        connect(endpoint_url=url)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_RESOURCE_GROUPS"])
def test_resource_groups_are_where_they_are_said_to_be_or_where_the_api_is(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "https://elsewhere.example")
    monkeypatch.setenv(name, "https://patch.example")
    client = connect(service="resource-groups")
    assert client.meta.endpoint_url == "https://patch.example"
    assert client.meta.service_model.service_name == "resource-groups"


def test_resource_groups_of_aws_are_another_address() -> None:
    client = connect(region="eu-central-1", service="resource-groups")
    assert client.meta.endpoint_url == "https://resource-groups.eu-central-1.amazonaws.com"
    with pytest.raises(ClientProblem, match="no region; name one"):
        connect(service="resource-groups")


def test_the_servers_own_operations_are_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "https://patch.example")
    client = connect(service=OWN)
    assert client.meta.endpoint_url == "https://patch.example"
    assert client.meta.service_model.signing_name == "ssm"
    assert {"explain_patch", "list_patches"} <= set(dir(client))
    assert client.can_paginate("list_patches")


def test_aws_has_none_of_the_servers_own_operations() -> None:
    with pytest.raises(ClientProblem, match="what patchwindow servers answer and AWS does not; name a server"):
        connect(region="eu-central-1", service=OWN)


def test_an_older_copy_of_the_servers_model_is_not_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "patchwindow" / "2026-11-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text("{}")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert connect(endpoint_url="http://patch.example", service=OWN).meta.service_model.signing_name == "ssm"
