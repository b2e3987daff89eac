"""Which date counts."""

from datetime import date

import pytest

from patchwindow.domain.approval_date import UNDATED, date_of
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch import Patch

RELEASED, UPDATED, BUILT = date(2026, 3, 1), date(2026, 3, 5), date(2026, 2, 1)
FULL = Patch(name="openssl", released_on=RELEASED, updated_on=UPDATED, built_on=BUILT)
RELEASED_ONLY = Patch(name="openssl", released_on=RELEASED, built_on=BUILT)
BUILT_ONLY = Patch(name="openssl", built_on=BUILT)
BARE = Patch(name="openssl")


@pytest.mark.parametrize(
    ("patch", "system", "expected"),
    [
        (FULL, OperatingSystem.AMAZON_LINUX_2, UPDATED),
        (FULL, OperatingSystem.AMAZON_LINUX_2023, UPDATED),
        (RELEASED_ONLY, OperatingSystem.AMAZON_LINUX_2, RELEASED),
        (FULL, OperatingSystem.REDHAT_ENTERPRISE_LINUX, RELEASED),
        (FULL, OperatingSystem.SUSE, RELEASED),
        (BUILT_ONLY, OperatingSystem.AMAZON_LINUX_2, BUILT),
        (BUILT_ONLY, OperatingSystem.ROCKY_LINUX, BUILT),
        (BARE, OperatingSystem.ROCKY_LINUX, None),
        (BARE, OperatingSystem.WINDOWS, UNDATED),
        (BARE, OperatingSystem.MACOS, UNDATED),
    ],
)
def test_the_date_is_the_one_that_the_system_goes_by(
    patch: Patch, system: OperatingSystem, expected: date | None
) -> None:
    assert date_of(patch, system, with_non_security=False) == expected


def test_with_non_security_a_package_without_any_date_is_older_than_every_delay() -> None:
    assert date_of(BARE, OperatingSystem.ROCKY_LINUX, with_non_security=True) == UNDATED
