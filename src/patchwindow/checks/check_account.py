"""What is missing before nodes can be patched: in an AWS account, and of the nodes of a server."""

from collections.abc import Iterator, Mapping
from typing import Final

from patchwindow.checks.account import Account, Instance, Use
from patchwindow.checks.check_nodes import in_no_group, lost
from patchwindow.checks.codes import CheckCode, PrerequisiteCode, found, worst_first
from patchwindow.checks.snapshot import Node, Snapshot, Topic
from patchwindow.domain.patch_group import TAG_KEYS
from patchwindow.plans.finding import Finding

_ONLINE: Final = "Online"


def check_account(account: Account) -> tuple[Finding, ...]:
    """Return what is missing in *account*, the worst first; what was not told is a finding of its own."""
    findings = list(_not_told(account.refusals))
    if Topic.ROLES not in account.refusals:
        findings += _node_role(account)
        findings += _window_roles(account) if Topic.WINDOWS not in account.refusals else ()
    for instance in account.instances:
        findings += _instance(account, instance)
    instances = {instance.id for instance in account.instances}
    others = [node for id, node in account.nodes.items() if id not in instances]
    return worst_first([*findings, *_nodes(others, account.refusals)])


def check_server(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what the nodes of a server lack: a sign of life, a group, the latest agent."""
    nodes = list(snapshot.nodes.values())
    outdated = (
        found(
            PrerequisiteCode.AGENT_OUTDATED,
            node,
            f"its agent has version {node.agent_version or 'unknown'}, which is not the server's",
            "update the agent (docs/agent.md)",
        )
        for node in nodes
        if node.has_latest_agent is False
    )
    return worst_first([*_not_told(snapshot.refusals), *_nodes(nodes, snapshot.refusals), *outdated])


def _not_told(refusals: Mapping[Topic, str]) -> Iterator[Finding]:
    for topic, words in refusals.items():
        sentence = f"the service does not tell {topic}, so nothing is said of what depends on them ({words})"
        yield found(CheckCode.NOT_TOLD, str(topic), sentence, "give the key the right to read them")


def _nodes(nodes: list[Node], refusals: Mapping[Topic, str]) -> Iterator[Finding]:
    """Yield nodes that are not heard of or have no group, in the words of the check of a service."""
    yield from lost(nodes)
    if Topic.NODE_TAGS not in refusals:
        yield from in_no_group(nodes)


def _node_role(account: Account) -> Iterator[Finding]:
    """Yield that there is no role, or no instance profile, in which an instance can be managed."""
    thing = f"role {account.node_role}"
    if not account.serving_roles:
        lacks = " and ".join(account.lacks(account.node_role, Use.NODE))
        sentence = f"it {lacks}, and no other role lets instances be managed"
        remedy = "let --fix create it" if account.node_role not in account.roles else "complete it, or name another"
        yield found(PrerequisiteCode.NODE_ROLE_MISSING, thing, sentence, remedy)
    elif not any(role.profiles for role in account.serving_roles):
        thing = f"role {account.serving_roles[0].name}"
        sentence = "no instance profile has it, or another role that lets instances be managed"
        remedy = "make an instance profile of it; --fix makes one of the role that it creates"
        yield found(PrerequisiteCode.NODE_PROFILE_MISSING, thing, sentence, remedy)


def _window_roles(account: Account) -> Iterator[Finding]:
    """Yield the roles of tasks that are unfit; without any, that there is none to use."""
    for name in sorted(account.task_roles):
        if lacks := account.lacks(name, Use.WINDOW):
            sentence = f"a task of a window acts in it, and it {' and '.join(lacks)}"
            yield found(
                PrerequisiteCode.WINDOW_ROLE_UNFIT, f"role {name}", sentence, "complete it, or name another in the task"
            )
    if not account.task_roles and (lacks := account.lacks(account.window_role, Use.WINDOW)):
        sentence = f"it {' and '.join(lacks)}, so windows can act in the role of the service alone"
        remedy = "let --fix create it" if account.window_role not in account.roles else "complete it, or name another"
        yield found(PrerequisiteCode.WINDOW_ROLE_MISSING, f"role {account.window_role}", sentence, remedy)


def _instance(account: Account, instance: Instance) -> Iterator[Finding]:
    """Yield what an instance lacks; one that reports evidently has what it takes."""
    if not instance.has_group:
        sentence = f"it has no tag {TAG_KEYS[0]!r}, so its operating system's default baseline decides"
        yield found(CheckCode.NODE_WITHOUT_GROUP, instance, sentence, "tag it; --fix does with --patch-group NAME")
    node = account.nodes.get(instance.id)
    if node is not None and node.ping_status == _ONLINE:
        return
    if Topic.NODES not in account.refusals:
        heard = "was never heard of" if node is None else f"is {node.ping_status}"
        sentence = f"it runs, and its agent {heard}"
        yield found(
            PrerequisiteCode.INSTANCE_NOT_REPORTING,
            instance,
            sentence,
            "install and start the agent, and see the others",
        )
    if instance.profile is None and not account.has_default_role:
        remedy = "give it an instance profile with a role that lets it be managed"
        yield found(PrerequisiteCode.INSTANCE_WITHOUT_PROFILE, instance, "it has no instance profile", remedy)
    elif instance.profile is not None and Topic.ROLES not in account.refusals:
        lacks = account.lacks(instance.role, Use.NODE) if instance.role else ("has no role",)
        if lacks:
            whose = f"the role {instance.role} of its profile {instance.profile}" if instance.role else "its profile"
            sentence = f"{whose} {' and '.join(lacks)}"
            yield found(PrerequisiteCode.INSTANCE_PROFILE_UNFIT, instance, sentence, "complete the role of the profile")
    if instance.has_way_out is False:
        sentence = "no security group of it lets TCP 443 out, so its agent reaches no service"
        yield found(PrerequisiteCode.INSTANCE_WITHOUT_WAY_OUT, instance, sentence, "add an outbound rule for TCP 443")
