"""Rows that are measured side by side end together."""

import asyncio

import pytest

from lab.measuring import seen_from_outside, side_by_side


async def fails() -> int:
    await asyncio.sleep(0)
    raise RuntimeError("a node ended")


def test_where_one_row_fails_the_others_do_not_go_on_under_the_next_tactic() -> None:
    async def scenario() -> None:
        goes_on = asyncio.Event()
        ended: list[str] = []

        async def waits() -> int:
            try:
                await goes_on.wait()
            finally:
                ended.append("other")
            return 1

        with pytest.raises(RuntimeError):
            await side_by_side([waits(), fails()])
        assert ended == ["other"]

    asyncio.run(scenario())


def test_all_are_waited_for_in_their_order() -> None:
    async def number(which: int) -> int:
        await asyncio.sleep(0)
        return which

    assert asyncio.run(side_by_side(map(number, range(3)))) == [0, 1, 2]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("wss://relay.example/a1b2/", "wss:relay.example"),
        ("https://relay.example:8443/a1b2/", "https:relay.example"),
        ("drop:hGHxNWCCOT0QO8DNSJhUaQqhR2ZOjIV3Va9ISwHwuWM", "drop"),
        ("wss://relay.example/a1b2/ (wss://near.example/c3/)", "hop:near.example"),
        ("wss://relay.example/a1b2/ (socks5://127.0.0.1:1080)", "socks:relay.example"),
    ],
)
def test_of_an_address_the_table_tells_the_transport_and_the_host(address: str, shown: str) -> None:
    assert seen_from_outside(address) == shown
