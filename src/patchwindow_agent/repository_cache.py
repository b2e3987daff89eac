"""What a package manager keeps of its repositories: the files that a repository's `repomd.xml` names.

Source: createrepo's `repomd.xml`; dnf keeps it as `CACHE/ID-HASH/repodata/repomd.xml`, yum as `CACHE/…/ID/repomd.xml`,
with the files beside it under the names that they have in the repository.
"""

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Optional, Sequence

from patchwindow_agent.errors import ScanFailed

_REPO = "{http://linux.duke.edu/metadata/repo}"
_HASH = re.compile(r"[0-9a-f]{16}")


def repomd_of(caches: Sequence[Path], repository: str) -> Optional[Path]:
    """Return the newest index that *caches* have of *repository*, None where they have none.

    There is one for each address that it was fetched from; what is in use was looked at last.
    """
    name = re.sub(r"([*?[])", r"[\1]", repository)
    found: list[Path] = []
    for cache in caches:
        hashed = cache.glob(f"**/{name}-*/repodata/repomd.xml")
        found += [path for path in hashed if _HASH.fullmatch(path.parts[-3][len(repository) + 1 :])]
        found += cache.glob(f"**/{name}/repomd.xml")
    return max(found, key=_looked_at, default=None)


def _looked_at(repomd: Path) -> float:
    # Where nothing has changed, dnf touches one of the lists beside the index, and not the index.
    return max(path.stat().st_mtime for path in repomd.parent.iterdir())


def file_of(repomd: Path, kinds: Sequence[str]) -> Optional[Path]:
    """Return the file of the first of *kinds* (`updateinfo`, `primary_db`) that is there, None where none is named.

    Raises:
        ScanFailed: the index cannot be read, or none of the files that it names is there.
    """
    try:
        data = ET.parse(repomd).getroot().findall(f"{_REPO}data")  # noqa: S314  # dnf has checked it
    except (OSError, ET.ParseError) as problem:
        raise ScanFailed(f"cannot read {repomd}: {problem}") from problem
    places = {entry.get("type"): entry.find(f"{_REPO}location") for entry in data}
    named = [place.get("href", "") for kind in kinds if (place := places.get(kind)) is not None]
    paths = [repomd.parent / Path(address).name for address in named]
    found = next((path for path in paths if path.exists()), None)
    if paths and found is None:
        raise ScanFailed(f"{paths[0]} is not there, though the index beside it names it; refresh the package lists")
    return found


def made_at(repomd: Path) -> int:
    """Return when the publisher made the newest of the files that *repomd* names, in seconds since 1970.

    Raises:
        ScanFailed: the index cannot be read.
    """
    try:
        times = [entry.text or "" for entry in ET.parse(repomd).getroot().iter(f"{_REPO}timestamp")]  # noqa: S314  # dnf has checked it
    except (OSError, ET.ParseError) as problem:
        raise ScanFailed(f"cannot read {repomd}: {problem}") from problem
    return max((int(float(text)) for text in times if text.strip()), default=0)
