"""Snapshots: the frozen baseline that operations with one snapshot id go by, and its download.

A snapshot is of a patch group, an operating system and an id.  It is made when it is first asked for; the same id gives
the same snapshot for three days, and a new one afterwards.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from patchwindow.domain.baseline import Baseline
from patchwindow.domain.baseline_check import check
from patchwindow.domain.decision import APPROVING
from patchwindow.domain.errors import BadSignature, Invalid, NotFound, UnknownNode, UnsupportedOperatingSystem
from patchwindow.domain.node import Node
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem, from_platform, product
from patchwindow.domain.override import check_pair
from patchwindow.domain.patch_group import group_of
from patchwindow.domain.predefined import OWNER_ACCOUNT, PREDEFINED
from patchwindow.operations.call import Answer, Call, Request, Site
from patchwindow.operations.cohorts import baseline_of
from patchwindow.operations.effective_patches import Effects
from patchwindow.operations.tags import NODE
from patchwindow.protocol.records import from_members, from_ms, to_members, to_ms
from patchwindow.protocol.seals import seal, unseal
from patchwindow.store.snapshots import Snapshot, SnapshotKey
from patchwindow.store.work import Work

KEPT: Final = timedelta(days=3)
"""How long an id gives the same snapshot."""
DOWNLOAD: Final = timedelta(hours=24)
"""How long a download URL is good."""
OVERRIDE_ID: Final = "BaselineOverride"
"""What stands for the id of a baseline that overrides and names none of its own."""

LISTED_MAX: Final = 10_000
"""How many evaluated patches a snapshot lists; those beyond are only counted."""

_PURPOSE: Final = "snapshot"
# Not by its content: of one snapshot, a changed override is not seen.
_INLINE: Final = "inline"
_PREDEFINED: Final = frozenset(baseline.baseline_id for baseline in PREDEFINED)


@dataclass(frozen=True, slots=True)
class Basis:
    """By which snapshot an operation goes; *url* is of the baseline override that it is made of, if it is of one."""

    key: SnapshotKey
    url: str


def get_deployable(call: Call, request: Request) -> Answer:
    """GetDeployablePatchSnapshotForInstance: makes the snapshot, where there is none of this id yet."""
    node_id = request["InstanceId"]
    node = call.work.nodes.get(node_id)
    if node is None:
        raise UnknownNode(f"node {node_id} is not registered; DescribeInstanceInformation lists those that are")
    system = system_of(node)
    group = group_of(call.work.tags.of(NODE, node_id)) or ""
    override = request.get("BaselineOverride")
    key = SnapshotKey(
        snapshot_id=request["SnapshotId"].lower(),
        patch_group=group,
        operating_system=system,
        override="" if override is None else _INLINE,
    )
    snapshot = freeze(call.work, key, call.now, None if override is None else override_of(override, system))
    if FAMILIES[system] is Family.WINDOWS and not call.work.snapshots.is_listed(snapshot):
        call.work.snapshots.put_patches(snapshot, json.dumps(_evaluated(call.work, snapshot)))
    return {
        "InstanceId": node_id,
        "SnapshotId": request["SnapshotId"],
        "SnapshotDownloadUrl": download_url(call.site, snapshot, call.now),
        "Product": product(system, node.platform_version or ""),
    }


def system_of(node: Node) -> OperatingSystem:
    """Return the operating system that the node's agent reports.

    Raises:
        UnsupportedOperatingSystem: it is none that baselines are for, or not reported yet.
    """
    system = from_platform(node.platform_name or "", node.platform_version or "")
    if system is None:
        name = f"{node.platform_name or 'an unknown system'} {node.platform_version or ''}".rstrip()
        raise UnsupportedOperatingSystem(
            f"node {node.instance_id} runs {name}, which is no operating system that patch baselines are for"
        )
    return system


def override_of(members: Mapping[str, Any], system: OperatingSystem) -> Baseline:
    """Return the baseline that *members*, parsed and checked by the model, put in place of the configured one.

    Raises:
        Invalid: it may not stand so in a baseline, or is for another operating system.
    """
    given = {"OperatingSystem": system, **members}
    if given["OperatingSystem"] != system:
        raise Invalid(f"BaselineOverride is for {given['OperatingSystem']}, and the node runs {system}; give its own")
    baseline: Baseline = from_members(
        Baseline, {"Name": OVERRIDE_ID, "BaselineId": OVERRIDE_ID, **given, "CreatedDate": None, "ModifiedDate": None}
    )
    check(baseline)
    return baseline


def freeze(work: Work, key: SnapshotKey, now: datetime, override: Baseline | None = None) -> Snapshot:
    """Return the snapshot of *key*; where there is none, make it, of *override* or of the baseline that applies now."""
    found = find(work, key, now)
    if found is None:
        # Who makes one waits for who makes the same, and for who changes the choice of the baseline.
        work.baselines.take(key.operating_system)
        found = find(work, key, now)
    if found is None:
        found = _made(work, key, now, override)
        # Of those that no id gives any more, some are still being downloaded.
        work.snapshots.prune(now - KEPT - DOWNLOAD)
        work.snapshots.add(found)
    return found


def find(work: Work, key: SnapshotKey, now: datetime) -> Snapshot | None:
    """Return the snapshot that *key* gives at *now*."""
    return work.snapshots.find(key, now - KEPT)


def basis_of(
    call: Call, command_id: str, parameters: Mapping[str, Any], system: OperatingSystem, group: str
) -> Basis | None:
    """Return by which snapshot a command with these *parameters* goes on nodes of this system and group, if by any.

    Its id is the one given, else that of the window execution that sent the command.  A command with neither goes by the
    baseline as it is; but an override is fetched once, for which the command itself is the id.

    Raises:
        Invalid: the parameters name two overrides, of which an operation can have one.
    """
    url = parameters.get("BaselineOverride", "")
    check_pair(parameters.get("InstallOverrideList", ""), url)
    snapshot_id = parameters.get("SnapshotId", "").lower() or call.work.executions.of_command(command_id)
    if not snapshot_id and not url:
        return None
    key = SnapshotKey(
        snapshot_id=snapshot_id or command_id,
        patch_group=group,
        operating_system=system,
        override=hashlib.sha256(url.encode()).hexdigest() if url else "",
    )
    return Basis(key, url)


def held(work: Work, basis: Basis, now: datetime) -> Snapshot:
    """Return the snapshot that was made when the operation got its order.

    Raises:
        Invalid: there is none, since the node has got no order, or so long ago, or is another now.
    """
    found = find(work, basis.key, now)
    if found is None:
        raise Invalid(
            f"snapshot {basis.key.snapshot_id} of the baseline override for {basis.key.operating_system} is not there; "
            "ask for the order first, or send a new command"
        )
    return found


def download_url(site: Site, snapshot: Snapshot, now: datetime) -> str:
    """Return the URL under which the snapshot can be read for a day, by who has it."""
    key = snapshot.key
    claims: dict[str, str | int] = {
        "s": key.snapshot_id,
        "g": key.patch_group,
        "o": key.operating_system,
        "v": key.override,
        "m": to_ms(snapshot.made_at),
        "e": to_ms(now + DOWNLOAD),
    }
    return f"{site.public_url}/snapshot/{seal(site.seal_key, _PURPOSE, claims)}"


def download(call: Call, token: str) -> Answer:
    """Return the content of the snapshot that *token*, the last part of its URL, is for.

    Raises:
        BadSignature: this server did not give the token out, or longer ago than it is good for.
        NotFound: the snapshot is not kept any more.
    """
    claims = unseal(call.site.seal_key, _PURPOSE, token)
    if call.now >= from_ms(int(claims["e"])):
        raise BadSignature("this download URL was good for 24 hours, which are over; ask for the snapshot again")
    key = SnapshotKey(
        snapshot_id=str(claims["s"]),
        patch_group=str(claims["g"]),
        operating_system=OperatingSystem(str(claims["o"])),
        override=str(claims["v"]),
    )
    snapshot = call.work.snapshots.get(key, from_ms(int(claims["m"])))
    if snapshot is None:
        raise NotFound(f"snapshot {key.snapshot_id} is not kept any more; ask for it again")
    listed = call.work.snapshots.patches(snapshot)
    return {**_content(call.site, snapshot), **(_UNLISTED if listed is None else json.loads(listed))}


def _made(work: Work, key: SnapshotKey, now: datetime, override: Baseline | None) -> Snapshot:
    assert bool(key.override) == (override is not None), "a snapshot of an override is made of one"
    if override is not None:
        return Snapshot(key=key, made_at=now, baseline=override, revision=None)
    stored = baseline_of(work, key.operating_system, key.patch_group)
    return Snapshot(key=key, made_at=now, baseline=stored.baseline, revision=stored.revision)


def _content(site: Site, snapshot: Snapshot) -> Answer:
    baseline = snapshot.baseline
    owner = OWNER_ACCOUNT if baseline.baseline_id in _PREDEFINED else site.account_id
    members = to_members(baseline)
    return {
        "snapshotId": snapshot.key.snapshot_id,
        "patchGroup": snapshot.key.patch_group,
        "createdAt": snapshot.made_at.isoformat(),
        "isBaselineOverride": snapshot.revision is None,
        "patchBaseline": {
            "accountId": owner,
            **_in_camel_case({name: value for name, value in members.items() if name not in _DATES}),
        },
    }


def _evaluated(work: Work, snapshot: Snapshot) -> Answer:
    """Return what the snapshot's baseline approves of all patches that are known, by the day of the snapshot."""
    approved = Effects(work, snapshot.baseline, snapshot.made_at.date()).all(APPROVING)
    listed = [_in_camel_case(one) for one in islice(approved, LISTED_MAX)]
    return {"patches": listed, "unlistedPatchCount": sum(1 for _ in approved)}


# The list is for Windows: agents of other systems find their patches themselves.
_UNLISTED: Final[Answer] = {"patches": [], "unlistedPatchCount": 0}


_DATES: Final = frozenset({"CreatedDate", "ModifiedDate"})


def _in_camel_case(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"{name[0].lower()}{name[1:]}": _in_camel_case(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_in_camel_case(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
