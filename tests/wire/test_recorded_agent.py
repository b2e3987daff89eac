"""An unmodified amazon-ssm-agent, as it was recorded: every request again, in the recorded order, to this server.

What is signed with a node's private key goes as it is, signature included. Sessions are this server's own: what is signed
with one is checked against the recorded secret, and then signed anew over the same headers.
"""

import asyncio
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.clock import CountingIds
from tests.fakes.delivery import hand_out
from tests.fakes.edge import Connection, Edge, Received, Sent

from patchwindow.domain.errors import PatchwindowError
from patchwindow.protocol.messages import split_message_id
from patchwindow.protocol.sigv4 import SignedRequest, read_authorization, signature, verify

ACTIVATION_ID: Final = "11111111-2222-3333-4444-555555555555"
ACTIVATION_CODE: Final = "stubActivationCode00"
RECORDED_SECRET: Final = "stubSecretKeyStubSecretKeyStubSecretKey0"
STRANGER: Final = "mi-x"
TOKEN_FIELDS: Final = {"AccessKeyId", "SecretAccessKey", "SessionToken", "TokenExpirationDate", "UpdateKeyPair"}
MESSAGE_FIELDS: Final = {"CreatedDate", "Destination", "MessageId", "Payload", "Topic"}
ENDS: Final = {"Success", "Failed", "TimedOut", "Cancelled"}
REFUSED: Final = {
    # The recorded server had made up documents and associations of these names.
    "GetDocument": "InvalidDocument",
    "UpdateInstanceAssociationStatus": "AssociationDoesNotExist",
}

Event = Mapping[str, Any]


def recordings() -> dict[str, list[Event]]:
    found = defaultdict(list)
    packed = Path(__file__).with_name("recorded") / "exchanges.jsonl.gz"
    for line in gzip.decompress(packed.read_bytes()).decode().splitlines():
        event = json.loads(line)
        found[event["from"]].append(event)
    return found


RECORDINGS: Final = recordings()


class RecordedIds(CountingIds):
    """Identities of which the next are those that the recorded server gave."""

    def __init__(self) -> None:
        super().__init__()
        self.next_uuid: str | None = None
        self.next_hex: list[str] = []

    def uuid(self) -> str:
        """Return the UUID that was asked for, once."""
        told, self.next_uuid = self.next_uuid, None
        return told or super().uuid()

    def hex(self, digits: int) -> str:
        """Return the digits that were asked for, in order."""
        return self.next_hex.pop(0) if self.next_hex else super().hex(digits)

    def secret(self, length: int) -> str:
        """Return the recorded code; what else is secret has no recorded value."""
        return ACTIVATION_CODE if length == 32 else super().secret(length)


