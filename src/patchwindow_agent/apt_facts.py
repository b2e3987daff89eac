"""What apt knows, as facts (docs/facts.md). Values in, values out; no program is run here."""

from typing import Any, Mapping, NamedTuple, Sequence, Union

from patchwindow_agent import apt_output
from patchwindow_agent.apt_output import Installed, Offer, Origin, Policy
from patchwindow_agent.machine import System


class Known(NamedTuple):
    """What apt and dpkg told."""

    # In the order of the facts.
    policies: Mapping[Installed, Policy]
    # By index line.
    sources: Mapping[str, Origin]
    updates: "Sequence[tuple[Installed, str]]"
    # By name and version.
    offers: "Mapping[tuple[str, str], Offer]"


def updates_of(
    policies: Mapping[Installed, Policy], sources: Mapping[str, Origin], system: System
) -> "list[tuple[Installed, str]]":
    """Return the updates of each package: apt's candidate, and older ones that are security updates.

    Where a publisher has put a newer version beside a security update, a baseline that takes security updates alone
    would otherwise never see any. Other older versions are no news, and newer ones than the candidate are not for this
    machine.
    """
    found = []
    for package, policy in policies.items():
        if policy.update is not None:
            found.append((package, policy.update))
        elif package.unpacked not in ("", package.version):
            # For apt it is installed and only to be configured; it is an update still, and the same one.
            found.append((package, package.unpacked))
        found += [
            (package, version)
            for version in policy.between
            if any(apt_output.is_security(origin, system) for origin in _origins(policy, version, sources))
        ]
    return found


def facts(known: Known, system: System, *, arch: str, reasons: Sequence[str]) -> "dict[str, Any]":
    """Return the facts; *arch* is the machine's own, and *reasons* say why it waits for a reboot."""
    origins = sorted(set(known.sources.values()))
    numbers = {origin: number for number, origin in enumerate(origins)}

    def offering(package: Installed, version: str) -> "list[int]":
        policy = known.policies[package]
        return sorted({numbers[origin] for origin in _origins(policy, version, known.sources)})

    def update_fact(package: Installed, version: str) -> "dict[str, Any]":
        otherwise = Offer(package.section, package.priority, 0, package.source)
        offer = known.offers.get((package.name, version), otherwise)
        offered_by = offering(package, version)
        return {
            "name": package.name,
            "arch": package.arch,
            "installed": package.version,
            "candidate": version,
            "section": offer.section,
            "priority": offer.priority,
            "size": offer.size,
            "origins": offered_by,
            "security": any(apt_output.is_security(origins[number], system) for number in offered_by),
            "held": package.is_held,
            **_source(offer),
        }

    return {
        "schema": 2,
        "manager": "apt",
        "os": {
            "id": system.id,
            "name": system.name,
            "versionId": system.version_id,
            "codename": system.codename,
            "arch": arch,
        },
        "origins": [origin._asdict() for origin in origins],
        "packages": [
            {
                "name": package.name,
                "arch": package.arch,
                "version": package.version,
                "section": package.section,
                "priority": package.priority,
                "origins": offering(package, package.version),
                **_source(package),
            }
            for package in known.policies
        ],
        "updates": [update_fact(package, version) for package, version in known.updates],
        "held": sorted({package.name for package in known.policies if package.is_held}),
        "reboot": {"required": bool(reasons), "reasons": list(reasons)},
    }


def _origins(policy: Policy, version: str, sources: Mapping[str, Origin]) -> "set[Origin]":
    return {sources[index] for index in policy.offers.get(version, ()) if index in sources}


def _source(told: Union[Installed, Offer]) -> "dict[str, str]":
    """Return the members that say from which source a package is built; none where its name and version are the same."""
    members = {"source": told.source, "sourceVersion": told.source_version}
    return {name: value for name, value in members.items() if value}
