"""A disk that loses power: what was written and not flushed is lost or torn, and each change of it is a point to be cut at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PureWindowsPath

from tests.powershell.values import NOTHING, Nothing, NotKnown, Thrown


@dataclass(slots=True)
class _Content:
    """What a file holds, and how much of it is on the disk and not in its cache."""

    name: str
    written_at: datetime
    data: bytes = b""
    safe: int = 0


@dataclass(slots=True)
class Disk:
    """Files by their path, which is looked up past case; *point* is told each change, before it and after it."""

    now: Callable[[], datetime]
    point: Callable[[str], None]
    files: dict[str, _Content] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    open_paths: set[str] = field(default_factory=set)
    free_bytes: int = 2**40
    # Names of files that nobody may open.
    denied: set[str] = field(default_factory=set)

    def exists(self, path: str) -> bool:
        """Return whether there is a file at *path*."""
        return _key(path) in self.files

    def read(self, path: str) -> str:
        """Return the text of a file, as File.ReadAllText does."""
        if not self.exists(path):
            raise Thrown("FileNotFoundException", f"Could not find file '{path}'.")
        return self.files[_key(path)].data.decode("utf-8-sig", errors="replace")

    def put(self, path: str, data: bytes) -> None:
        """Put a file there as it is after a crash, say."""
        self.folders.add(_key(str(PureWindowsPath(path).parent)))
        self.files[_key(path)] = _Content(path, self.now(), data, len(data))

    def create_folder(self, path: str) -> "Folder":
        """Make a folder and those above it."""
        self.folders |= {_key(str(each)) for each in (PureWindowsPath(path), *PureWindowsPath(path).parents)}
        return Folder(path)

    def children(self, path: str) -> list[str]:
        """Return the paths of the files in a folder."""
        if _key(path) not in self.folders:
            raise Thrown("ItemNotFoundException", f"Cannot find path '{path}' because it does not exist.")
        return [one.name for key, one in self.files.items() if _key(str(PureWindowsPath(key).parent)) == _key(path)]

    def open(self, path: str, mode: str, access: str, share: str) -> "Stream":
        """Open a file, as File.Open does with texts for its enumerations."""
        key = _key(path)
        if PureWindowsPath(path).name in self.denied:
            raise Thrown("UnauthorizedAccessException", f"Access to the path '{path}' is denied.")
        if key in self.open_paths:
            raise Thrown("IOException", f"The process cannot access the file '{path}' because it is being used.")
        if (mode, access, share) not in (("Create", "Write", "None"), ("OpenOrCreate", "ReadWrite", "None")):
            raise NotKnown(f"to open {path} as {mode}, {access}, {share}")
        if _key(str(PureWindowsPath(path).parent)) not in self.folders:
            raise Thrown("DirectoryNotFoundException", f"Could not find a part of the path '{path}'.")
        if mode == "Create" or key not in self.files:
            self._changed(f"open {path}", lambda: self.files.update({key: _Content(path, self.now())}))
        self.open_paths.add(key)
        return Stream(self, path)

    def write(self, path: str, data: bytes) -> None:
        """Add *data* to an open file, in the cache alone."""
        if len(data) > self.free_bytes:
            raise Thrown("IOException", "There is not enough space on the disk.")
        one = self.files[_key(path)]
        self._changed(f"write {path}", lambda: setattr(one, "data", one.data + data))

    def flush(self, path: str) -> None:
        """Bring an open file to the disk."""
        one = self.files[_key(path)]
        self._changed(f"flush {path}", lambda: setattr(one, "safe", len(one.data)))

    def close(self, path: str) -> None:
        """Let others open the file."""
        self.open_paths.discard(_key(path))

    def move(self, source: str, target: str, *, replaces: bool) -> None:
        """Give a file another name, in one step."""
        if self.exists(target) is not replaces:
            raise Thrown("IOException", f"Cannot move '{source}' to '{target}': it is there already, or is not.")

        def change() -> None:
            one = self.files.pop(_key(source))
            one.name = target
            self.files[_key(target)] = one

        self._changed(f"move {target}", change)

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._changed(f"remove {path}", lambda: self.files.pop(_key(path)))

    def end_process(self) -> None:
        """Close what a process that has ended had open."""
        self.open_paths.clear()

    def lose_power(self) -> None:
        """Leave of each file what is on the disk, and the half of what was written after."""
        self.end_process()
        for one in self.files.values():
            one.data = one.data[: one.safe + (len(one.data) - one.safe) // 2]
            one.safe = len(one.data)

    def _changed(self, what: str, change: Callable[[], object]) -> None:
        self.point(f"before {what}")
        change()
        self.point(f"after {what}")


@dataclass(frozen=True, slots=True)
class Folder:
    """A DirectoryInfo."""

    full_name: str


@dataclass(slots=True)
class Stream:
    """A FileStream."""

    disk: Disk
    path: str

    def write(self, data: bytes, offset: int, count: int) -> Nothing:
        self.disk.write(self.path, data[offset : offset + count])
        return NOTHING

    def flush(self, to_disk: bool) -> Nothing:  # noqa: FBT001  (as FileStream.Flush has it)
        if to_disk:
            self.disk.flush(self.path)
        return NOTHING

    def close(self) -> Nothing:
        self.disk.close(self.path)
        return NOTHING


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as Get-ChildItem lists it."""

    full_name: str
    last_write_time_utc: datetime


def _key(path: str) -> str:
    return path.casefold().rstrip("\\")
