"""ImportAdvisories and GetCatalogStatus by the model: what a feed says comes through as it was sent."""

from typing import Any, Final

import pytest
from tests.fakes.api import Api
from tests.fakes.site import VIEWER, Installation

from patchwindow.domain.errors import Denied

CVE: Final = {
    "CVEId": "CVE-2026-1234",
    "IsKnownExploited": True,
    "ExploitedSince": "2026-03-01",
    "DueOn": "2026-03-22",
    "EpssScoreBillionths": 500_000_000,
    "EpssPercentileBillionths": 1_000_000_000,
}
ADVISORY: Final = {
    "Id": "DSA-1",
    "Kind": "security",
    "Issued": "2026-03-01",
    "CVEIds": ["CVE-2026-1234"],
    "Fixes": [
        {"OperatingSystem": "DEBIAN", "Product": "Debian12", "Name": "openssl", "Version": "2", "Extent": "SINCE"}
    ],
}


def test_what_is_imported_is_counted(here: Installation, api: Api) -> None:
    told = api("ImportAdvisories", Source="tracker", Advisories=[ADVISORY], Cves=[CVE])
    assert told == {"Source": "tracker", "AdvisoryCount": 1, "CveCount": 1}
    status = api("GetCatalogStatus")
    assert status["Sources"] == [{"Source": "tracker", "ImportedAt": here.clock.now().timestamp(), "AdvisoryCount": 1}]
    assert (status["CveCount"], status["ExploitedCveCount"], status["ScoredCveCount"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"Cves": [{**CVE, "EpssScoreBillionths": 1_500_000_000}]}, "'cves.1.member.epssScoreBillionths'"),
        ({"Cves": [{**CVE, "EpssScoreBillionths": 0.5}]}, "must be a whole number"),
        ({"Cves": [{**CVE, "DueOn": "soon"}]}, "'cves.1.member.dueOn'"),
        ({"Advisories": [{"Kind": "security"}]}, "'advisories.1.member.id'"),
        ({"Advisories": [{**ADVISORY, "Fixes": [{"OperatingSystem": "BEOS", "Name": "x"}]}]}, "operatingSystem"),
    ],
)
def test_what_the_model_does_not_have_is_refused_by_its_place(api: Api, members: dict[str, Any], problem: str) -> None:
    assert problem in api.fault("ImportAdvisories", Source="tracker", **members).message


def test_a_viewer_may_import_nothing(here: Installation) -> None:
    with pytest.raises(Denied):
        Api(here, VIEWER)("ImportAdvisories", Source="tracker")