class Replay:
    """One recording, and this server in the place of the recorded one."""

    def __init__(self, edge: Edge, events: Sequence[Event]) -> None:
        self.edge = edge
        self.ids = edge.here.service.ids = RecordedIds()
        self.events = events
        self.node_id = next(_claimed(one) for one in events if one.get("signed_by") == "rsa")
        self.session: Mapping[str, str] = {}
        self.poll: Event | None = None
        self.sent: list[str] = []
        self.known_steps: dict[str, set[str]] = {}
        self.answers: list[tuple[Event, Received]] = []
        # Polls that nothing waits for are answered at once; how long they are held is tested elsewhere.
        edge.app.stop_waiting()

    def run(self) -> None:
        """Send everything, in order."""
        self._set_clock(next(one for one in self.events if one.get("signed_by") == "rsa"))
        registrations = [one for one in self.events if _operation(one) == "RegisterManagedInstance"]
        self.ids.next_uuid = ACTIVATION_ID
        self.edge.here.perform("CreateActivation", IamRole="service", RegistrationLimit=len(registrations))
        self.ids.next_hex = [*(f"{number:017x}" for number, _ in enumerate(registrations[1:])), self.node_id[3:]]
        for event in self.events:
            if "delivered" in event:
                self._deliver(event)
                continue
            self._set_clock(event)
            if _operation(event) == "GetMessages":
                self.poll = event
            self.answers.append((event, self._ask(event)))

    def _set_clock(self, event: Event) -> None:
        date = event["request"]["headers"].get("X-Amz-Date") if "request" in event else None
        if date is not None:
            clock = self.edge.here.clock
            clock.advance(datetime.fromisoformat(date) - clock.now())

    def _deliver(self, event: Event) -> None:
        """Let there be a command, or its cancellation, as the recorded server had it, and answer the poll with it."""
        command_id, node_id = split_message_id(event["delivered"])
        if node_id == STRANGER:
            return
        if event["topic"].startswith("aws.ssm.cancelCommand"):
            self.ids.next_uuid = command_id
            cancelled = {"CommandId": self.sent[-1], "InstanceIds": [node_id]}
            self.edge.here.perform("CancelCommand", **cancelled)
        else:
            self._send(event, command_id, node_id)
            hand_out(self.edge.here, command_id, node_id)
            self.sent.append(command_id)
        assert self.poll is not None
        received = self._ask(self.poll)
        assert event["delivered"] in [one["MessageId"] for one in received.json["Messages"]]
        self.answers.append((self.poll, received))

    def _send(self, event: Event, command_id: str, node_id: str) -> None:
        """Send the recorded command; where this server refuses its document or parameters, another in its place."""
        perform, name = self.edge.here.perform, f"Recorded-{len(self.sent)}"
        document, parameters = event["document"], {key: _as_list(one) for key, one in event["parameters"].items()}
        try:
            perform("CreateDocument", Name=name, Content=json.dumps(document), DocumentType="Command")
            self.ids.next_uuid = command_id
            perform("SendCommand", DocumentName=name, InstanceIds=[node_id], Parameters=parameters)
            self.known_steps[command_id] = set(_steps_of(document))
        except PatchwindowError:
            self.ids.next_uuid = command_id
            commands = {"commands": ["true"]}
            perform("SendCommand", DocumentName="AWS-RunShellScript", InstanceIds=[node_id], Parameters=commands)

    def _ask(self, event: Event) -> Received:
        sent = as_sent(event)
        if event["signed_by"] == "sigv4":
            sent = self._in_own_session(sent, event)

        async def exchange() -> Received | None:
            return await Connection(self.edge, sent).answer()

        received = asyncio.run(exchange())
        assert received is not None
        if _operation(event) == "RequestManagedInstanceRoleToken" and received.status == 200:
            self.session = received.json
        return received

    def _in_own_session(self, sent: Sent, event: Event) -> Sent:
        recorded = as_arrived(sent)
        claims = read_authorization(recorded)
        if not event.get("is_cut"):
            verify(recorded, claims, secret=RECORDED_SECRET, now=claims.signed_at)
        now = self.edge.here.clock.now()
        headers = {
            **event["request"]["headers"],
            "X-Amz-Security-Token": self.session["SessionToken"],
            "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        }
        if "Content-Length" in headers:
            headers["Content-Length"] = str(sum(map(len, sent.pieces)))
        own = replace(claims, access_key_id=self.session["AccessKeyId"], amz_date=headers["X-Amz-Date"])
        unsigned = as_arrived(replace(sent, headers=headers))
        proof = signature(unsigned, own, secret=self.session["SecretAccessKey"])
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={own.access_key_id}/{own.scope}, "
            f"SignedHeaders={';'.join(own.signed_headers)}, Signature={proof}"
        )
        return replace(sent, headers=headers)

    def invocation(self, command_id: str) -> Mapping[str, Any]:
        """Return how the command stands on the node."""
        return self.edge.here.perform("GetCommandInvocation", CommandId=command_id, InstanceId=self.node_id)


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value if isinstance(value, str) else json.dumps(value)]


def _steps_of(document: Mapping[str, Any]) -> list[str]:
    return [*document.get("runtimeConfig", {}), *(step["name"] for step in document.get("mainSteps", ()))]


def as_sent(event: Event) -> Sent:
    request = event["request"]
    body = request["body"].encode()
    # The two operations that nodes sign with their keys come in chunks.
    pieces = [body[:10], body[10:]] if event["signed_by"] == "rsa" else [body]
    return Sent(pieces, method=request["method"], path=request["path"], headers=request["headers"])


def as_arrived(sent: Sent) -> SignedRequest:
    scope = sent.scope()
    return SignedRequest(sent.method, scope["raw_path"], b"", scope["headers"], b"".join(sent.pieces))


def _claimed(event: Event) -> str:
    return read_authorization(as_arrived(as_sent(event))).access_key_id


def _operation(event: Event) -> str:
    if "request" not in event:
        return ""
    target: str = event["request"]["headers"].get("X-Amz-Target", "")
    return target.rpartition(".")[2]


