"""What was installed and waits for a reboot: the titles, each with the boot in which it was installed."""

from pathlib import Path
from typing import Any, Collection, Iterable, Mapping

from patchwindow_agent import files

_EPOCHS = frozenset({"dnf", "yum", "zypper"})


def titles_of(facts: Mapping[str, Any]) -> "frozenset[str]":
    """Return the titles of the packages that *facts* have, as the server calls them (docs/facts.md)."""
    has_epochs = facts.get("manager") in _EPOCHS
    return frozenset(_title(package, has_epochs=has_epochs) for package in facts.get("packages", ()))


def _title(package: Mapping[str, Any], *, has_epochs: bool) -> str:
    version = package["version"]
    # Those who write no epoch of an rpm package mean 0.
    epoch = "0:" if has_epochs and ":" not in version else ""
    return f"{package['name']}.{package['arch']}:{epoch}{version}"


class Pending:
    """The titles in a file. What stands there and is not installed says nothing: it was meant to be."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def waiting(self, boot_id: str, present: Collection[str]) -> "list[str]":
        """Return those of the titles *present* that were installed in the boot *boot_id*.

        Raises:
            StateProblem: the file cannot be read.
        """
        return sorted(title for title, boot in self._read().items() if boot == boot_id and title in present)

    def add(self, titles: Iterable[str], boot_id: str) -> None:
        """Note that *titles* are installed in the boot *boot_id*; what waited in an earlier boot is forgotten.

        Raises:
            StateProblem: the file cannot be written.
        """
        kept = {title: boot for title, boot in self._read().items() if boot == boot_id}
        files.make_private(self._path.parent)
        files.write_json(self._path, {**kept, **dict.fromkeys(titles, boot_id)})

    def _read(self) -> Mapping[str, str]:
        try:
            told = files.read_json(self._path)
        except FileNotFoundError:
            return {}
        return told if isinstance(told, dict) else {}
