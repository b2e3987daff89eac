"""The calendar feed: who may read it, what it says, and how often."""

from datetime import timedelta

import vobject
from tests.fakes.calendars import calendar
from tests.fakes.edge import Edge, Received, Sent

from patchwindow.operations.calendar_feeds import create
from patchwindow.wire.calendar_feed import PER_MINUTE_MAX


def feed(edge: Edge) -> tuple[str, str]:
    """Make a feed, and return its id and its token."""
    with edge.here.database.write() as work:
        made, token = create(work, edge.here.ids, "a phone", edge.here.clock.now())
    return made.feed_id, token


def get(edge: Edge, token: str, **headers: str) -> Received:
    sent = {"Host": "patch.example.net", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return edge.ask(Sent(method="GET", path=f"/calendar/{token}.ics", headers=sent))


def window(edge: Edge, **members: object) -> str:
    given = {"Name": "night", "Schedule": "cron(0 22 ? * TUE#2 *)", "Duration": 4, "Cutoff": 1, **members}
    return str(edge.here.perform("CreateMaintenanceWindow", AllowUnassociatedTargets=True, **given)["WindowId"])


def test_a_feed_tells_a_year_of_openings_to_whoever_has_its_url(edge: Edge) -> None:
    window_id = window(edge, ScheduleTimezone="Europe/Berlin")
    window(edge, Name="never", Enabled=False)
    _, token = feed(edge)
    received = get(edge, token)
    assert (received.status, received.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert received.headers["cache-control"] == "private, max-age=900"
    assert received.headers["referrer-policy"] == "no-referrer"
    events = vobject.readOne(received.body.decode()).contents["vevent"]
    assert len(events) == 12
    assert {event.summary.value for event in events} == {"night"}
    assert all(event.uid.value.startswith(window_id) for event in events)


def test_an_opening_in_a_freeze_is_cancelled_in_the_feed(edge: Edge) -> None:
    now = edge.here.clock.now()
    text = calendar((now, now + timedelta(days=40), "closing"))
    edge.here.perform(
        "CreateDocument", Name="year-end", Content=text, DocumentType="ChangeCalendar", DocumentFormat="TEXT"
    )
    window(edge, Tags=[{"Key": "patchwindow:freezes", "Value": "year-end"}])
    _, token = feed(edge)
    first, *_ = vobject.readOne(get(edge, token).body.decode()).contents["vevent"]
    assert (first.status.value, first.description.value) == ("CANCELLED", "frozen by year-end (closing)")


def test_what_has_not_changed_is_not_sent_again(edge: Edge) -> None:
    window(edge)
    _, token = feed(edge)
    etag = get(edge, token).headers["etag"]
    again = get(edge, token, If_None_Match=etag)
    assert (again.status, again.body) == (304, b"")
    edge.here.clock.advance(timedelta(hours=2))
    assert get(edge, token, If_None_Match=etag).status == 304
    window(edge, Name="another")
    edge.here.clock.advance(timedelta(minutes=2))
    assert get(edge, token, If_None_Match=etag).status == 200


def test_a_feed_that_is_revoked_tells_nothing_from_then_on(edge: Edge) -> None:
    window(edge)
    feed_id, token = feed(edge)
    _, other = feed(edge)
    assert get(edge, token).status == 200
    with edge.here.database.write() as work:
        assert work.calendar_feeds.delete(feed_id)
        assert not work.calendar_feeds.delete(feed_id)
    received = get(edge, token)
    assert (received.status, received.body) == (404, b"There is no calendar here: the URL is wrong, or was revoked\n")
    assert get(edge, other).status == 200


def test_a_url_that_was_made_up_tells_nothing(edge: Edge) -> None:
    feed(edge)
    for token in ("x", "%00", "a" * 2000):
        assert get(edge, token).status == 404


def test_the_token_is_kept_as_a_digest_alone(edge: Edge) -> None:
    _, token = feed(edge)
    with edge.here.database.read() as work:
        (kept,) = work.calendar_feeds.all()
        assert not work.calendar_feeds.knows(token)
    assert token not in repr(kept)
    assert kept.comment == "a phone"


def test_the_token_gives_no_other_right(edge: Edge) -> None:
    _, token = feed(edge)
    for path in (f"/snapshot/{token}", f"/operation/{token}/order"):
        assert edge.ask(Sent(method="GET", path=path, headers={"Host": "patch.example.net"})).status == 403


def test_who_asks_too_often_is_told_to_wait(edge: Edge) -> None:
    _, token = feed(edge)
    _, other = feed(edge)
    assert {get(edge, token).status for _ in range(PER_MINUTE_MAX)} == {200}
    refused = get(edge, token)
    assert (refused.status, refused.headers["retry-after"]) == (429, "60")
    assert get(edge, other).status == 200
    edge.here.clock.advance(timedelta(minutes=1))
    assert get(edge, token).status == 200
