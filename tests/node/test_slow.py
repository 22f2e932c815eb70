"""People behind a network that lets 14 kbit/s through: slow is not frozen, and a text is there soon.

Bytes are counted on the way and not seconds, which depend on the machine.
"""

import asyncio
from pathlib import Path

import pytest

from tests.node.people import world
from tests.transports.counted_way import Way, counted_way

SLOW_BYTES_S = 14_000 / 8
PATIENCE_S = 10


def carried(way: Way) -> tuple[int, int]:
    return sum(flow.bytes_up for flow in way.flows), sum(flow.bytes_down for flow in way.flows)


@pytest.mark.slow
def test_over_14_kbit_a_text_of_1_kb_takes_less_than_10_seconds_of_bytes(tmp_path: Path) -> None:
    """Both ways, and first of all after a start, which takes handshakes of 2,673 and 1,648 bytes."""

    async def scenario() -> None:
        async with world(tmp_path) as here, counted_way(here.relay.port) as way:
            anna = await here.person("Anna")
            boris = await here.person("Boris", url=f"ws://127.0.0.1:{way.port}/")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            said = ["hello"]

            async def say(text: str, *, by_boris: bool) -> None:
                up, down = carried(way)
                said.append(text.ljust(1_000, "."))
                if by_boris:
                    await boris.send(to_anna, said[-1])
                    await anna.wait_for(to_boris, said)
                else:
                    await anna.send(to_boris, said[-1])
                    await boris.wait_for(to_anna, said)
                new_up, new_down = carried(way)
                assert max(new_up - up, new_down - down) < PATIENCE_S * SLOW_BYTES_S

            for number in range(2):
                await say(f"up {number}", by_boris=True)
                await say(f"down {number}", by_boris=False)
            await boris.sleep()
            up, down = carried(way)
            await boris.wake()
            await say("after a start", by_boris=True)
            new_up, new_down = carried(way)
            assert max(new_up - up, new_down - down) < PATIENCE_S * SLOW_BYTES_S

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_long_message_over_a_slow_way_is_not_taken_for_a_freeze(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than a freeze takes nothing is answered, but what goes out arrives bit by bit."""
    monkeypatch.setattr("skvoz.node.relays.FROZEN_AFTER_S", 1.5)

    async def scenario() -> None:
        async with world(tmp_path) as here, counted_way(here.relay.port, bytes_s=1e9) as way:
            anna = await here.person("Anna")
            boris = await here.person("Boris", url=f"ws://127.0.0.1:{way.port}/")
            await here.introduce(anna, boris)
            flows = len(way.flows)
            way.bytes_s = 4_000  # now it is slow
            text = "долго" * 800
            await boris.send(await anna.account_id(), text)
            await anna.wait_for(await boris.account_id(), ["hello", text])
            assert len(way.flows) == flows

    asyncio.run(scenario())
