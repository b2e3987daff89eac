"""Asking a service for all that a check looks at.  Reads alone: a key that may only read is enough."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from patchwindow.checks.asking import Asking
from patchwindow.checks.collect_associations import read_associations
from patchwindow.checks.collect_baselines import read_baselines, read_groups, read_releases
from patchwindow.checks.collect_nodes import Fleet, read_nodes
from patchwindow.checks.collect_windows import read_windows
from patchwindow.checks.snapshot import Snapshot, Topic
from patchwindow.client import SsmClient


def collect(
    client: SsmClient,
    groups_client: SsmClient,
    *,
    now: datetime,
    stale_after: timedelta,
    sleep: Callable[[float], None] = time.sleep,
) -> Snapshot:
    """Return what the service tells by *client*, and by *groups_client* of resource groups.

    Raises:
        ClientProblem: it cannot be reached, or does not know the key.  What it refuses to tell is noted instead.
    """
    refusals: dict[Topic, str] = {}
    ask, ask_groups = (Asking(each, refusals, sleep=sleep) for each in (client, groups_client))
    groups = read_groups(ask)
    fleet = Fleet(ask, ask_groups)
    nodes = read_nodes(ask, fleet, groups)
    baselines = read_baselines(ask, groups)
    return Snapshot(
        taken_at=now,
        stale_after=stale_after,
        nodes=nodes,
        windows=tuple(read_windows(ask, fleet, now)),
        associations=tuple(read_associations(ask, fleet)),
        baselines=baselines,
        groups=groups,
        releases=tuple(read_releases(ask, nodes.values(), baselines)),
        refusals=refusals,
    )


def collect_nodes(client: SsmClient, *, now: datetime) -> Snapshot:
    """Return the nodes alone.

    Raises:
        ClientProblem: as `collect`.
    """
    refusals: dict[Topic, str] = {}
    ask = Asking(client, refusals)
    return Snapshot(taken_at=now, nodes=read_nodes(ask, Fleet(ask, ask), read_groups(ask)), refusals=refusals)
