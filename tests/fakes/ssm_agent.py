"""A simulation of the amazon-ssm-agent's client: its requests, its replies and its files, as the agent-protocol reference has them.

It runs shell steps for real, one command after another, when a test lets it. What it knows is in its folder, so that another
one on the same folder is the same agent after a restart, or after a reboot.
"""

import base64
import hashlib
import http.client
import json
import os
import ssl
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from tests.fakes.ssm_documents import Step, steps_of

from patchwindow_agent.sigv4 import Key, Scope, signed

REGION: Final = "pw-home-1"
REBOOT: Final = 194
TARGETS: Final = {"ssm": "AmazonSSM", "ec2messages": "EC2WindowsMessageDeliveryService"}

_JSON: Final = "application/x-amz-json-1.1"
_POLL_TIMEOUT_S: Final = 20.0
_STREAM_MAX: Final = 24_000
_ENDS: Final = ("Failed", "TimedOut", "Cancelled")


class Refusal(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"HTTP {status} {code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Server:
    """Where an agent finds its server, and the file of the CAs that it trusts where that is not the system's."""

    host: str
    is_tls: bool
    cas: str | None

    @classmethod
    def of(cls, url: str, environ: Mapping[str, str]) -> Self:
        """Return the server at *url* for an agent of this environment."""
        parts = urlsplit(url)
        return cls(parts.netloc, parts.scheme == "https", environ.get("SSL_CERT_FILE"))

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection; the whole exchange may take as long as the agent's poll does."""
        if not self.is_tls:
            return http.client.HTTPConnection(self.host, timeout=_POLL_TIMEOUT_S)
        context = ssl.create_default_context(cafile=self.cas)
        return http.client.HTTPSConnection(self.host, timeout=_POLL_TIMEOUT_S, context=context)


class SsmAgent:
    """One agent; *environ* is added to what its scripts see."""

    def __init__(self, url: str, state: Path, environ: Mapping[str, str]) -> None:
        self.state = state
        self.environ = environ
        self.shell: Sequence[str] = ("sh", "-c")
        """What runs a script, whose path comes last."""
        registration = json.loads((state / "registration").read_text())
        self.node_id: str = registration["ManagedInstanceID"]
        self._fingerprint: str = registration["fingerprint"]
        self._server = Server.of(url, environ)
        self._private = _read_key(state)
        self._key: Key | None = None

    @classmethod
    def register(cls, url: str, activation: tuple[str, str], state: Path, environ: Mapping[str, str]) -> Self:
        """Register with a new key pair, unsigned; the fingerprint is kept from one registration to the next."""
        state.mkdir(exist_ok=True)
        private = _new_key(state)
        kept = state / "fingerprint"
        if not kept.exists():
            kept.write_text(str(uuid.uuid4()))
        answer = _call(
            Server.of(url, environ),
            "AmazonSSM.RegisterManagedInstance",
            {
                "ActivationId": activation[0],
                "ActivationCode": activation[1],
                "Fingerprint": kept.read_text(),
                "PublicKey": _public_text(private),
                "PublicKeyType": "Rsa",
            },
        )
        registration = {"ManagedInstanceID": answer["InstanceId"], "fingerprint": kept.read_text()}
        (state / "registration").write_text(json.dumps(registration))
        return cls(url, state, environ)

    def start(self) -> None:
        """Do what a starting agent does: a session, a short sign of life and a full one, the channel, associations."""
        self.renew()
        short = {"InstanceId": self.node_id, "AgentName": "amazon-ssm-agent", "AgentVersion": "3.3.0.0"}
        self.call("ssm", "UpdateInstanceInformation", **short, PlatformType="Linux")
        self.call(
            "ssm",
            "UpdateInstanceInformation",
            **short,
            AgentStatus="Active",
            ComputerName="web-1",
            IPAddress="10.0.0.5",
            PlatformName="Debian GNU/Linux",
            PlatformType="Linux",
            PlatformVersion="12",
            AvailabilityZone="",
            AvailabilityZoneId="",
            SSMConnectionChannel="",
        )
        assert b"<AccessDeniedException>" in self.open_channel(), "the agent goes on with the message service only so"
        told = self.call("ssm", "ListInstanceAssociations", InstanceId=self.node_id, MaxResults=20)
        assert told == {"Associations": []}
        for command_id in sorted(path.stem for path in (self.state / "current").glob("*.json")):
            self._go_on(command_id)

    def renew(self) -> None:
        """Fetch a session with the node's own key, and another key pair where the server asks for one."""
        answer = self._call_with_own_key("RequestManagedInstanceRoleToken", {"Fingerprint": self._fingerprint})
        self._key = Key(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        assert answer["TokenExpirationDate"] > time.time()
        if answer["UpdateKeyPair"]:
            new = _make_key()
            members = {"NewPublicKey": _public_text(new), "NewPublicKeyType": "Rsa"}
            self._call_with_own_key("UpdateManagedInstancePublicKey", members)
            _keep_key(self.state, new)
            self._private = new

    def call(self, service: str, operation: str, **members: Any) -> Any:
        """Return the answer to one call, signed with the session."""
        assert self._key is not None, "start() first"
        return _call(self._server, f"{TARGETS[service]}.{operation}", members, sign=(self._key, Scope(REGION, service)))

    def open_channel(self) -> bytes:
        """Return what the server says to the request for a control channel; anything but 201 is a refusal."""
        assert self._key is not None, "start() first"
        path = f"/v1/control-channel/{self.node_id}"
        body = json.dumps({"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4())}).encode()
        headers = {"Host": self._server.host, "Content-Type": "application/json"}
        scope = Scope(REGION, "ssmmessages")
        headers = signed(headers, body, path=path, key=self._key, scope=scope, at=time.time())
        status, answer = _post(self._server, path, headers, body)
        assert status != http.HTTPStatus.CREATED
        return answer

    def poll(self) -> list[Mapping[str, str]]:
        """Return what waits for the node; the server holds the poll for as long as it likes, under 20 seconds."""
        request_id = str(uuid.uuid4())
        told = self.call(
            "ec2messages",
            "GetMessages",
            Destination=self.node_id,
            MessagesRequestId=request_id,
            VisibilityTimeoutInSeconds=10,
        )
        assert told["MessagesRequestId"] == request_id
        messages: list[Mapping[str, str]] = told["Messages"]
        return messages

    def work(self) -> list[str]:
        """Poll once, and run what came; return the ids of the commands that are new."""
        taken = []
        for message in self.poll():
            # The part before the last dot is the command; a command is run once, however often it comes.
            command_id = message["MessageId"].split(".")[-2]
            is_known = (self.state / "seen" / command_id).exists()
            self._reply(message["MessageId"], "InProgress", {}, None)
            self.call("ec2messages", "AcknowledgeMessage", MessageId=message["MessageId"])
            if not is_known:
                _write(self.state / "seen" / command_id, "")
                self._keep(command_id, {"payload": message["Payload"], "done": {}})
                taken.append(command_id)
                self._go_on(command_id)
        return taken

    def _go_on(self, command_id: str) -> None:
        """Run the steps of a command that are not done, in order, telling each; a reboot ends the agent in between."""
        kept = json.loads((self.state / "current" / f"{command_id}.json").read_text())
        payload, done = json.loads(kept["payload"]), kept["done"]
        message_id = f"aws.ssm.{command_id}.{self.node_id}"
        steps = steps_of(payload)
        is_exiting = False
        for step in steps:
            name = step.name
            if done.get(name, {}).get("status", "SuccessAndReboot") == "SuccessAndReboot":
                is_skipped = is_exiting and not (step is steps[-1] and step.runs_at_last)
                done[name] = _skipped(step) if is_skipped else self._run(command_id, step)
                self._keep(command_id, {**kept, "done": done})
                self._reply(message_id, "InProgress", done, [name])
            if done[name]["status"] == "SuccessAndReboot":
                self._reply(message_id, "SuccessAndReboot", done, [name] if len(steps) == 1 else [])
                return
            is_exiting = is_exiting or step.ends_after(done[name])
        found = {one["status"] for one in done.values()}
        status = next((one for one in _ENDS if one in found), "Success")
        (self.state / "current" / f"{command_id}.json").unlink()
        self._reply(message_id, status, done, list(done) if len(steps) == 1 else [])

    def _run(self, command_id: str, step: Step) -> dict[str, Any]:
        started_at = _now()
        if not step.is_for_this:
            return _skipped(step)
        try:
            inner = [step] if step.action != "aws:runDocument" else self._steps_of(step.inputs["documentPath"])
        except Refusal as problem:
            return _result("Failed", 1, step.action, started_at, output=str(problem))
        folder = self.state / "orchestration" / command_id / step.name.replace(":", "")
        folder.mkdir(parents=True, exist_ok=True)
        codes = [self._shell(command_id, each.inputs["runCommand"], folder) for each in inner]
        code = next((code for code in codes if code), 0)
        status = {0: "Success", 168: "Success", REBOOT: "SuccessAndReboot"}.get(code, "Failed")
        # What an earlier run of the same step wrote stands before it.
        errors = (folder / "stderr").read_text()
        if status == "Failed":
            errors += f"failed to run commands: exit status {code}"
        return _result(status, code, step.action, started_at, stdout=(folder / "stdout").read_text(), stderr=errors)

    def _steps_of(self, document: str) -> list[Step]:
        content = self.call("ssm", "GetDocument", Name=document, DocumentFormat="JSON")["Content"]
        return [step for step in steps_of({"DocumentContent": json.loads(content)}) if step.is_for_this]

    def _shell(self, command_id: str, lines: list[str] | str, folder: Path) -> int:
        script = folder / "_script.sh"
        script.write_text("\n".join(lines) if isinstance(lines, list) else lines)
        script.chmod(0o700)
        environ = {
            **os.environ,
            "SSM_COMMAND_ID": command_id,
            "AWS_SSM_INSTANCE_ID": self.node_id,
            "AWS_SSM_REGION_NAME": REGION,
            **self.environ,
        }
        with (folder / "stdout").open("ab") as stdout, (folder / "stderr").open("ab") as stderr:
            done = subprocess.run(
                [*self.shell, str(script)],
                env=environ,
                stdout=stdout,
                stderr=stderr,
                stdin=subprocess.DEVNULL,
                check=False,
            )
        return done.returncode

    def _reply(
        self, message_id: str, status: str, done: Mapping[str, Mapping[str, Any]], shown: list[str] | None
    ) -> None:
        payload = {
            "additionalInfo": {
                "agent": {"lang": "en-US", "name": "amazon-ssm-agent", "os": "linux", "osver": "1", "ver": "3.3.0.0"},
                "dateTime": _now(),
                "runId": "",
                "runtimeStatusCounts": None if shown is None else Counter(one["status"] for one in done.values()),
                "ableToOpenMGSConnection": False,
            },
            "documentStatus": status,
            "documentTraceOutput": "",
            "runtimeStatus": None if shown is None else {name: done[name] for name in shown},
        }
        told = {"MessageId": message_id, "Payload": json.dumps(payload), "ReplyId": str(uuid.uuid4())}
        self.call("ec2messages", "SendReply", **told)

    def _keep(self, command_id: str, value: Mapping[str, Any]) -> None:
        _write(self.state / "current" / f"{command_id}.json", json.dumps(value))

    def _call_with_own_key(self, operation: str, members: Mapping[str, Any]) -> Any:
        """Return the answer to a call that the node's private key signs: chunked, and without a length to sign."""
        body = json.dumps(members).encode()
        target, amz_date = f"AmazonSSM.{operation}", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        to_sign = {"content-type": _JSON, "host": self._server.host, "x-amz-date": amz_date, "x-amz-target": target}
        names, lines = ";".join(to_sign), [f"{name}:{value}" for name, value in to_sign.items()]
        digest = hashlib.sha256(body).hexdigest()
        canonical = "\n".join(["POST", "/", "", *lines, "", names, digest])
        scope = f"{amz_date[:8]}/{REGION}/ssm/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", amz_date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        pss = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)
        proof = base64.b64encode(self._private.sign(text.encode(), pss, SHA256())).decode()
        headers = {
            **to_sign,
            "x-amz-content-sha256": digest,
            "transfer-encoding": "chunked",
            "authorization": f"AWS4-HMAC-SHA256 Credential={self.node_id}/{scope}, SignedHeaders={names}, Signature={proof}",
        }
        return _answer(*_post(self._server, "/", headers, body))


def _call(server: Server, target: str, members: Mapping[str, Any], *, sign: tuple[Key, Scope] | None = None) -> Any:
    body = json.dumps(members).encode()
    headers = {"Host": server.host, "Content-Type": _JSON, "X-Amz-Target": target, "Content-Length": str(len(body))}
    if sign is not None:
        headers = signed(headers, body, path="/", key=sign[0], scope=sign[1], at=time.time())
    return _answer(*_post(server, "/", headers, body))


def _post(server: Server, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    connection = server.connection()
    try:
        is_chunked = "transfer-encoding" in headers
        connection.request(
            "POST", path, [body[:7], body[7:]] if is_chunked else body, headers, encode_chunked=is_chunked
        )
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _answer(status: int, body: bytes) -> Any:
    told = json.loads(body)
    if status != http.HTTPStatus.OK:
        raise Refusal(status, told["__type"], told.get("message") or told.get("Message") or "")
    return told


def _skipped(step: Step) -> dict[str, Any]:
    return _result("Skipped", 0, step.action, _now(), output=f"Step execution skipped. Step name: {step.name}")


def _result(
    status: str, code: int, action: str, started_at: str, *, stdout: str = "", stderr: str = "", output: str = ""
) -> dict[str, Any]:
    return {
        "status": status,
        "code": code,
        "name": action,
        "output": output or f"{stdout[:1200]}\n----------ERROR-------\n{stderr[:1200]}",
        "startDateTime": started_at,
        "endDateTime": _now(),
        "outputS3BucketName": "",
        "outputS3KeyPrefix": "",
        "stepName": "",
        "standardOutput": stdout[:_STREAM_MAX],
        "standardError": stderr[:_STREAM_MAX],
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _new_key(state: Path) -> rsa.RSAPrivateKey:
    private = _make_key()
    _keep_key(state, private)
    return private


def _keep_key(state: Path, private: rsa.RSAPrivateKey) -> None:
    (state / "key").write_bytes(private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def _read_key(state: Path) -> rsa.RSAPrivateKey:
    private = load_der_private_key((state / "key").read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return private


def _public_text(private: rsa.RSAPrivateKey) -> str:
    return base64.b64encode(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
