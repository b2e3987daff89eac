"""Messages that wait for nodes."""

from datetime import timedelta

from tests.store.samples import NOW, command, invocation, later, message

from patchwindow.protocol.messages import CANCEL_COMMAND_TOPIC, SEND_COMMAND_TOPIC
from patchwindow.store.work import Work


def test_a_message_comes_back_as_it_was_added(work: Work) -> None:
    work.messages.add([message()])
    assert work.messages.get("m-1") == message()
    assert work.messages.get("m-2") is None


def test_a_message_that_is_there_already_stays_as_it_is(work: Work) -> None:
    work.messages.add([message()])
    work.messages.hide("m-1", later(5))
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
    work.messages.hide("m-1", later(5))
    work.messages.hide("m-2", later(5))
    assert work.messages.waiting("mi-1", later(5) - timedelta(milliseconds=1), 9) == []
    assert work.messages.waiting("mi-1", later(5), 9) == [message("m-1"), message("m-2")]


def test_the_next_message_of_a_node_is_the_earliest_that_becomes_visible(work: Work) -> None:
    assert work.messages.visible_at("mi-1") is None
    work.messages.add([message("m-1"), message("m-2", created_at=later(9)), message("m-3", node_id="mi-2")])
    work.messages.hide("m-1", later(5))
    assert work.messages.visible_at("mi-1") == later(5)


def test_the_next_hidden_message_of_a_node_is_the_earliest_that_is_not_visible_now(work: Work) -> None:
    work.messages.add([message("m-1"), message("m-2"), message("m-3"), message("m-4", node_id="mi-2")])
    assert work.messages.visible_after("mi-1", NOW) is None
    for id, seconds in (("m-2", 9), ("m-3", 5), ("m-4", 1)):
        work.messages.hide(id, later(seconds))
    assert work.messages.visible_after("mi-1", NOW) == later(5)
    assert work.messages.visible_after("mi-1", later(5)) == later(9)


def test_a_node_has_outstanding_what_it_has_taken_and_what_it_was_given(work: Work) -> None:
    for id in ("c-1", "c-2", "c-3", "c-4", "c-5"):
        node_id = "mi-2" if id == "c-5" else "mi-1"
        taken_at, ended_at = (None if id in ("c-3", "c-4") else NOW), (NOW if id == "c-2" else None)
        part = invocation(node_id, command_id=id, dispatched_at=taken_at, acknowledged_at=taken_at, ended_at=ended_at)
        work.commands.add(command(id, document_name=f"document of {id}"), [part], wake_at=NOW)
    work.messages.add([message(f"m-{n}", command_id=f"c-{n}", topic=SEND_COMMAND_TOPIC) for n in (1, 3)])
    work.messages.add([message("m-4", command_id="c-4", topic=CANCEL_COMMAND_TOPIC)])
    for id in ("m-1", "m-3", "m-4"):
        work.messages.hide(id, later(5))
    given = {"c-1": "document of c-1", "c-3": "document of c-3"}
    assert work.messages.outstanding("mi-1", NOW) == given
    assert work.messages.outstanding("mi-1", later(5)) == {"c-1": "document of c-1"}
    assert work.messages.outstanding("mi-3", NOW) == {}


def test_what_is_being_cancelled_is_outstanding_though_the_node_never_said_that_it_took_it(work: Work) -> None:
    for id, cancelled_at, ended_at in (("c-1", NOW, None), ("c-2", NOW, NOW), ("c-3", None, None)):
        part = invocation(
            "mi-1", command_id=id, dispatched_at=NOW, acknowledged_at=None, cancelled_at=cancelled_at, ended_at=ended_at
        )
        work.commands.add(command(id, document_name=f"document of {id}"), [part], wake_at=NOW)
    assert work.messages.outstanding("mi-1", NOW) == {"c-1": "document of c-1"}


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
