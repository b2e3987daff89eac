"""Messages that wait for nodes."""

from datetime import timedelta

from tests.store.samples import NOW, later, message

from patchwindow.store.work import Work


def test_a_message_comes_back_as_it_was_added(work: Work) -> None:
    work.messages.add([message()])
    assert work.messages.get("m-1") == message()
    assert work.messages.get("m-2") is None


def test_a_message_that_is_there_already_stays_as_it_is(work: Work) -> None:
    work.messages.add([message()])
    work.messages.hide(["m-1"], later(5))
    work.messages.add([message(topic="cancel"), message("m-2")])
    work.messages.add([])
    assert work.messages.get("m-1") == message()
    assert work.messages.waiting("mi-1", NOW, 9) == [message("m-2")]


def test_the_oldest_messages_of_a_node_are_given_first_and_ties_by_id(work: Work) -> None:
    work.messages.add(
        [message("m-3"), message("m-2"), message("m-1", created_at=later(1)), message("m-4", node_id="mi-2")]
    )
    assert [one.message_id for one in work.messages.waiting("mi-1", later(1), 9)] == ["m-2", "m-3", "m-1"]
    assert [one.message_id for one in work.messages.waiting("mi-1", later(1), 1)] == ["m-2"]
    assert [one.message_id for one in work.messages.waiting("mi-1", NOW, 9)] == ["m-2", "m-3"]


def test_a_hidden_message_waits_again_when_its_time_has_come(work: Work) -> None:
    work.messages.add([message("m-1"), message("m-2")])
    work.messages.hide(["m-1", "m-2"], later(5))
    work.messages.hide([], later(9))
    assert work.messages.waiting("mi-1", later(5) - timedelta(milliseconds=1), 9) == []
    assert work.messages.waiting("mi-1", later(5), 9) == [message("m-1"), message("m-2")]


def test_the_next_message_of_a_node_is_the_earliest_that_becomes_visible(work: Work) -> None:
    assert work.messages.visible_at("mi-1") is None
    work.messages.add([message("m-1"), message("m-2", created_at=later(9)), message("m-3", node_id="mi-2")])
    work.messages.hide(["m-1"], later(5))
    assert work.messages.visible_at("mi-1") == later(5)


def test_what_was_given_and_may_not_be_given_again_yet_is_counted_by_topic(work: Work) -> None:
    work.messages.add([message("m-1"), message("m-2"), message("m-3", topic="cancel"), message("m-4", node_id="mi-2")])
    work.messages.hide(["m-1", "m-3", "m-4"], later(5))
    assert work.messages.hidden_count("mi-1", "send", NOW) == 1
    assert work.messages.hidden_count("mi-1", "cancel", later(5) - timedelta(milliseconds=1)) == 1
    assert work.messages.hidden_count("mi-1", "cancel", later(5)) == 0


def test_settling_a_command_leaves_other_commands_and_other_nodes(work: Work) -> None:
    others = [message("m-3", command_id="c-2"), message("m-4", node_id="mi-2")]
    work.messages.add([message("m-1"), message("m-2", topic="cancel"), *others])
    work.messages.settle_command("c-1", "mi-1")
    assert [work.messages.get(f"m-{number}") for number in (1, 2, 3, 4)] == [None, None, *others]


def test_a_settled_message_is_forgotten(work: Work) -> None:
    work.messages.add([message("m-1"), message("m-2")])
    work.messages.settle("m-1")
    work.messages.settle("m-1")
    assert work.messages.get("m-1") is None
    assert work.messages.waiting("mi-1", NOW, 9) == [message("m-2")]


def test_settling_all_of_a_node_leaves_what_waits_for_others(work: Work) -> None:
    work.messages.add([message("m-1"), message("m-2"), message("m-3", node_id="mi-2")])
    work.messages.settle_all("mi-1")
    assert work.messages.visible_at("mi-1") is None
    assert work.messages.get("m-3") == message("m-3", node_id="mi-2")
