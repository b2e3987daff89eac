"""What can go wrong between a client and the API, in words that say what to do about it."""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
)

from patchwindow.domain.errors import PatchwindowError


class ClientProblem(PatchwindowError):
    """The API could not be asked, or it refused; *code* is its own name for the refusal, if it gave one."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


# An answer that means "not with this key", and what its owner can do.
_ADVICE: Final = {
    "AccessDeniedException": "the key is known and may not do this; give its owner the right, or use another profile",
    "ForbiddenException": "the key is known and may not do this; give its owner the right, or use another profile",
    "UnrecognizedClientException": "the endpoint does not know this access key; check the profile and the endpoint",
    "InvalidSignatureException": "the secret key does not belong to this access key, or this machine's clock is wrong",
    "ExpiredTokenException": "the session has ended; sign in again",
    "MissingAuthenticationTokenException": "the request carried no signature; check the profile",
}


def explain(error: ClientError | BotoCoreError, *, operation: str, endpoint: str) -> ClientProblem:
    """Return *error*, met in *operation* at *endpoint*, as one problem with a clear message."""
    if isinstance(error, ClientError):
        return _explain_answer(error, operation, endpoint)
    match error:
        case EndpointConnectionError() | ConnectTimeoutError() | ConnectionClosedError():
            message = f"cannot reach {endpoint}; check the endpoint URL, and that the server runs"
        case ReadTimeoutError():
            message = f"{endpoint} did not answer {operation} in time; try again"
        case SSLError():
            message = f"the certificate of {endpoint} is not trusted; set AWS_CA_BUNDLE to its authority ({error})"
        case NoCredentialsError():
            message = "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile"
        case PartialCredentialsError():
            message = f"half of a key: {error}; set both the access key and its secret key"
        case ProfileNotFound():
            message = f"{error}; check its name in the AWS configuration and credentials files"
        case NoRegionError():
            message = "no region; name one, set AWS_REGION, or give an endpoint URL of your own server"
        case _:
            message = f"{operation}: {error}"
    return ClientProblem(message)


def _explain_answer(error: ClientError, operation: str, endpoint: str) -> ClientProblem:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code", "")) or "unknown error"
    if code.isdigit():
        # A bare HTTP status: a proxy's page, or a server that speaks another protocol.
        return ClientProblem(f"{endpoint} answers {operation} with HTTP status {code}, not as the API does", code=code)
    # Some of the API's errors have no message; then their name says it all.
    message = str(answer.get("Message", "")).rstrip(".")
    words = [operation, code, message if message != code else "", _ADVICE.get(code, "")]
    return ClientProblem(": ".join(word for word in words if word), code=code)
