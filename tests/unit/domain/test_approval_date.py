"""Which date counts."""

from dataclasses import replace
from datetime import date

import pytest

from patchwindow.domain.approval_date import UNDATED, Dated, DateKind, dater
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch

RELEASED, UPDATED, BUILT, SEEN = date(2026, 3, 1), date(2026, 3, 5), date(2026, 2, 1), date(2026, 3, 7)
FULL = Patch(name="openssl", released_on=RELEASED, updated_on=UPDATED, built_on=BUILT)
RELEASED_ONLY = Patch(name="openssl", released_on=RELEASED, built_on=BUILT)
UPDATED_ONLY = Patch(name="openssl", updated_on=UPDATED)
BUILT_ONLY = Patch(name="openssl", built_on=BUILT)
BARE = Patch(name="openssl")


@pytest.mark.parametrize(
    ("patch", "system", "expected"),
    [
        (FULL, OperatingSystem.AMAZON_LINUX_2, Dated(UPDATED, DateKind.CHANGED)),
        (FULL, OperatingSystem.AMAZON_LINUX_2023, Dated(UPDATED, DateKind.CHANGED)),
        (RELEASED_ONLY, OperatingSystem.AMAZON_LINUX_2, Dated(RELEASED, DateKind.PUBLISHED)),
        (FULL, OperatingSystem.REDHAT_ENTERPRISE_LINUX, Dated(RELEASED, DateKind.PUBLISHED)),
        (FULL, OperatingSystem.SUSE, Dated(RELEASED, DateKind.PUBLISHED)),
        (UPDATED_ONLY, OperatingSystem.ORACLE_LINUX, Dated(UPDATED, DateKind.CHANGED)),
        (BUILT_ONLY, OperatingSystem.AMAZON_LINUX_2, Dated(BUILT, DateKind.BUILT)),
        (BUILT_ONLY, OperatingSystem.ROCKY_LINUX, Dated(BUILT, DateKind.BUILT)),
        (BARE, OperatingSystem.ROCKY_LINUX, None),
        (BARE, OperatingSystem.WINDOWS, Dated(UNDATED, DateKind.NONE)),
        (BARE, OperatingSystem.MACOS, Dated(UNDATED, DateKind.NONE)),
        (FULL, OperatingSystem.UBUNTU, None),
        (replace(FULL, first_seen_on=SEEN), OperatingSystem.UBUNTU, Dated(SEEN, DateKind.FIRST_SEEN)),
        (replace(FULL, first_seen_on=SEEN), OperatingSystem.SUSE, Dated(RELEASED, DateKind.PUBLISHED)),
    ],
)
def test_the_date_is_the_one_that_the_system_goes_by(
    patch: Patch, system: OperatingSystem, expected: Dated | None
) -> None:
    assert dater(system, with_non_security=False)(patch) == expected


def test_with_non_security_a_package_without_any_date_is_older_than_every_delay() -> None:
    assert dater(OperatingSystem.ROCKY_LINUX, with_non_security=True)(BARE) == Dated(UNDATED, DateKind.NONE)


def test_a_date_says_which_it_is() -> None:
    assert str(Dated(SEEN, DateKind.FIRST_SEEN)) == "first seen 2026-03-07"
    assert str(Dated(UNDATED, DateKind.NONE)) == "undated"
