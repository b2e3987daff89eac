"""Patch groups and the baseline they lead to."""

import pytest

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.patch_group import baseline_for, group_of


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, None),
        ({"Patch Group": "web"}, "web"),
        ({"PatchGroup": "web"}, "web"),
        ({"PatchGroup": "db", "Patch Group": "web"}, "web"),
        ({"PatchGroup": "db", "Patch Group": ""}, "db"),
        ({"patch group": "web", "Patchgroup": "web"}, None),
    ],
)
def test_the_group_is_a_tag_of_exactly_one_of_two_keys(tags: dict[str, str], expected: str | None) -> None:
    assert group_of(tags) == expected


@pytest.mark.parametrize(
    ("group", "system", "expected"),
    [
        ("web", OperatingSystem.DEBIAN, "pb-web"),
        ("web", OperatingSystem.UBUNTU, "pb-ubuntu"),
        ("Web", OperatingSystem.DEBIAN, "pb-debian"),
        (None, OperatingSystem.DEBIAN, "pb-debian"),
        ("", OperatingSystem.DEBIAN, "pb-debian"),
    ],
)
def test_the_registered_baseline_wins_over_the_default_of_the_system(
    group: str | None, system: OperatingSystem, expected: str
) -> None:
    registered = {("web", "DEBIAN"): "pb-web", ("", "DEBIAN"): "pb-none"}
    defaults: dict[str, str] = {"DEBIAN": "pb-debian", "UBUNTU": "pb-ubuntu"}
    found = baseline_for(
        group=group,
        operating_system=system,
        registered=lambda group, system: registered.get((group, system)),
        default=defaults.__getitem__,
    )
    assert found == expected
