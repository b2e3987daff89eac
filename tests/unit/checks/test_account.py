"""What an account or the nodes of a server lack, and what can be created of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from patchwindow.checks import Snapshot, check_account, check_server, repairs_of_account, repairs_of_server
from patchwindow.checks.account import Account, Instance, Role, Use
from patchwindow.checks.snapshot import Node, Topic

ID: Final = "i-0123456789abcdef0"
HYBRID: Final = "mi-0123456789abcdef0"
PARTITION: Final = "aws-cn"
NODE_ROLE: Final = Role(
    name="node",
    services=frozenset(Use.NODE.services),
    policies=frozenset({Use.NODE.policy_arn(PARTITION)}),
    profiles=("node",),
)
WINDOW_ROLE: Final = Role(
    name="window",
    services=frozenset(Use.WINDOW.services),
    policies=frozenset({Use.WINDOW.policy_arn(PARTITION)}),
)
INSTANCE: Final = Instance(id=ID, profile="node", role="node", has_group=True, has_way_out=True)
SOUND: Final = Account(
    node_role="node",
    window_role="window",
    partition=PARTITION,
    roles={"node": NODE_ROLE, "window": WINDOW_ROLE},
    instances=(INSTANCE,),
    nodes={ID: Node(id=ID), HYBRID: Node(id=HYBRID, group="web")},
)
OTHER: Final = replace(NODE_ROLE, name="other", policies=frozenset[str]())


def without(**members: Any) -> Account:
    """Return the account with its instance, which does not report, changed."""
    return replace(SOUND, instances=(replace(INSTANCE, **members),), nodes={})


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (SOUND, []),
        (without(), ["instance-not-reporting"]),
        (
            replace(SOUND, nodes={ID: Node(id=ID, ping_status="ConnectionLost")}),
            ["instance-not-reporting"],
        ),
        (without(profile=None, role=None), ["instance-not-reporting", "instance-without-profile"]),
        (replace(without(profile=None, role=None), has_default_role=True), ["instance-not-reporting"]),
        (without(role=None), ["instance-not-reporting", "instance-profile-unfit"]),
        (without(has_way_out=False), ["instance-not-reporting", "instance-without-way-out"]),
        (without(has_way_out=None), ["instance-not-reporting"]),
        # What reports evidently has what it takes.
        (replace(SOUND, instances=(replace(INSTANCE, profile=None, has_way_out=False),)), []),
        (replace(SOUND, instances=(replace(INSTANCE, has_group=False),)), ["node-without-group"]),
        (replace(SOUND, nodes={**SOUND.nodes, HYBRID: Node(id=HYBRID)}), ["node-without-group"]),
        (
            replace(SOUND, nodes={**SOUND.nodes, HYBRID: Node(id=HYBRID, group="web", ping_status="Lost")}),
            ["node-lost"],
        ),
        (replace(SOUND, roles={"window": WINDOW_ROLE}), ["node-role-missing"]),
        (replace(SOUND, roles={"node": OTHER, "window": WINDOW_ROLE}), ["node-role-missing"]),
        (
            replace(SOUND, roles={"node": replace(NODE_ROLE, profiles=()), "window": WINDOW_ROLE}),
            ["node-profile-missing"],
        ),
        (replace(SOUND, roles={"node": NODE_ROLE}), ["window-role-missing"]),
        (replace(SOUND, task_roles=frozenset({"window"}), window_role="none"), []),
        (replace(SOUND, task_roles=frozenset({"gone"})), ["window-role-unfit"]),
        (replace(SOUND, roles={}, refusals={Topic.ROLES: "Refused"}), ["not-told"]),
        (replace(without(), refusals={Topic.NODES: "Refused"}), ["not-told"]),
    ],
)
def test_what_is_missing_is_found_and_nothing_else(account: Account, expected: list[str]) -> None:
    assert [str(finding.code) for finding in check_account(account)] == expected


def test_a_role_is_said_to_lack_all_that_it_lacks() -> None:
    account = replace(SOUND, roles={"node": Role(name="node"), "window": WINDOW_ROLE})
    (finding,) = check_account(account)
    assert finding.sentence == (
        "it does not trust ec2.amazonaws.com and lacks the policy arn:aws-cn:iam::aws:policy/AmazonSSMManagedInstanceCore, "
        "and no other role lets instances be managed"
    )
    assert finding.remedy == "complete it, or name another"
    # A role that is there is somebody's, and is not changed.
    assert repairs_of_account(account, None) == ()


def test_nothing_is_created_where_nothing_is_missing_or_known() -> None:
    assert repairs_of_account(SOUND, "web") == ()
    blind = replace(SOUND, roles={}, refusals={Topic.ROLES: "Refused"})
    assert repairs_of_account(blind, "web") == ()


def test_a_role_is_created_with_its_policy_and_one_for_nodes_with_its_profile() -> None:
    for_nodes, for_windows = repairs_of_account(replace(SOUND, roles={}), None)
    assert [each.operation for each in for_nodes.calls] == [
        *("CreateRole", "AttachRolePolicy", "CreateInstanceProfile", "AddRoleToInstanceProfile"),
    ]
    assert [each.operation for each in for_windows.calls] == ["CreateRole", "AttachRolePolicy"]
    assert for_windows.calls[1].members["PolicyArn"].endswith(":policy/service-role/AmazonSSMMaintenanceWindowRole")


def test_tags_are_created_only_for_a_group_that_is_said() -> None:
    account = replace(
        SOUND,
        instances=tuple(replace(INSTANCE, id=f"i-{number}", has_group=False) for number in range(1001)),
        nodes={HYBRID: Node(id=HYBRID)},
    )
    assert repairs_of_account(account, None) == ()
    calls = [each for repair in repairs_of_account(account, "web") for each in repair.calls]
    assert [each.operation for each in calls] == ["CreateTags", "CreateTags", "AddTagsToResource"]
    assert [len(each.members["Resources"]) for each in calls[:2]] == [1000, 1]


def test_the_nodes_of_a_server_are_asked_for_life_group_and_agent() -> None:
    old = Node(id=HYBRID, group=None, ping_status="ConnectionLost", agent_version="0.0.1", has_latest_agent=False)
    here = Snapshot(taken_at=datetime(2026, 7, 1, tzinfo=UTC), nodes={HYBRID: old})
    found = check_server(here)
    assert [str(finding.code) for finding in found] == ["node-lost", "node-without-group", "agent-outdated"]
    assert "0.0.1" in found[2].sentence
    there = replace(here, nodes={HYBRID: old, "mi-1": Node(id="mi-1", group="web")})
    assert [repair.words for repair in repairs_of_server(there, "web")] == [f"tag node {HYBRID} with Patch Group=web"]
    # Where the tags were not told, each node may have its own already.
    assert repairs_of_server(replace(there, refusals={Topic.NODE_TAGS: "Refused"}), "web") == ()
