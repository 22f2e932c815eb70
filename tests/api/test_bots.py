"""What a bot's token opens: nothing that is not named, nothing of other chats, nothing once revoked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from skvoz.api.caller import socket_file
from skvoz.api.descriptions import EVENTS, SCOPE, asyncapi, openrpc
from skvoz.api.home_socket import serving
from skvoz.api.methods import COMMANDS, METHODS, QUESTIONS
from skvoz.api.page import serving_page
from skvoz.api.scopes import BOT_EVENTS, BOT_METHODS, Reading, Writing, scope_of
from skvoz.api.service import Service
from skvoz.client.commands import AskPoll, CreateGroup, SendMessage
from skvoz.client.records import LoggedEvent
from skvoz.node.node import system_clock_ms
from skvoz.node.transfers import Progress
from skvoz.store.queries import Queries
from tests.api.programs import Program, Words, alone, in_json, new_bot, program
from tests.node.people import Person, client_id


@dataclass
class House:
    """Somebody with two groups of their own: one for bots, and one that is nobody's business."""

    anna: Person
    open_chat: bytes
    shut_chat: bytes
    open_message: bytes
    shut_message: bytes
    open_poll: bytes
    shut_poll: bytes

    def about(self, *, shut: bool) -> dict[str, Words]:
        """Return parameters for each method that is about a chat or a message, in one chat or the other."""
        chat_id = self.shut_chat if shut else self.open_chat
        message_id = self.shut_message if shut else self.open_message
        poll = self.shut_poll if shut else self.open_poll
        chat, message = {"chat_id": chat_id}, {"message_id": message_id}
        return {
            "chat.get": chat,
            "chat.members": chat,
            "chat.gaps": chat,
            "chat.pins": chat,
            "message.get": message,
            "message.receipts": message,
            "chat.read": {**chat, **message},
            "message.send": {**chat, "text": "written by a bot"},
            "poll.votes": message,
            "poll.create": {**chat, "question": "When?", "options": ("now", "later")},
            "poll.vote": {"message_id": poll, "choices": (0,)},
            "poll.close": {"message_id": poll},
            "location.send": {**chat, "latitude_e7": 1, "longitude_e7": 2},
            "message.edit": {**message, "text": "changed by a bot"},
            "message.react": {**message, "emoji": "👍"},
            "message.pin": message,
            "message.delete": message,
        }


WITHOUT_PLACE = {
    "bot.self": {},
    "chat.list": {},
    "event.list": {"after": 0},
    "event.subscribe": {"after": 0},
    "message.search": {"text": "words"},
}


"""Methods in reach that are about no chat in particular, with parameters."""


async def ask_in(anna: Person, chat_id: bytes) -> bytes:
    wish = AskPoll(client_id=client_id(), chat_id=chat_id, question="When?", options=("at six", "at seven"))
    made = await anna.do(wish)
    assert made.message_id is not None
    return made.message_id


@asynccontextmanager
async def house(folder: Path) -> AsyncGenerator[House]:
    anna, open_chat = await alone(folder / "anna")
    made = await anna.do(CreateGroup(client_id=client_id(), title="Nobody's business", members=()))
    assert made.chat_id is not None
    shut_chat = made.chat_id
    polls = [await ask_in(anna, chat) for chat in (open_chat, shut_chat)]
    sent = [await anna.send(chat, f"words in {chat.hex()}") for chat in (open_chat, shut_chat)]
    async with serving(Service(anna.node), socket_file(anna.folder)):
        yield House(anna, open_chat, shut_chat, *sent, *polls)
    await anna.sleep()


