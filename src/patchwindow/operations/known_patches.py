"""Views of the catalogue: what patches there are, what filters may name, and what a baseline makes of them all.

A page looks at so many patches at most, so that no request takes long: a page may be short, or empty, and yet have a
token, which goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from patchwindow.domain.approval_rule import normal
from patchwindow.domain.errors import Invalid
from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.filter_values import ANY, FILTERS, FilterKey
from patchwindow.domain.operating_system import FAMILIES, Family, OperatingSystem
from patchwindow.domain.patch import Patch
from patchwindow.operations.baselines import stored_baseline
from patchwindow.operations.call import Answer, Call, Request, filter_values, slice_after
from patchwindow.operations.effective_patches import Effects, known_members
from patchwindow.protocol.pages import Key, next_token, read_page

_PAGE: Final = 100
_PROPERTIES_PAGE: Final = 50
_LOOKED_AT_MAX: Final = 5000
_BATCH: Final = 500


def _texts(get: Callable[[Patch], str]) -> Callable[[Patch], tuple[str, ...]]:
    return lambda patch: (get(patch),)


def _of_windows(patch: Patch) -> tuple[str, ...]:
    return (patch.severity or "Unspecified",) if patch.kb_number else ()


_VALUES: Final[Mapping[FilterKey, Callable[[Patch], tuple[str, ...]]]] = {
    FilterKey.ARCH: _texts(lambda patch: patch.arch),
    FilterKey.ADVISORY_ID: lambda patch: patch.advisory_ids,
    FilterKey.BUGZILLA_ID: lambda patch: patch.bugzilla_ids,
    FilterKey.PATCH_SET: _texts(lambda patch: patch.patch_set),
    FilterKey.PRODUCT: _texts(lambda patch: patch.product),
    FilterKey.PRODUCT_FAMILY: _texts(lambda patch: patch.product_family),
    FilterKey.CLASSIFICATION: _texts(lambda patch: patch.classification),
    FilterKey.CVE_ID: lambda patch: patch.cve_ids,
    FilterKey.EPOCH: _texts(lambda patch: patch.epoch),
    FilterKey.MSRC_SEVERITY: _of_windows,
    FilterKey.NAME: _texts(lambda patch: patch.name),
    FilterKey.PATCH_ID: lambda patch: (patch.kb_id, patch.kb_number.removeprefix("KB") or patch.kb_id),
    FilterKey.SECTION: _texts(lambda patch: patch.section),
    FilterKey.PRIORITY: _texts(lambda patch: patch.priority),
    FilterKey.REPOSITORY: _texts(lambda patch: patch.repository),
    FilterKey.RELEASE: _texts(lambda patch: patch.release),
    FilterKey.SEVERITY: _texts(lambda patch: patch.severity),
    FilterKey.SECURITY: _texts(lambda patch: "true" if patch.is_security else "false"),
    FilterKey.VERSION: _texts(lambda patch: patch.version),
}
# Case and synonyms do not count in what publishers write; in names they do.
_NORMAL: Final = frozenset(
    {
        FilterKey.CLASSIFICATION,
        FilterKey.MSRC_SEVERITY,
        FilterKey.PATCH_ID,
        FilterKey.PRIORITY,
        FilterKey.SECURITY,
        FilterKey.SEVERITY,
    }
)
_REFERENCES: Final = (FilterKey.CVE_ID, FilterKey.ADVISORY_ID, FilterKey.BUGZILLA_ID)


def describe_available(call: Call, request: Request) -> Answer:
    """DescribeAvailablePatches: of every operating system, those that no node has reported included."""
    wanted = _wanted(request)
    products = wanted.get(FilterKey.PRODUCT)
    names = _names(call, wanted)

    def fetch(after: Key | None, limit: int) -> Sequence[KnownPatch]:
        return call.work.catalog.page(after=_after(after), limit=limit, products=products, names=names)

    def shapes(patches: Sequence[KnownPatch]) -> Iterator[dict[str, Any] | None]:
        for known in patches:
            patch = known.shown
            yield known_members(known, patch) if all(_fits(patch, key, wanted[key]) for key in wanted) else None

    return _page(call, request, "Patches", fetch, shapes)


def describe_properties(call: Call, request: Request) -> Answer:
    """DescribePatchProperties: what filters may name; of products those of which patches are known.

    Raises:
        Invalid: the operating system has no such property.
    """
    system, key = OperatingSystem(request["OperatingSystem"]), FilterKey(request["Property"])
    if key not in FILTERS[system]:
        known = [key for key in FILTERS[system] if key not in {FilterKey.PATCH_SET, FilterKey.SECTION}]
        raise Invalid(f"Property {key} is none of {system}; use one of {', '.join(known)}")
    values = FILTERS[system][key] or _products(call, system, key, request.get("PatchSet"))
    return call.pages(
        request,
        "Properties",
        default=_PROPERTIES_PAGE,
        fetch=lambda after, limit: slice_after(list(enumerate(values)), after, limit),
        key=lambda numbered: (numbered[0],),
        shape=lambda numbered: {"Name": numbered[1]},
    )


def describe_effective(call: Call, request: Request) -> Answer:
    """DescribeEffectivePatchesForPatchBaseline: of every operating system, decided as for nodes."""
    baseline = stored_baseline(call, request["BaselineId"]).baseline
    effects = Effects(call.work, baseline, call.now.date())

    def fetch(after: Key | None, limit: int) -> Sequence[KnownPatch]:
        return call.work.catalog.page(after=_after(after), limit=limit, operating_system=baseline.operating_system)

    return _page(call, request, "EffectivePatches", fetch, effects.of)


def _page(
    call: Call,
    request: Request,
    member: str,
    fetch: Callable[[Key | None, int], Sequence[KnownPatch]],
    shapes: Callable[[Sequence[KnownPatch]], Iterator[dict[str, Any] | None]],
) -> Answer:
    """Return a page of those patches that *shapes* gives a form."""
    page = read_page(call.operation, request, default=_PAGE)
    found: list[dict[str, Any]] = []
    last, looked_at_count = page.after, 0
    while looked_at_count < _LOOKED_AT_MAX:
        batch = fetch(last, _BATCH)
        for known, shape in zip(batch, shapes(batch), strict=True):
            if shape is not None:
                if len(found) == page.size:
                    return {member: found, "NextToken": next_token(call.operation, request, last or ())}
                found.append(shape)
            last = known.key
        looked_at_count += len(batch)
        if len(batch) < _BATCH:
            return {member: found}
    return {member: found, "NextToken": next_token(call.operation, request, last or ())}


def _wanted(request: Request) -> dict[FilterKey, tuple[str, ...]]:
    filters = filter_values(request.get("Filters"), tuple(FilterKey), refuse=Invalid)
    return {FilterKey(key): values for key, values in filters.items() if ANY not in values}


def _names(call: Call, wanted: Mapping[FilterKey, tuple[str, ...]]) -> set[str] | None:
    """Return under which names alone patches can be that are *wanted*; `None` where that may be any."""
    named = [set(wanted[FilterKey.NAME])] if FilterKey.NAME in wanted else []
    named += [call.work.catalog.names_of(wanted[key]) for key in _REFERENCES if key in wanted]
    return set.intersection(*named) if named else None


def _fits(patch: Patch, key: FilterKey, wanted: Sequence[str]) -> bool:
    values = _VALUES[key](patch)
    if key in _NORMAL:
        return not {normal(value) for value in wanted}.isdisjoint(map(normal, values))
    return any(value in wanted for value in values)


def _after(key: Key | None) -> tuple[str, str, str, str] | None:
    if key is None:
        return None
    system, title, product, repository = map(str, key)
    return system, title, product, repository


def _products(call: Call, system: OperatingSystem, key: FilterKey, patch_set: str | None) -> Sequence[str]:
    is_told_apart = FAMILIES[system] is Family.WINDOWS and patch_set is not None
    products = [one for one in call.work.catalog.products(system) if not is_told_apart or one.patch_set == patch_set]
    names = [one.name if key is FilterKey.PRODUCT else one.family for one in products]
    return sorted({name for name in names if name})
