"""Settings, access keys and client tokens."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from tests.store.samples import NOW, UNICODE, later

from patchwindow.domain.errors import MovedMeanwhile
from patchwindow.store.prepared import prepared
from patchwindow.store.settings import AccessKey, Role
from patchwindow.store.tables import client_token
from patchwindow.store.work import Work

_TOKENS = prepared(sa.select(sa.func.count()).select_from(client_token))
KEY = AccessKey(access_key_id="AKIA1", secret_access_key="s" * 40, role=Role.OPERATOR, comment=UNICODE)


def test_a_setting_that_was_never_kept_is_none(work: Work) -> None:
    assert work.settings.get("seal_key") is None


def test_the_first_value_of_a_setting_stays(work: Work) -> None:
    assert work.settings.keep("seal_key", UNICODE) == UNICODE
    assert work.settings.keep("seal_key", "another") == UNICODE
    assert work.settings.get("seal_key") == UNICODE


def test_an_access_key_comes_back_as_it_was_added(work: Work) -> None:
    work.access_keys.add(KEY, NOW)
    assert work.access_keys.get("AKIA1") == KEY
    assert work.access_keys.get("akia1") is None


def test_access_keys_are_listed_by_age_and_then_by_id(work: Work) -> None:
    keys = [replace(KEY, access_key_id=id) for id in ("C", "B", "A")]
    for key, minutes in zip(keys, (0, 1, 1), strict=True):
        work.access_keys.add(key, later(minutes))
    assert [key.access_key_id for key in work.access_keys.all()] == ["C", "A", "B"]


def test_a_disabled_access_key_is_still_found_and_says_so(work: Work) -> None:
    work.access_keys.add(KEY, NOW)
    assert work.access_keys.enable("AKIA1", to=False)
    assert work.access_keys.get("AKIA1") == replace(KEY, is_enabled=False)
    assert work.access_keys.enable("AKIA1", to=True)
    assert work.access_keys.get("AKIA1") == KEY


def test_what_happens_to_an_unknown_access_key_is_nothing(work: Work) -> None:
    assert not work.access_keys.enable("AKIA2", to=False)
    assert not work.access_keys.delete("AKIA2")


def test_a_deleted_access_key_is_gone(work: Work) -> None:
    work.access_keys.add(KEY, NOW)
    assert work.access_keys.delete("AKIA1")
    assert work.access_keys.get("AKIA1") is None
    assert work.access_keys.all() == []


def test_a_client_token_gives_back_the_answer_for_its_operation_alone(work: Work) -> None:
    work.client_tokens.keep("SendCommand", "t", digest="d", answer=UNICODE, until=later(1))
    assert work.client_tokens.find("SendCommand", "t", NOW) == ("d", UNICODE)
    assert work.client_tokens.find("CreatePatchBaseline", "t", NOW) is None
    assert work.client_tokens.find("SendCommand", "T", NOW) is None


def test_a_client_token_ends_at_its_instant_and_can_be_used_anew(work: Work) -> None:
    work.client_tokens.keep("SendCommand", "t", digest="d", answer="1", until=later(1))
    assert work.client_tokens.find("SendCommand", "t", later(1) - timedelta(milliseconds=1)) == ("d", "1")
    assert work.client_tokens.find("SendCommand", "t", later(1)) is None
    work.client_tokens.keep("SendCommand", "t", digest="e", answer="2", until=later(2))
    assert work.client_tokens.find("SendCommand", "t", later(1)) == ("e", "2")


def test_a_second_answer_under_one_client_token_is_refused(work: Work) -> None:
    work.client_tokens.keep("SendCommand", "t", digest="d", answer="1", until=later(1))
    with pytest.raises(MovedMeanwhile, match="SendCommand with ClientToken 't'"):
        work.client_tokens.keep("SendCommand", "t", digest="d", answer="2", until=later(1))
    assert work.client_tokens.find("SendCommand", "t", NOW) == ("d", "1")


def test_ended_client_tokens_are_forgotten_a_few_with_each_new_one(work: Work) -> None:
    for number in range(100):
        work.client_tokens.keep("SendCommand", str(number), digest="d", answer="1", until=later(1))
    work.client_tokens.keep("SendCommand", "t", digest="d", answer="1", until=later(3))
    counts = []
    for number in range(10):
        assert work.client_tokens.find("SendCommand", f"new {number}", later(2)) is None
        counts.append(work.client_tokens._scalar(_TOKENS))
    assert counts[0] > 80, "one request does not pay for all of them"
    assert counts[-1] == 1
    assert work.client_tokens.find("SendCommand", "t", later(2)) == ("d", "1")


def test_an_ended_client_token_is_free_however_many_ended_before_it(work: Work) -> None:
    for number in range(100):
        work.client_tokens.keep("SendCommand", str(number), digest="d", answer="1", until=later(1))
    work.client_tokens.keep("SendCommand", "t", digest="d", answer="1", until=later(2))
    assert work.client_tokens.find("SendCommand", "t", later(3)) is None
    work.client_tokens.keep("SendCommand", "t", digest="e", answer="2", until=later(4))
    assert work.client_tokens.find("SendCommand", "t", later(3)) == ("e", "2")


def test_an_answer_that_is_given_again_forgets_nothing(work: Work) -> None:
    work.client_tokens.keep("SendCommand", "ended", digest="d", answer="1", until=later(1))
    work.client_tokens.keep("SendCommand", "t", digest="d", answer="1", until=later(3))
    assert work.client_tokens.find("SendCommand", "t", later(2)) == ("d", "1")
    assert work.client_tokens._scalar(_TOKENS) == 2
