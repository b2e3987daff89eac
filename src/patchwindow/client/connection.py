"""How a client finds its endpoint, its region and its key: as the AWS command line does."""

from importlib import resources
from typing import Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError

from patchwindow.client.calls import SsmClient
from patchwindow.client.problems import ClientProblem, explain

# A server of one's own has one region; a client that names none signs for this one.
FALLBACK_REGION: Final = "us-east-1"

SSM: Final = "ssm"

OWN: Final = "patchwindow"
"""The service of a control plane's own operations, which AWS does not have (docs/own-api.md)."""

# In the folders in which the SDK looks for models. Not imported: it is data, and the same that any other client reads.
_MODELS: Final = resources.files("patchwindow") / "protocol" / "model"

# Long enough for a large page over a slow line; five attempts ride out a server's restart and AWS's throttling.
_CONFIG: Final = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 5},
    user_agent_extra="patchwindow",
)


def connect(
    *,
    endpoint_url: str | None = None,
    profile: str | None = None,
    region: str | None = None,
    credentials_file: str | None = None,
    ca_bundle: str | None = None,
    service: str = SSM,
) -> SsmClient:
    """Return a client of the API, or of another service that a control plane has at the same address.

    What is not given is resolved as the AWS command line resolves it: ``AWS_ENDPOINT_URL_SSM`` and
    ``AWS_ENDPOINT_URL``, ``AWS_PROFILE``, ``AWS_REGION``, ``AWS_CA_BUNDLE``, the files of configuration and credentials.
    Without an endpoint the client talks to AWS. The other services are looked for at their own endpoint, such as
    ``AWS_ENDPOINT_URL_RESOURCE_GROUPS``, and then at that of the API.

    Raises:
        ClientProblem: the endpoint is no URL, there is no such profile, or AWS is meant and no region is known, or
            it has no such service.
    """
    if endpoint_url is not None and urlsplit(endpoint_url).scheme not in {"http", "https"}:
        raise ClientProblem(f"endpoint URL {endpoint_url!r} must begin with http:// or https://")
    try:
        core = botocore.session.Session(profile=profile)
        if credentials_file is not None:
            core.set_config_variable("credentials_file", credentials_file)
        # First, so that an older copy of our model in the user's home does not take its place.
        core.get_component("data_loader").search_paths.insert(0, str(_MODELS))
        session = boto3.Session(botocore_session=core, region_name=region)
        if endpoint_url is None and service != SSM:
            endpoint_url = _own_server(session, service)
        if endpoint_url is None and service == OWN:
            raise ClientProblem(
                "this asks what patchwindow servers answer and AWS does not; name a server with --endpoint-url, "
                "AWS_ENDPOINT_URL_SSM or a profile"
            )
        try:
            return session.client(service, endpoint_url=endpoint_url, config=_CONFIG, verify=ca_bundle)
        except NoRegionError:
            client = session.client(
                service, FALLBACK_REGION, endpoint_url=endpoint_url, config=_CONFIG, verify=ca_bundle
            )
            if is_aws(client):
                raise
            return client
    except BotoCoreError as error:
        raise explain(error, operation="connect", endpoint=endpoint_url or "AWS") from error
    except ValueError as error:
        raise ClientProblem(f"endpoint URL {endpoint_url!r} cannot be used: {error}") from error


def _own_server(session: boto3.Session, service: str) -> str | None:
    """Return where a server of one's own has *service*, if the settings lead to one: there alone, or with the API."""
    region = session.region_name or FALLBACK_REGION
    urls = (session.client(each, region).meta.endpoint_url for each in (service, SSM))
    return next((url for url in urls if not _is_aws(url)), None)


def is_aws(client: SsmClient) -> bool:
    """Say whether *client* talks to AWS, by its address."""
    return _is_aws(client.meta.endpoint_url)


def _is_aws(endpoint_url: str) -> bool:
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
