"""A service over a real database in a file, with a clock and identities that a test decides."""

import base64
import functools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.fakes.clock import CountingIds, FixedClock

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import PREDEFINED, default_for
from patchwindow.operations.call import Answer, Call, Caller, Site
from patchwindow.operations.service import Service, authorize, find
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.database import Database
from patchwindow.store.settings import Role

SITE: Final = Site(
    account_id="123456789012",
    region="eu-central-1",
    public_url="https://patch.example.net",
    seal_key=bytes(range(32)),
    program_digest="d" * 64,
)
OPERATOR: Final = Caller(id="AKIAOPERATOR", role=Role.OPERATOR)
VIEWER: Final = Caller(id="AKIAVIEWER", role=Role.VIEWER)
NOBODY: Final = Caller(id="anonymous")
FINGERPRINT: Final = "fingerprint"
PUBLIC_KEY: Final = base64.b64encode(bytes(32)).decode()
DEBIAN: Final[Mapping[str, str]] = {
    "PlatformType": "Linux",
    "PlatformName": "Debian GNU/Linux",
    "PlatformVersion": "12",
}


class Installation:
    """A server without its edge: what is done here is done by operations."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock()
        self.ids = CountingIds()
        path = folder / "patchwindow.sqlite3"
        path.write_bytes(_new_database())
        self.database = Database(f"sqlite:///{path}")
        self.service = Service(database=self.database, clock=self.clock, ids=self.ids, site=SITE)

    def perform(self, operation: str, caller: Caller = OPERATOR, /, **request: Any) -> Answer:
        """Carry out one operation of the API, if the caller may."""
        authorize(operation, find(operation), request, caller)
        return self.service.perform(operation, request, caller)

    def pages(self, operation: str, member: str, **request: Any) -> Iterator[Sequence[Any]]:
        """Yield what each page of a list has."""
        answer = self.perform(operation, **request)
        yield answer[member]
        while token := answer.get("NextToken"):
            answer = self.perform(operation, **request, NextToken=token)
            yield answer[member]

    @contextmanager
    def call(self, operation: str) -> Iterator[Call]:
        """Open a call of what is not an operation of the API."""
        with self.database.write() as work:
            yield Call(operation=operation, caller=NOBODY, work=work, now=self.clock.now(), ids=self.ids, site=SITE)

    def node(
        self, *, tags: Mapping[str, str] | None = None, ping: Mapping[str, str] = DEBIAN, **activation: Any
    ) -> str:
        """Register a machine, let it say what it is, and return the id of the node."""
        members = {"IamRole": "service", "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()]}
        made = self.perform("CreateActivation", **{**members, **activation})
        node_id: str = self.perform(
            "RegisterManagedInstance",
            NOBODY,
            **made,
            PublicKey=PUBLIC_KEY,
            PublicKeyType="Hmac-Sha256",
            Fingerprint=FINGERPRINT,
        )["InstanceId"]
        if ping:
            self.perform("UpdateInstanceInformation", as_node(node_id), InstanceId=node_id, **ping)
        return node_id

    def close(self) -> None:
        """Give up the database."""
        self.database.close()


@functools.cache
def _new_database() -> bytes:
    """Return the file of a database with the predefined baselines, which is made once and written often."""
    with tempfile.TemporaryDirectory(prefix="patchwindow-") as folder:
        path = Path(folder) / "new.sqlite3"
        database = Database(f"sqlite:///{path}")
        database.migrate()
        with database.write() as work:
            for baseline in PREDEFINED:
                work.baselines.put(baseline, owner=OWNER_AWS)
            for system in OperatingSystem:
                work.baselines.set_default(system, default_for(system).baseline_id)
        database.close()
        return path.read_bytes()


def as_node(node_id: str) -> Caller:
    """Return the caller that a node is."""
    return Caller(id=node_id, node_id=node_id)
