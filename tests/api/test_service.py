import asyncio
import contextlib
import logging
import stat
from pathlib import Path

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed

from skvoz.api.caller import socket_file
from skvoz.api.caller_sessions import CALLS_AT_ONCE_MAX
from skvoz.api.home_socket import serve, serving
from skvoz.api.methods import QUESTIONS, Question
from skvoz.api.params import NoParams
from skvoz.api.protocol import REQUEST_SIZE_MAX
from skvoz.api.service import Service
from skvoz.api.views import PhraseView
from skvoz.base.errors import StoreError
from skvoz.client.commands import SendMessage
from skvoz.store.queries import Queries
from tests.api.programs import alone, post, program, served
from tests.node.people import Person, client_id, until

STATUS = b'{"jsonrpc":"2.0","id":7,"method":"node.status"}'


def test_words_that_are_no_call_are_answered_and_the_next_call_works(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as one:
            for words, code in (
                ("{nonsense", -32700),
                ([{"jsonrpc": "2.0", "id": 1, "method": "node.status"}], -32600),
                ({"jsonrpc": "2.0", "method": "node.status"}, -32600),
                ({"jsonrpc": "1.1", "id": 1, "method": "node.status"}, -32600),
            ):
                answer = await one.say(words)
                assert answer["error"]["code"] == code
                status, body = await post(
                    anna.folder,
                    msgspec.json.encode(words) if not isinstance(words, str) else words.encode(),
                    f"content-length: {len(msgspec.json.encode(words)) - 2 * isinstance(words, str)}",
                )
                assert status == 200
                assert msgspec.json.decode(body) == answer
            assert (await one.refusal("node.nonsense"))["code"] == -32601
            assert (await one.refusal("node.status", extra=1))["code"] == -32602
            assert (await one.refusal("chat.get", chat_id=b"x"))["data"]["kind"] == "not_found"
            assert (await one.result("node.status"))["has_account"] is True
        await anna.sleep()

    asyncio.run(scenario())


def test_a_post_may_come_in_chunks_and_none_may_be_too_long(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with serving(Service(anna.node), socket_file(anna.folder)):
            whole = f"content-length: {len(STATUS)}"
            assert msgspec.json.decode((await post(anna.folder, STATUS, whole))[1])["id"] == 7
            chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in STATUS) + b"0\r\n\r\n"
            status, body = await post(anna.folder, chunks, "transfer-encoding: chunked")
            assert (status, msgspec.json.decode(body)["id"]) == (200, 7)
            long = STATUS + b" " * (REQUEST_SIZE_MAX - len(STATUS) + 1)
            for text, header in (
                (long, f"content-length: {len(long)}"),
                (b"%x\r\n%s\r\n0\r\n\r\n" % (len(long), long), "transfer-encoding: chunked"),
            ):
                status, body = await post(anna.folder, text, header)
                assert msgspec.json.decode(body)["error"]["data"]["kind"] == "too_long"
            endless = b"%x\r\n%s\r\n" % (len(long), long)  # answered although its end never comes
            status, body = await post(anna.folder, endless, "transfer-encoding: chunked")
            assert msgspec.json.decode(body)["error"]["data"]["kind"] == "too_long"
            assert msgspec.json.decode((await post(anna.folder, b""))[1])["error"]["code"] == -32700
        await anna.sleep()

    asyncio.run(scenario())


def test_bytes_and_overlong_text_end_a_websocket_and_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        async with served(anna) as patient:
            for words, code in ((STATUS, 1003), ("x" * (REQUEST_SIZE_MAX + 1), 1009)):
                async with program(anna.folder) as one:
                    with contextlib.suppress(ConnectionClosed):  # it may be refused while it is being sent
                        await one.websocket.send(words)
                    with pytest.raises(ConnectionClosed) as closed:
                        await one.websocket.recv()
                    assert closed.value.rcvd is not None
                    assert closed.value.rcvd.code == code
            assert await patient.result("node.status")
        await anna.sleep()

    asyncio.run(scenario())


def test_many_calls_at_once_are_all_done_in_the_order_in_which_they_were_sent(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        count = CALLS_AT_ONCE_MAX * 3
        async with served(anna) as one:
            for number in range(count):
                send = SendMessage(client_id=client_id(), chat_id=notes, text=str(number))
                call = {"jsonrpc": "2.0", "id": number, "method": "message.send", "params": send}
                await one.websocket.send(msgspec.json.encode(call).decode())
            answers = [await one.answer() for _ in range(count)]
        assert {answer["id"] for answer in answers} == set(range(count))
        assert await anna.texts(notes) == [str(number) for number in range(count)]
        await anna.sleep()

    asyncio.run(scenario())


def test_a_defect_is_answered_and_logged_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Queries, __: NoParams) -> PhraseView:
        raise ValueError("kolbasa")

    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        monkeypatch.setitem(
            QUESTIONS, "account.phrase", Question(params=NoParams, result=PhraseView, read=broken)
        )
        async with served(anna) as one:
            error = await one.refusal("account.phrase")
            assert (error["code"], error["data"]["kind"]) == (-32603, "defect")
            assert await one.result("node.status")
        await anna.sleep()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    assert "a call met a defect: ValueError" in caplog.text
    assert "kolbasa" not in caplog.text


def test_the_socket_is_private_replaces_a_dead_one_and_is_gone_at_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, _ = await alone(tmp_path / "anna")
        file = socket_file(anna.folder)
        file.write_bytes(b"left by a crash")
        async with served(anna):
            assert stat.S_ISSOCK(file.stat().st_mode)
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert stat.S_IMODE(anna.folder.stat().st_mode) == 0o700
        assert not file.exists()
        async with served(anna) as one:
            assert await one.result("node.status")
        await anna.sleep()

    asyncio.run(scenario())


def test_a_socket_that_can_not_be_made_is_said_in_words(tmp_path: Path) -> None:
    async def scenario(folder: Path, why: str) -> None:
        person = Person(folder)
        await person.wake()
        with pytest.raises(StoreError, match=why):
            async with serving(Service(person.node), socket_file(folder)):
                pass
        await person.sleep()

    asyncio.run(scenario(tmp_path / ("long" * 30), "its path is too long"))
    (tmp_path / "taken" / "api.sock").mkdir(parents=True)
    (tmp_path / "taken" / "lock").touch()  # so that it looks like a home
    asyncio.run(scenario(tmp_path / "taken", "can't be made"))


@pytest.mark.slow
def test_cancelling_ends_soon_even_while_somebody_does_not_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, notes = await alone(tmp_path / "anna")
        file = socket_file(anna.folder)
        for number in range(50):
            await anna.send(notes, f"{number} " + "x" * 4_000)
        serving_it = asyncio.create_task(serve(Service(anna.node), file))

        async def there() -> bool:
            return file.is_socket()

        await until(there)
        reader, writer = await asyncio.open_unix_connection(str(file), limit=1024)
        writer.write(
            b"GET /rpc HTTP/1.1\r\nhost: node\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: " + b"A" * 22 + b"==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        page = {"chat_id": notes, "limit": 50}
        call = {"jsonrpc": "2.0", "id": 1, "method": "message.list", "params": page}
        words = msgspec.json.encode(call)
        frame = b"\x81" + bytes([0x80 | 126]) + len(words).to_bytes(2, "big") + bytes(4) + words
        writer.write(frame * 20)  # 4 MB of answers, of which nothing is read
        await reader.read(100)
        before = asyncio.get_running_loop().time()
        serving_it.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving_it
        assert asyncio.get_running_loop().time() - before < 5
        assert not file.exists()
        writer.close()
        await anna.sleep()

    asyncio.run(scenario())
