"""Advice of Microsoft in its three forms, from small samples of our own."""

import json
from typing import Final

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.notice import Feed, Fix, Notice
from patchwindow.domain.feeds.reading import FeedKind, read
from patchwindow.domain.feeds.scope import Scope
from patchwindow.domain.operating_system import OperatingSystem

ANY: Final = Scope()

CVRF_JSON: Final = {
    "DocumentTracking": {
        "InitialReleaseDate": "2026-03-10T08:00:00",
        "CurrentReleaseDate": "2026-03-12T08:00:00",
    },
    "ProductTree": {
        "FullProductName": [
            {"ProductID": "11923", "Value": "Windows Server 2022 (Server Core installation)"},
            {"ProductID": "10378", "Value": "Windows Server 2012 R2"},
            {"ProductID": "12097", "Value": "Windows 10 Version 22H2 for x64-based Systems"},
            {"ProductID": "9", "Value": "Microsoft Visio 2016"},
        ]
    },
    "Vulnerability": [
        {
            "Title": {"Value": "Remote Code Execution"},
            "CVE": "CVE-2026-0001",
            "Threats": [
                {"Description": {"Value": "Remote Code Execution"}, "ProductID": ["11923"], "Type": 0},
                {"Description": {"Value": "Important"}, "ProductID": ["12097"], "Type": 3},
                {"Description": {"Value": "Critical"}, "ProductID": ["11923"], "Type": 3},
            ],
            "Remediations": [
                {"Description": {"Value": "5034123"}, "ProductID": ["11923", "12097", "9"], "Type": 2},
                {"Description": {"Value": "5034999"}, "ProductID": ["10378"], "Type": 2},
                {"Description": {"Value": "Release Notes"}, "ProductID": ["11923"], "Type": 2},
                {"Description": {"Value": "5039999"}, "ProductID": ["11923"], "Type": 1},
            ],
        }
    ],
}
CVRF_XML: Final = b"""<?xml version="1.0"?>
<cvrf:cvrfdoc xmlns:cvrf="http://www.icasi.org/CVRF/schema/cvrf/1.1" xmlns:prod="p" xmlns:vuln="v">
  <cvrf:DocumentTracking>
    <cvrf:InitialReleaseDate>2026-03-10T08:00:00</cvrf:InitialReleaseDate>
    <cvrf:CurrentReleaseDate>2026-03-12T08:00:00</cvrf:CurrentReleaseDate>
  </cvrf:DocumentTracking>
  <prod:ProductTree>
    <prod:FullProductName ProductID="11923">Windows Server 2022 (Server Core installation)</prod:FullProductName>
    <prod:FullProductName ProductID="10378">Windows Server 2012 R2</prod:FullProductName>
    <prod:FullProductName ProductID="12097">Windows 10 Version 22H2 for x64-based Systems</prod:FullProductName>
    <prod:FullProductName ProductID="9">Microsoft Visio 2016</prod:FullProductName>
  </prod:ProductTree>
  <vuln:Vulnerability Ordinal="1">
    <vuln:Title>Remote Code Execution</vuln:Title>
    <vuln:CVE>CVE-2026-0001</vuln:CVE>
    <vuln:Threats>
      <vuln:Threat Type="Impact"><vuln:Description>Remote Code Execution</vuln:Description></vuln:Threat>
      <vuln:Threat Type="Severity"><vuln:Description>Important</vuln:Description></vuln:Threat>
      <vuln:Threat Type="Severity"><vuln:Description>Critical</vuln:Description></vuln:Threat>
    </vuln:Threats>
    <vuln:Remediations>
      <vuln:Remediation Type="Vendor Fix">
        <vuln:Description>5034123</vuln:Description>
        <vuln:ProductID>11923</vuln:ProductID><vuln:ProductID>12097</vuln:ProductID><vuln:ProductID>9</vuln:ProductID>
      </vuln:Remediation>
      <vuln:Remediation Type="Vendor Fix">
        <vuln:Description>5034999</vuln:Description><vuln:ProductID>10378</vuln:ProductID>
      </vuln:Remediation>
      <vuln:Remediation Type="Workaround"><vuln:Description>5039999</vuln:Description></vuln:Remediation>
    </vuln:Remediations>
  </vuln:Vulnerability>
</cvrf:cvrfdoc>
"""
CSAF: Final = {
    "document": {
        "aggregate_severity": {"text": "Critical"},
        "tracking": {
            "initial_release_date": "2026-03-10T08:00:00.000Z",
            "current_release_date": "2026-03-12T08:00:00.000Z",
        },
    },
    "product_tree": {
        "branches": [
            {
                "category": "vendor",
                "name": "Microsoft",
                "branches": [
                    {"product": {"product_id": "1", "name": "Windows Server 2022 (Server Core installation)"}},
                    {"product": {"product_id": "2", "name": "Windows 10 Version 22H2 for x64-based Systems"}},
                ],
            }
        ],
        "full_product_names": [
            {"product_id": "3", "name": "Microsoft Visio 2016"},
            {"product_id": "4", "name": "Windows Server 2012 R2"},
        ],
    },
    "vulnerabilities": [
        {
            "cve": "CVE-2026-0001",
            "title": "Remote Code Execution",
            "threats": [{"category": "impact", "details": "Remote Code Execution"}],
            "remediations": [
                {
                    "category": "vendor_fix",
                    "details": "10.0.20348.2227:Security Update:https://support.example.net/help/5034123",
                    "product_ids": ["1", "2", "3"],
                },
                {
                    "category": "vendor_fix",
                    "url": "https://catalog.example.net/Search.aspx?q=KB5034999",
                    "product_ids": ["4"],
                },
                {"category": "workaround", "details": "KB5039999", "product_ids": ["1"]},
            ],
        }
    ],
}


@pytest.mark.parametrize(
    "data", [json.dumps(CVRF_JSON).encode(), CVRF_XML, b"\xef\xbb\xbf" + CVRF_XML, json.dumps(CSAF).encode()]
)
def test_microsoft_says_the_same_in_every_form(data: bytes) -> None:
    (notice,) = read(FeedKind.MICROSOFT, data, ANY).notices
    assert notice == Notice(
        id="CVE-2026-0001",
        kind="SecurityUpdates",
        severity="Critical",
        issued="2026-03-10",
        updated="2026-03-12",
        title="Remote Code Execution",
        cve_ids=("CVE-2026-0001",),
        fixes=tuple(
            Fix(operating_system=OperatingSystem.WINDOWS, product=product, name=kb)
            for kb, product in (
                ("KB5034123", "WindowsServer2022"),
                ("KB5034123", "Windows10"),
                ("KB5034123", ""),
                ("KB5034999", "WindowsServer2012R2"),
            )
        ),
    )


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"Vulnerability": [{"CVE": "ADV240001"}, {}]}).encode(),
        json.dumps({"document": {}, "vulnerabilities": [{"title": "advice"}]}).encode(),
        b"<cvrfdoc><Vulnerability><CVE>ADV240001</CVE></Vulnerability></cvrfdoc>",
    ],
)
def test_advice_of_microsoft_without_a_cve_is_passed_over(data: bytes) -> None:
    assert read(FeedKind.MICROSOFT, data, ANY) == Feed()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"{}", "neither CVRF nor CSAF"), (b"<html/>", "its root is <html>"), (b"x", "it is no JSON")],
)
def test_what_is_not_of_microsoft_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read(FeedKind.MICROSOFT, data, ANY)
