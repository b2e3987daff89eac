"""Change calendars through the operations of the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.fakes.calendars import calendar
from tests.fakes.site import Installation

from patchwindow.domain.errors import Invalid, InvalidDocumentContent, InvalidDocumentType, UnknownDocument

CHRISTMAS = (datetime(2026, 12, 24, tzinfo=UTC), datetime(2026, 12, 27, tzinfo=UTC), "Christmas")


def create(here: Installation, name: str = "holidays", text: str = calendar(CHRISTMAS), **more: Any) -> dict[str, Any]:
    members = {"DocumentType": "ChangeCalendar", "DocumentFormat": "TEXT", **more}
    return dict(here.perform("CreateDocument", Name=name, Content=text, **members)["DocumentDescription"])


def test_a_calendar_is_kept_and_given_out_to_the_letter(here: Installation) -> None:
    told = create(here)
    assert (told["DocumentType"], told["DocumentFormat"], told["DocumentVersion"]) == ("ChangeCalendar", "TEXT", "1")
    assert (told["PlatformTypes"], told["Parameters"]) == ([], [])
    assert "SchemaVersion" not in told
    found = here.perform("GetDocument", Name="holidays")
    assert (found["Content"], found["DocumentFormat"]) == (calendar(CHRISTMAS), "TEXT")
    with pytest.raises(Invalid, match="DocumentFormat JSON is not possible for holidays; use TEXT"):
        here.perform("GetDocument", Name="holidays", DocumentFormat="JSON")


def test_calendars_are_listed_by_their_type(here: Installation) -> None:
    create(here)
    filters = [{"Key": "DocumentType", "Values": ["ChangeCalendar"]}]
    (listed,) = here.perform("ListDocuments", Filters=filters)["DocumentIdentifiers"]
    assert (listed["Name"], listed["DocumentType"]) == ("holidays", "ChangeCalendar")


def test_what_is_no_calendar_is_refused(here: Installation) -> None:
    with pytest.raises(InvalidDocumentContent, match="Content is no iCalendar"):
        create(here, text="closed")
    with pytest.raises(InvalidDocumentContent, match="DocumentFormat YAML is not possible for a ChangeCalendar"):
        create(here, DocumentFormat="YAML")
    create(here)
    with pytest.raises(InvalidDocumentContent, match="Content is no iCalendar"):
        here.perform("UpdateDocument", Name="holidays", Content="{}", DocumentFormat="TEXT")


def test_a_calendar_cannot_be_run(here: Installation) -> None:
    create(here)
    targets = [{"Key": "tag:group", "Values": ["web"]}]
    with pytest.raises(
        UnknownDocument, match="document 'holidays' is of type ChangeCalendar; name one of type Command"
    ):
        here.perform("SendCommand", DocumentName="holidays", Targets=targets)


@pytest.mark.parametrize(
    ("at", "state", "change"),
    [
        ("2026-12-23T23:59:59Z", "OPEN", "2026-12-24T00:00Z"),
        ("2026-12-24T00:00:00Z", "CLOSED", "2026-12-27T00:00Z"),
        ("2026-12-26T18:59:59-0500", "CLOSED", "2026-12-27T00:00Z"),
        ("2026-12-27T00:00:00Z", "OPEN", None),
    ],
)
def test_the_state_of_a_calendar_and_its_next_change(
    here: Installation, at: str, state: str, change: str | None
) -> None:
    create(here)
    found = here.perform("GetCalendarState", CalendarNames=["holidays"], AtTime=at)
    assert found == {"State": state, "AtTime": at, **({} if change is None else {"NextTransitionTime": change})}


def test_several_calendars_are_open_only_if_all_are(here: Installation) -> None:
    create(here)
    _, ends_at, _ = CHRISTMAS
    create(here, "days-between", calendar((ends_at, ends_at + timedelta(days=5), "days between the years")))
    create(here, "nights", calendar((ends_at, ends_at + timedelta(days=9), "may"), kind="DEFAULT_CLOSED"))
    names = ["arn:aws:ssm:local:000000000000:document/holidays", "days-between"]
    found = here.perform("GetCalendarState", CalendarNames=names, AtTime="2026-12-25T12:00:00Z")
    assert (found["State"], found["NextTransitionTime"]) == ("CLOSED", "2027-01-01T00:00Z")
    found = here.perform("GetCalendarState", CalendarNames=["holidays", "nights"], AtTime="2026-12-25T12:00:00Z")
    assert (found["State"], found["NextTransitionTime"]) == ("CLOSED", "2026-12-27T00:00Z")


def test_without_a_time_the_state_is_that_of_now(here: Installation) -> None:
    create(here, text=calendar())
    assert here.perform("GetCalendarState", CalendarNames=["holidays"])["State"] == "OPEN"


def test_the_state_of_what_is_no_calendar_is_refused(here: Installation) -> None:
    with pytest.raises(UnknownDocument, match="document 'holidays' does not exist"):
        here.perform("GetCalendarState", CalendarNames=["holidays"])
    with pytest.raises(InvalidDocumentType, match="AWS-RunPatchBaseline is of type Command"):
        here.perform("GetCalendarState", CalendarNames=["AWS-RunPatchBaseline"])
    create(here)
    with pytest.raises(Invalid, match="AtTime is noon"):
        here.perform("GetCalendarState", CalendarNames=["holidays"], AtTime="noon")
    with pytest.raises(Invalid, match="CalendarNames"):
        here.perform("GetCalendarState", CalendarNames=[])
