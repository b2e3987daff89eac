"""An installation of patches as a table: how far it has come, and what is next. Values in, values out; nothing is done here.

What each stage means after a crash stands in docs/patch-operation.md.
"""

from enum import Enum
from typing import Any, Mapping, NamedTuple, Optional, Sequence

# An installation that is cut off again and again would never end: after so many the rest has failed.
ATTEMPTS_MAX = 3
# One reboot proves what was installed; none is asked for twice, whatever becomes of the one that was heard.
REBOOTS_MAX = 1


class Stage(str, Enum):
    """How far an installation has come, as the journal has it. Each is saved before what follows it is done."""

    STARTED = "Started"
    REPAIRED = "Repaired"
    PLANNED = "Planned"
    INSTALLING = "Installing"
    INSTALLED = "Installed"
    REBOOTING = "Rebooting"
    VERIFYING = "Verifying"
    REPORTED = "Reported"


TRANSITIONS: Mapping[Stage, frozenset[Stage]] = {
    # Where it cannot be repaired, or the command is over, nothing is installed, and what is there is reported.
    Stage.STARTED: frozenset({Stage.REPAIRED, Stage.INSTALLED}),
    Stage.REPAIRED: frozenset({Stage.PLANNED, Stage.INSTALLED, Stage.STARTED}),
    # Straight to its end where nothing is wanted.
    Stage.PLANNED: frozenset({Stage.INSTALLING, Stage.INSTALLED, Stage.STARTED}),
    Stage.INSTALLING: frozenset({Stage.INSTALLED, Stage.STARTED}),
    Stage.INSTALLED: frozenset({Stage.REBOOTING, Stage.VERIFYING}),
    # Asked for again only of an agent that has not heard of it.
    Stage.REBOOTING: frozenset({Stage.REBOOTING, Stage.VERIFYING}),
    Stage.VERIFYING: frozenset({Stage.REPORTED}),
    Stage.REPORTED: frozenset(),
}

# Of these nothing is sure after a crash: the command may have ended meanwhile, and the packages may be half installed.
# So the machine is repaired, looked at and planned for anew; what the plan wants is what is not there yet.
BEGUN_ANEW = frozenset({Stage.STARTED, Stage.REPAIRED, Stage.PLANNED, Stage.INSTALLING})


class Step(Enum):
    """What is done next."""

    REPAIR = "repair"
    PLAN = "plan"
    INSTALL = "install"
    # The command is over.
    STOP = "install nothing more"
    REBOOT = "reboot"
    FORGO_REBOOT = "go without the reboot that is due"
    # The reboot was asked for, and has not come.
    AWAIT_SHUTDOWN = "await the shutdown"
    VERIFY = "verify"
    NONE = "none"


_STEPS: Mapping[Stage, Step] = {
    Stage.STARTED: Step.REPAIR,
    Stage.REPAIRED: Step.PLAN,
    Stage.PLANNED: Step.INSTALL,
    Stage.VERIFYING: Step.VERIFY,
    Stage.REPORTED: Step.NONE,
}


class Record(NamedTuple):
    """What is known of one installation."""

    started_at: float
    # The boot in which the stage was reached.
    boot_id: str
    stage: Stage = Stage.STARTED
    attempt_count: int = 0
    reboot_count: int = 0
    # The titles of all packages that were there before this operation, or at the last boot since; None: not looked yet.
    before: Optional[Sequence[str]] = None
    # The titles that the attempt at hand is to install.
    wanted: Sequence[str] = ()
    # What the operation has installed so far, whatever the attempt and the boot.
    installed: Sequence[str] = ()
    failed: Mapping[str, str] = {}
    came_along: Sequence[str] = ()
    removed: Sequence[str] = ()
    remarks: Sequence[str] = ()
    # An attempt that was cut off had left something half done, which this one has finished.
    was_repaired: bool = False
    # Titles that wait for a reboot: from before, and what was installed in this boot.
    waiting: Sequence[str] = ()
    lists_as_of: int = 0
    # Why the operation has failed as a whole; empty where it has not.
    problem: str = ""
    # Of one that is reported: what it says and how it ends.
    text: str = ""
    exit_code: int = 0

    def moved(self, stage: Stage, **changes: Any) -> "Record":
        """Return this record at *stage*, with *changes*."""
        assert stage in TRANSITIONS[self.stage], f"{self.stage} cannot become {stage}"
        return self._replace(stage=stage, **changes)


def resumed(record: Record, boot_id: str) -> Record:
    """Return where an operation goes on that a process before this one began, in this boot or in an earlier one."""
    if record.stage not in BEGUN_ANEW:
        return record
    anew = record if record.stage is Stage.STARTED else record.moved(Stage.STARTED)
    if has_rebooted(record, boot_id):
        # What was installed whole before the machine went down has had its reboot.
        return anew._replace(boot_id=boot_id, before=None, waiting=(), was_repaired=False)
    # Nobody knows what a repair had finished in this boot before it was cut off itself.
    was_repairing = record.stage is Stage.STARTED and bool(record.wanted)
    return anew._replace(was_repaired=record.was_repaired or was_repairing)


def next_step(
    record: Record, boot_id: str, *, may_reboot: bool, was_unheard: bool = False, is_over: bool = False
) -> Step:
    """Return what is next after *record* in the boot *boot_id*; *may_reboot*: the order is RebootIfNeeded.

    *was_unheard*: the agent did not learn how the process before this one ended, so that it rebooted for none of them.
    *is_over*: the command may change nothing more; what it did is reported.

    "Reboots when at least one patch was installed in this run, or when any patch on the node is InstalledPendingReboot."
    Source: AWS-RunPatchBaseline, RebootOption.
    """
    if record.stage is Stage.INSTALLED:
        # Whoever rebooted the machine since has done what was needed.
        is_due = bool(record.waiting) and not has_rebooted(record, boot_id)
        is_wanted = is_due and may_reboot and record.reboot_count < REBOOTS_MAX
        return _reboot(is_over=is_over) if is_wanted else Step.VERIFY
    if record.stage is Stage.REBOOTING:
        if has_rebooted(record, boot_id):
            return Step.VERIFY
        # It is the first time that the agent hears of it. One that it has heard of was asked for in time.
        return _reboot(is_over=is_over) if was_unheard else Step.AWAIT_SHUTDOWN
    assert record.stage is not Stage.INSTALLING, "one that was cut off begins anew"
    return Step.STOP if is_over and record.stage in BEGUN_ANEW else _STEPS[record.stage]


def _reboot(*, is_over: bool) -> Step:
    return Step.FORGO_REBOOT if is_over else Step.REBOOT


def has_rebooted(record: Record, boot_id: str) -> bool:
    """Return whether the machine has rebooted since *record*; a system that does not name its boots proves nothing."""
    return record.boot_id != boot_id and bool(boot_id)
