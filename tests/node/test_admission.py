"""What an operator grants, met by people's nodes: tickets, quotas, rates and the disk's high-water mark."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from skvoz.client.records import Inbox, MessageState
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.relay import Admission
from skvoz.server import Settings
from tests.node.people import Person, World, until, world


async def restart(here: World, settings: Settings) -> None:
    await here.stop_relay()
    here.settings = msgspec.structs.replace(settings, port=here.settings.port)
    await here.start_relay()


async def states(person: Person, chat_id: bytes) -> list[MessageState]:
    return [message.state for message in await person.messages(chat_id)]


def test_a_closed_relay_takes_who_has_a_ticket(tmp_path: Path) -> None:
    async def scenario() -> None:
        admission = Admission(ticket_hashes=frozenset({sha256(b"let me in")}))
        async with world(tmp_path, Settings(port=0, reserve_bytes=0, admission=admission)) as here:
            anna = await here.person("Anna", ticket=b"let me in")
            boris = await here.person("Boris", ticket=b"let me in")
            stranger = await here.person("Stranger", ticket=b"open sesame")
            await here.introduce(anna, boris)
            await stranger.wait_for_event("request.failed", b"relay_refused")
            assert not any(inbox.opened for inbox in await stranger.records(Inbox))
            count = here.relay._store._connection.execute("SELECT count(*) FROM log").fetchone()[0]
            assert count == len(await anna.records(Inbox)) + len(await boris.records(Inbox)) + 1

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize(
    "closed",
    [
        Settings(reserve_bytes=2**60),
        Settings(reserve_bytes=0, quotas=Quotas(log_entries_max=1)),
        Settings(reserve_bytes=0, quotas=Quotas(log_bytes_max=1000)),
    ],
    ids=["high-water mark", "entries of a log", "bytes of a log"],
)
def test_where_a_relay_is_full_messages_wait_and_come_later(tmp_path: Path, closed: Settings) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await anna.send(to_boris, "in time")
            await boris.wait_for(to_anna, ["hello", "in time"])
            open_settings = here.settings
            await restart(here, closed)
            for number in range(3):
                await anna.send(to_boris, f"late {number}")

            async def asked() -> bool:
                anna.pass_time(2_000)
                return any(one.state == "connected" for one in anna.node.relay_states())

            await until(asked)
            for _ in range(3):
                anna.pass_time(60_000)
                await anna.send(to_boris, "still full")
            assert (await states(anna, to_boris))[-6:] == [MessageState.QUEUED] * 6
            assert await boris.texts(to_anna) == ["hello", "in time"]
            await restart(here, open_settings)

            async def delivered() -> bool:
                anna.pass_time(2_000)
                return len(await boris.texts(to_anna)) == 8

            await until(delivered)
            late = [f"late {number}" for number in range(3)]
            assert await boris.texts(to_anna) == ["hello", "in time", *late, *["still full"] * 3]
            await anna.wait_for_state((await anna.messages(to_boris))[-1].message_id, MessageState.SENT)

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_slow_relay_gets_everything_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        quotas = Quotas(appends_per_s=20.0, append_burst=5)
        async with world(tmp_path, Settings(port=0, reserve_bytes=0, quotas=quotas)) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            texts = [str(number) for number in range(40)]
            for text in texts:
                await anna.send(to_boris, text)

            async def delivered() -> bool:
                anna.pass_time(500)
                return len(await boris.texts(to_anna)) == 41

            await until(delivered)
            assert await boris.texts(to_anna) == ["hello", *texts]

    asyncio.run(scenario())
