"""What an AWS account must have before its instances can be patched: roles, profiles, agents, tags.  Values only.

Source: AWS, "Setting up Systems Manager" and "Setting up Maintenance Windows".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from patchwindow.checks.snapshot import Node, Topic


class Use(Enum):
    """What a role is for; *services* may take it on, *policy* is the managed one that it carries."""

    NODE = (("ec2.amazonaws.com", "ssm.amazonaws.com"), "policy/AmazonSSMManagedInstanceCore")
    WINDOW = (("ssm.amazonaws.com",), "policy/service-role/AmazonSSMMaintenanceWindowRole")

    def __init__(self, services: tuple[str, ...], policy: str) -> None:
        self.services = services
        self.policy = policy

    @property
    def service(self) -> str:
        """The service without which the role is of no use; a node's own role may leave out the other."""
        return self.services[0]

    def policy_arn(self, partition: str) -> str:
        """Return the ARN of the policy, which is AWS's own."""
        return f"arn:{partition}:iam::aws:{self.policy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role: the services that may take it on, its managed policies by ARN, and the instance profiles it is in."""

    name: str
    services: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A running EC2 instance; *profile* is the name of its instance profile, *role* the role in that."""

    id: str
    name: str = ""
    profile: str | None = None
    role: str | None = None
    has_group: bool = False
    has_way_out: bool | None = None

    def __str__(self) -> str:
        return f"instance {self.id} ({self.name})" if self.name else f"instance {self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """All that was told, and what was not; *node_role* and *window_role* are the names that are looked for.

    *task_roles* are those that tasks of windows act in.  With *has_default_role* the account lets instances be managed without
    a profile.
    """

    node_role: str
    window_role: str
    partition: str = "aws"
    roles: Mapping[str, Role] = field(default_factory=dict)
    task_roles: frozenset[str] = frozenset()
    has_default_role: bool = False
    instances: tuple[Instance, ...] = ()
    nodes: Mapping[str, Node] = field(default_factory=dict)
    refusals: Mapping[Topic, str] = field(default_factory=dict)

    def lacks(self, name: str, use: Use) -> tuple[str, ...]:
        """Return what the role *name* lacks for *use*, in words; nothing where it serves."""
        role = self.roles.get(name)
        if role is None:
            return ("does not exist",)
        policy = use.policy_arn(self.partition)
        words = (
            "" if use.service in role.services else f"does not trust {use.service}",
            "" if policy in role.policies else f"lacks the policy {policy}",
        )
        return tuple(filter(None, words))

    @property
    def serving_roles(self) -> tuple[Role, ...]:
        """The roles in which an instance is managed."""
        return tuple(role for name, role in sorted(self.roles.items()) if not self.lacks(name, Use.NODE))


DEFAULT_NODE_ROLE: Final = "patchwindow-node"
DEFAULT_WINDOW_ROLE: Final = "patchwindow-window"