def in_the_house(folder: Path, visit: Callable[[House], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with house(folder) as one:
            await visit(one)

    asyncio.run(scenario())


async def ask(bot: Program, name: str, params: Words) -> Words:
    """Return the whole answer of a call, with a client id where one is wanted."""
    return await bot.ask(name, **(params | ({"client_id": client_id()} if name in COMMANDS else {})))


def kind_of(answer: Words) -> str | None:
    return answer["error"]["data"]["kind"] if "error" in answer else None


def test_the_table_of_scopes_names_methods_and_fields_that_exist() -> None:
    assert set(BOT_METHODS) <= set(METHODS)
    for name, scope in BOT_METHODS.items():
        if isinstance(scope, Writing):
            fields = {field.name for field in msgspec.structs.fields(COMMANDS[name])}
            assert scope.fields <= fields - {"client_id"}
        else:
            assert isinstance(scope, Reading)
            assert name in QUESTIONS or name == "event.subscribe"
    assert {event.kind for event in EVENTS} >= BOT_EVENTS
    rooms = {"account", "link", "contact", "group", "node", "device", "recovery", "file"}
    assert not [name for name in BOT_METHODS if name.partition(".")[0] in rooms]
    assert all(scope_of(name) == "owner" for name in ("bot.create", "bot.revoke", "bot.list", "unheard.of"))


def test_every_case_of_these_tests_is_about_a_method_in_reach_and_every_one_has_a_case() -> None:
    nothing = House(None, b"", b"", b"", b"", b"", b"")  # type: ignore[arg-type]  # nobody is asked
    assert {*nothing.about(shut=True), *WITHOUT_PLACE, "message.list"} == set(BOT_METHODS)


def test_no_method_is_reached_that_is_not_in_the_scope_of_a_token(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        everything = await new_bot(at.anna, "all")
        async with program(at.anna.folder, everything) as bot:
            for name in METHODS.keys() - BOT_METHODS.keys():
                answer = await ask(bot, name, {})
                assert kind_of(answer) == "not_allowed", name
            assert kind_of(await ask(bot, "no.such", {})) == "unknown_method"
        reader = await new_bot(at.anna, "reader", can_write=False)
        params = at.about(shut=False) | WITHOUT_PLACE | {"message.list": {"chat_id": at.open_chat}}
        before = await at.anna.messages(at.open_chat)
        async with program(at.anna.folder, reader) as bot:
            for name, scope in BOT_METHODS.items():
                wanted = "not_allowed" if isinstance(scope, Writing) else None
                assert kind_of(await ask(bot, name, params[name])) == wanted, name
        assert await at.anna.messages(at.open_chat) == before
        async with program(at.anna.folder, everything) as bot:
            for name in BOT_METHODS:
                assert kind_of(await ask(bot, name, params[name])) is None, name

    in_the_house(tmp_path, visit)


def test_other_chats_look_as_if_they_were_not_there(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "one chat", at.open_chat)
        before = await at.anna.messages(at.shut_chat)
        async with program(at.anna.folder, token) as bot:
            for name, params in at.about(shut=True).items():
                answer = await ask(bot, name, params)
                assert kind_of(answer) == "not_found", name
                nowhere = {key: bytes(len(v)) if isinstance(v, bytes) else v for key, v in params.items()}
                assert answer["error"] == (await ask(bot, name, nowhere))["error"], name
            for place in ({}, {"after": 0}, {"around": 1}, {"before": 1000}):
                page = await bot.result("message.list", chat_id=at.shut_chat, **place)
                assert page == {"messages": [], "next_before": None, "next_after": None}
            chats = await bot.result("chat.list", limit=1)
            assert [chat["chat_id"] for chat in chats["chats"]] == [in_json(at.open_chat)]
            assert chats["next_cursor"] is None  # which would name the next chat
            for more in ({}, {"chat_id": at.shut_chat}):
                found = (await bot.result("message.search", text="words", **more))["messages"]
                assert [one["chat_id"] for one in found] == ([] if more else [in_json(at.open_chat)])
            for name, params in at.about(shut=False).items():
                assert kind_of(await ask(bot, name, params)) is None, name
        assert await at.anna.messages(at.shut_chat) == before

    in_the_house(tmp_path, visit)


def test_what_the_owner_began_to_write_is_nobody_elses(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot")
        draft = {"client_id": client_id(), "text": "half a thought", "reply_to": at.open_message}
        async with program(at.anna.folder, token) as bot, program(at.anna.folder) as owner:
            await owner.result("chat.keep_draft", chat_id=at.open_chat, **draft)
            assert (await owner.result("chat.get", chat_id=at.open_chat))["draft"] == "half a thought"
            listed = (await bot.result("chat.list"))["chats"]
            for chat in (*listed, await bot.result("chat.get", chat_id=at.open_chat)):
                assert (chat["draft"], chat["draft_reply_to"]) == ("", None)

    in_the_house(tmp_path, visit)


def test_a_field_that_nobody_thought_about_is_refused_unless_it_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot")
        scope = BOT_METHODS["message.send"]
        assert isinstance(scope, Writing)
        narrow = Writing(fields=scope.fields - {"reply_to"}, sees=scope.sees)
        monkeypatch.setitem(BOT_METHODS, "message.send", narrow)
        async with program(at.anna.folder, token) as bot:
            send = {"chat_id": at.open_chat, "text": "hi"}
            answer = await ask(bot, "message.send", {**send, "reply_to": at.open_message})
            assert kind_of(answer) == "not_allowed"
            assert kind_of(await ask(bot, "message.send", {**send, "reply_to": None})) is None

    in_the_house(tmp_path, visit)


def test_events_are_told_of_the_bots_chats_and_of_nothing_else(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "one chat", at.open_chat)
        everything = await new_bot(at.anna, "all")
        async with program(at.anna.folder, token) as bot, program(at.anna.folder, everything) as all_seeing:
            for one in (bot, all_seeing):
                await one.result("event.subscribe", after=0)
            await at.anna.send(at.shut_chat, "psst")
            await at.anna.send(at.open_chat, "for the bot")
            last = at.anna.node.last_event
            told = await bot.events_through(last)
            assert {event["kind"] for event in told} <= BOT_EVENTS
            assert {event["data"]["chat_id"] for event in told} == {in_json(at.open_chat)}
            listed = await bot.result("event.list", after=0)
            assert (listed["events"], listed["last_sequence"]) == (told, last)
            everywhere = await all_seeing.events_through(last)
            assert {event["data"]["chat_id"] for event in everywhere} == {
                in_json(at.open_chat),
                in_json(at.shut_chat),
            }
            logged = await at.anna.records(LoggedEvent)
            assert {one.kind for one in logged} - BOT_EVENTS == {"account.created"}
            # A number that is left out must not stand still: old events are forgotten some day.
            await at.anna.send(at.shut_chat, "again")
            async with asyncio.timeout(20):
                while bot.through < at.anna.node.last_event:
                    words = msgspec.json.decode(await bot.websocket.recv())
                    assert words["method"] == "event.through"
                    bot.through = words["params"]["sequence"]

    in_the_house(tmp_path, visit)


def test_an_event_of_a_kind_that_nobody_thought_about_is_not_told(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "all")
        body = msgspec.msgpack.encode({"chat_id": at.open_chat})
        await at.anna.send(at.open_chat, "one that is told")
        last = at.anna.node.last_event
        odd = LoggedEvent(sequence=last, kind="chat.heard_of_tomorrow", body=body, created_ms=0)

        def put(queries: Queries) -> None:
            with queries._records.database.transaction():
                queries._records.apply([(LoggedEvent, (last,), odd)])

        await at.anna.node.query(put)
        async with program(at.anna.folder, token) as bot, program(at.anna.folder) as owner:
            told = [one["sequence"] for one in (await bot.result("event.list", after=0))["events"]]
            everything = [one["sequence"] for one in (await owner.result("event.list", after=0))["events"]]
        assert (last in told, last in everything) == (False, True)

    in_the_house(tmp_path, visit)


def test_a_bot_is_told_what_it_is_and_the_owner_too(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "one chat", at.open_chat, can_write=False)
        async with program(at.anna.folder, token) as bot, program(at.anna.folder) as owner:
            itself = await bot.result("bot.self")
            assert (itself["name"], itself["can_write"]) == ("one chat", False)
            assert itself["chats"] == [in_json(at.open_chat)]
            assert itself["account_id"] == in_json(await at.anna.account_id())
            everything = await owner.result("bot.self")
            assert (everything["name"], everything["can_write"], everything["chats"]) == ("", True, None)

    in_the_house(tmp_path, visit)


def test_bytes_of_files_and_how_far_they_have_come_are_not_a_bots(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot")
        file = socket_file(at.anna.folder)
        for request in (
            b"POST /files?name=x&type=text/plain HTTP/1.1\r\ncontent-length: 1",
            b"GET /files/" + bytes(16).hex().encode() + b" HTTP/1.1",
        ):
            reader, writer = await asyncio.open_unix_connection(str(file))
            head = request + b"\r\nhost: node\r\nconnection: close\r\nauthorization: Bearer "
            writer.write(head + token.encode() + b"\r\n\r\nx")
            async with asyncio.timeout(20):
                answer = await reader.read()
            writer.close()
            assert answer.startswith(b"HTTP/1.1 401 ")
        async with serving_page(Service(at.anna.node), at.anna.folder, system_clock_ms) as address:
            place = address().removeprefix("http://").partition("/")[0]
            reader, writer = await asyncio.open_connection(*place.split(":"))
            get = f"GET /files/{bytes(16).hex()} HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n"
            writer.write(f"{get}authorization: Bearer {token}\r\n\r\n".encode())
            async with asyncio.timeout(20):
                assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
            writer.close()
        told: list[str] = []
        progress = at.anna.node.transfers.progress
        async with program(at.anna.folder, token) as bot, program(at.anna.folder) as owner:
            for one in (bot, owner):
                await one.result("event.subscribe")
            progress[bytes(16)] = Progress(done=1, total=2)
            async with asyncio.timeout(20):
                assert msgspec.json.decode(await owner.websocket.recv())["method"] == "progress"
            await at.anna.send(at.open_chat, "something to hear")
            while "event" not in told:
                told.append(msgspec.json.decode(await bot.websocket.recv())["method"])
        assert "progress" not in told
        progress.clear()

    in_the_house(tmp_path, visit)


def test_the_documents_say_who_may_call_what_and_hear_what() -> None:
    shown = {method["name"]: method[SCOPE] for method in openrpc()["methods"]}
    assert shown == {name: scope_of(name) for name in METHODS}
    assert shown["account.phrase"] == "owner"
    assert (shown["message.get"], shown["message.send"]) == ("read", "write")
    messages = asyncapi()["components"]["messages"]
    assert messages["message.received"][SCOPE] == "read"
    assert messages["account.created"][SCOPE] == messages["link.used"][SCOPE] == "owner"


def test_what_a_bot_says_is_stored_in_the_order_in_which_it_was_said(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot", at.open_chat)
        texts = [str(number) for number in range(20)]
        async with program(at.anna.folder, token) as bot:
            for text in texts:
                send = SendMessage(client_id=client_id(), chat_id=at.open_chat, text=text)
                call = {"jsonrpc": "2.0", "id": text, "method": "message.send", "params": send}
                await bot.websocket.send(msgspec.json.encode(call).decode())
            for _ in texts:
                assert "error" not in await bot.answer()
        assert (await at.anna.texts(at.open_chat))[2:] == texts

    in_the_house(tmp_path, visit)
