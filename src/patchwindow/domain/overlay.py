"""What a node's last operation leaves on top of its facts: what waits for a reboot, and what failed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A patch, by its title, that could not be installed, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Nodes with equal facts and equal overlays are judged alike."""

    pending_reboot: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    after_install: bool = False
    """Whether the operation was to install: what it was to install, and did not, has failed."""

    @property
    def reasons(self) -> dict[str, str]:
        """Return why each failed patch could not be installed, by title."""
        return {failure.title: failure.reason for failure in self.failed}


NOTHING = Overlay()
"""The overlay of a scan, after which nothing waits."""
