"""The agent's signatures, compared with those of the public SDK."""

import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.sigv4 import Key, Scope, signed

tokens = st.text("abcXYZ019/+=", min_size=1, max_size=60)
values = st.text("abc XYZ0.-_;=", min_size=1, max_size=30).map(str.strip).filter(bool)


@given(
    key=st.builds(Key, st.just("mi-0123456789abcdef0"), tokens, st.none() | tokens),
    scope=st.builds(Scope, st.sampled_from(["us-east-1", "pw-home-1"]), st.sampled_from(["ssm", "ec2messages"])),
    body=st.binary(max_size=200),
    target=values,
    at=st.integers(0, 4_000_000_000),
)
def test_a_signature_is_the_one_that_the_public_sdk_makes(
    key: Key, scope: Scope, body: bytes, target: str, at: int
) -> None:
    headers = {"Host": "127.0.0.1:8443", "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    ours = signed(headers, body, path="/", key=key, scope=scope, at=at)

    request = AWSRequest("POST", "http://127.0.0.1:8443/", data=body, headers=headers)
    request.context["timestamp"] = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if key.session_token is not None:
        request.headers["X-Amz-Security-Token"] = key.session_token
    signer = SigV4Auth(Credentials(key.id, key.secret, key.session_token), scope.service, scope.region)
    theirs = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["Authorization"].endswith(f"Signature={theirs}")


def test_a_role_token_is_asked_for_with_four_signed_headers() -> None:
    headers = {"Host": "h", "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.X"}
    ours = signed(headers, b"{}", path="/", key=Key("mi-1", "secret"), scope=Scope("r", "ssm"), at=0)
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-target," in ours["Authorization"]
    assert "Credential=mi-1/19700101/r/ssm/aws4_request" in ours["Authorization"]
