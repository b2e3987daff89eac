"""Patch baselines, their defaults and their patch groups."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from patchwindow.domain import patch_group
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.baseline_check import check
from patchwindow.domain.errors import AlreadyExists, Denied, InUse, Invalid, InvalidResourceId, NotFound
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.domain.predefined import arn
from patchwindow.operations.call import Answer, Call, Request, after_text, bare_id, filter_values
from patchwindow.operations.tags import BASELINE, add_new_tags
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import attributes, from_members, to_members
from patchwindow.store.baselines import OWNER_AWS, OWNER_SELF, StoredBaseline

_ID = re.compile(r"pb-[0-9a-f]{17}")
_PAGE = 100


def create(call: Call, request: Request) -> Answer:
    """CreatePatchBaseline."""
    baseline = from_members(
        Baseline,
        request,
        baseline_id=f"pb-{call.ids.hex(17)}",
        created_date=call.now,
        modified_date=call.now,
    )
    check(baseline)
    call.site.quotas.check("baselines", call.work.baselines.count(OWNER_SELF) + 1)
    call.work.baselines.put(baseline, owner=OWNER_SELF)
    add_new_tags(call, BASELINE, baseline.baseline_id, request)
    return {"BaselineId": baseline.baseline_id}


def get(call: Call, request: Request) -> Answer:
    """GetPatchBaseline."""
    stored = stored_baseline(call, request["BaselineId"])
    answer = to_members(stored.baseline)
    answer["BaselineId"] = _shown_id(call, stored)
    answer["PatchGroups"] = call.work.patch_groups.of_baseline(stored.baseline.baseline_id)
    return answer


def update(call: Call, request: Request) -> Answer:
    """UpdatePatchBaseline: merges, or with Replace makes everything that is not given its default."""
    stored = _own(call, request["BaselineId"], "updated")
    before = stored.baseline
    given = {name: value for name, value in request.items() if name != "BaselineId"}
    if request.get("Replace"):
        if "Name" not in request:
            raise Invalid("Name must be given with Replace")
        after = from_members(
            Baseline,
            given,
            baseline_id=before.baseline_id,
            operating_system=before.operating_system,
            # What a tag says is no member that a replacement could leave out.
            approves_by_first_seen=before.approves_by_first_seen,
            created_date=before.created_date,
            modified_date=call.now,
        )
    else:
        after = dataclasses.replace(before, **attributes(Baseline, given), modified_date=call.now)
    check(after)
    call.work.baselines.put(after, owner=OWNER_SELF)
    return {**to_members(after), "BaselineId": request["BaselineId"]}


def delete(call: Call, request: Request) -> Answer:
    """DeletePatchBaseline: also of an unknown id, as AWS answers it."""
    baseline_id = _id(request["BaselineId"])
    if call.work.baselines.get(baseline_id) is None:
        return {"BaselineId": request["BaselineId"]}
    stored = _own(call, baseline_id, "deleted")
    groups = call.work.patch_groups.of_baseline(baseline_id)
    if groups:
        raise InUse(
            f"PatchBaseline to be deleted is used for Patch Group: {', '.join(groups)}; deregister it there first"
        )
    if call.work.baselines.default_of(stored.baseline.operating_system) == baseline_id:
        raise InUse(
            f"PatchBaseline {baseline_id} is the default for {stored.baseline.operating_system}; make another the default first"
        )
    call.work.baselines.delete(baseline_id)
    call.work.tags.remove_all(BASELINE, baseline_id)
    return {"BaselineId": request["BaselineId"]}


def describe(call: Call, request: Request) -> Answer:
    """DescribePatchBaselines."""
    filters = filter_values(request.get("Filters"), ("NAME_PREFIX", "OWNER", "OPERATING_SYSTEM"), refuse=Invalid)
    owner = _one(filters, "OWNER")
    if owner not in (None, "All", OWNER_AWS, OWNER_SELF):
        raise Invalid(f"OWNER {owner!r} is not one of AWS, Self, All")
    defaults = set(call.work.baselines.defaults().values())

    def fetch(after: Key | None, limit: int) -> Sequence[StoredBaseline]:
        return call.work.baselines.page(
            after=after_text(after),
            limit=limit,
            name_prefix=_one(filters, "NAME_PREFIX"),
            owner=None if owner == "All" else owner,
            operating_systems=_systems(filters),
        )

    return call.pages(
        request,
        "BaselineIdentities",
        default=_PAGE,
        fetch=fetch,
        key=lambda stored: (stored.baseline.baseline_id,),
        shape=lambda stored: _identity(call, stored, defaults),
    )


def register_default(call: Call, request: Request) -> Answer:
    """RegisterDefaultPatchBaseline: for the operating system of the baseline."""
    stored = _locked(call, request["BaselineId"])
    call.work.baselines.set_default(stored.baseline.operating_system, stored.baseline.baseline_id)
    return {"BaselineId": request["BaselineId"]}


def get_default(call: Call, request: Request) -> Answer:
    """GetDefaultPatchBaseline: of WINDOWS where no operating system is named."""
    system = request.get("OperatingSystem", OperatingSystem.WINDOWS)
    return {"BaselineId": _shown_id(call, stored_baseline(call, _default(call, system))), "OperatingSystem": system}


def register_group(call: Call, request: Request) -> Answer:
    """RegisterPatchBaselineForPatchGroup: one baseline for each group and operating system."""
    stored = _locked(call, request["BaselineId"])
    group, system = request["PatchGroup"], stored.baseline.operating_system
    if not call.work.patch_groups.register(group, system, stored.baseline.baseline_id):
        raise AlreadyExists(
            f"Patch Group baseline already has a baseline registered for OperatingSystem {system}: "
            f"{call.work.patch_groups.baseline_of(group, system)}; deregister {group!r} from it first"
        )
    groups = call.work.patch_groups.of_baseline(stored.baseline.baseline_id)
    call.site.quotas.check("groups-per-baseline", len(groups))
    return {"BaselineId": request["BaselineId"], "PatchGroup": group}


def deregister_group(call: Call, request: Request) -> Answer:
    """DeregisterPatchBaselineForPatchGroup."""
    baseline_id, group = _id(request["BaselineId"]), request["PatchGroup"]
    if not call.work.patch_groups.deregister(group, baseline_id):
        raise NotFound(f"patch group {group!r} is not registered with patch baseline {baseline_id}")
    return {"BaselineId": request["BaselineId"], "PatchGroup": group}


def for_group(call: Call, request: Request) -> Answer:
    """GetPatchBaselineForPatchGroup: the registered baseline, else the default of the operating system."""
    group, system = request["PatchGroup"], request.get("OperatingSystem", OperatingSystem.WINDOWS)
    stored = baseline_for(call, group, system)
    return {"BaselineId": _shown_id(call, stored), "PatchGroup": group, "OperatingSystem": system}


def describe_groups(call: Call, request: Request) -> Answer:
    """DescribePatchGroups: every registered pair."""
    filters = filter_values(request.get("Filters"), ("NAME_PREFIX", "OPERATING_SYSTEM"), refuse=Invalid)
    defaults = set(call.work.baselines.defaults().values())

    def shape(pair: tuple[str, str, str]) -> Answer:
        stored = call.work.baselines.get(pair[2])
        assert stored is not None, "a foreign key keeps registered baselines"
        return {"PatchGroup": pair[0], "BaselineIdentity": _identity(call, stored, defaults)}

    return call.pages(
        request,
        "Mappings",
        default=_PAGE,
        fetch=lambda after, limit: call.work.patch_groups.page(
            after=("", "") if after is None else (str(after[0]), str(after[1])),
            limit=limit,
            name_prefix=_one(filters, "NAME_PREFIX"),
            operating_systems=_systems(filters),
        ),
        key=lambda pair: pair[:2],
        shape=shape,
    )


def baseline_for(call: Call, group: str, system: str) -> StoredBaseline:
    """Return the baseline that nodes of *system* in patch group *group* follow."""
    followed = patch_group.baseline_for(
        group=group,
        operating_system=system,
        registered=call.work.patch_groups.baseline_of,
        default=lambda system: _default(call, system),
    )
    return stored_baseline(call, followed)


def _default(call: Call, system: str) -> str:
    found = call.work.baselines.default_of(system)
    assert found is not None, f"{system} has a default from the first start on"
    return found


def stored_baseline(call: Call, id_or_arn: str) -> StoredBaseline:
    """Return the baseline of that id or ARN.

    Raises:
        InvalidResourceId: it is neither.
        NotFound: there is no such baseline.
    """
    baseline_id = _id(id_or_arn)
    return _found(baseline_id, call.work.baselines.get(baseline_id))


def _locked(call: Call, id_or_arn: str) -> StoredBaseline:
    """Return the baseline, and keep others from changing or deleting it until the call ends."""
    baseline_id = _id(id_or_arn)
    return _found(baseline_id, call.work.baselines.lock(baseline_id))


def _found(baseline_id: str, stored: StoredBaseline | None) -> StoredBaseline:
    if stored is None:
        raise NotFound(f"patch baseline {baseline_id} does not exist; DescribePatchBaselines lists those that do")
    return stored


def _own(call: Call, id_or_arn: str, done: str) -> StoredBaseline:
    stored = _locked(call, id_or_arn)
    if stored.owner == OWNER_AWS:
        raise Denied(f"patch baseline {stored.baseline.name} is predefined and cannot be {done}; make one of your own")
    return stored


def _id(id_or_arn: str) -> str:
    baseline_id = bare_id(id_or_arn)
    if not _ID.fullmatch(baseline_id):
        raise InvalidResourceId(
            f"{id_or_arn!r} is not the id or ARN of a patch baseline (pb- and 17 hexadecimal digits)"
        )
    return baseline_id


def _shown_id(call: Call, stored: StoredBaseline) -> str:
    """Return the id as AWS shows it: the ARN of predefined ones, the bare id of one's own."""
    if stored.owner == OWNER_AWS:
        return arn(stored.baseline.baseline_id, call.site.region)
    return stored.baseline.baseline_id


def _identity(call: Call, stored: StoredBaseline, defaults: set[str]) -> dict[str, Any]:
    baseline = stored.baseline
    return {
        "BaselineId": _shown_id(call, stored),
        "BaselineName": baseline.name,
        "OperatingSystem": baseline.operating_system,
        "BaselineDescription": baseline.description,
        "DefaultBaseline": baseline.baseline_id in defaults,
    }


def _one(filters: dict[str, tuple[str, ...]], key: str) -> str | None:
    values = filters.get(key)
    if values is None:
        return None
    if len(values) != 1:
        raise Invalid(f"filter {key} takes exactly one value, not {len(values)}")
    return values[0]


def _systems(filters: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    systems = filters.get("OPERATING_SYSTEM", ())
    for system in systems:
        if system not in OperatingSystem.__members__:
            raise Invalid(f"OPERATING_SYSTEM {system!r} is not one of {', '.join(OperatingSystem)}")
    return systems
