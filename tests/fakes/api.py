"""Operations as a client meets them, without HTTP: checked by the model on the way in, and against it on the way out."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.fakes.shapes import misfits
from tests.fakes.site import OPERATOR, Installation

from patchwindow.domain.errors import PatchwindowError
from patchwindow.operations.call import Caller
from patchwindow.operations.service import authorize, find
from patchwindow.protocol.faults import Fault, to_fault
from patchwindow.protocol.rest import load_routes
from patchwindow.protocol.service import OperationModel, load_operations

MODELS: Final = {model.name: model for model in (*load_operations().values(), *load_routes())}


class Api:
    """The operations of one installation."""

    def __init__(self, here: Installation, caller: Caller = OPERATOR) -> None:
        self.here = here
        self.caller = caller

    def __call__(self, operation: str, /, **members: Any) -> dict[str, Any]:
        """Return what the client reads: the answer's JSON, whose members are all in the model."""
        model = MODELS[operation]
        answer = self._perform(model, members)
        problems = misfits(model, answer)
        assert not problems, problems
        read: dict[str, Any] = json.loads(model.serialize(answer))
        return read

    def fault(self, operation: str, /, **members: Any) -> Fault:
        """Return the refusal that the client reads; an answer is a failure."""
        model = MODELS[operation]
        try:
            answer = self._perform(model, members)
        except PatchwindowError as error:
            return to_fault(error, model)
        raise AssertionError(f"{operation} was not refused but answered {answer}")

    def code(self, operation: str, /, **members: Any) -> str:
        """Return the name of the refusal alone."""
        return self.fault(operation, **members).code

    def pages(self, operation: str, member: str, /, **members: Any) -> Iterator[list[Any]]:
        """Yield what each page of a list has."""
        answer = self(operation, **members)
        yield answer[member]
        while token := answer.get("NextToken"):
            answer = self(operation, **members, NextToken=token)
            yield answer[member]

    def _perform(self, model: OperationModel, members: dict[str, Any]) -> dict[str, Any]:
        request = model.parse(json.dumps(members).encode())
        authorize(model.name, find(model.name), request, self.caller)
        return self.here.service.perform(model.name, request, self.caller)
