"""Asking IAM, EC2 and Systems Manager what an account has.  Reads alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from patchwindow.checks.account import Account, Instance, Role, Use
from patchwindow.checks.asking import Asking
from patchwindow.checks.collect_baselines import read_groups
from patchwindow.checks.collect_nodes import Fleet, read_nodes
from patchwindow.checks.snapshot import Topic
from patchwindow.client import SsmClient
from patchwindow.domain.patch_group import group_of

_DEFAULT_ROLE: Final = "/ssm/managed-instance/default-ec2-instance-management-role"
_NONE: Final = "$None"
_HTTPS: Final = 443
_ALL: Final = "-1"


def collect_account(connect: Callable[[str], SsmClient], *, node_role: str, window_role: str) -> Account:
    """Return what the account has that *connect* leads to, by service; it looks for roles of these names among others.

    Raises:
        ClientProblem: it cannot be reached, or does not know the key.  What it refuses to tell is noted instead.
    """
    refusals: dict[Topic, str] = {}
    of_iam = connect("iam")
    ssm, iam, ec2 = (Asking(client, refusals) for client in (connect("ssm"), of_iam, connect("ec2")))
    partition = str(of_iam.meta.partition)
    task_roles = frozenset(_task_roles(ssm))
    carrying = _marked(
        iam,
        "ListEntitiesForPolicy",
        "PolicyRoles",
        PolicyArn=Use.NODE.policy_arn(partition),
        EntityFilter="Role",
    )
    instances = tuple(_instances(ec2, iam))
    names = {node_role, window_role, *task_roles, *(str(each["RoleName"]) for each in carrying)}
    names |= {each.role for each in instances if each.role is not None}
    setting = ssm.call(Topic.SETTINGS, "GetServiceSetting", SettingId=_DEFAULT_ROLE).get("ServiceSetting", {})
    return Account(
        node_role=node_role,
        window_role=window_role,
        partition=partition,
        roles={role.name: role for name in sorted(names) for role in _role(iam, name)},
        task_roles=task_roles,
        has_default_role=setting.get("SettingValue", _NONE) != _NONE,
        instances=instances,
        nodes=read_nodes(ssm, Fleet(ssm, ssm), read_groups(ssm)),
        refusals=refusals,
    )


def _task_roles(ssm: Asking) -> Iterator[str]:
    """Yield the names of the roles in which tasks of windows act; that of AWS itself needs no care."""
    for window in ssm.pages(Topic.WINDOWS, "DescribeMaintenanceWindows", "WindowIdentities"):
        id = str(window["WindowId"])
        for task in ssm.pages(Topic.WINDOWS, "DescribeMaintenanceWindowTasks", "Tasks", WindowId=id):
            arn = str(task.get("ServiceRoleArn") or "")
            if arn and ":role/aws-service-role/" not in arn:
                yield arn.rpartition("/")[2]


def _role(iam: Asking, name: str) -> Iterator[Role]:
    """Yield the role of this name, where there is one."""
    told = iam.call(Topic.ROLES, "GetRole", RoleName=name).get("Role")
    if told is None:
        return
    attached = _marked(iam, "ListAttachedRolePolicies", "AttachedPolicies", RoleName=name)
    profiles = _marked(iam, "ListInstanceProfilesForRole", "InstanceProfiles", RoleName=name)
    yield Role(
        name=name,
        services=frozenset(_trusted(told.get("AssumeRolePolicyDocument") or {})),
        policies=frozenset(str(each["PolicyArn"]) for each in attached),
        profiles=tuple(str(each["InstanceProfileName"]) for each in profiles),
    )


def _trusted(policy: Mapping[str, Any]) -> Iterator[str]:
    """Yield the services that a trust policy lets take on its role; one of anything may stand without a list."""
    for statement in _several(policy.get("Statement")):
        actions = _several(statement.get("Action"))
        if statement.get("Effect") == "Allow" and {"sts:AssumeRole", "sts:*", "*"}.intersection(actions):
            principal = statement.get("Principal")
            yield from _several(principal.get("Service") if isinstance(principal, Mapping) else None)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _instances(ec2: Asking, iam: Asking) -> Iterator[Instance]:
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    told = [
        instance
        for reservation in ec2.pages(Topic.INSTANCES, "DescribeInstances", "Reservations", Filters=running)
        for instance in reservation.get("Instances", ())
    ]
    ways_out = _ways_out(ec2)
    roles: dict[str, str | None] = {}
    for instance in told:
        arn = (instance.get("IamInstanceProfile") or {}).get("Arn")
        profile = None if arn is None else str(arn).rpartition("/")[2]
        if profile is not None and profile not in roles:
            held = iam.call(Topic.ROLES, "GetInstanceProfile", InstanceProfileName=profile)
            roles[profile] = next(
                (str(role["RoleName"]) for role in held.get("InstanceProfile", {}).get("Roles", ())), None
            )
        tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
        groups = [str(group["GroupId"]) for group in instance.get("SecurityGroups", ())]
        yield Instance(
            id=str(instance["InstanceId"]),
            name=tags.get("Name", ""),
            profile=profile,
            role=None if profile is None else roles[profile],
            has_group=group_of(tags) is not None,
            # One group that lets it out is enough; of a group that was not told nothing is known.
            has_way_out=any(ways_out[group] for group in groups)
            if all(group in ways_out for group in groups)
            else None,
        )


def _ways_out(ec2: Asking) -> dict[str, bool]:
    """Return of each security group whether a rule of it lets HTTPS out, wherever to."""
    told = ec2.pages(Topic.SECURITY_GROUPS, "DescribeSecurityGroups", "SecurityGroups")
    return {str(group["GroupId"]): any(map(_lets_out, group.get("IpPermissionsEgress", ()))) for group in told}


def _lets_out(rule: Mapping[str, Any]) -> bool:
    protocol = str(rule.get("IpProtocol"))
    return protocol == _ALL or (protocol == "tcp" and rule.get("FromPort", 0) <= _HTTPS <= rule.get("ToPort", 0))


def _marked(iam: Asking, operation: str, key: str, **members: Any) -> Iterable[dict[str, Any]]:
    """Yield every entry of a list of IAM, whose pages have a form of their own."""
    while True:
        answer = iam.call(Topic.ROLES, operation, **members)
        yield from answer.get(key, ())
        if not answer.get("IsTruncated"):
            return
        members["Marker"] = answer["Marker"]
