"""Texts that only this server can make."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.errors import BadSignature
from patchwindow.protocol.seals import seal, unseal

KEY = b"0123456789abcdef0123456789abcdef"
claims = st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.integers(), max_size=4)


@given(st.binary(min_size=1, max_size=40), st.text(max_size=10), claims)
def test_what_was_sealed_comes_back(key: bytes, purpose: str, sealed: dict[str, str | int]) -> None:
    assert unseal(key, purpose, seal(key, purpose, sealed)) == sealed


@given(claims)
def test_a_seal_can_stand_in_a_url_as_it_is(sealed: dict[str, str | int]) -> None:
    assert set(seal(KEY, "report", sealed)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    )  # fmt: skip


@given(st.data())
def test_a_seal_changed_in_any_place_is_refused(data: st.DataObject) -> None:
    token = seal(KEY, "session", {"node": "mi-1", "until": 1795399999})
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[place]))
    with pytest.raises(BadSignature, match="session"):
        unseal(KEY, "session", token[:place] + other + token[place + 1 :])


def test_a_proof_that_is_no_text_is_refused() -> None:
    with pytest.raises(BadSignature, match="session"):
        unseal(KEY, "session", f"{seal(KEY, 'session', {'node': 'mi-1'})[:-1]}\ud800")


@given(st.text())
def test_what_is_no_seal_is_refused(token: str) -> None:
    with pytest.raises(BadSignature):
        unseal(KEY, "session", token)


def test_a_seal_is_good_for_one_key_and_one_purpose() -> None:
    token = seal(KEY, "session", {"node": "mi-1"})
    with pytest.raises(BadSignature, match="report"):
        unseal(KEY, "report", token)
    with pytest.raises(BadSignature):
        unseal(KEY[::-1], "session", token)


def test_other_claims_under_an_old_proof_are_refused() -> None:
    version, _, proof = seal(KEY, "session", {"node": "mi-1"}).split(".")
    forged = base64.urlsafe_b64encode(b'{"node":"mi-2"}').decode().rstrip("=")
    with pytest.raises(BadSignature):
        unseal(KEY, "session", f"{version}.{forged}.{proof}")
