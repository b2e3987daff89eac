"""Registration, sessions and pings, as agents ask for them."""

import base64
import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fakes.api import Api
from tests.fakes.site import DEBIAN, FINGERPRINT, NOBODY, OPERATOR, PUBLIC_KEY, SITE, Installation, as_node

from patchwindow.domain.errors import (
    BadSignature,
    Denied,
    EndedSession,
    FingerprintMismatch,
    InvalidParameters,
    NotFound,
    UnknownActivation,
    UnknownNode,
)
from patchwindow.domain.node import KeyType
from patchwindow.operations.service import Service
from patchwindow.operations.sessions import session_of


def rsa_key() -> str:
    public = rsa.generate_private_key(65537, 2048).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


RSA_KEY: Final = rsa_key()
OTHER_RSA_KEY: Final = rsa_key()
OTHER_SECRET: Final = base64.b64encode(bytes(range(32))).decode()


def register(here: Installation, made: dict[str, str], **more: Any) -> str:
    request = {
        **made,
        "PublicKey": PUBLIC_KEY,
        "PublicKeyType": "Hmac-Sha256",
        "Fingerprint": FINGERPRINT,
        **more,
    }
    node_id: str = here.perform("RegisterManagedInstance", NOBODY, **request)["InstanceId"]
    return node_id


def information(here: Installation, node: str) -> dict[str, Any]:
    only = [{"Key": "InstanceIds", "Values": [node]}]
    (found,) = here.perform("DescribeInstanceInformation", Filters=only)["InstanceInformationList"]
    return dict(found)


def token(here: Installation, node: str, fingerprint: str = FINGERPRINT) -> dict[str, Any]:
    return here.perform("RequestManagedInstanceRoleToken", as_node(node), Fingerprint=fingerprint)


def test_a_machine_becomes_a_node_with_name_role_and_tags_of_its_activation(here: Installation) -> None:
    made = here.perform(
        "CreateActivation",
        IamRole="service",
        DefaultInstanceName="web",
        Tags=[{"Key": "Patch Group", "Value": "web"}, {"Key": "env", "Value": "live"}],
    )
    node = register(here, made)
    assert node.startswith("mi-")
    assert len(node) == 20
    assert information(here, node) == {
        "InstanceId": node,
        "ActivationId": made["ActivationId"],
        "IamRole": "service",
        "Name": "web",
        "RegistrationDate": here.clock.now(),
        "LastPingDateTime": here.clock.now(),
        "PingStatus": "Online",
        "ResourceType": "ManagedInstance",
    }
    tags = here.perform("ListTagsForResource", ResourceType="ManagedInstance", ResourceId=node)["TagList"]
    assert tags == [{"Key": "Patch Group", "Value": "web"}, {"Key": "env", "Value": "live"}]
    assert here.perform("DescribePatchGroupState", PatchGroup="web")["Instances"] == 1


