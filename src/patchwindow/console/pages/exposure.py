"""How long nodes have been exposed: by the age of the oldest security patch that they lack, and which patches those are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Any, Final

from patchwindow.console.charts import WIDTH
from patchwindow.console.states import Tone
from patchwindow.console.view import Cell, Shown, Table, View

_SHOWN_MAX: Final = 60
_OTHERS_MAX: Final = 20
_ALL_MAX: Final = 500
_TONES: Final = {0: Tone.GOOD, 7: Tone.WARN, 14: Tone.WARN, 30: Tone.BAD, 90: Tone.BAD}
"""By the least age of a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """So many nodes are exposed for so long."""

    label: str
    tone: Tone
    count: int
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacked:
    """A security patch that nodes lack."""

    title: str
    product: str
    severity: str
    cve_ids: Sequence[str]
    exploited: Sequence[str]
    due_on: date | None
    since: date
    age_days: int
    is_published: bool
    node_count: int
    is_overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePage:
    """The bars, and the patches behind them."""

    node_count: int
    exposed_count: int
    unknown_count: int
    bars: Sequence[Bar]
    exploited_node_count: int
    overdue_node_count: int
    exploited: Sequence[Lacked]
    others: Sequence[Lacked]
    more_count: int


def show(view: View) -> Shown:
    """Return the page of exposure."""
    # What is shown as CSV or JSON is not cut where the page is.
    is_page = not view.first("format")
    told = view.ask("GetExposure", MaxResults=_SHOWN_MAX if is_page else _ALL_MAX)
    today = view.now.astimezone(UTC).date()
    patches = [_lacked(one, today) for one in told["Patches"]]
    exploited = [one for one in patches if one.exploited]
    others = [one for one in patches if not one.exploited][:_OTHERS_MAX]
    page = ExposurePage(
        node_count=told["InstanceCount"],
        exposed_count=sum(one["InstanceCount"] for one in told["Ages"]),
        unknown_count=told["UnknownCount"],
        bars=_bars(told),
        exploited_node_count=told["ExploitedInstanceCount"],
        overdue_node_count=told["OverdueInstanceCount"],
        exploited=exploited,
        others=others,
        more_count=told["PatchCount"] - len(exploited) - len(others),
    )
    return Shown(
        title="Exposure",
        template="exposure.html",
        page=page,
        command=("patchwindow compliance exposure", "patchwindow patches list --state Missing --known-exploited"),
        table=Table(_COLUMNS, _cells(patches)),
    )


_COLUMNS: Final = (
    "Title", "Product", "Severity", "CVEIds", "ExploitedCVEIds", "DueOn", "Since", "AgeDays", "InstanceCount",
)  # fmt: skip


def _bars(told: Mapping[str, Any]) -> list[Bar]:
    """Return the bars from the least age to the greatest, and what is not known last."""
    most = max(*(one["InstanceCount"] for one in told["Ages"]), told["UnknownCount"], told["NoneMissingCount"], 1)

    def bar(label: str, tone: Tone, count: int) -> Bar:
        return Bar(label=label, tone=tone, count=count, width=round(count / most * WIDTH, 1))

    return [
        bar("none is missing", Tone.GOOD, told["NoneMissingCount"]),
        *(bar(_label(one), _TONES.get(one["FromDays"], Tone.BAD), one["InstanceCount"]) for one in told["Ages"]),
        bar("not known", Tone.UNKNOWN, told["UnknownCount"]),
    ]


def _label(age: Mapping[str, Any]) -> str:
    least, beyond = age["FromDays"], age.get("BelowDays")
    if beyond is None:
        return f"{least} days and more"
    return f"{least} to {beyond - 1} days" if least else f"less than {beyond} days"


def _lacked(one: Mapping[str, Any], today: date) -> Lacked:
    due = one.get("DueOn")
    due_on = date.fromisoformat(due) if due else None
    since = date.fromisoformat(one["Since"])
    return Lacked(
        title=one["Title"],
        product=one["Product"],
        severity=one["Severity"],
        cve_ids=one["CVEIds"],
        exploited=one["ExploitedCVEIds"],
        due_on=due_on,
        since=since,
        age_days=max((today - since).days, 0),
        is_published=one["SinceIsPublished"],
        node_count=one["InstanceCount"],
        is_overdue=due_on is not None and due_on < today,
    )


def _cells(patches: Sequence[Lacked]) -> Iterator[Sequence[Cell]]:
    for one in patches:
        yield (
            one.title, one.product, one.severity, " ".join(one.cve_ids), " ".join(one.exploited),
            None if one.due_on is None else one.due_on.isoformat(), one.since.isoformat(), one.age_days, one.node_count,
        )  # fmt: skip
