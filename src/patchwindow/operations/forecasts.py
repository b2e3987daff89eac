"""Forecasts: what the coming openings of windows will do, and the facts that this rests on, to be taken along."""

from collections.abc import Sequence

from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.operations.forecast_facts import fleet_facts, frame, offered_facts
from patchwindow.protocol.forecast_answers import WEEKS, WEEKS_MAX, answer, until_after
from patchwindow.protocol.forecast_file import facts_line, head_lines
from patchwindow.protocol.pages import Key

_PAGE = 10


def forecast_patches(call: Call, request: Request) -> Answer:
    """ForecastPatches: of all windows or one, for all nodes or one, or what becomes of a patch."""
    until = until_after(call.now, request.get("Weeks", WEEKS))
    patch = request.get("Patch")
    fleet = fleet_facts(call.work, call.now, until, with_references=patch is not None)
    return answer(fleet, until, window_id=request.get("WindowId"), node_id=request.get("InstanceId"), patch=patch)


def export_facts(call: Call, request: Request) -> Answer:
    """ExportForecastFacts: parts of a file, of which the first has all but facts, and each other the facts of some nodes."""
    fleet = frame(call.work, call.now, until_after(call.now, WEEKS_MAX), with_tags=True)
    digests = sorted({cohort.facts_digest for cohort in fleet.cohorts})

    def fetch(after: Key | None, limit: int) -> Sequence[str]:
        # The first part has no digest, and comes before all that have.
        parts = digests if after is not None else ["", *digests]
        return [digest for digest in parts if after is None or digest > after_text(after)][:limit]

    def part(digest: str) -> str:
        if not digest:
            return "\n".join(head_lines(fleet))
        known = offered_facts(call.work, fleet, digest, with_references=True)
        return facts_line(digest, known.facts, known.first_seen, known.references)

    return call.pages(request, "Parts", default=_PAGE, fetch=fetch, key=lambda digest: (digest,), shape=part)
