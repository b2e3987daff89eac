"""Facts come back from the store as they were read from a report."""

import json

import pytest
from tests.fakes.scans import SECURITY, facts_of, package, update

from patchwindow.domain.facts import canonical
from patchwindow.domain.facts_reading import parse
from patchwindow.operations.kept_facts import read

WINDOWS = {
    "schema": 2,
    "manager": "windows",
    "os": {
        "id": "windows",
        "name": "Microsoft Windows Server 2022 Datacenter",
        "versionId": "10.0.20348",
        "arch": "x64",
    },
    "windowsUpdates": [
        {
            "title": "2026-03 Cumulative Update",
            "kb": "KB5000001",
            "state": "missing",
            "classification": "SecurityUpdates",
            "severity": "Critical",
            "productFamily": "Windows",
            "product": "WindowsServer2022",
            "released": "2026-03-10",
            "cves": ["CVE-2026-0001"],
            "reboot": "always",
        }
    ],
    "held": [],
    "reboot": {"required": True, "reasons": ["an update waits"]},
}
APT = facts_of([package("bash"), package("openssl", origin=SECURITY)], [update("openssl")])
EMPTY = facts_of([])


@pytest.mark.parametrize("data", [APT, EMPTY, WINDOWS], ids=["apt", "empty", "windows"])
def test_facts_are_read_back_as_they_were_checked(data: object) -> None:
    facts = parse(data)
    assert read(canonical(facts)) == facts


def test_facts_that_an_older_version_kept_are_read_as_a_report_is() -> None:
    assert read(json.dumps(APT).encode()) == parse(APT)
