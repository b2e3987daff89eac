"""One call of the API, and lists that are read page by page."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from patchwindow.client.problems import explain

# boto3 builds its clients at run time from the service model, so there is no class to name.
SsmClient = Any


def call(client: SsmClient, operation: str, **members: Any) -> dict[str, Any]:
    """Return the answer of the API's *operation* to *members*.

    Raises:
        ClientProblem: the API could not be asked, or it refused.
    """
    try:
        answer: dict[str, Any] = getattr(client, xform_name(operation))(**members)
    except (ClientError, BotoCoreError) as error:
        raise explain(error, operation=operation, endpoint=client.meta.endpoint_url) from error
    return answer


def pages(
    client: SsmClient,
    operation: str,
    key: str,
    *,
    ask: Callable[..., dict[str, Any]] = call,
    **members: Any,
) -> Iterator[Any]:
    """Yield every entry of the list *key* that *operation* answers with, asking for further pages as needed.

    Each page is asked for by *ask*, which is called as `call` is.

    Raises:
        ClientProblem: the API could not be asked, or it refused.
    """
    while True:
        answer = ask(client, operation, **members)
        yield from answer.get(key, ())
        token = answer.get("NextToken")
        # The end is an absent token or an empty one; both occur.
        if not token:
            return
        members["NextToken"] = token
