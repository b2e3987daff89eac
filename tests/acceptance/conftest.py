"""What acceptance tests share: a toy repository, machines on it, and control planes in processes of their own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.machine import Machine, make_machine
from tests.fakes.server import Plane, running_plane
from tests.fakes.world import World
from tests.rig.toy_apt import build_repository


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_this_machine() -> Iterator[None]:
    """Keep boto3 in this process from whatever AWS settings its user has."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy apt repository."""
    return build_repository(tmp_path_factory.mktemp("repository") / "toy")


@pytest.fixture(scope="module")
def machine(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with updates pending."""
    return make_machine(repository, tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane of the module's own."""
    with running_plane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A control plane with some of everything in it; its tests leave what they found."""
    folder = tmp_path_factory.mktemp("world")
    with running_plane(folder) as plane:
        yield World(plane, folder)
    assert "Traceback" not in plane.server.log.read_text()
