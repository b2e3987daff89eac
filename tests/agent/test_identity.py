"""Who a node is, and by what its machine is recognised."""

from pathlib import Path

import pytest

from patchwindow_agent import identity

MACHINE_ID = "0123456789abcdef0123456789abcdef"


def test_a_machine_is_recognised_when_it_registers_again(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text(f"{MACHINE_ID}\n")
    first = identity.fingerprint(file)
    assert identity.fingerprint(file) == first
    file.write_text(f"{MACHINE_ID[::-1]}\n")
    assert identity.fingerprint(file) != first


def test_the_id_of_the_machine_is_not_told(tmp_path: Path) -> None:
    file = tmp_path / "machine-id"
    file.write_text(MACHINE_ID)
    assert MACHINE_ID not in identity.fingerprint(file).replace("-", "")


@pytest.mark.parametrize("text", [None, "", "uninitialized\n", "\xe4" * 32])
def test_a_machine_without_an_id_is_another_each_time(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "machine-id"
    if text is not None:
        file.write_text(text, encoding="latin-1")
    assert identity.fingerprint(file) != identity.fingerprint(file)
