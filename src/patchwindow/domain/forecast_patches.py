"""What installations will do to the patches of nodes that are alike: which are installed, and which are left, and why.

Nothing is read again: of what a package manager offers now, an installation takes away what it brings. New versions that
come meanwhile nobody can know.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date
from typing import Final

from patchwindow.domain.baseline import Baseline, PatchAction
from patchwindow.domain.decision import Decide, Decision, DecisionStatus, compile_baseline, remembered
from patchwindow.domain.evaluation import patches_to_judge
from patchwindow.domain.evaluation_packages import blocked_updates, wanted_updates
from patchwindow.domain.facts import Facts, Manager, Update, UpdateState
from patchwindow.domain.facts_patches import FirstSeen, Readings, sort_key_for, verdict
from patchwindow.domain.forecast_facts import FleetFacts, ForecastCohort
from patchwindow.domain.patch import Patch

_HELD: Final = "held on the node"
_GONE: Final = Decision(status=DecisionStatus.NOT_MATCHED, reason="it is installed, or older than what is")


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is so of a node that was not when its facts were found, by index of the updates and additions of those.

    *gone* is what is not offered any more, and *waiting* has the titles of what is installed and waits for a reboot.
    """

    gone: frozenset[int] = frozenset()
    added: frozenset[int] = frozenset()
    waiting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A patch that is offered and not installed. It is missing, or will be from the day of its approval on.

    *is_kept_out* says that no installation could bring it: the reason is the patch's own.
    """

    title: str
    reason: str
    approved_on: date | None = None
    """The day of the approval to come; None where the patch is missing already."""
    is_kept_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an installation does to nodes that are alike: titles it installs, what comes along, and the state after it."""

    installed: tuple[str, ...] = ()
    brought: tuple[str, ...] = ()
    failed: Mapping[str, str]
    reboots: bool
    after: NodeState

    @property
    def is_idle(self) -> bool:
        """Return whether there is nothing to do: the node looks, and reports."""
        return not (self.installed or self.reboots)


