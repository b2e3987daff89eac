"""Text that a client may send and a database may not be able to hold."""

import pytest
from tests.store.samples import UNICODE, baseline, node, window

from patchwindow.domain.operating_system import OperatingSystem
from patchwindow.store.baselines import OWNER_SELF
from patchwindow.store.work import Work

ODD = "a\x00b\ud800c\udfff\U0001f642"
"""What JSON can spell: NUL, lone surrogates, and a pair that is none of these."""


def test_what_cannot_be_held_is_replaced_and_the_rest_is_kept(work: Work) -> None:
    assert work.settings.keep("a", ODD) == "a\ufffdb\ufffdc\ufffd\U0001f642"
    assert work.settings.keep("b", UNICODE) == UNICODE


def test_a_record_keeps_all_of_its_text(work: Work) -> None:
    work.windows.put(window(name=ODD, description=ODD), next_opening_at=None)
    assert work.windows.get("mw-1") == window(name=ODD, description=ODD)


@pytest.mark.parametrize("odd", [ODD, "\x00", "\ud800"])
def test_looking_for_such_text_finds_nothing_and_does_not_fail(work: Work, odd: str) -> None:
    work.nodes.put(node(), operating_system="DEBIAN", patch_group="web")
    work.baselines.put(baseline(), owner=OWNER_SELF)
    work.tags.add("ManagedInstance", "mi-1", {"Role": "web"})
    assert work.nodes.get(odd) is None
    assert work.nodes.many([odd]) == []
    assert work.nodes.page(after="", limit=9, columns={"iam_role": [odd]}, tags=[(odd, [odd])]) == []
    assert work.baselines.page(after="", limit=9, name_prefix=odd) == []
    assert work.patch_groups.page(after=("", ""), limit=9, name_prefix=odd, operating_systems=(odd,)) == []
    assert work.patch_groups.baseline_of(odd, OperatingSystem.DEBIAN) is None
    assert work.tags.of("ManagedInstance", odd) == {}
    assert work.access_keys.get(odd) is None
