"""The rules that are made wrong, one at a time, and what then breaks."""

import dataclasses
from datetime import timedelta
from typing import Final

from tests.simulation import mutants
from tests.simulation.mutation import Mutation
from tests.simulation.rules import Rule

from patchwindow.domain import invocation, window_execution
from patchwindow.domain.invocation import State
from patchwindow.domain.limit import Concurrency
from patchwindow.domain.window import CutoffBehavior
from patchwindow.engine.effects import EndUnsent

_ASSOCIATION: Final = "patchwindow.engine.perform_association:decide_association"
_COMMAND: Final = "patchwindow.engine.perform_command:decide"
_EXECUTION: Final = "patchwindow.engine.perform_window:decide"
_EXECUTIONS: Final = "patchwindow.store.executions:Executions"
_MESSAGES: Final = "patchwindow.operations.messages"

MUTATIONS: Final[dict[str, Mutation]] = {
    # Openings
    "the clock of a schedule is late": Mutation(
        says="The next opening of a window is noted a second late",
        place="patchwindow.store.windows:Windows.put",
        mutate=mutants.hand_on(next_opening_at=mutants.later(seconds=1)),
        breaks=(Rule.OPENS_AS_SCHEDULED, Rule.TOLD_COMES_TRUE),
        within=10,
    ),
    "an opening opens twice": Mutation(
        says="Each opening is recorded twice, the second time a millisecond late",
        place=f"{_EXECUTIONS}.open",
        mutate=mutants.open_twice,
        breaks=(Rule.OPENS_ONCE, Rule.OPENS_AS_SCHEDULED, Rule.SKIPS_WHILE_OPEN),
        within=10,
    ),
    "a missed opening is passed over": Mutation(
        says="An opening that no server could attend to is not recorded",
        place=f"{_EXECUTIONS}.open",
        mutate=mutants.record_no(window_execution.State.TIMED_OUT),
        breaks=(Rule.OPENS_ONCE, Rule.TOLD_COMES_TRUE),
        within=100,
    ),
    "a skipped opening is passed over": Mutation(
        says="An opening that overlaps with the one before is not recorded",
        place=f"{_EXECUTIONS}.open",
        mutate=mutants.record_no(window_execution.State.SKIPPED_OVERLAPPING),
        breaks=(Rule.OPENS_ONCE, Rule.TOLD_COMES_TRUE),
        within=30,
    ),
    "overlaps go unnoticed": Mutation(
        says="A window opens though its execution before is still running",
        place=f"{_EXECUTIONS}.is_open",
        mutate=mutants.answer(lambda _: False),
        breaks=(Rule.SKIPS_WHILE_OPEN,),
        within=30,
    ),
    "a disabled window opens": Mutation(
        says="A window that is disabled opens as if it were not",
        place="patchwindow.operations.windows:_next_opening",
        mutate=mutants.as_enabled,
        breaks=(Rule.SHUT_OPENS_NOTHING,),
        within=30,
    ),
    "the next opening is told wrongly": Mutation(
        says="The API tells the next opening of a window a minute late",
        place="patchwindow.operations.windows:format_instant",
        mutate=lambda right: lambda at, zone: right(at + timedelta(minutes=1), zone),
        breaks=(Rule.TOLD_COMES_TRUE,),
        within=10,
    ),
    "the cutoff is the end": Mutation(
        says="The cutoff of an opening is the end of the window",
        place="patchwindow.engine.open_window:_execution",
        mutate=mutants.answer(lambda made: dataclasses.replace(made, cutoff_at=made.ends_at)),
        breaks=(Rule.CUTOFF_AS_SET,),
        within=20,
    ),
    "what opens late is missed": Mutation(
        says="An opening that comes late is recorded as missed even before its cutoff",
        place="patchwindow.engine.open_window:_execution",
        mutate=mutants.miss_the_late,
        breaks=(Rule.MISSES_AFTER_CUTOFF,),
        within=100,
    ),
    "a freeze is not heeded": Mutation(
        says="A window opens whatever its calendars say",
        place="patchwindow.engine.open_window:heeded_by",
        mutate=mutants.heed_nothing,
        breaks=(Rule.NOTHING_IN_A_FREEZE, Rule.CUTOFF_AS_SET),
        within=20,
    ),
    "a freeze takes nothing back": Mutation(
        says="A command is sent to further nodes when a freeze has begun",
        place=_COMMAND,
        mutate=mutants.see(frozen_at=lambda _: None),
        breaks=(Rule.NOTHING_IN_A_FREEZE,),
        within=200,
    ),
    "a frozen task goes on": Mutation(
        says="A task begins with its next target when a freeze has begun",
        place=_EXECUTION,
        mutate=mutants.see(frozen_at=lambda _: None),
        breaks=(Rule.NOTHING_IN_A_FREEZE,),
        within=250,
    ),
    "a deleted window stays": Mutation(
        says="A window that is deleted is still there",
        place="patchwindow.store.windows:Windows.delete",
        mutate=mutants.never,
        breaks=(Rule.ANSWERED_IS_KEPT, Rule.SHUT_OPENS_NOTHING),
        within=50,
    ),
    # Tasks
    "tasks start after the cutoff": Mutation(
        says="What is to be done at the cutoff is done an hour later",
        place=_EXECUTION,
        mutate=mutants.see(cutoff_at=mutants.later(hours=1)),
        breaks=(Rule.CUTOFF_IS_HEEDED, Rule.TASK_IN_TIME, Rule.INVOCATION_IN_TIME),
        within=50,
    ),
    "CANCEL_TASK is CONTINUE_TASK": Mutation(
        says="A task that says CANCEL_TASK goes on beyond the cutoff",
        place=_EXECUTION,
        mutate=mutants.see_tasks(cutoff_behavior=lambda _: CutoffBehavior.CONTINUE_TASK),
        breaks=(Rule.CUTOFF_IS_HEEDED,),
        within=200,
    ),
    "priorities are ignored": Mutation(
        says="Tasks of all priorities start at once",
        place=_EXECUTION,
        mutate=mutants.see_tasks(priority=lambda _: 0),
        breaks=(Rule.PRIORITIES,),
        within=20,
    ),
    "targets run side by side": Mutation(
        says="All targets of a task are begun at once",
        place=_EXECUTION,
        mutate=mutants.see_tasks(
            concurrency=lambda _: Concurrency(100, is_percent=True), invocations=mutants.of_one_target
        ),
        breaks=(Rule.ONE_TARGET_AT_A_TIME,),
        within=20,
    ),
    "a cancelled execution goes on": Mutation(
        says="The request to cancel an execution is forgotten",
        place=_EXECUTION,
        mutate=mutants.see(cancel_requested=lambda _: False),
        breaks=(Rule.CANCELLED_STARTS_NOTHING,),
        within=1000,
    ),
    "an execution's wake-up is lost": Mutation(
        says="When to look at an execution again is not stored",
        place=f"{_EXECUTIONS}.put",
        mutate=mutants.hand_on(wake_at=lambda _: None),
        breaks=(Rule.CUTOFF_IS_HEEDED, Rule.EVERYTHING_ENDS),
        within=50,
    ),
    "the end of a command goes unnoticed": Mutation(
        says="An execution is not woken when one of its commands has ended",
        place=f"{_EXECUTIONS}.wake",
        mutate=mutants.never,
        breaks=(Rule.EVERYTHING_ENDS,),
        within=20,
    ),
    "too many webhooks at once": Mutation(
        says="A task calls its webhook for all nodes at once",
        place=_EXECUTION,
        mutate=mutants.see_tasks(concurrency=lambda _: Concurrency(100, is_percent=True)),
        breaks=(Rule.WITHIN_CONCURRENCY,),
        within=50,
    ),
    "a webhook that fails succeeds": Mutation(
        says="Whatever a webhook answers at last is taken for success",
        place="patchwindow.engine.call_webhooks:judge",
        mutate=mutants.answer(mutants.as_succeeded),
        breaks=(Rule.TOLD_BY_THE_NODE,),
        within=50,
    ),
    "a step stumbles": Mutation(
        says="A command for no node at all cannot be made",
        place="patchwindow.operations.sending:_invocations",
        mutate=mutants.refuse_nobody,
        breaks=(Rule.ONLY_REFUSALS,),
        within=20,
    ),
    # Commands
    "one node too many": Mutation(
        says="A command is at work on one node more than MaxConcurrency says",
        place=_COMMAND,
        mutate=mutants.see(concurrency=lambda count: count + 1),
        breaks=(Rule.WITHIN_CONCURRENCY,),
        within=10,
    ),
    "one error too many": Mutation(
        says="A command tolerates one failure more than MaxErrors says",
        place=_COMMAND,
        mutate=mutants.see(errors_tolerated=lambda count: count + 1),
        breaks=(Rule.WITHIN_ERRORS,),
        within=50,
    ),
    "what is never sent does not end": Mutation(
        says="A command that is cancelled, or has had too many errors, leaves what was not sent as it is",
        place=_COMMAND,
        mutate=mutants.answer(lambda effects: [each for each in effects if not isinstance(each, EndUnsent)]),
        breaks=(Rule.PARTS_END_FIRST,),
        within=20,
    ),
    "commands do not expire": Mutation(
        says="A command may take a thousand days longer than it says",
        place=_COMMAND,
        mutate=mutants.see(expires_at=mutants.later(days=1000)),
        breaks=(Rule.ENDS_BY_EXPIRY, Rule.SENT_ONCE),
        within=20,
    ),
    "a cancelled command goes on": Mutation(
        says="The request to cancel a command is forgotten",
        place=_COMMAND,
        mutate=mutants.see(cancel_requested=lambda _: False),
        breaks=(Rule.CANCELLED_STARTS_NOTHING,),
        within=500,
    ),
    "a command's wake-up is lost": Mutation(
        says="When to look at a command again is not stored",
        place="patchwindow.store.commands:Commands.put",
        mutate=mutants.hand_on(wake_at=lambda _: None),
        breaks=(Rule.ENDS_BY_EXPIRY, Rule.EVERYTHING_ENDS),
        within=10,
    ),
    "errors are not counted": Mutation(
        says="The ErrorCount of a command stays 0",
        place="patchwindow.domain.command:counts",
        mutate=mutants.answer(lambda counts: dataclasses.replace(counts, error_count=0)),
        breaks=(Rule.COUNTS_EQUAL_ROWS,),
        within=20,
    ),
    "a node is forgotten": Mutation(
        says="A command leaves out the last node that its targets select",
        place="patchwindow.operations.sending:_invocations",
        mutate=mutants.answer(lambda made: list(made)[:-1]),
        breaks=(Rule.TARGETS_ACCOUNTED_FOR,),
        within=10,
    ),
    # Associations
    "the schedule of an association is late": Mutation(
        says="The next run of an association is planned a second late",
        place=_ASSOCIATION,
        mutate=mutants.answer(mutants.plan_later),
        breaks=(Rule.RUNS_AS_SCHEDULED,),
        within=10,
    ),
    "a run forgets its instant": Mutation(
        says="A run by the schedule of an association is recorded as one that was asked for",
        place=_ASSOCIATION,
        mutate=mutants.answer(mutants.run_without_instant),
        breaks=(Rule.RUNS_AS_SCHEDULED,),
        within=10,
    ),
    "an older run goes on": Mutation(
        says="A new run of an association leaves the one before as it is",
        place="patchwindow.engine.perform_association:_supersede",
        mutate=mutants.never,
        breaks=(Rule.NEWER_RUN_ENDS_OLDER,),
        within=50,
    ),
    "an association is for everybody": Mutation(
        says="Nodes that an association is not for are taken for such as it lacks",
        place="patchwindow.engine.perform_association:lacking",
        mutate=mutants.lack_everybody,
        breaks=(Rule.TARGETS_ACCOUNTED_FOR,),
        within=60,
    ),
    # Compliance
    "a changed baseline marks nobody": Mutation(
        says="A baseline that is changed leaves the compliance of its nodes as it was",
        place="patchwindow.store.cohorts:Choices.mark_baseline",
        mutate=mutants.never,
        breaks=(Rule.SHOWN_IS_CURRENT,),
        within=80,
    ),
    "another default marks nobody": Mutation(
        says="Another default baseline leaves the compliance of the nodes that follow it as it was",
        place="patchwindow.store.cohorts:Choices.mark_system",
        mutate=mutants.never,
        breaks=(Rule.SHOWN_IS_CURRENT,),
        within=50,
    ),
    "a group follows nobody": Mutation(
        says="A patch group that is registered leaves the compliance of its nodes as it was",
        place="patchwindow.store.cohorts:Choices.mark_group",
        mutate=mutants.never,
        breaks=(Rule.SHOWN_IS_CURRENT,),
        within=60,
    ),
    "a node stays in its group": Mutation(
        says="A node that is tagged anew is judged as of the group that it was in",
        place="patchwindow.store.cohorts:Cohorts.regroup",
        mutate=mutants.never,
        breaks=(Rule.SHOWN_IS_CURRENT,),
        within=50,
    ),
    # Nodes
    "a late reply changes what has ended": Mutation(
        says="A reply about an invocation that has ended moves it as if it were in progress",
        place=f"{_MESSAGES}:_advance",
        mutate=mutants.let_replies_move(invocation.TERMINAL),
        breaks=(Rule.ENDS_ARE_FINAL, Rule.ALLOWED_MOVES),
        within=10,
    ),
    "an acknowledgement undoes a cancellation": Mutation(
        says="An invocation that is being cancelled is in progress again when the node acknowledges the command",
        place=f"{_MESSAGES}:_advance",
        mutate=mutants.let_replies_move({State.CANCELLING}),
        breaks=(Rule.ALLOWED_MOVES,),
        within=1000,
    ),
    "what was cancelled counts as done": Mutation(
        says="A node that says that it has cancelled a command is taken to have succeeded",
        place=f"{_MESSAGES}:parse_reply",
        mutate=mutants.answer(mutants.as_success),
        breaks=(Rule.TOLD_BY_THE_NODE,),
        within=100,
    ),
    "messages are not taken back": Mutation(
        says="A message about an invocation that has ended still waits for its node",
        place="patchwindow.store.messages:Messages.settle_command",
        mutate=mutants.never,
        breaks=(Rule.MAILBOXES_EMPTY,),
        within=10,
    ),
    "a cancelled command is handed out": Mutation(
        says="A command that a node is told to cancel still waits for it",
        place="patchwindow.store.messages:Messages.settle",
        mutate=mutants.never,
        breaks=(Rule.HANDED_OUT_WHILE_OPEN,),
        within=200,
    ),
    "two patch operations at once": Mutation(
        says="A node is given every command that waits for it, whatever it is doing",
        place=f"{_MESSAGES}:_patches",
        mutate=mutants.answer(lambda _: False),
        breaks=(Rule.ONE_PATCH_OPERATION,),
        within=50,
    ),
}
