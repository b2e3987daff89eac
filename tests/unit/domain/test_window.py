"""Targets of windows that name nodes by id."""

from hypothesis import given
from hypothesis import strategies as st

from patchwindow.domain.window import INSTANCE_IDS, Target, names, renamed

ids = st.sampled_from([f"mi-{number}" for number in range(4)])
targets = st.lists(
    st.builds(
        lambda key, values: Target(key=key, values=tuple(values)),
        st.sampled_from([INSTANCE_IDS, "tag:node", "tag-key"]),
        st.lists(ids, max_size=4, unique=True),
    ),
    max_size=3,
)


def test_only_what_names_nodes_by_id_names_a_node() -> None:
    tagged = Target(key="tag:node", values=("mi-1",))
    assert not names((tagged,), "mi-1")
    assert renamed((tagged,), "mi-1", "mi-2") == (tagged,)
    by_id = Target(key=INSTANCE_IDS, values=("mi-0", "mi-1"))
    assert names((tagged, by_id), "mi-1")
    assert renamed((by_id,), "mi-1", "mi-2") == (Target(key=INSTANCE_IDS, values=("mi-0", "mi-2")),)


@given(targets, ids, ids)
def test_the_former_is_named_nowhere_any_more_and_the_new_one_wherever_it_was(
    before: list[Target], former: str, new: str
) -> None:
    after = renamed(before, former, new)
    assert names(after, former) is (former == new and names(before, former))
    assert names(after, new) is (names(before, former) or names(before, new))
    assert [one.key for one in after] == [one.key for one in before]
    for one in after:
        assert len(set(one.values)) == len(one.values)
