"""What was asked for last is remembered."""

from functools import partial

from patchwindow.operations.recent import Recent


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    recent: Recent[str, str] = Recent(2)
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    assert [recent.recall(name, partial(make, name)) for name in "abacab"] == list("ABACAB")
    assert made == ["a", "b", "c", "b"]
