"""Creating what is missing: two roles, and the tag of a patch group.  What is there is never changed, and nothing deleted.

Pure: a repair is its calls.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from patchwindow.checks.account import Account, Use
from patchwindow.checks.snapshot import Node, Snapshot, Topic
from patchwindow.domain.patch_group import TAG_KEYS

# The most resources that one CreateTags should name, by the words of EC2.
_INSTANCES_PER_CALL: Final = 1000


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call: *operation* of *service* with *members*."""

    service: str
    operation: str
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Repair:
    """Something to be created: *words* say what, *calls* do it, in their order."""

    words: str
    calls: tuple[ApiCall, ...]

    def __str__(self) -> str:
        return self.words


def repairs_of_account(account: Account, group: str | None) -> tuple[Repair, ...]:
    """Return what can be created of what *account* lacks; tags only where the *group* is said that they are for."""
    repairs = []
    if Topic.ROLES not in account.refusals:
        if account.node_role not in account.roles and not account.serving_roles:
            repairs.append(_role(account.node_role, Use.NODE, account.partition))
        if (
            account.window_role not in account.roles
            and not account.task_roles
            and Topic.WINDOWS not in account.refusals
        ):
            repairs.append(_role(account.window_role, Use.WINDOW, account.partition))
    if group is not None:
        repairs += _instance_tags([each.id for each in account.instances if not each.has_group], group)
        # Instances are tagged as such, whether they are managed or not.
        hybrid = (node for node in account.nodes.values() if node.id.startswith("mi-"))
        repairs += _node_tags(hybrid, account.refusals, group)
    return tuple(repairs)


def repairs_of_server(snapshot: Snapshot, group: str | None) -> tuple[Repair, ...]:
    """Return the tags that the nodes of a server lack, where the *group* is said that they are for."""
    return () if group is None else _node_tags(snapshot.nodes.values(), snapshot.refusals, group)


def _node_tags(nodes: Iterable[Node], refusals: Container[Topic], group: str) -> tuple[Repair, ...]:
    """Return the tags of those of *nodes* that have no patch group; where that is not told, of none."""
    if Topic.NODE_TAGS in refusals:
        return ()
    return tuple(
        Repair(
            f"tag {node} with {TAG_KEYS[0]}={group}",
            (
                ApiCall(
                    "ssm",
                    "AddTagsToResource",
                    {"ResourceType": "ManagedInstance", "ResourceId": node.id, "Tags": _tags(group)},
                ),
            ),
        )
        for node in nodes
        if node.group is None
    )


def _instance_tags(ids: Sequence[str], group: str) -> Iterator[Repair]:
    for at in range(0, len(ids), _INSTANCES_PER_CALL):
        some = list(ids[at : at + _INSTANCES_PER_CALL])
        words = f"tag instance{'' if len(some) == 1 else 's'} {', '.join(some)} with {TAG_KEYS[0]}={group}"
        yield Repair(words, (ApiCall("ec2", "CreateTags", {"Resources": some, "Tags": _tags(group)}),))


def _tags(group: str) -> list[dict[str, str]]:
    return [{"Key": TAG_KEYS[0], "Value": group}]


def _role(name: str, use: Use, partition: str) -> Repair:
    """Return how to create a role; that of nodes gets an instance profile of its name."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": list(use.services)}, "Action": "sts:AssumeRole"}],
    }
    policy = use.policy_arn(partition)
    words = f"create role {name} for {' and '.join(use.services)}, with {policy}"
    calls = [
        ApiCall("iam", "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": json.dumps(trust)}),
        ApiCall("iam", "AttachRolePolicy", {"RoleName": name, "PolicyArn": policy}),
    ]
    if use is Use.NODE:
        words += ", and its instance profile"
        calls += [
            ApiCall("iam", "CreateInstanceProfile", {"InstanceProfileName": name}),
            ApiCall("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": name, "RoleName": name}),
        ]
    return Repair(words, tuple(calls))