class Prospect:
    """The patches that are offered to nodes of a cohort, and what their baseline makes of them day by day."""

    def __init__(self, facts: Facts, baseline: Baseline, today: date, *, first_seen: FirstSeen, decide: Decide) -> None:
        # What is installed already takes no part, and is most of all.
        self._facts: Final = replace(facts, packages=())
        self._is_windows: Final = facts.manager is Manager.WINDOWS
        self._decide: Final = decide
        self._blocks: Final = baseline.rejected_patches_action is PatchAction.BLOCK
        patches = patches_to_judge(self._facts, baseline, today, first_seen)
        self.offered: Final = patches.windows if self._is_windows else patches.offered
        self._added: Final = patches.added
        self._sort_key: Final = sort_key_for(facts.manager)
        self._judged: tuple[date, Sequence[tuple[Patch, Decision]], Sequence[tuple[Patch, Decision]]] | None = None

    def install(self, state: NodeState, day: date, *, may_reboot: bool) -> Step:
        """Return what an installation on *day*, a day in UTC, does to nodes in *state*."""
        wanted, failed = self._ordered(state, day)
        chosen = [index for index in wanted if index not in failed]
        if self._is_windows:
            everything, newest, added = set(chosen), set(chosen), frozenset[int]()
        else:
            # What another brings along in a newer version is not asked for any more.
            everything = self._closure(self._newest(self._closure(chosen, state)).intersection(chosen), state)
            newest = self._newest(everything)
            brought = frozenset(added for index in everything for added in self._facts.updates[index].adds)
            added = brought - state.added
        titles = {self._title(index) for index in newest} | {self._added[index][0].title for index in added}
        # What waited in a version that is replaced is not there any more.
        replaced = {self.offered[index][0].kb_id for index in newest}
        waiting = titles | {title for title in state.waiting if title.partition(":")[0] not in replaced}
        reboots = may_reboot and bool(waiting)
        return Step(
            installed=tuple(sorted(map(self._title, newest.intersection(chosen)))),
            brought=tuple(sorted(map(self._title, newest.difference(chosen)))),
            failed=self._named(failed),
            reboots=reboots,
            after=NodeState(
                gone=state.gone | self._superseded(everything),
                added=state.added | added,
                waiting=frozenset() if reboots else frozenset(waiting),
            ),
        )

    def left(self, state: NodeState, day: date) -> tuple[Left, ...]:
        """Return what is missing on *day* on nodes in *state*, and what will be approved later, by title."""
        wanted, failed = self._ordered(state, day)
        missing = [self._left(index, day, failed.get(index)) for index in wanted]
        coming = [
            Left(title=patch.title, reason=decision.reason, approved_on=decision.approval_date)
            for index in self._offered_indexes()
            for patch, decision in [self._of_day(day)[0][index]]
            if index not in state.gone and decision.status is DecisionStatus.PENDING_APPROVAL
        ]
        return tuple(sorted([*missing, *coming], key=lambda one: one.title))

    def decision(self, index: int, day: date) -> Decision:
        """Return what is decided on *day* about the offered patch at *index*."""
        return self._of_day(day)[0][index][1]

    def matching(self, names: Callable[[Readings], bool]) -> frozenset[int]:
        """Return the indexes of what is offered and *names* names."""
        return frozenset(index for index in self._offered_indexes() if names(self.offered[index]))

    def _offered_indexes(self) -> Iterable[int]:
        if not self._is_windows:
            return range(len(self.offered))
        return (index for index, one in enumerate(self._facts.windows_updates) if one.state is UpdateState.MISSING)

    def _ordered(self, state: NodeState, day: date) -> tuple[Sequence[int], Mapping[int, str]]:
        """Return what would be installed on *day*, and of that, why some cannot be."""
        offered, added = self._of_day(day)
        if self._is_windows:
            indexes = (index for index in self._offered_indexes() if index not in state.gone)
            return [index for index in indexes if offered[index][1].is_approved], {}
        offered = [(one[0], _GONE) if index in state.gone else one for index, one in enumerate(offered)]
        wanted = wanted_updates(self._facts, offered)
        blocked = dict(blocked_updates(self._facts_in(state), offered, added)) if self._blocks else {}
        held = {index: why for index in wanted if (why := self._held(index, state))}
        return wanted, {index: why for index, why in (held | blocked).items() if index in wanted}

    def _facts_in(self, state: NodeState) -> Facts:
        """Return the facts without what does not come along any more in *state*, as it is there."""

        def rest(update: Update) -> Update:
            pulls = tuple(index for index in update.pulls if index not in state.gone)
            return replace(update, pulls=pulls, adds=tuple(index for index in update.adds if index not in state.added))

        return replace(self._facts, updates=tuple(map(rest, self._facts.updates)))

    def _of_day(self, day: date) -> tuple[Sequence[tuple[Patch, Decision]], Sequence[tuple[Patch, Decision]]]:
        """Return what is decided on *day* about all that is offered, and all that would come along."""
        if self._judged is None or self._judged[0] != day:
            offered = [verdict(readings, day, self._decide) for readings in self.offered]
            self._judged = day, offered, [verdict(readings, day, self._decide) for readings in self._added]
        return self._judged[1], self._judged[2]

    def _held(self, index: int, state: NodeState) -> str:
        """Return why the node itself keeps an update out; empty where it does not."""
        if self._facts.updates[index].held:
            return _HELD
        needed = next((one for one in self._closure([index], state) if self._facts.updates[one].held), None)
        return "" if needed is None else f"it needs {self._title(needed)}, which is {_HELD}"

    def _closure(self, indexes: Iterable[int], state: NodeState) -> set[int]:
        """Return *indexes* with all that comes along and is not there yet."""
        found: set[int] = set()
        waiting = list(indexes)
        while waiting:
            index = waiting.pop()
            if index not in found and index not in state.gone:
                found.add(index)
                waiting.extend(self._facts.updates[index].pulls)
        return found

    def _newest(self, indexes: Collection[int]) -> set[int]:
        """Return those of *indexes* of which no newer version is among them."""
        newest: dict[str, int] = {}
        for index in sorted(indexes):
            other = newest.setdefault(self.offered[index][0].kb_id, index)
            if self._version(other) < self._version(index):
                newest[self.offered[index][0].kb_id] = index
        return set(newest.values())

    def _superseded(self, installed: Collection[int]) -> set[int]:
        """Return what is not offered any more when *installed* is: that, and what is no newer."""
        if self._is_windows:
            return set(installed)
        versions = {self.offered[index][0].kb_id: self._version(index) for index in self._newest(installed)}
        return {
            index
            for index, readings in enumerate(self.offered)
            if (version := versions.get(readings[0].kb_id)) is not None and self._version(index) <= version
        }

    def _version(self, index: int) -> tuple[int | str, ...]:
        return self._sort_key(self._facts.updates[index].candidate)

    def _title(self, index: int) -> str:
        return self.offered[index][0].title

    def _named(self, failed: Mapping[int, str]) -> Mapping[str, str]:
        return {self._title(index): why for index, why in sorted(failed.items())}

    def _left(self, index: int, day: date, why: str | None) -> Left:
        reason = why or self.decision(index, day).reason
        return Left(title=self._title(index), reason=reason, is_kept_out=why is not None)


def at_first(facts: Facts, pending_reboot: Iterable[str]) -> NodeState:
    """Return the state of nodes with *facts* on which *pending_reboot* waits for a reboot, as reports have it.

    On Windows the facts themselves have what waits.
    """
    waiting = (update.title for update in facts.windows_updates if update.state is UpdateState.PENDING_REBOOT)
    return NodeState(waiting=frozenset((*pending_reboot, *waiting)))


class Prospects:
    """What is offered to the nodes of each cohort, made when it is first asked for."""

    def __init__(self, fleet: FleetFacts) -> None:
        self._fleet: Final = fleet
        self._made: Final[dict[str, Prospect]] = {}
        self._decides: Final[dict[str, Decide]] = {}

    def of(self, cohort: ForecastCohort) -> Prospect:
        """Return what is offered to the nodes of *cohort*."""
        found = self._made.get(cohort.cohort_id)
        if found is None:
            baseline = self._fleet.baselines[cohort.baseline_id]
            found = self._made[cohort.cohort_id] = Prospect(
                self._fleet.facts[cohort.facts_digest],
                baseline,
                self._fleet.as_of.astimezone(UTC).date(),
                first_seen=self._fleet.first_seen.get(cohort.facts_digest, {}),
                decide=self._decide(baseline),
            )
        return found

    def _decide(self, baseline: Baseline) -> Decide:
        if baseline.baseline_id not in self._decides:
            self._decides[baseline.baseline_id] = remembered(compile_baseline(baseline))
        return self._decides[baseline.baseline_id]
