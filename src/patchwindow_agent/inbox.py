"""What the agent does with a message: take the command, cancel one, or say that it can do neither."""

import json
import time
import uuid
from typing import Any, Callable, Mapping

from patchwindow_agent import documents
from patchwindow_agent.errors import Unusable
from patchwindow_agent.journal import Journal, Record, command_id_of
from patchwindow_agent.pool import Pool
from patchwindow_agent.results import Status, reply

# One operation of the message service: its name, what is said.
Call = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


class Inbox:
    """Takes messages, each command once however often it comes."""

    def __init__(self, *, journal: Journal, pool: Pool, call: Call, log: Callable[[str], None]) -> None:
        self._journal = journal
        self._pool = pool
        self._call = call
        self._log = log

    def take(self, message: Mapping[str, str]) -> None:
        """Do what *message* asks for, and tell the server.

        Raises:
            Unreachable, Refused: the server could not be told; it sends the message again.
            StateProblem: the command cannot be kept; the server sends it again.
        """
        topic, message_id, payload = (message.get(key, "") for key in ("Topic", "MessageId", "Payload"))
        try:
            if topic.startswith("aws.ssm.sendCommand"):
                self._take_command(message_id, payload)
            elif topic.startswith("aws.ssm.cancelCommand"):
                self._take_cancel(message_id, payload)
            else:
                self._call("FailMessage", {"MessageId": message_id, "FailureType": "NoHandlerExists"})
        except Unusable as problem:
            self._log(f"message {message_id}: {problem}")
            self._call("FailMessage", {"MessageId": message_id, "FailureType": "InternalHandlerException"})

    def _take_command(self, message_id: str, payload: str) -> None:
        command_id = command_id_of(message_id)
        if self._journal.knows(command_id):
            # It was delivered before, and the server may not have heard that it was taken.
            self._accept(message_id)
            return
        try:
            documents.parse_payload(payload)
        except Unusable as problem:
            # The terminal reply settles the message; as the protocol has it, it is not acknowledged.
            self._reply(message_id, reply(Status.FAILED, at=time.time(), trace=str(problem)))
            return
        if self._pool.is_full:
            return
        record = Record(message_id, payload)
        self._journal.save(command_id, record)
        try:
            self._accept(message_id)
        finally:
            # Whatever the server heard of it: the command is taken, and its replies will be kept until they arrive.
            self._pool.add(command_id, record)

    def _take_cancel(self, message_id: str, payload: str) -> None:
        try:
            command_id = command_id_of(str(json.loads(payload)["CancelMessageId"]))
        except (ValueError, KeyError, TypeError) as problem:
            raise Unusable(f"the cancel message names no command: {problem!r}") from problem
        self._pool.cancel(command_id)
        self._accept(message_id)

    def _accept(self, message_id: str) -> None:
        self._reply(message_id, reply(Status.IN_PROGRESS, at=time.time()))
        self._call("AcknowledgeMessage", {"MessageId": message_id})

    def _reply(self, message_id: str, payload: str) -> None:
        self._call("SendReply", {"MessageId": message_id, "Payload": payload, "ReplyId": str(uuid.uuid4())})
