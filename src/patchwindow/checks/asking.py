"""Asking an API that may refuse a part: what is refused is noted by its topic, and what is asked too fast is asked again."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from patchwindow.checks.snapshot import Topic
from patchwindow.client import ClientProblem, SsmClient, call, pages

T = TypeVar("T")

# With these nothing at all will be answered; and a problem without a code never reached the API.
_FATAL: Final = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "IncompleteSignature",
        "SignatureDoesNotMatch",
        "ExpiredTokenException",
        "MissingAuthenticationTokenException",
        "InvalidClientTokenId",
        "AuthFailure",
    }
)
_THROTTLED: Final = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"})
# It is not there, is gone since a moment ago, or its history is kept for a shorter time than what leads to it.
_GONE: Final = frozenset(
    {
        "DoesNotExistException",
        "NotFoundException",
        "InvalidCommandId",
        "InvalidDocument",
        "InvalidDocumentType",
        "InvalidInstanceId",
        "InvalidResourceId",
        "NoSuchEntity",
    }
)
# After the SDK's own five attempts, seconds to wait before each further one: a fleet is many calls.
_PAUSES_S: Final = (2.0, 4.0, 8.0, 16.0, 30.0)


class Asking:
    """One client, and what it was refused."""

    def __init__(
        self, client: SsmClient, refusals: dict[Topic, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._refusals = refusals
        self._sleep = sleep

    def call(self, topic: Topic, operation: str, **members: Any) -> dict[str, Any]:
        """Return the answer of *operation*, and nothing where *topic* is refused or what is asked for is not there.

        Raises:
            ClientProblem: the API cannot be asked at all.
        """
        return self._told(topic, lambda: self._patiently(self._client, operation, **members), {})

    def pages(self, topic: Topic, operation: str, key: str, **members: Any) -> list[dict[str, Any]]:
        """Return every entry of the list *key* of *operation*, and none where *topic* is refused or gone.

        Raises:
            ClientProblem: the API cannot be asked at all.
        """
        return self._told(topic, lambda: list(pages(self._client, operation, key, ask=self._patiently, **members)), [])

    def _told(self, topic: Topic, ask: Callable[[], T], nothing: T) -> T:
        if topic in self._refusals:
            # What was refused once is so for the next node, too; a fleet would be asked about in vain.
            return nothing
        try:
            return ask()
        except ClientProblem as problem:
            if problem.code is None or problem.code in _FATAL:
                raise
            if problem.code not in _GONE:
                self._refusals[topic] = str(problem)
            return nothing

    def _patiently(self, client: SsmClient, operation: str, **members: Any) -> dict[str, Any]:
        for pause_s in _PAUSES_S:
            try:
                return call(client, operation, **members)
            except ClientProblem as problem:
                if problem.code not in _THROTTLED:
                    raise
            self._sleep(pause_s)
        return call(client, operation, **members)


def batches(ids: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield *ids* in lists of at most *size*."""
    every = list(ids)
    return (every[at : at + size] for at in range(0, len(every), size))
