"""What comes along with each candidate: other candidates, and packages that are not installed yet."""

from typing import Callable, Mapping, Sequence

from patchwindow_agent import rpm_dependencies, rpm_version
from patchwindow_agent.dnf_output import Offer
from patchwindow_agent.rpm_database import Links
from patchwindow_agent.rpm_dependencies import Relation, Update
from patchwindow_agent.rpm_facts import Along, Candidate
from patchwindow_agent.updateinfo import Named

# What is added may need something itself; deeper than this, the chain is cut.
_ROUNDS_MAX = 5
# What packages provide of which several versions stand beside each other, to dnf and to zypper.
BESIDE = ("installonlypkg(", "multiversion(")
# Older kernels do not say it of themselves; yum has their names in its configuration.
_KERNELS = frozenset({"kernel", "kernel-uek"})

# The offers that provide one of some relations, with their own.
Providers = Callable[[Sequence[str]], "Mapping[Offer, Links]"]


def along(
    candidates: Sequence[Candidate],
    *,
    links: Mapping[Named, Links],
    installed: Mapping[Named, Links],
    providers: Providers,
    has_file: Callable[[str], bool],
) -> Sequence[Along]:
    """Return what comes along with each of *candidates*.

    *links* are the relations of what is offered and *installed* those of what is there; *has_file* says whether a file
    is on the machine.
    """
    updates = [_update(candidate, links) for candidate in candidates]
    here = {_key(named): found for named, found in installed.items()}
    archs = {named[1] for named in installed}
    added: list[Offer] = []
    tried: set[str] = set()
    found = rpm_dependencies.along(here, updates, has_file)
    for _ in range(_ROUNDS_MAX):
        unmet = sorted({text for one in found for text in one.unmet} - tried)
        tried.update(unmet)
        offers = providers(unmet) if unmet else {}
        new = _chosen(unmet, offers, archs)
        if not new:
            break
        added += new
        updates += [Update(offer.version, offers[offer], None) for offer in new]
        found = rpm_dependencies.along(here, updates, has_file)
    return [_with_additions(index, found, added, len(candidates)) for index in range(len(candidates))]


def _update(candidate: Candidate, links: Mapping[Named, Links]) -> Update:
    found = links.get(candidate.offer[:3], Links())
    stands_beside = candidate.offer.name in _KERNELS or any(name.startswith(BESIDE) for name in found.provides)
    there = candidate.installed
    replaces = None if stands_beside else _key((there.name, there.arch, there.version))
    return Update(candidate.offer.version, found, replaces)


def _chosen(unmet: Sequence[str], offers: Mapping[Offer, Links], archs: "set[str]") -> Sequence[Offer]:
    """Return the newest offer for each of *unmet*, of an architecture that is on the machine already."""
    chosen = {}
    for text in unmet:
        required = rpm_dependencies.relation(text)
        able = [
            offer
            for offer, links in offers.items()
            if required is not None and offer.arch in {*archs, "noarch"} and _provides(links, required)
        ]
        if able:
            best = max(able, key=lambda offer: (offer.arch != "i686", rpm_version.sort_key(offer.version)))
            chosen[best.key] = best
    return sorted(chosen.values())


def _provides(links: Links, required: Relation) -> bool:
    # Lists of files are not at hand; who was named as the provider of a file is one.
    relations = (rpm_dependencies.relation(text) for text in links.provides)
    return required.name.startswith("/") or any(one is not None and one.meets(required) for one in relations)


def _with_additions(index: int, found: Sequence[rpm_dependencies.Along], added: Sequence[Offer], count: int) -> Along:
    """Return the candidates and additions that *index* pulls; those that an addition needs come along as well."""
    pulls: set[int] = set()
    adds: set[int] = set()
    waiting = list(found[index].pulls)
    while waiting:
        other = waiting.pop()
        if other < count:
            pulls.add(other)
        elif other not in adds:
            adds.add(other)
            waiting += found[other].pulls
    return Along(sorted(pulls - {index}), [added[other - count] for other in sorted(adds)])


def _key(named: Named) -> str:
    name, arch, version = named
    return f"{name}.{arch}:{version}"
