"""`patchwindow plan prerequisites` against moto's server, and against a running server of ours."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.fakes.commandline import Shell, environment
from tests.fakes.here import Here
from tests.fakes.moto import KEYS, REGION, moto_client, running_moto
from tests.fakes.node import PaperNode
from tests.fakes.server import Plane

from patchwindow.checks import Repair, check_account, collect_account, repairs_of_account
from patchwindow.client import call
from patchwindow.store.settings import Role

EC2: Final = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
CORE: Final = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


class Account:
    """An account of moto's, with a way to do what the command does, without its retries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clients = {name: moto_client(url, name) for name in ("ssm", "iam", "ec2")}

    def findings(self) -> set[tuple[str, str]]:
        """Return what is missing, and of what."""
        found = check_account(self._collected())
        # That moto does not tell the nodes and the settings is so always.
        return {(str(each.code), each.where.thing.split()[0]) for each in found if each.code != "not-told"}

    def repair(self, group: str | None) -> list[str]:
        """Create what is missing, and return it in words."""
        repairs: tuple[Repair, ...] = repairs_of_account(self._collected(), group)
        for repair in repairs:
            for each in repair.calls:
                call(self.clients[each.service], each.operation, **each.members)
        return [str(repair) for repair in repairs]

    def _collected(self) -> Any:
        return collect_account(self.clients.__getitem__, node_role="patch-node", window_role="patch-window")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with one running instance, which has nothing that it needs."""
    with running_moto(tmp_path_factory.mktemp("moto"), knows_policies=True) as url:
        account = Account(url)
        ec2 = account.clients["ec2"]
        group = ec2.create_security_group(GroupName="closed", Description="lets nothing out")["GroupId"]
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SecurityGroupIds=[group])
        yield account


def test_what_an_account_lacks_is_reported_and_created(account: Account) -> None:
    assert account.findings() == {
        ("node-role-missing", "role"),
        ("window-role-missing", "role"),
        ("instance-without-profile", "instance"),
        ("instance-without-way-out", "instance"),
        ("node-without-group", "instance"),
    }
    role, window_role, tags = account.repair("web")
    assert role.startswith("create role patch-node for ec2.amazonaws.com and ssm.amazonaws.com")
    assert window_role.startswith("create role patch-window for ssm.amazonaws.com")
    assert tags.endswith("with Patch Group=web")
    # What is left is nobody's to change but the owner's.
    assert account.findings() == {("instance-without-profile", "instance"), ("instance-without-way-out", "instance")}
    assert account.repair("web") == []

    iam, ec2 = account.clients["iam"], account.clients["ec2"]
    instance = ec2.describe_instances()["Reservations"][0]["Instances"][0]
    assert instance["Tags"] == [{"Key": "Patch Group", "Value": "web"}]
    ec2.associate_iam_instance_profile(InstanceId=instance["InstanceId"], IamInstanceProfile={"Name": "patch-node"})
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_egress(GroupId=instance["SecurityGroups"][0]["GroupId"], IpPermissions=[https])
    assert account.findings() == set()
    iam.detach_role_policy(RoleName="patch-node", PolicyArn=CORE)
    # A role that is there is not changed; that it is unfit is said.
    assert account.findings() == {("node-role-missing", "role"), ("instance-profile-unfit", "instance")}
    assert account.repair("web") == []
    iam.attach_role_policy(RoleName="patch-node", PolicyArn=CORE)


def test_a_role_of_another_name_serves_as_well(account: Account) -> None:
    iam = account.clients["iam"]
    trust = json.dumps({"Version": "2012-10-17", "Statement": EC2})
    iam.create_role(RoleName="long-there", AssumeRolePolicyDocument=trust)
    iam.attach_role_policy(RoleName="long-there", PolicyArn=CORE)
    told = collect_account(account.clients.__getitem__, node_role="none", window_role="none")
    assert [role.name for role in told.serving_roles] == ["long-there", "patch-node"]
    assert [repair for repair in repairs_of_account(told, None) if "none for ec2" in str(repair)] == []


def test_a_role_in_which_a_task_acts_is_looked_at(account: Account) -> None:
    ssm = account.clients["ssm"]
    window = ssm.create_maintenance_window(
        Name="web", Schedule="rate(7 days)", Duration=2, Cutoff=0, AllowUnassociatedTargets=True
    )["WindowId"]
    task = ssm.register_task_with_maintenance_window(
        WindowId=window,
        TaskArn="AWS-RunPatchBaseline",
        TaskType="RUN_COMMAND",
        ServiceRoleArn="arn:aws:iam::123456789012:role/long-gone",
        Targets=[{"Key": "InstanceIds", "Values": ["i-0123456789abcdef0"]}],
        MaxConcurrency="1",
        MaxErrors="0",
    )["WindowTaskId"]
    assert ("window-role-unfit", "role") in account.findings()
    ssm.deregister_task_from_maintenance_window(WindowId=window, WindowTaskId=task)


@pytest.mark.slow
def test_the_command_reports_and_creates(account: Account, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1], "AWS_REGION": REGION}
    shell = Shell(environment(tmp_path, keys))
    where = ("--endpoint-url", account.url, "--for", "aws", "--window-role", "another")
    asked = shell.patchwindow("plan", "prerequisites", *where, "--fix", exit_code=1)
    assert "will create role another" in asked.err
    assert "not confirmed, nothing was done" in asked.err
    done = shell.patchwindow("plan", "prerequisites", *where, "--fix", "--yes", "--json", exit_code=1)
    assert "done: create role another" in done.err
    assert {finding["Code"] for finding in done.json["Findings"]} == {"not-told"}


def test_a_server_is_asked_the_same_of_its_nodes(plane: Plane, tmp_path: Path) -> None:
    node = PaperNode.registered(plane.url, plane.activation(), tmp_path / "state")
    viewer = Here(plane, plane.server.key(Role.VIEWER))
    found = viewer.patchwindow("plan", "prerequisites", "--json")
    assert {(each["Code"], each["Where"]) for each in found.json["Findings"]} == {
        ("node-without-group", f"node {node.node_id} (paper)")
    }
    refused = viewer.patchwindow("plan", "prerequisites", "--fix", "--patch-group", "web", "--yes", exit_code=1)
    assert "AddTagsToResource" in refused.err
    done = Here(plane, plane.key).patchwindow(
        "plan", "prerequisites", "--fix", "--patch-group", "web", "--yes", "--json"
    )
    assert done.json == {"Findings": []}
    assert f"done: tag node {node.node_id} (paper) with Patch Group=web" in done.err
    node.close()
