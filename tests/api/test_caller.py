import asyncio
import itertools
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from skvoz.api.caller import Caller, NoNode, reach, socket_file
from skvoz.api.params import MessagePageParams, NoParams
from skvoz.api.protocol import CallFailed
from skvoz.api.views import AccountView, ChatListView, MessagePageView, StatusView
from skvoz.base.errors import HomeBusy, StoreError, TransportError
from skvoz.client.commands import Answer, SendMessage
from skvoz.client.machine import Machine
from skvoz.store import Home
from tests.node.people import client_id, world


def no_passphrase() -> str:
    raise AssertionError("nobody should be asked")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SKVOZ_KEYRING", "off")
    return tmp_path / "home"


def test_where_no_node_runs_that_is_said(tmp_path: Path) -> None:
    caller = Caller(socket_file(tmp_path))
    assert not caller.is_answered()
    with pytest.raises(NoNode, match="no node is running on this home"):
        caller.call("node.status", NoParams(), StatusView)
    with pytest.raises(NoNode):
        next(caller.events(after=0))


def test_a_socket_whose_path_is_too_long_is_said_in_words(tmp_path: Path) -> None:
    caller = Caller(socket_file(tmp_path / ("long" * 40)))
    with pytest.raises(StoreError, match="path is too long"):
        caller.is_answered()


def test_a_home_without_a_node_gets_one_in_this_process_until_the_block_ends(home: Path) -> None:
    with reach(home, no_passphrase) as caller:
        status = caller.call("node.status", NoParams(), StatusView)
        assert not status.has_account
        with pytest.raises(CallFailed, match="no account yet") as failed:
            caller.call("account.get", NoParams(), AccountView)
        assert failed.value.error.data.kind == "not_found"
        with reach(home, no_passphrase) as second:
            assert second.call("node.status", NoParams(), StatusView) == status
        assert caller.is_answered()
    assert not caller.is_answered()
    with Home(home):
        pass  # the lock is free again


def test_a_home_that_somebody_holds_without_serving_it_is_waited_for_and_then_busy(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skvoz.api.caller.NODE_START_S", 0.1)
    with Home(home), pytest.raises(HomeBusy), reach(home, no_passphrase):
        pass


def test_calls_and_events_arrive_in_a_program_that_is_not_asynchronous(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await here.introduce(anna, boris, "привет")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await anna.sleep()
            await asyncio.to_thread(talk, anna.folder, to_boris)
            await boris.wait_for(to_anna, ["привет", "от программы"])

    def talk(folder: Path, chat_id: bytes) -> None:
        with reach(folder, no_passphrase) as caller:
            chats = caller.call("chat.list", NoParams(), ChatListView).chats
            assert [chat.chat_id for chat in chats if chat.kind == "direct"] == [chat_id]
            after = caller.call("node.status", NoParams(), StatusView).last_event
            sent = caller.call(
                "message.send",
                SendMessage(client_id=client_id(), chat_id=chat_id, text="от программы"),
                Answer,
            )
            events = caller.events(after)
            seen = next(event for event in itertools.islice(events, 20) if event.kind == "message.changed")
            events.close()
            assert seen.sequence > after
            page = caller.call("message.list", MessagePageParams(chat_id=chat_id), MessagePageView)
            assert (page.messages[0].message_id, page.messages[0].text) == (sent.message_id, "от программы")

    asyncio.run(scenario())


def test_waiting_for_events_ends_when_asked_to_and_when_the_node_ends(home: Path) -> None:
    outcome: list[BaseException] = []

    def listen(caller: Caller, begun: threading.Event) -> None:
        events = caller.events(after=0)
        begun.set()
        try:
            next(events)
        except TransportError as error:
            outcome.append(error)

    with reach(home, no_passphrase) as caller:
        assert list(caller.events(after=0, seconds=0.05)) == []
        begun = threading.Event()
        thread = threading.Thread(target=listen, args=(caller, begun))
        thread.start()
        begun.wait()
    thread.join(10)
    assert not thread.is_alive()
    assert len(outcome) == 1


def test_a_caller_imports_nothing_heavy() -> None:
    program = (
        "import sys; import skvoz.api.caller, skvoz.api.params, skvoz.client.commands;"
        "heavy = {'asyncio', 'cryptography', 'sqlcipher3', 'starlette', 'uvicorn', 'websockets', 'keyring'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_bug_that_ends_the_node_in_this_process_is_raised_and_lets_the_home_go(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise AssertionError("a bug")

    def use_it() -> None:
        with reach(home, no_passphrase) as caller:
            for _ in caller.events(after=0, seconds=20):
                pass

    monkeypatch.setattr(Machine, "handle", bug)
    with pytest.raises(AssertionError, match="a bug"):
        use_it()
    with Home(home):
        pass
