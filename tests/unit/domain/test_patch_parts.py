"""The parts of a patch command with hooks: what each goes by, and when the others have nothing to do."""

import pytest

from patchwindow.domain.errors import Invalid
from patchwindow.domain.patch_parts import WITH_HOOKS, Part, ends_after_scan, is_idle, parameters_in, part_of

WHOLE = "AWS-RunPatchBaseline"


@pytest.mark.parametrize("written", ["scan", "install", "reboot"])
def test_a_command_with_hooks_has_three_parts(written: str) -> None:
    assert part_of(WITH_HOOKS, written) == written
    with pytest.raises(Invalid, match=f"part: '{written}' is none of {WHOLE}; use ''"):
        part_of(WHOLE, written)


@pytest.mark.parametrize("written", ["", "Scan", "exit"])
def test_it_has_no_other(written: str) -> None:
    with pytest.raises(Invalid, match="use 'scan', 'install', 'reboot'"):
        part_of(WITH_HOOKS, written)


@pytest.mark.parametrize("option", ["RebootIfNeeded", "NoReboot"])
def test_the_first_scans_the_second_installs_without_a_reboot_and_the_third_as_it_was_asked(option: str) -> None:
    given = {"Operation": "Install", "RebootOption": option}
    by = {part: parameters_in(part, given) for part in Part}
    assert {part: (one["Operation"], one["RebootOption"]) for part, one in by.items()} == {
        Part.WHOLE: ("Install", option),
        Part.SCAN: ("Scan", option),
        Part.INSTALL: ("Install", "NoReboot"),
        Part.REBOOT: ("Install", option),
    }
    assert by[Part.SCAN]["InstallOverrideList"] == by[Part.SCAN]["BaselineOverride"] == ""
    assert [part for part in Part if is_idle(part, by[part])] == ([Part.REBOOT] if option == "NoReboot" else [])


@pytest.mark.parametrize(
    ("operation", "option", "missing", "pending", "ends"),
    [
        ("Scan", "RebootIfNeeded", 5, 5, True),
        ("Install", "RebootIfNeeded", 0, 0, True),
        ("Install", "NoReboot", 0, 0, True),
        ("Install", "NoReboot", 0, 3, True),
        ("Install", "RebootIfNeeded", 0, 3, False),
        ("Install", "NoReboot", 1, 0, False),
        ("Install", "RebootIfNeeded", 1, 0, False),
    ],
)
def test_what_the_scan_found_decides_whether_anything_follows(
    operation: str, option: str, missing: int, pending: int, *, ends: bool
) -> None:
    given = {"Operation": operation, "RebootOption": option}
    assert ends_after_scan(given, missing_count=missing, pending_count=pending) is ends
