"""What a forecast rests on, as a file: one JSON object on each line, with what it is and its value (docs/forecast.md)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from patchwindow.domain import facts_reading
from patchwindow.domain.baseline import Baseline
from patchwindow.domain.errors import Invalid
from patchwindow.domain.facts import Facts, canonical
from patchwindow.domain.facts_patches import Sighting
from patchwindow.domain.forecast_facts import (
    FleetFacts,
    ForecastCohort,
    ForecastNode,
    ForecastWindow,
    RecordedDurations,
)
from patchwindow.protocol.records import dumps, from_members, from_ms, to_ms

SCHEMA: Final = 1
_HEAD: Final = "fleet"
_FACTS: Final = "facts"
_RECORDS: Final[Mapping[str, type[Any]]] = {
    "cohort": ForecastCohort,
    "node": ForecastNode,
    "window": ForecastWindow,
    "durations": RecordedDurations,
    "baseline": Baseline,
}


def head_lines(fleet: FleetFacts) -> Iterator[str]:
    """Yield all of *fleet* but its facts."""
    yield _line(_HEAD, json.dumps({"schema": SCHEMA, "asOfMs": to_ms(fleet.as_of), "nodeCount": len(fleet.nodes)}))
    members = {
        "cohort": fleet.cohorts,
        "node": fleet.nodes,
        "window": fleet.windows,
        "durations": fleet.durations,
        "baseline": tuple(fleet.baselines.values()),
    }
    for kind, values in members.items():
        yield from (_line(kind, dumps(value)) for value in values)


def facts_line(
    digest: str, facts: Facts, first_seen: Mapping[Sighting, date], references: Mapping[str, tuple[str, ...]]
) -> str:
    """Return one set of facts, with what is known of its patches beside it."""
    seen = [[*sighting, day.isoformat()] for sighting, day in sorted(first_seen.items())]
    told = json.dumps({"digest": digest, "firstSeen": seen, "references": references})
    return _line(_FACTS, f'{told[:-1]}, "facts": {canonical(facts).decode()}}}')


def read(lines: Iterable[str], *, name: str) -> FleetFacts:
    """Return the fleet that *lines* of the file *name* describe.

    Raises:
        Invalid: they are no such file, or one of another version; the message names the line.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in (_HEAD, _FACTS, *_RECORDS)}
    for number, line in enumerate(lines, start=1):
        try:
            told = json.loads(line)
            kind, value = told["kind"], told["value"]
            found[kind].append(_value(kind, value))
        except (ValueError, KeyError, TypeError, AttributeError, Invalid) as problem:
            what = f"{type(problem).__name__}: {problem}"
            raise Invalid(f"{name}, line {number}: this is no line of a fleet's facts ({what:.200})") from None
    if len(found[_HEAD]) != 1:
        raise Invalid(f"{name}: it has {len(found[_HEAD])} lines of kind {_HEAD}; export it again, and whole")
    as_of, node_count = found[_HEAD][0]
    if len(found["node"]) != node_count:
        raise Invalid(f"{name}: it has {len(found['node'])} of {node_count} nodes; export it again, and whole")
    facts = {digest: (known, first_seen, references) for digest, known, first_seen, references in found[_FACTS]}
    fleet = FleetFacts(
        as_of=as_of,
        cohorts=tuple(found["cohort"]),
        nodes=tuple(found["node"]),
        windows=tuple(found["window"]),
        durations=tuple(found["durations"]),
        baselines={baseline.baseline_id: baseline for baseline in found["baseline"]},
        facts={digest: known for digest, (known, _, _) in facts.items()},
        first_seen={digest: seen for digest, (_, seen, _) in facts.items()},
        references={digest: references for digest, (_, _, references) in facts.items()},
    )
    _check(fleet, name)
    return fleet


def _check(fleet: FleetFacts, name: str) -> None:
    """Refuse a file of which a part is missing."""
    node_ids = {node.node_id for node in fleet.nodes}
    known = {cohort.cohort_id for cohort in fleet.cohorts} | {""}
    absent = [
        *(cohort.facts_digest for cohort in fleet.cohorts if cohort.facts_digest not in fleet.facts),
        *(cohort.baseline_id for cohort in fleet.cohorts if cohort.baseline_id not in fleet.baselines),
        *(node.cohort_id for node in fleet.nodes if node.cohort_id not in known),
        *(
            node_id
            for each in fleet.windows
            for task in each.tasks
            for target in task.targets
            for node_id in target.node_ids
            if node_id not in node_ids
        ),
    ]
    if absent:
        raise Invalid(f"{name}: it names {absent[0]} and does not have it; export it again, and whole")


def _value(kind: str, value: Mapping[str, Any]) -> Any:
    if kind == _HEAD:
        if value["schema"] != SCHEMA:
            raise Invalid(f"schema is {value['schema']}; this version reads {SCHEMA}")
        return from_ms(value["asOfMs"]), int(value["nodeCount"])
    if kind == _FACTS:
        seen = {(source, kb_id, version): date.fromisoformat(day) for source, kb_id, version, day in value["firstSeen"]}
        references = {title: tuple(ids) for title, ids in value["references"].items()}
        return value["digest"], facts_reading.parse(value["facts"]), seen, references
    return from_members(_RECORDS[kind], value)


def _line(kind: str, value: str) -> str:
    return f'{{"kind": "{kind}", "value": {value}}}'