def test_every_registration_counts_and_makes_another_node(here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service", RegistrationLimit=2)
    assert register(here, made) != register(here, made)
    assert here.perform("DescribeActivations")["ActivationList"][0]["RegistrationsCount"] == 2
    with pytest.raises(UnknownActivation, match="is used up: 2 of 2 machines"):
        register(here, made)
    assert here.perform("DescribeActivations")["ActivationList"][0]["RegistrationsCount"] == 2


def test_only_who_knows_the_code_learns_what_is_wrong_with_an_activation(here: Installation) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    here.clock.advance(timedelta(hours=24))
    with pytest.raises(UnknownActivation, match=r"expired at 2026-03-15T09:00:00\+00:00; create another"):
        register(here, made)
    for changed in ({"ActivationCode": "x" * 32}, {"ActivationId": "00000000-0000-4000-8000-000000000000"}):
        with pytest.raises(UnknownActivation, match="is unknown, or its code is wrong"):
            register(here, made, **changed)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"PublicKeyType": "Rsa"}, "is not the base64 of a DER public key, as Rsa needs"),
        ({"PublicKey": base64.b64encode(bytes(31)).decode()}, "is not the base64 of 32 bytes"),
        ({"PublicKey": "not base64, but long enough to be a key of some kind"}, "is not the base64 of 32 bytes"),
        ({"PublicKey": "ä" * 44}, "is not the base64 of 32 bytes"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_and_costs_no_registration(
    here: Installation, changed: dict[str, str], problem: str
) -> None:
    made = here.perform("CreateActivation", IamRole="service")
    with pytest.raises(InvalidParameters, match=problem):
        register(here, made, **changed)
    assert register(here, made)


def test_a_session_tells_node_key_and_secret_without_the_database(here: Installation) -> None:
    node = here.node()
    answer = token(here, node)
    assert answer["UpdateKeyPair"] is False
    assert answer["TokenExpirationDate"] == here.clock.now() + timedelta(hours=1)
    assert answer["AccessKeyId"].startswith("ASIA")
    assert len(answer["AccessKeyId"]) == 20
    assert answer["SecretAccessKey"] not in answer["SessionToken"]
    assert session_of(SITE, answer["SessionToken"], here.clock.now()) == (
        node,
        answer["AccessKeyId"],
        answer["SecretAccessKey"],
    )


def test_two_sessions_of_a_node_have_different_secrets(here: Installation) -> None:
    node = here.node()
    assert token(here, node)["SecretAccessKey"] != token(here, node)["SecretAccessKey"]


def test_a_session_ends(here: Installation) -> None:
    answer = token(here, here.node())
    here.clock.advance(timedelta(hours=1))
    with pytest.raises(EndedSession, match=r"ended at 2026-03-14T10:00:00\+00:00"):
        session_of(SITE, answer["SessionToken"], here.clock.now())


def test_a_session_that_was_made_up_is_refused(here: Installation) -> None:
    version, claims, proof = token(here, here.node())["SessionToken"].split(".")
    with pytest.raises(BadSignature):
        session_of(SITE, f"{version}.{claims[:-2]}AA.{proof}", here.clock.now())


def test_a_copied_machine_gets_no_session(here: Installation) -> None:
    with pytest.raises(FingerprintMismatch, match="register the machine anew"):
        token(here, here.node(), fingerprint="another")


def test_a_deregistered_node_gets_no_session(here: Installation) -> None:
    node = here.node()
    here.perform("DeregisterManagedInstance", InstanceId=node)
    with pytest.raises(UnknownNode, match=f"managed node {node} does not exist"):
        token(here, node)


def test_only_a_node_may_ask_for_a_session(here: Installation) -> None:
    with pytest.raises(Denied, match="is for managed nodes"):
        here.perform("RequestManagedInstanceRoleToken", OPERATOR, Fingerprint=FINGERPRINT)


def test_a_ping_says_what_the_node_is_and_a_short_one_blanks_nothing(here: Installation) -> None:
    node = here.node(ping={})
    full = {
        **DEBIAN,
        "AgentName": "amazon-ssm-agent",
        "AgentVersion": "3.3.0.0",
        "ComputerName": "web-1",
        "IPAddress": "10.0.0.5",
    }
    here.perform(
        "UpdateInstanceInformation", as_node(node), InstanceId=node, AgentStatus="Active", AvailabilityZone="", **full
    )
    here.clock.advance(timedelta(minutes=5))
    short = {"AgentName": "amazon-ssm-agent", "AgentVersion": "3.3.1.0", "PlatformType": "Linux", "ComputerName": ""}
    here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node, **short)
    found = information(here, node)
    told = {name: value for name, value in full.items() if name != "AgentName"}
    assert {**told, "AgentVersion": "3.3.1.0", "LastPingDateTime": here.clock.now()}.items() <= found.items()
    assert found.keys().isdisjoint(
        {"Fingerprint", "PublicKey", "PublicKeyType", "AssociationStatus", "IsLatestVersion"}
    )


def test_a_ping_with_nothing_but_empty_texts_is_a_sign_of_life(tmp_path: Path) -> None:
    """agent-protocol, 7: "Empty strings must be accepted"; an agent whose first ping is refused stays away."""
    here = Installation(tmp_path)
    node = here.node()
    here.clock.advance(timedelta(minutes=5))
    empty = dict.fromkeys(
        ("AgentName", "AgentVersion", "PlatformType", "PlatformName", "ComputerName", "IPAddress"), ""
    )
    Api(here, as_node(node))("UpdateInstanceInformation", InstanceId=node, **empty)
    found = information(here, node)
    assert (found["PlatformType"], found["LastPingDateTime"]) == ("Linux", here.clock.now())
    here.close()


def test_a_ping_leaves_the_patch_group(here: Installation) -> None:
    node = here.node(tags={"Patch Group": "web"})
    here.perform("UpdateInstanceInformation", as_node(node), InstanceId=node)
    assert here.perform("DescribePatchGroupState", PatchGroup="web")["Instances"] == 1


def test_a_ping_notes_the_operating_system(here: Installation) -> None:
    node = here.node()
    with here.database.read() as work:
        found = work.nodes.page(after="", limit=10, columns={"operating_system": ["DEBIAN"]})
    assert [one.instance_id for one in found] == [node]


