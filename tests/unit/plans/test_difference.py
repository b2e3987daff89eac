"""Comparing what is wanted with what there is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.plans.difference import Action, Difference, difference
from patchwindow.plans.problems import Mark
from patchwindow.plans.state import DEFAULTS, Address, Found, Kind, Resource, complete

BASELINE = Address(Kind.BASELINE, ("Linux",))
TARGET = Address(Kind.TARGET, ("Night", "web"))
TASK = Address(Kind.TASK, ("Night", "patch"))


def wanted(address: Address, **members: Any) -> Resource:
    return Resource(address, complete(address.kind, members), Mark(3, 5))


def found(address: Address, *, id: str = "id-1", is_ours: bool = True, **members: Any) -> Found:
    return Found(address, id, complete(address.kind, members), is_ours=is_ours)


def actions(result: Difference) -> list[tuple[Action, Address]]:
    return [(change.action, change.address) for change in result.changes]


def test_what_is_not_there_is_created_with_all_its_members() -> None:
    resource = wanted(BASELINE, Name="Linux")
    (change,) = difference([resource], []).changes
    assert (change.action, change.members, change.id) == (Action.CREATE, resource.members, None)


def test_what_is_there_as_wanted_is_kept() -> None:
    result = difference([wanted(BASELINE, Name="Linux")], [found(BASELINE, Name="Linux")])
    assert actions(result) == [(Action.KEEP, BASELINE)]


def test_an_update_names_what_differs_and_only_that() -> None:
    result = difference(
        [wanted(BASELINE, Name="Linux", Description="new")],
        [found(BASELINE, Name="Linux", RejectedPatchesAction="BLOCK")],
    )
    (change,) = result.changes
    assert str(change) == "update baseline Linux: Description, RejectedPatchesAction"
    assert change.before["RejectedPatchesAction"] == "BLOCK"


def test_what_left_the_plan_comes_last_and_stays() -> None:
    other = Address(Kind.TARGET, ("Night", "former"))
    result = difference([wanted(TARGET, Name="web")], [found(other, Name="former")])
    assert actions(result) == [(Action.CREATE, TARGET), (Action.LEAVE, other)]


def test_what_others_have_made_is_not_told_as_left() -> None:
    group = Address(Kind.GROUP, ("Web Server", "UBUNTU"))
    assert difference([], [found(group, is_ours=False)]).changes == ()


def test_a_group_that_somebody_else_registered_is_moved_to_the_baseline_of_the_plan() -> None:
    group = Address(Kind.GROUP, ("Web Server", "UBUNTU"))
    result = difference([wanted(group, Baseline="Own")], [found(group, id="pb-2", is_ours=False, Baseline="pb-2")])
    (change,) = result.changes
    assert (change.action, change.id) == (Action.UPDATE, "pb-2")


def test_the_order_of_filters_means_nothing_to_a_target_but_that_of_targets_does_to_a_task() -> None:
    one, other = {"Key": "tag:A", "Values": ["1", "2"]}, {"Key": "tag:B", "Values": ["3"]}
    turned = {"Key": "tag:A", "Values": ["2", "1"]}
    same = difference([wanted(TARGET, Targets=[one, other])], [found(TARGET, Targets=[other, turned])])
    assert actions(same) == [(Action.KEEP, TARGET)]
    differs = difference([wanted(TASK, Targets=[one])], [found(TASK, Targets=[turned])])
    assert actions(differs) == [(Action.UPDATE, TASK)]


def test_what_the_api_cannot_change_stands_in_the_way() -> None:
    result = difference(
        [wanted(TASK, TaskType="RUN_COMMAND", Name="patch")], [found(TASK, TaskType="AUTOMATION", Name="patch")]
    )
    ((mark, message),) = result.obstacles
    assert mark == Mark(3, 5)
    assert message == (
        "task Night / patch: id-1 has TaskType AUTOMATION, which cannot become RUN_COMMAND; "
        "choose another name, or delete id-1 first"
    )


def test_two_of_one_name_stand_in_the_way() -> None:
    result = difference([wanted(TARGET, Name="web")], [found(TARGET, id="a"), found(TARGET, id="b")])
    ((_, message),) = result.obstacles
    assert "target Night / web is there 2 times: a and b" in message


texts = st.one_of(st.none(), st.text(max_size=3))
addresses = st.builds(
    Address, st.sampled_from([Kind.BASELINE, Kind.WINDOW]), st.tuples(st.sampled_from(["Alpha", "Beta", "Gamma"]))
)
states = st.dictionaries(addresses, st.dictionaries(st.sampled_from(["Name", "Description"]), texts), max_size=6)


@given(states, states)
def test_a_state_that_has_had_its_changes_differs_no_more(
    want: dict[Address, dict[str, Any]], have: dict[Address, dict[str, Any]]
) -> None:
    desired = [wanted(address, **members) for address, members in want.items()]
    first = difference(desired, [found(address, **members) for address, members in have.items()])
    after = [
        Found(change.address, change.id or "new", {**change.before, **{name: change.members[name] for name in names}})
        for change in first.changes
        for names in [change.changed if change.action is Action.UPDATE else tuple(DEFAULTS[change.address.kind])]
    ]
    second = difference(desired, after)
    assert {change.action for change in second.changes} <= {Action.KEEP, Action.LEAVE}
    assert {change.address for change in second.changes} == want.keys() | have.keys()
