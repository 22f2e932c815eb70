"""Turns for handshakes, on a clock of the test's own: how far apart, and who goes first."""

import asyncio
import itertools
import math

import pytest

from skvoz.transports.pace import APART_S, YIELDS_MAX, Pace
from tests.transports.virtual_time import run

HOST = "a.example:"
MOST_S = APART_S + 0.25


async def begins(pace: Pace, *took_s: float) -> list[float]:
    """Let handshakes take so long, each asked for at once, and return when each began."""
    loop, found = asyncio.get_running_loop(), list[float]()
    for seconds in took_s:
        async with pace.turn(HOST):
            found.append(loop.time())
            await asyncio.sleep(seconds)
    return found


def test_handshakes_begin_half_a_second_apart_however_quick_they_are() -> None:
    async def scenario() -> None:
        times = await begins(Pace(), *[0.2] * 20)
        first, *rest = (later - earlier for earlier, later in itertools.pairwise(times))
        assert APART_S + 0.2 <= first <= MOST_S + 0.2
        assert all(APART_S <= apart <= MOST_S for apart in rest)

    run(scenario())


def test_what_a_handshake_took_longer_than_usual_the_next_one_waits_longer() -> None:
    """Its hello may have gone out only then: a lost first packet is sent again after a second."""

    async def scenario() -> None:
        times = await begins(Pace(), 0.2, 1.2, 0.2)
        assert APART_S + 1.0 <= times[2] - times[1] <= MOST_S + 1.0

    run(scenario())


def test_a_handshake_that_fails_makes_none_usual() -> None:
    async def scenario() -> None:
        pace = Pace()
        with pytest.raises(OSError, match="refused"):
            async with pace.turn(HOST):
                raise OSError("refused")
        assert pace.quickest_s(HOST) == math.inf
        times = await begins(pace, 0.2, 0.2)
        assert times[1] - times[0] >= APART_S + 0.2

    run(scenario())


async def order_of(pace: Pace, *names: str) -> list[str]:
    """Ask for turns in this order while one is taken; those in small letters can wait."""
    came: list[str] = []

    async def come(name: str) -> None:
        async with pace.turn(HOST, name.islower):
            came.append(name)

    async with pace.turn(HOST):
        tasks = [asyncio.create_task(come(name)) for name in names]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return came


def test_who_can_wait_lets_others_go_first_and_is_not_forgotten() -> None:
    async def scenario() -> None:
        assert await order_of(Pace(), "a", "B", "c", "D") == ["B", "D", "a", "c"]
        many = "BCDEFG"
        came = await order_of(Pace(), "a", *many)
        assert came.index("a") == YIELDS_MAX

    run(scenario())


def test_who_gives_up_while_waiting_keeps_nobody_from_a_turn() -> None:
    async def scenario() -> None:
        pace = Pace()

        async def come() -> None:
            async with pace.turn(HOST):
                pass

        for moments in range(4):  # also in the moment when the turn is given
            task = asyncio.create_task(come())
            for _ in range(moments):
                await asyncio.sleep(0)
            task.cancel()
            async with asyncio.timeout(10):
                await begins(pace, 0.1)

    run(scenario())
