"""Reports of scans over HTTP: how many a second the server takes when facts repeat, and when all differ."""

import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

from bench.compliance import facts_of
from bench.load import Requests, put_under_load
from bench.report import milliseconds, table, verdict

from patchwindow.bootstrap import ACCOUNT_ID, REGION, Config, Server
from patchwindow.domain.node import Node
from patchwindow.operations.call import Caller, Site
from patchwindow.operations.capabilities import capability_url
from patchwindow.operations.service import Service
from patchwindow.operations.tags import NODE
from patchwindow.store.settings import Role

_NODES: Final = 2_000
_CONNECTIONS: Final = 8
_SECONDS: Final = 8.0
_WARM_UP_S: Final = 1.0
_GOAL: Final = 100
_ADMIN: Final = Caller(id="AKIABENCH", role=Role.ADMIN)


def _register(server: Server) -> list[str]:
    """Register nodes, send each the document that scans, and return the URLs that their operations speak with."""
    ids = [f"mi-{number:017x}" for number in range(_NODES)]
    now = datetime.now(UTC)
    with server.database.write() as work:
        for id in ids:
            node = Node(
                instance_id=id,
                activation_id="bench",
                iam_role="bench",
                registration_date=now,
                last_ping_date_time=now,
            )
            work.nodes.put(node, operating_system="DEBIAN", patch_group="")
            work.tags.add(NODE, id, {"ring": "all"})
    request = {
        "DocumentName": "AWS-RunPatchBaseline",
        "Parameters": {"Operation": ["Scan"]},
        "Targets": [{"Key": "tag:ring", "Values": ["all"]}],
        "MaxConcurrency": "100%",
    }
    site = _site(server)
    service = Service(database=server.database, clock=server.clock, ids=server.ids, site=site)
    command_id = service.perform("SendCommand", request, _ADMIN)["Command"]["CommandId"]
    return [capability_url(site, command_id, id) for id in ids]


def _site(server: Server) -> Site:
    """Return what the server seals its URLs with."""
    with server.database.read() as work:
        seal_key = work.settings.get("seal_key")
    assert seal_key is not None, "a server that runs has one"
    return Site(
        account_id=ACCOUNT_ID,
        region=REGION,
        public_url=server.url,
        seal_key=bytes.fromhex(seal_key),
        program_digest="0" * 64,
    )


def _request(url: str, number: int, packed: bytes) -> bytes:
    parts = urlsplit(url)
    head = (
        f"POST {parts.path}/report HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Encoding: gzip\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(packed)}\r\nX-Number: {number}\r\n\r\n"
    )
    return head.encode() + packed


def _report(number: int) -> bytes:
    """Return the report of a scan that ends now, packed as the agent packs it."""
    facts = facts_of(number)
    now = time.time()
    report: dict[str, Any] = {
        "schema": 1,
        "operation": "Scan",
        "startedAt": now - 3,
        "endedAt": now,
        "bootId": "boot",
        "lists": {"refreshed": True, "asOf": now, "problem": None},
        "facts": facts,
        "installedAt": [1_760_000_000] * len(facts["packages"]),
    }
    return gzip.compress(json.dumps(report).encode())


def run() -> None:
    """Measure, and print."""
    rows, rates = [], {}
    for name, variety in (("20 sets of facts", 20), ("all differ", _NODES)):
        with (
            TemporaryDirectory(prefix="patchwindow-bench-") as folder,
            Server(Config(data=Path(folder), port=0)) as server,
        ):
            packed = [_report(number) for number in range(variety)]
            urls = _register(server)
            encoded = [_request(url, number, packed[number % variety]) for number, url in enumerate(urls)]
            parts = urlsplit(server.url)
            found = put_under_load(
                (str(parts.hostname), int(parts.port or 0)),
                Requests(encoded, b'"status"', is_repeatable=variety < _NODES),
                connections=_CONNECTIONS,
                seconds=_SECONDS,
                warm_up_s=_WARM_UP_S,
            )
        rates[name] = found.per_second
        size = sum(map(len, packed)) / len(packed)
        rows.append(
            [name, f"{found.per_second:.0f}", milliseconds(found.p50_s), milliseconds(found.p99_s), f"{size:,.0f}"]
        )
    print(table(["facts", "reports per second", "p50 ms", "p99 ms", "bytes of a report"], rows))
    print(f"\n500 packages and 60 updates, gzip, over {_CONNECTIONS} connections, SQLite on disk\n")
    print(verdict(goal=f"{_GOAL} reports per second when facts repeat", is_met=rates["20 sets of facts"] >= _GOAL))
    print(f"when all differ: {rates['all differ']:.0f} per second")
