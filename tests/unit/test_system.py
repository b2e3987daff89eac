"""The real clock, the real chance, the bell, open files, and the collector of garbage."""

import asyncio
import string
import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from patchwindow.protocol.records import from_ms, to_ms
from patchwindow.system import LoopBell, SystemClock, SystemIds


def test_the_clock_tells_the_present_in_utc_as_it_is_stored() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC
    assert from_ms(to_ms(now)) == now


def test_a_uuid_is_random_and_in_its_usual_form() -> None:
    one, other = SystemIds().uuid(), SystemIds().uuid()
    assert one != other
    assert uuid.UUID(one).version == 4
    assert str(uuid.UUID(one)) == one


@pytest.mark.parametrize("digits", [1, 2, 17, 64])
def test_hex_has_as_many_digits_as_asked_for(digits: int) -> None:
    text = SystemIds().hex(digits)
    assert len(text) == digits
    assert set(text) <= set("0123456789abcdef")


def test_secrets_are_letters_and_digits_and_never_the_same() -> None:
    secrets = {SystemIds().secret(40) for _ in range(100)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {40}
    assert set("".join(secrets)) == set(string.ascii_letters + string.digits)


def test_a_ring_wakes_everybody_who_waits_for_the_name_and_nobody_else() -> None:
    async def run() -> None:
        bell = LoopBell()
        first, second, other = bell.listen("mi-1"), bell.listen("mi-1"), bell.listen("mi-2")
        bell.ring("mi-1")
        await asyncio.wait_for(asyncio.gather(first, second), timeout=10)
        assert not other.done()
        other.cancel()

    asyncio.run(run())


def test_a_ring_from_another_thread_wakes_too() -> None:
    async def run() -> None:
        bell = LoopBell()
        heard = bell.listen("engine")
        thread = threading.Thread(target=bell.ring, args=["engine"])
        thread.start()
        await asyncio.wait_for(heard, timeout=10)
        thread.join()

    asyncio.run(run())


def test_a_ring_between_listening_and_waiting_is_not_lost() -> None:
    async def run() -> None:
        bell = LoopBell()
        heard = bell.listen("engine")
        bell.ring("engine")
        await asyncio.sleep(0)
        bell.ring("engine")
        await asyncio.wait_for(heard, timeout=10)

    asyncio.run(run())


def test_a_ring_wakes_those_who_listen_now_and_not_those_who_listen_later() -> None:
    async def run() -> None:
        bell = LoopBell()
        bell.ring("engine")
        heard = bell.listen("engine")
        done, waiting = await asyncio.wait([heard], timeout=0.01)
        assert (done, waiting) == (set(), {heard})
        heard.cancel()

    asyncio.run(run())


def test_who_stops_waiting_is_forgotten() -> None:
    async def run() -> None:
        bell = LoopBell()
        given_up, heard = bell.listen("mi-1"), bell.listen("mi-1")
        given_up.cancel()
        bell.ring("mi-1")
        await asyncio.wait_for(heard, timeout=10)
        await asyncio.sleep(0)
        assert bell._waiting == {}

    asyncio.run(run())


def test_a_ring_after_the_loop_has_closed_disturbs_nobody() -> None:
    bell = LoopBell()

    async def listen() -> None:
        bell.listen("engine")

    asyncio.run(listen())
    bell.ring("engine")
    bell.ring("mi-1")


def test_the_collector_passes_over_what_is_there_and_comes_less_often() -> None:
    code = (
        "import gc; from patchwindow.system import collect_less; before = gc.get_threshold()[0]; "
        "collect_less(); print(gc.isenabled(), gc.get_freeze_count() > 1000, gc.get_threshold()[0] > 10 * before)"
    )
    # In a process of its own: what it does is for good.
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["True"] * 3


def test_a_process_may_have_as_many_files_open_as_the_system_allows_it() -> None:
    code = (
        "import resource; from patchwindow.system import allow_connections; limit = resource.RLIMIT_NOFILE; "
        "most = resource.getrlimit(limit)[1]; resource.setrlimit(limit, (64, most)); allow_connections(); "
        "print(*resource.getrlimit(limit), most)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    now, most_now, most = map(int, told.stdout.split())
    assert most_now == most
    assert now == (min(most, 65_536) if most > 0 else 65_536)
