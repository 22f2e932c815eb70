import asyncio
import time
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from skvoz.base.errors import StoreError
from skvoz.client.records import Counter, LoggedEvent
from skvoz.store.queries import Queries
from tests.api.programs import Words, alone, post, program, served
from tests.node.people import Person, world


def sequences(events: list[Words]) -> list[int]:
    return [event["sequence"] for event in events]


async def add_events(person: Person, count: int) -> None:
    """Put events into the durable log, as if much had happened."""

    def add(queries: Queries) -> None:
        records = queries._records
        last = queries.last_event()
        body = msgspec.msgpack.encode({"account_id": bytes(32), "key_changed": False})
        now_ms = time.time_ns() // 1_000_000
        made = [
            LoggedEvent(sequence=last + number, kind="contact.changed", body=body, created_ms=now_ms)
            for number in range(1, count + 1)
        ]
        counter = Counter(name="event", value=last + count)
        with records.database.transaction():
            records.apply([(type(record), record.key_values(), record) for record in (*made, counter)])

    await person.node.query(add)


def test_events_are_replayed_by_number_without_gaps_or_repeats_across_restarts(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(boris, anna)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            seen: list[Words] = []
            texts = ["hello"]
            for number in range(3):
                async with served(anna) as one:
                    after = seen[-1]["sequence"] if seen else 0
                    assert (await one.result("event.subscribe", after=after))["after"] == after
                    texts.append(f"{number}")
                    await boris.send(to_anna, texts[-1])
                    await anna.wait_for(to_boris, texts)
                    seen = seen + await one.events_through(anna.node.last_event)
                await anna.sleep()
                texts.append(f"{number} while Anna is away")
                await boris.send(to_anna, texts[-1])
                await anna.wake()
            assert sequences(seen) == list(range(1, len(seen) + 1))
            received = [event["data"]["message_id"] for event in seen if event["kind"] == "message.received"]
            assert len(received) == len(set(received)) >= 5

    asyncio.run(scenario())


def test_all_subscribers_are_told_the_same_and_a_second_subscription_replaces_the_first(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        async with served(anna) as one, program(anna.folder) as two, program(anna.folder) as late:
            for each in (one, two):
                await each.result("event.subscribe", after=0)
            await one.result("event.subscribe", after=0)
            await anna.send(notes, "first")
            last = anna.node.last_event
            first = await one.events_through(last)
            assert sequences(first)[-last:] == list(range(1, last + 1))
            assert await two.events_through(last) == first[-last:]
            assert (await late.result("event.list", after=0))["events"] == first[-last:]
            subscribed = await late.result("event.subscribe")
            assert subscribed == {"after": last, "last_event": last}
            one.events.clear()
            await anna.send(notes, "second")
            assert await late.events_through(last + 1) == await one.events_through(last + 1)
            assert sequences(late.events) == list(range(last + 1, anna.node.last_event + 1))
        await anna.sleep()

    asyncio.run(scenario())


def test_who_was_away_too_long_is_told_that_events_are_gone(tmp_path: Path) -> None:
    async def forget(person: Person, through: int) -> None:
        def delete(queries: Queries) -> None:
            records = queries._records
            with records.database.transaction():
                records.apply([(LoggedEvent, (number,), None) for number in range(1, through + 1)])

        await person.node.query(delete)

    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        await add_events(anna, 5)
        await anna.send(notes, "one that the node knows of")
        async with served(anna) as one:
            last = await anna.node.query(Queries.last_event)
            await forget(anna, last - 2)
            for method in ("event.list", "event.subscribe"):
                refusal = await one.refusal(method, after=last - 3)
                assert refusal["data"]["kind"] == "not_found"
                assert "not kept any more" in refusal["message"]
            for after in (0, last - 2):
                assert sequences((await one.result("event.list", after=after))["events"]) == [last - 1, last]
            await forget(anna, last)
            assert await anna.node.query(Queries.last_event) == last
            assert (await one.result("event.list", after=last)) == {"events": [], "last_sequence": last}
            assert (await one.refusal("event.list", after=last - 1))["data"]["kind"] == "not_found"
        await anna.sleep()

    asyncio.run(scenario())


def test_a_number_that_no_event_has_had_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as one:
            last = anna.node.last_event
            assert "no such event" in (await one.refusal("event.subscribe", after=last + 1))["message"]
            assert (await one.refusal("event.subscribe", after=-1))["code"] == -32602
            call = b'{"jsonrpc":"2.0","id":1,"method":"event.subscribe"}'
            _, body = await post(anna.folder, call, f"content-length: {len(call)}")
            assert "WebSocket" in msgspec.json.decode(body)["error"]["message"]
            assert (await one.result("event.list", after=last)) == {"events": [], "last_sequence": last}
            page = await one.result("event.list", after=0, limit=1)
            assert (len(page["events"]), page["last_sequence"]) == (1, 1)
        await anna.sleep()

    asyncio.run(scenario())


def test_a_subscriber_who_does_not_read_holds_nobody_up_and_misses_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        await add_events(anna, 5_000)
        async with served(anna) as slow, program(anna.folder) as quick:
            await anna.send(notes, "wake up")
            await slow.result("event.subscribe", after=0)
            await quick.result("event.subscribe", after=0)
            await quick.events_through(anna.node.last_event)
            await anna.send(notes, "and on")
            last = anna.node.last_event
            await quick.events_through(last)
            assert sequences(await slow.events_through(last)) == list(range(1, last + 1))
            assert slow.events == quick.events
        await anna.sleep()

    asyncio.run(scenario())


def test_a_subscription_whose_store_fails_ends_in_a_way_that_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> list[LoggedEvent]:
        raise StoreError("the database failed")

    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as one:
            monkeypatch.setattr(Queries, "events", broken)
            await one.result("event.subscribe", after=0)
            with pytest.raises(ConnectionClosed) as closed:
                await one.events_through(1)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011
        await anna.sleep()

    asyncio.run(scenario())
