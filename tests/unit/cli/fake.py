"""A client of the API that answers from a table, and a way to run the command line with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from click.testing import CliRunner

from patchwindow.cli.root import root
from patchwindow.client import ClientProblem

Members = dict[str, Any]
Answer = Members | Exception | Callable[[Members], Members]
Answers = Mapping[str, Answer]


@cache
def operations() -> Mapping[str, Any]:
    """Return the operations of the public models and our own under the names of their methods; no two services share one."""
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.append(str(resources.files("patchwindow") / "protocol" / "model"))
    models = [session.get_service_model(name) for name in ("ssm", "resource-groups", "patchwindow")]
    return {xform_name(name): model.operation_model(name) for model in models for name in model.operation_names}


@dataclass(slots=True)
class FakeClient:
    """Answers what the table says; both requests and answers must fit the public service model."""

    answers: Answers
    asked: list[tuple[str, Members]] = field(default_factory=list)
    meta: Any = field(default_factory=lambda: SimpleNamespace(endpoint_url="http://control.example"))

    def __getattr__(self, method: str) -> Callable[..., Members]:
        operation = operations()[method]

        def answer(**members: Any) -> Members:
            validate_parameters(members, operation.input_shape)
            self.asked.append((operation.name, members))
            found = self.answers.get(operation.name, {})
            if isinstance(found, Exception):
                raise found
            given = found(members) if callable(found) else found
            validate_parameters(given, operation.output_shape)
            return {**given, "ResponseMetadata": {"RequestId": "1"}}

        return answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command wrote and asked, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str
    asked: list[tuple[str, Members]]
    connected: list[Mapping[str, str | None]]


def run(
    *arguments: str,
    answers: Answers | None = None,
    typed: str = "",
    env: Mapping[str, str] | None = None,
    without: str | None = None,
) -> Outcome:
    """Run ``patchwindow`` with *arguments* against a client that gives *answers*, with *typed* as its input.

    There is no service *without*, as AWS has none of ours.
    """
    client = FakeClient(answers or {})
    connected: list[Mapping[str, str | None]] = []

    def connect(**where: str | None) -> FakeClient:
        connected.append(where)
        if without is not None and where.get("service") == without:
            raise ClientProblem(f"there is no service {without}")
        return client

    clean = {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, **(env or {})}
    result = CliRunner().invoke(root, arguments, prog_name="patchwindow", obj=connect, input=typed, env=clean)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Outcome(result.exit_code, result.stdout, result.stderr, client.asked, connected)


def refusal(code: str, message: str) -> ClientError:
    """Return the error that boto3 raises for the API's error *code*."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
