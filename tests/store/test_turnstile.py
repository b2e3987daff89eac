"""Who waits longest is next, and nobody gets lost."""

import threading
import time

from patchwindow.store.turnstile import Turnstile

PATIENCE_S = 20.0


def wait_until_waiting(turnstile: Turnstile, count: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(turnstile._waiting) < count:
        assert time.monotonic() < until
        time.sleep(0.001)


def test_so_many_may_be_inside_at_once() -> None:
    turnstile = Turnstile(2)
    assert [turnstile.enter(0.001) for _ in range(3)] == [True, True, False]
    turnstile.leave()
    assert turnstile.enter(0.001)


def test_who_waits_longest_is_next_also_before_one_who_comes_when_a_place_is_free() -> None:
    turnstile = Turnstile(1)
    assert turnstile.enter(PATIENCE_S)
    order = []

    def pass_through(number: int) -> None:
        assert turnstile.enter(PATIENCE_S)
        order.append(number)
        turnstile.leave()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=pass_through, args=(number,)))
        threads[-1].start()
        wait_until_waiting(turnstile, number + 1)
    turnstile.leave()
    pass_through(5)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert order == [0, 1, 2, 3, 4, 5]


def test_one_who_gives_up_takes_no_place() -> None:
    turnstile = Turnstile(1)
    assert turnstile.enter(PATIENCE_S)
    assert not turnstile.enter(0.001)
    turnstile.leave()
    assert turnstile.enter(0.001)


def test_one_who_writes_without_a_pause_leaves_every_other_turn_to_another() -> None:
    turnstile = Turnstile(1)
    is_over = threading.Event()
    turns = []

    def hog() -> None:
        while not is_over.is_set():
            assert turnstile.enter(PATIENCE_S)
            turns.append("hog")
            time.sleep(0.001)
            turnstile.leave()

    thread = threading.Thread(target=hog)
    thread.start()
    for _ in range(20):
        assert turnstile.enter(PATIENCE_S)
        turns.append("engine")
        turnstile.leave()
    is_over.set()
    thread.join(PATIENCE_S)
    # Between two of the other's turns the hog has one, or a second that it had begun before the other came.
    waits = " ".join(turns).split("engine")
    assert max(wait.count("hog") for wait in waits[1:-1]) <= 2
