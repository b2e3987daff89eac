"""Checks of a service as it is: collect (the public API alone, reading) → snapshot → checks (pure) → findings.

Beside them, in the same form, what an account must have before anything can be patched, and how to create it.
"""

from patchwindow.checks.account import DEFAULT_NODE_ROLE, DEFAULT_WINDOW_ROLE
from patchwindow.checks.check_account import check_account, check_server
from patchwindow.checks.collect import collect, collect_nodes
from patchwindow.checks.collect_account import collect_account
from patchwindow.checks.repair import Repair, repairs_of_account, repairs_of_server
from patchwindow.checks.snapshot import Snapshot
from patchwindow.checks.table import CHECKS, check

__all__ = [
    "CHECKS",
    "DEFAULT_NODE_ROLE",
    "DEFAULT_WINDOW_ROLE",
    "Repair",
    "Snapshot",
    "check",
    "check_account",
    "check_server",
    "collect",
    "collect_account",
    "collect_nodes",
    "repairs_of_account",
    "repairs_of_server",
]
