"""Calendar feeds by operations: a URL is told once, works until it is revoked, and is in no record."""

import json
from pathlib import Path

import pytest
from tests.fakes.site import SITE, Installation

from patchwindow.domain.errors import NotFound
from patchwindow.operations.calendar_feeds import is_token


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def answers(here: Installation, url: str) -> bool:
    """Return whether the server would answer at *url*."""
    before, _, token = url.removesuffix(".ics").rpartition("/")
    assert before == f"{SITE.public_url}/calendar"
    with here.database.read() as work:
        return is_token(work, token)


def test_a_feed_answers_from_when_it_is_made_until_it_is_revoked(here: Installation) -> None:
    made = here.perform("CreateCalendarFeed", Comment="the team's")
    assert answers(here, made["Url"])
    assert here.perform("ListCalendarFeeds")["Feeds"] == [
        {"FeedId": made["FeedId"], "Comment": "the team's", "CreatedTime": here.clock.now()}
    ]
    here.perform("DeleteCalendarFeed", FeedId=made["FeedId"])
    assert not answers(here, made["Url"])
    assert here.perform("ListCalendarFeeds")["Feeds"] == []


def test_one_can_be_revoked_without_the_others(here: Installation) -> None:
    one, other = here.perform("CreateCalendarFeed"), here.perform("CreateCalendarFeed")
    here.perform("DeleteCalendarFeed", FeedId=one["FeedId"])
    assert answers(here, other["Url"])


def test_a_url_is_in_no_list_and_no_record(here: Installation) -> None:
    url = here.perform("CreateCalendarFeed")["Url"]
    token = url.removesuffix(".ics").rpartition("/")[2]
    told = [here.perform("ListCalendarFeeds"), here.perform("ListChanges")]
    assert token not in json.dumps(told, default=str)
    assert [one["Operation"] for one in told[1]["Changes"]] == ["CreateCalendarFeed"]


def test_pages_show_each_feed_once(here: Installation) -> None:
    made = [here.perform("CreateCalendarFeed", Comment=str(number))["FeedId"] for number in range(5)]
    pages = list(here.pages("ListCalendarFeeds", "Feeds", MaxResults=2))
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(one["FeedId"] for page in pages for one in page) == sorted(made)


def test_a_feed_that_there_is_not_cannot_be_revoked(here: Installation) -> None:
    with pytest.raises(NotFound, match="calendar feed feed-00000000 does not exist"):
        here.perform("DeleteCalendarFeed", FeedId="feed-00000000")
