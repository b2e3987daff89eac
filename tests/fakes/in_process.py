"""The client that plans take for boto3's, in front of the real operations and without HTTP."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from tests.fakes.api import MODELS, Api
from tests.fakes.site import OPERATOR, Installation

from patchwindow.domain.errors import PatchwindowError
from patchwindow.protocol.faults import to_fault

_NAMES = {xform_name(name): name for name in MODELS}


class InProcess:
    """Asks the operations of one installation, and refuses as boto3 does."""

    def __init__(self, folder: Path) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://in.process")
        self.here = Installation(folder)
        self.api = Api(self.here, OPERATOR)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        if method not in _NAMES:
            raise AttributeError(method)
        operation = _NAMES[method]

        def ask(**members: Any) -> dict[str, Any]:
            try:
                return self.api(operation, **members)
            except PatchwindowError as error:
                fault = to_fault(error, MODELS[operation])
                raise ClientError({"Error": {"Code": fault.code, "Message": str(error)}}, operation) from error

        return ask
