"""The invariants of the simulation, each with a name and one sentence."""

from collections import Counter
from enum import StrEnum
from typing import Final


class Rule(StrEnum):
    """What must hold after every step of every world, whatever nodes, servers, clocks and callers do.

    Times are those of the clock of the server that acts, at the instant at which it acts.
    """

    OPENS_AS_SCHEDULED = "A window opens at instants of its schedule alone, and never before such an instant has come"
    OPENS_ONCE = (
        "Every opening has exactly one record, however clocks jump and servers end: it ran, was skipped, or was missed"
    )
    SKIPS_WHILE_OPEN = "An opening is skipped if, and only if, the one before it is still running"
    MISSES_AFTER_CUTOFF = "An opening is missed only if no server could look between its instant and its cutoff"
    SHUT_OPENS_NOTHING = "A window that is disabled or deleted opens nothing"
    TOLD_COMES_TRUE = "A window that nobody changes opens next when the API told so as NextExecutionTime"
    CUTOFF_AS_SET = (
        "An opening has the cutoff that the window has when it opens, or the beginning of a freeze before that"
    )
    TASK_IN_TIME = "No task starts before its window opens, nor at or after the cutoff"
    INVOCATION_IN_TIME = (
        "No invocation of a task starts, and no node is sent its command, before its window opens, nor at or after the "
        "cutoff unless the task says CONTINUE_TASK"
    )
    NOTHING_IN_A_FREEZE = (
        "Inside a freeze that its window heeds no opening opens, no task and no invocation starts, and no node is sent or "
        "handed a command; and what lies in none is not given up for one"
    )
    PRIORITIES = "A task starts when every task of a smaller priority has ended"
    ONE_TARGET_AT_A_TIME = "The targets of one task run one after another"
    CUTOFF_IS_HEEDED = "After the cutoff no task waits, and one that says CANCEL_TASK is cancelled or has ended"
    CANCELLED_STARTS_NOTHING = "What is cancelled starts nothing: no task of an execution, no node of a command"
    PARTS_END_FIRST = "An execution, a task, a task's target and a command end when all of their parts have ended"
    WITHIN_CONCURRENCY = (
        "Of one command, or one target of a task that calls webhooks, no more nodes are at work at once than "
        "MaxConcurrency says"
    )
    WITHIN_ERRORS = (
        "After more failures than MaxErrors tolerates a command is sent to no further node, and a task calls no further "
        "webhook"
    )
    SENT_ONCE = "A command is sent to a node once, while its invocation waits, and before the command expires"
    ENDS_BY_EXPIRY = "A command has ended when it has expired"
    HANDED_OUT_WHILE_OPEN = "No node is handed a command that it was told to cancel or that has ended for it"
    ONE_PATCH_OPERATION = "No node is handed a patch operation while another that it took has not ended"
    TARGETS_ACCOUNTED_FOR = "A command has, from the first, one invocation for each node that its targets select"
    MISSED_ARE_TOLD = "What a window's command came to for a target tells how many of its nodes never took it"
    RUNS_AS_SCHEDULED = (
        "An association runs once for the next instant of its schedule when that has come, and for no other instant"
    )
    NEWER_RUN_ENDS_OLDER = "Of an association no two runs for all its targets are open at once"
    SHOWN_IS_CURRENT = "When an engine has nothing more to do, what is shown of a node is what its facts are by the baseline that it follows"
    DONE_ONCE = "A request with a client token is carried out once, however often it is sent"
    ALLOWED_MOVES = "Every change of a status is one that the table allows"
    ENDS_ARE_FINAL = "What has ended never changes again, whatever late, repeated or confused replies come"
    COUNTS_EQUAL_ROWS = "The counts of a command are those of its invocations"
    TOLD_BY_THE_NODE = "An invocation succeeds or fails only if its node said so, and one of a webhook if that did"
    EVERYTHING_ENDS = "Every execution, task, target, command and invocation reaches an end state"
    MAILBOXES_EMPTY = "When an invocation has ended, nothing about it waits for the node"
    ANSWERED_IS_KEPT = "What the API answered is still so after any crash"
    ONLY_REFUSALS = "No step of the engine and no request fails but by a database that refuses or a server that is down"


class Broken(AssertionError):
    """An invariant does not hold; *rule* says which."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(f"{rule.name}: {rule.value}; but {detail}")
        self.rule: Final = rule


class Checks:
    """Asserts invariants, and counts how often each was put to the test."""

    def __init__(self) -> None:
        self.count: Final[Counter[Rule]] = Counter()

    def hold(self, rule: Rule, condition: object, detail: str) -> None:
        """Check that *condition* is so.

        Raises:
            Broken: it is not.
        """
        self.count[rule] += 1
        if not condition:
            raise Broken(rule, detail)
