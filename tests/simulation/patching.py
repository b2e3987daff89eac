"""Nodes that install: what a plan of the server wants, a made-up package manager does to their facts.

It is written apart from the forecast, which it is compared with: it knows packages by name and version, and no index of
the facts outlives a step.
"""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from patchwindow.operations import install_orders, reports
from patchwindow.operations.call import Answer, Call
from patchwindow.operations.report_reading import read, read_facts

Facts = dict[str, Any]
PerCall = Callable[[Callable[[Call], Answer]], Answer]
"""Carries out what nodes ask below their capability URL."""


class PatchedMachine:
    """What is installed on one machine, what waits for its reboot, and how often it was rebooted."""

    def __init__(self, node_id: str, facts: Facts, ask: PerCall) -> None:
        self.node_id: Final = node_id
        self.facts = copy.deepcopy(facts)
        self.waiting: set[str] = set()
        self.reboots: list[datetime] = []
        self._ask: Final = ask

    def begin(self, command_id: str) -> Mapping[str, Any]:
        """Ask what to do, and for an installation what to install; nothing changes before it has ended."""
        order = self._ask(lambda call: install_orders.order(call, command_id, self.node_id))
        plan: Answer = {"wanted": [], "failed": {}}
        if order["operation"] == "Install":
            known = read_facts({"schema": 1, "facts": self.facts})
            plan = self._ask(lambda call: install_orders.plan(call, command_id, self.node_id, known))
        return {"order": order, "plan": plan}

    def is_idle(self, begun: Mapping[str, Any]) -> bool:
        """Return whether there is nothing to install, and no reboot to make up for."""
        may_reboot = begun["order"]["operation"] == "Install" and begun["order"]["rebootOption"] == "RebootIfNeeded"
        wanted = begun["plan"]["wanted"]
        failed = [one for one in wanted if any(each["held"] for each in self._needed([self._found(one)]))]
        return len(failed) == len(wanted) and not (may_reboot and self.waiting)

    def end(self, command_id: str, begun: Mapping[str, Any], began_at: datetime, now: datetime) -> None:
        """Do what was planned, reboot where that is due, and report."""
        order, plan = begun["order"], begun["plan"]
        before = self._titles()
        failed = {**plan["failed"], **self._install(plan["wanted"])}
        if order["operation"] == "Install":
            self.waiting |= self._titles() - before
            if order["rebootOption"] == "RebootIfNeeded" and self.waiting:
                self.reboots.append(now)
                self.waiting.clear()
        told = {
            "schema": 1,
            "operation": order["operation"],
            "startedAt": began_at.timestamp(),
            "endedAt": now.timestamp(),
            "facts": self.facts,
            "installedAt": [0] * len(self.facts["packages"]),
            "failed": failed,
            "pendingReboot": sorted(self.waiting & self._titles()),
        }
        report = read(json.loads(json.dumps(told)))
        self._ask(lambda call: reports.receive(call, command_id, self.node_id, report))

    def _install(self, wanted: Sequence[Mapping[str, str]]) -> dict[str, str]:
        """Install all of *wanted* with all that it needs, together; return why some of it cannot be, by title."""
        failed: dict[str, str] = {}
        chosen: list[Facts] = []
        for patch in wanted:
            update = self._found(patch)
            if any(one["held"] for one in self._needed([update])):
                failed[patch["title"]] = "held on the node"
            else:
                chosen.append(update)
        # What another brings along in a newer version is not asked for any more.
        newest = self._newest(self._needed(chosen))
        needed = self._needed([one for one in chosen if newest[one["name"]] == one["candidate"]])
        for one in needed:
            for index in one["adds"]:
                self._put(self.facts["additions"][index], self.facts["additions"][index]["version"])
            self._put(one, one["candidate"])
        self._forget()
        return failed

    def _needed(self, wanted: Sequence[Facts]) -> list[Facts]:
        """Return *wanted* with all that comes along."""
        needed = list(wanted)
        for one in needed:
            needed += [pulled for index in one["pulls"] if (pulled := self.facts["updates"][index]) not in needed]
        return needed

    def _newest(self, updates: Sequence[Facts]) -> dict[str, str]:
        """Return the newest version of each package, by name."""
        return {one["name"]: one["candidate"] for one in sorted(updates, key=lambda one: _number(one["candidate"]))}

    def _found(self, patch: Mapping[str, str]) -> Facts:
        """Return the update that a plan names."""
        key = patch["name"], patch["arch"], patch["version"]
        found: Facts = next(one for one in self.facts["updates"] if (one["name"], one["arch"], one["candidate"]) == key)
        return found

    def _put(self, what: Mapping[str, Any], version: str) -> None:
        """Let a package be there in a version, unless it is in a newer one."""
        packages: list[Facts] = self.facts["packages"]
        new = {name: what[name] for name in ("name", "arch", "origins", "advisories") if name in what}
        for place, package in enumerate(packages):
            if (package["name"], package["arch"]) == (what["name"], what["arch"]):
                if _number(package["version"]) < _number(version):
                    packages[place] = {**new, "version": version}
                return
        packages.append({**new, "version": version})

    def _forget(self) -> None:
        """Offer no more what is there, in this or a newer version, and let the rest refer to what remains."""
        there = {one["name"]: one["version"] for one in self.facts["packages"]}
        former, additions = self.facts["updates"], self.facts["additions"]
        kept = [at for at, one in enumerate(former) if _number(one["candidate"]) > _number(there[one["name"]])]
        absent = [at for at, one in enumerate(additions) if one["name"] not in there]
        self.facts["updates"] = [
            {
                **former[at],
                "installed": there[former[at]["name"]],
                "pulls": [kept.index(one) for one in former[at]["pulls"] if one in kept],
                "adds": [absent.index(one) for one in former[at]["adds"] if one in absent],
            }
            for at in kept
        ]
        self.facts["additions"] = [additions[at] for at in absent]

    def _titles(self) -> set[str]:
        return {f"{one['name']}.{one['arch']}:0:{one['version']}" for one in self.facts["packages"]}


def _number(version: str) -> int:
    """Return what versions differ in here: `3` of `3-1`."""
    return int(version.partition("-")[0])
