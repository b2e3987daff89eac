"""Checks of a service as it is: collect (the public API alone, reading) → snapshot → checks (pure) → findings."""

from patchwindow.checks.collect import collect
from patchwindow.checks.snapshot import Snapshot
from patchwindow.checks.table import CHECKS, check

__all__ = ["CHECKS", "Snapshot", "check", "collect"]
