"""How the catalogue of patches is filled: by what nodes report, and by what an operator imports."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from patchwindow.domain.facts import Facts
from patchwindow.domain.facts_patches import Readings, patches_of
from patchwindow.domain.feeds.known_patch import KnownPatch
from patchwindow.domain.feeds.members import cve, day
from patchwindow.domain.feeds.notice import Cve, Notice
from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.operations.call import Answer, Call, Request
from patchwindow.protocol.records import from_members
from patchwindow.store.history import CATALOG
from patchwindow.store.work import Work


def learn(work: Work, system: str, facts: Facts, facts_digest: str, now: datetime) -> None:
    """Bring the patches of *facts*, which are kept, into the catalogue, unless they are in it."""
    if work.catalog.is_read(facts_digest):
        return
    work.catalog.note_read(facts_digest, now)
    work.catalog.report(_patches(OperatingSystem(system), facts), facts_digest, now)


def _patches(system: OperatingSystem, facts: Facts) -> Iterator[KnownPatch]:
    patches = patches_of(facts)
    for several in (patches.installed, patches.offered, patches.added):
        for readings in several:
            yield KnownPatch(operating_system=system, readings=_published(readings))
    for update, readings in zip(facts.windows_updates, patches.windows, strict=True):
        yield KnownPatch(operating_system=system, readings=_published(readings), update_id=update.id)


def _published(readings: Readings) -> Readings:
    return tuple(dict.fromkeys(readings))


def import_advisories(call: Call, request: Request) -> Answer:
    """ImportAdvisories: equal ids of one source get the new content; what is not named stays.

    Raises:
        Invalid: a day or a CVE is none; then nothing of the request is kept.
    """
    source = request["Source"]
    call.work.chores.plan(CATALOG, call.now)
    notices = [_notice(one, f"Advisories[{index}]") for index, one in enumerate(request.get("Advisories") or ())]
    cves = [_cve(one, f"Cves[{index}]") for index, one in enumerate(request.get("Cves") or ())]
    concerned = call.work.notices.put(source, notices, call.now)
    call.work.notices.put_cves(source, cves, call.now)
    for system, subjects in concerned.items():
        call.work.catalog.settle(system, subjects)
    return {"Source": source, "AdvisoryCount": len(notices), "CveCount": len(cves)}


def _notice(members: Mapping[str, Any], path: str) -> Notice:
    notice = from_members(Notice, members)
    day(notice.issued, f"{path}.Issued")
    day(notice.updated, f"{path}.Updated")
    for index, id in enumerate(notice.cve_ids):
        cve(id, f"{path}.CVEIds[{index}]")
    return notice


def _cve(members: Mapping[str, Any], path: str) -> Cve:
    found = from_members(Cve, members)
    cve(found.cve_id, f"{path}.CVEId")
    day(found.exploited_since or "", f"{path}.ExploitedSince")
    day(found.due_on or "", f"{path}.DueOn")
    return found


def get_status(call: Call, _: Request) -> Answer:
    """GetCatalogStatus."""
    counts = call.work.notices.cve_counts()
    return {
        "Patches": [
            {
                "OperatingSystem": count.operating_system,
                "PatchCount": count.patch_count,
                "ReportedCount": count.reported_count,
            }
            for count in call.work.catalog.counts()
        ],
        "Sources": [
            {"Source": one.source, "ImportedAt": one.imported_at, "AdvisoryCount": one.advisory_count}
            for one in call.work.notices.feeds()
        ],
        "CveCount": counts.cve_count,
        "ExploitedCveCount": counts.exploited_count,
        "ScoredCveCount": counts.scored_count,
    }