def replies_of(events: Sequence[Event]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for one in events:
        if _operation(one) == "SendReply":
            body = json.loads(one["request"]["body"])
            yield body["MessageId"], json.loads(body["Payload"])


@pytest.fixture(scope="module", params=sorted(RECORDINGS))
def replay(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    """Return a recording that has been sent to a server of its own."""
    edge = Edge(tmp_path_factory.mktemp("replay"))
    played = Replay(edge, RECORDINGS[request.param])
    played.run()
    yield played
    edge.close()


def test_every_request_is_answered_as_the_agent_needs(replay: Replay) -> None:
    for event, received in replay.answers:
        operation = _operation(event)
        if event["request"]["path"].startswith("/v1/control-channel/"):
            assert (received.status, b"<AccessDeniedException>" in received.body) == (400, True)
        elif STRANGER in event["request"]["body"]:
            assert received.json["__type"] == "AccessDeniedException"
        elif operation in REFUSED:
            assert received.json["__type"] == REFUSED[operation]
        else:
            assert received.status == 200, (event, received)


def test_answers_have_every_member_without_which_the_agent_crashes(replay: Replay) -> None:
    """agent-protocol, 18: "missing required output field … nil dereference"."""
    for event, received in replay.answers:
        match _operation(event):
            case "RegisterManagedInstance":
                assert received.json["InstanceId"].startswith("mi-")
            case "RequestManagedInstanceRoleToken":
                assert received.json.keys() == TOKEN_FIELDS
                assert received.json["UpdateKeyPair"] is False
            case "GetMessages":
                assert received.json["MessagesRequestId"] == json.loads(event["request"]["body"])["MessagesRequestId"]
                for message in received.json["Messages"]:
                    assert all(message[name] for name in MESSAGE_FIELDS)
                    assert json.loads(message["Payload"])
            case "ListInstanceAssociations" | "ListAssociations":
                assert received.json == {"Associations": []}
            case _:
                pass


def test_every_command_ends_as_the_agent_said_first_of_all_that_ends_it(replay: Replay) -> None:
    said: dict[str, str] = {}
    for message_id, reply in replies_of(replay.events):
        if reply["documentStatus"] in ENDS:
            said.setdefault(split_message_id(message_id)[0], reply["documentStatus"])
    for command_id in replay.sent:
        assert replay.invocation(command_id)["Status"] == said.get(command_id, "InProgress")


def test_what_became_of_each_step_is_kept_from_whichever_reply_told_it_last(replay: Replay) -> None:
    """agent-protocol, 13: "accumulate runtimeStatus per step over all replies; the last one does not repeat them"."""
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    for message_id, reply in replies_of(replay.events):
        command_id, _ = split_message_id(message_id)
        for name, step in (reply["runtimeStatus"] or {}).items():
            before = told.get((command_id, name))
            if name in replay.known_steps.get(command_id, ()) and (
                before is None or step["endDateTime"] >= before["endDateTime"]
            ):
                told[command_id, name] = step
    for (command_id, name), step in told.items():
        found = replay.edge.here.perform(
            "GetCommandInvocation", CommandId=command_id, InstanceId=replay.node_id, PluginName=name
        )
        assert found["ResponseCode"] == step["code"]
        assert found["StandardOutputContent"] == (step["standardOutput"] or found["StandardOutputContent"])
        assert found["Status"] == {"Skipped": "Success", "SuccessAndReboot": "InProgress"}.get(
            step["status"], step["status"]
        )


def test_most_commands_are_sent_from_their_own_documents(replay: Replay) -> None:
    others = {
        # A schema that no agent knows, and parameters that the document does not declare.
        "shebang-parameters-schema": 2,
        # An action that no agent knows.
        "semantics-reboot-s3-download": 1,
    }
    assert len(replay.sent) - len(replay.known_steps) == others.get(replay.events[0]["from"], 0)


def test_nothing_waits_for_the_node_that_it_has_taken(replay: Replay) -> None:
    taken = {
        json.loads(one["request"]["body"])["MessageId"]
        for one in replay.events
        if _operation(one) == "AcknowledgeMessage"
    }
    with replay.edge.here.database.read() as work:
        assert [message_id for message_id in taken if work.messages.get(message_id) is not None] == []


def test_the_recordings_hold_every_kind_of_request() -> None:
    requests = [one for events in RECORDINGS.values() for one in events if "request" in one]
    assert len(requests) > 350
    assert {one["signed_by"] for one in requests} == {"none", "rsa", "sigv4"}
    assert {"UpdateManagedInstancePublicKey", "PutInventory", "PutComplianceItems"} <= set(map(_operation, requests))
