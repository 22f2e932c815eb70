"""People behind a network that freezes each connection after 25 packets, and a relay behind a real front."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from skvoz.node.dialer import Dialer
from tests.node.people import until, world
from tests.transports.caddy import AUTHORITY, front, needs_caddy, trusted
from tests.transports.counted_way import counted_way

pytestmark = [needs_caddy, pytest.mark.peer, pytest.mark.slow]


def test_two_people_talk_through_a_network_that_freezes_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boris knows a WebSocket's address; it comes up, and freezes. What it implies gets through."""
    monkeypatch.setattr("skvoz.node.relays.FROZEN_AFTER_S", 3.0)
    # Anna is at the relay itself: what she tells of it would lead Boris around the network.
    monkeypatch.setattr("skvoz.client.whereabouts.HINTED_MAX", 0)
    monkeypatch.setattr("skvoz.node.node.Dialer", partial(Dialer, trusted()))
    authority = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(authority)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    async def scenario() -> None:
        async with (
            world(tmp_path) as here,
            front(tmp_path / "front", here.relay.port) as port,
            counted_way(port, freeze_after=25) as way,
        ):
            anna = await here.person("Anna")
            boris = await here.person("Boris", url=f"wss://localhost:{way.port}/")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            texts = ["hello"]
            for number in range(2):
                texts += [f"out {number}", f"back {number}"]
                await boris.send(to_anna, texts[-2])
                await anna.wait_for(to_boris, texts[:-1])
                await anna.send(to_boris, texts[-1])
                await boris.wait_for(to_anna, texts)

            async def goes_by_requests() -> bool:
                return any(
                    one.state == "connected" and one.address.startswith("https:")
                    for one in boris.node.relay_states()
                )

            await until(goes_by_requests)
            assert await anna.counted("entries_dropped") == 0
            assert await boris.counted("entries_dropped") == 0
            assert way.frozen
            assert len(way.flows) > 10

    asyncio.run(scenario())
