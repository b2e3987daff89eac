"""An installation in this process: operations, engine and store are the real ones; its clock stands where it is put."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from botocore import xform_name

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for
from patchwindow.engine.engine import Engine
from patchwindow.operations.call import Answer, Caller, Site
from patchwindow.operations.service import Question, Service, authorize, find
from patchwindow.protocol.service import load_operations
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.database import Database
from patchwindow.store.settings import Role
from patchwindow.system import SystemIds

ADMIN: Final = Caller(id="AKIABENCH", role=Role.ADMIN)
_SITE: Final = Site(
    account_id="123456789012",
    region="us-east-1",
    public_url="https://patch.example.net",
    seal_key=bytes(range(32)),
    program_digest="0" * 64,
)


class VirtualClock:
    """A clock that stands still until it is put forward."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the present instant."""
        return self._now

    def put(self, now: datetime) -> None:
        """Let it be *now*, which is not before the present."""
        assert now >= self._now, "time does not run backwards"
        self._now = now


class Installation:
    """A server without sockets; `engine` turns when it is told to."""

    def __init__(self, file: Path, *, now: datetime, ring: Callable[[str], None]) -> None:
        self.clock = VirtualClock(now)
        self.database = Database(file)
        self.database.migrate()
        with self.database.write() as work:
            for baseline in PREDEFINED:
                work.baselines.put(baseline, owner=OWNER_AWS)
            for system in OperatingSystem:
                work.baselines.set_default(system, default_for(system).baseline_id)
        self.database.on_wake(ring)
        ids = SystemIds()
        self.service = Service(database=self.database, clock=self.clock, ids=ids, site=_SITE)
        self.engine = Engine(database=self.database, clock=self.clock, ids=ids)

    def perform(self, operation: str, request: Mapping[str, Any], caller: Caller = ADMIN) -> Answer:
        """Carry out one operation, if the caller may."""
        authorize(operation, find(operation), request, caller)
        return self.service.perform(operation, request, caller)

    def together(self, asked: Sequence[tuple[str, Mapping[str, Any], Caller]]) -> list[Answer]:
        """Carry out operations as the server does with requests that come at once: so many in one transaction."""
        answers: list[Answer] = []
        for first in range(0, len(asked), self.database.together_max):
            questions = [
                Question(operation, lambda _, request=request, caller=caller: (request, caller))  # type: ignore[misc]  # the lambda's defaults bind the loop's values
                for operation, request, caller in asked[first : first + self.database.together_max]
            ]
            for outcome in self.service.answer(questions):
                if isinstance(outcome, Exception):
                    raise outcome
                answers.append(outcome)
        return answers

    def client(self) -> Any:
        """Return what plans take for a client of boto3: each call is parsed, checked, carried out and serialized."""
        return _Client(self)

    def close(self) -> None:
        """Give up the database."""
        self.database.close()


class _Client:
    """The methods of a boto3 client, made from the service's model."""

    def __init__(self, installation: Installation) -> None:
        models = {xform_name(model.name): model for model in load_operations().values()}
        self._models = models
        self._installation = installation

    def __getattr__(self, name: str) -> Callable[..., Any]:
        model = self._models[name]

        def call(**members: Any) -> Any:
            request = model.parse(json.dumps(members).encode())
            return json.loads(model.serialize(self._installation.perform(model.name, request)))

        return call
