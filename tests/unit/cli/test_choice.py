"""Which nodes a command goes to."""

from collections.abc import Mapping
from typing import Any

import click
import pytest

from patchwindow.cli.choice import choose, chosen


@pytest.mark.parametrize(
    ("options", "members", "words"),
    [
        ({"nodes": ["mi-1"]}, {"InstanceIds": ["mi-1"]}, "node mi-1"),
        ({"nodes": ["mi-1", "mi-2"]}, {"InstanceIds": ["mi-1", "mi-2"]}, "nodes mi-1, mi-2"),
        (
            {"groups": ["RHEL", "Web Server"]},
            {"Targets": [{"Key": "tag:Patch Group", "Values": ["RHEL", "Web Server"]}]},
            "every node with tag 'Patch Group' 'RHEL' or 'Web Server'",
        ),
        (
            {"tags": [("Environment", "Test"), ("Environment", "Sandbox")], "groups": ["RHEL"]},
            {
                "Targets": [
                    {"Key": "tag:Environment", "Values": ["Test", "Sandbox"]},
                    {"Key": "tag:Patch Group", "Values": ["RHEL"]},
                ]
            },
            "every node with tag 'Environment' 'Test' or 'Sandbox' and 'Patch Group' 'RHEL'",
        ),
    ],
)
def test_nodes_are_chosen_by_name_by_tag_or_by_group(
    options: Mapping[str, Any], members: Mapping[str, Any], words: str
) -> None:
    made = choose(**{"nodes": [], "tags": [], "groups": [], **options})
    assert made == members
    assert chosen(made) == words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no nodes chosen; name them with --node ID, --tag KEY=VALUE or --group NAME"),
        ({"nodes": ["mi-1"], "groups": ["RHEL"]}, "--node does not go together with --tag and --group"),
        ({"nodes": ["mi-1"] * 51}, "--node was given 51 times, at most 50 fit into one command"),
    ],
)
def test_what_one_command_cannot_reach_is_refused(options: Mapping[str, Any], message: str) -> None:
    with pytest.raises(click.UsageError, match=message):
        choose(**{"nodes": [], "tags": [], "groups": [], **options})
