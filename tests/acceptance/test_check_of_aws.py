"""`patchwindow check` of AWS's API as moto implements it, which is a part."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.fakes.moto import moto_client, running_moto

from patchwindow.checks import check, collect
from patchwindow.checks.snapshot import Topic


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where moto's server listens."""
    with running_moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


def test_what_there_is_is_checked_and_what_is_not_told_is_said(url: str) -> None:
    client = moto_client(url, "ssm")
    common = {"Duration": 3, "Cutoff": 1, "AllowUnassociatedTargets": False}
    for name, schedule in (("empty", "cron(0 3 ? * SUN *)"), ("nightly", "cron(0 3-5 ? * MON *)")):
        client.create_maintenance_window(Name=name, Schedule=schedule, **common)
    over = client.create_maintenance_window(Name="over", Schedule="at(2026-01-01T00:00:00)", **common)["WindowId"]
    client.register_target_with_maintenance_window(
        WindowId=over, ResourceType="INSTANCE", Targets=[{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}]
    )
    snapshot = collect(
        client,
        moto_client(url, "resource-groups"),
        now=datetime(2026, 7, 1, tzinfo=UTC),
        stale_after=timedelta(days=7),
    )
    assert Topic.NODES in snapshot.refusals
    assert Topic.WINDOWS not in snapshot.refusals
    found = [
        (finding.code, finding.where.thing.split()[1]) for finding in check(snapshot) if finding.code != "not-told"
    ]
    assert found == [
        ("no-targets", "empty"),
        ("hours-as-span", "nightly"),
        ("no-targets", "nightly"),
        ("window-ended", "over"),
        ("no-tasks", "empty"),
        ("no-tasks", "nightly"),
        ("no-tasks", "over"),
    ]
