"""The core thread: what a bug, a refused command or a clock does to it."""

import asyncio
from pathlib import Path

import pytest

from skvoz.base.errors import NotFound, StoreError
from skvoz.client.commands import CreateLink
from skvoz.client.inputs import TimePassed
from skvoz.client.machine import Machine
from skvoz.client.records import Alarm
from skvoz.node.node import CLOCK_LOOK_S
from skvoz.store.queries import Queries
from tests.node.people import Person, client_id, until, world


def test_a_bug_ends_the_node_and_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise AssertionError("a bug")

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            monkeypatch.setattr(Machine, "handle", bug)
            asked = anna.node._core
            asked.tell(TimePassed())
            late = asyncio.wrap_future(asked.query(Queries.account))
            assert isinstance(await asyncio.wait_for(anna.node.broken, 10), AssertionError)
            with pytest.raises(StoreError, match="stopped"):
                await asyncio.wait_for(late, 10)
            with pytest.raises(StoreError, match="stopped"):
                await anna.do(CreateLink(client_id=client_id()))

    asyncio.run(scenario())


def test_a_bug_in_a_session_ends_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*_: object) -> None:
        raise AssertionError("a bug")

    async def scenario() -> None:
        async with world(tmp_path) as here:
            monkeypatch.setattr("skvoz.client.relay_session.RelaySession.received", bug)
            anna = await here.person("Anna")
            error = await asyncio.wait_for(anna.node.broken, 10)
            assert isinstance(error, ExceptionGroup | AssertionError)

    asyncio.run(scenario())


def test_a_refused_command_puts_no_alarm_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        person = Person(tmp_path / "home")
        await person.wake()
        soon = person.node._clock_ms() + 30_000
        await person.act(lambda step: step.set_alarm("test", b"soon", soon))
        with pytest.raises(NotFound):
            await person.send(b"x" * 32, "to nobody")
        await person.act(lambda step: step.set_alarm("test", b"late", soon + 1_000_000))
        assert person.node._wake_ms == soon
        await person.sleep()

    asyncio.run(scenario())


def test_an_alarm_is_due_by_the_clock_on_the_wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skvoz.node.node.CLOCK_LOOK_S", 0.01)
    assert CLOCK_LOOK_S >= 1

    async def scenario() -> None:
        person = Person(tmp_path / "home")
        await person.wake()
        due_ms = person.node._clock_ms() + 3_600_000
        await person.act(lambda step: step.set_alarm("test", b"", due_ms))
        person.clock_ahead_ms += 3_600_000  # the machine slept, and its timers stood still

        async def rung() -> bool:
            return not await person.records(Alarm)

        await until(rung)
        await person.sleep()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_node_that_is_closed_while_it_stores_ends_quietly(tmp_path: Path) -> None:
    async def scenario() -> None:
        failures: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris)
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            texts = [f"number {number}" for number in range(40)]
            sending = [asyncio.ensure_future(anna.send(to_boris, text)) for text in texts]
            await sending[0]
            await anna.sleep()
            await asyncio.gather(*sending)
            assert not failures
            await anna.wake()
            await boris.wait_for(to_anna, ["hello", *texts])

    asyncio.run(scenario())