def test_a_node_speaks_for_itself_only(here: Installation) -> None:
    node, other = here.node(), here.node()
    with pytest.raises(Denied, match=f"for itself only, not for {other}"):
        here.perform("UpdateInstanceInformation", as_node(node), InstanceId=other)


def associated(here: Installation, node: str) -> dict[str, Any]:
    made = here.perform(
        "CreateAssociation", Name="AWS-RunPatchBaseline", InstanceId=node, Parameters={"Operation": ["Scan"]}
    )
    return dict(made["AssociationDescription"])


def test_agents_have_no_associations_to_carry_out_in_either_form(here: Installation) -> None:
    node = here.node()
    associated(here, node)
    assert here.perform("ListInstanceAssociations", as_node(node), InstanceId=node) == {"Associations": []}
    only = [{"key": "InstanceId", "value": node}]
    assert here.perform("ListAssociations", as_node(node), AssociationFilterList=only) == {"Associations": []}
    assert len(here.perform("ListAssociations", AssociationFilterList=only)["Associations"]) == 1


def test_what_an_agent_tells_of_an_association_is_not_taken_for_what_its_command_did(here: Installation) -> None:
    node = here.node()
    made = associated(here, node)

    def told(association_id: str) -> Any:
        result = {"Status": "Success", "ErrorCode": "", "ExecutionSummary": "1 out of 1 plugin processed"}
        members = {"InstanceId": node, "AssociationId": association_id, "ExecutionResult": result}
        return here.perform("UpdateInstanceAssociationStatus", as_node(node), **members)

    before = here.perform("DescribeInstanceAssociationsStatus", InstanceId=node)
    assert told(made["AssociationId"]) == {}
    assert here.perform("DescribeInstanceAssociationsStatus", InstanceId=node) == before
    with pytest.raises(NotFound, match="11111111-aaaa-bbbb-cccc-000000000002"):
        told("11111111-aaaa-bbbb-cccc-000000000002")


def test_a_node_may_read_any_document(here: Installation) -> None:
    read = here.perform("GetDocument", as_node(here.node()), Name="AWS-RunPatchBaseline")
    assert read["DocumentFormat"] == "JSON"


def rotating(here: Installation, key_type: KeyType, public_key: str) -> tuple[str, Service]:
    """Return a node with such a key, and a service that asks for another after 30 days."""
    made = here.perform("CreateActivation", IamRole="service")
    site = dataclasses.replace(SITE, node_key_life=timedelta(days=30))
    service = Service(database=here.database, clock=here.clock, ids=here.ids, site=site)
    return register(here, made, PublicKey=public_key, PublicKeyType=key_type), service


@pytest.mark.parametrize(
    ("key_type", "key", "other"), [(KeyType.RSA, RSA_KEY, OTHER_RSA_KEY), (KeyType.HMAC, PUBLIC_KEY, OTHER_SECRET)]
)
def test_a_node_is_asked_for_another_key_until_it_has_sent_one(
    here: Installation, key_type: KeyType, key: str, other: str
) -> None:
    node, service = rotating(here, key_type, key)

    def is_asked() -> bool:
        answer = service.perform("RequestManagedInstanceRoleToken", {"Fingerprint": FINGERPRINT}, as_node(node))
        return bool(answer["UpdateKeyPair"])

    here.clock.advance(timedelta(days=30, seconds=-1))
    assert not is_asked()
    here.clock.advance(timedelta(seconds=1))
    assert is_asked()
    assert is_asked()
    assert not token(here, node)["UpdateKeyPair"]
    given = {"NewPublicKey": other, "NewPublicKeyType": str(key_type)}
    assert here.perform("UpdateManagedInstancePublicKey", as_node(node), **given) == {}
    assert not is_asked()
    here.clock.advance(timedelta(days=30))
    assert is_asked()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"NewPublicKey": PUBLIC_KEY, "NewPublicKeyType": "Hmac-Sha256"}, "registered with a key of type Rsa"),
        ({"NewPublicKey": "none", "NewPublicKeyType": "Rsa"}, "is not the base64 of a DER public key"),
    ],
)
def test_a_key_that_would_lock_a_node_out_does_not_replace_its_key(
    here: Installation, given: dict[str, str], problem: str
) -> None:
    node, _ = rotating(here, KeyType.RSA, RSA_KEY)
    with pytest.raises(InvalidParameters, match=problem):
        here.perform("UpdateManagedInstancePublicKey", as_node(node), **given)
    with here.database.read() as work:
        kept = work.nodes.get(node)
    assert kept is not None
    assert kept.public_key == RSA_KEY
