"""Files through the API: bytes over HTTP, and methods and notifications about them."""

import asyncio
import base64
import http.client
import json
import socket
from pathlib import Path
from random import Random

import pytest

from skvoz.api.caller import Caller, socket_file
from skvoz.api.protocol import CallFailed
from skvoz.base.ids import MessageId
from skvoz.client.records import FileState
from tests.api.programs import Words, alone, served
from tests.node.filing import arrived, put, wait_for_state
from tests.node.people import Person, client_id, until, world

CONTENT = Random(3).randbytes(5_000_000)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, file: Path) -> None:
        super().__init__("node", timeout=20)
        self._file = file

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._file))


def asked(
    person: Person, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask the node's socket something over HTTP; return status, headers and body."""
    connection = UnixConnection(socket_file(person.folder))
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
    finally:
        connection.close()


@pytest.mark.slow
def test_a_program_sends_and_fetches_a_file(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            async with served(anna) as one, served(boris) as two:
                await two.result("event.subscribe", after=0)
                caller = Caller(socket_file(anna.folder))
                source = tmp_path / "источник"
                source.write_bytes(CONTENT)
                with source.open("rb") as opened:
                    file_id = await asyncio.to_thread(
                        caller.put_file, opened, len(CONTENT), "../../лето.mp4", "video/mp4"
                    )
                shown = await one.result("file.get", file_id=file_id)
                assert (shown["state"], shown["name"], shown["size"]) == ("staged", "лето.mp4", len(CONTENT))
                sent = await one.result(
                    "message.send",
                    client_id=client_id(),
                    chat_id=await boris.account_id(),
                    text="лето",
                    files=[{"file_id": file_id, "width": 640, "height": 480, "waveform": b"\x01\x02"}],
                )
                message_id = MessageId(base64.b64decode(sent["message_id"]))
                [file] = await arrived(boris, message_id)
                message = await two.result("message.get", message_id=message_id)
                [view] = message["files"]
                assert (view["state"], view["width"], view["media_type"]) == ("remote", 640, "video/mp4")
                assert (message["text"], base64.b64decode(view["waveform"])) == ("лето", b"\x01\x02")
                path = f"/files/{file.file_id.hex()}"
                assert (await asyncio.to_thread(asked, boris, "GET", path))[0] == 409
                await two.result("file.fetch", client_id=client_id(), file_id=file.file_id)
                await wait_for_state(boris, file, FileState.HERE)
                progress = await two.result("file.progress")
                [moved] = [one for one in progress["files"] if one["file_id"] == view["file_id"]]
                assert moved["done"] == moved["total"] >= len(CONTENT)
                status, headers, body = await asyncio.to_thread(asked, boris, "GET", path)
                assert (status, body) == (200, CONTENT)
                assert headers["content-type"] == "video/mp4"
                assert headers["x-content-type-options"] == "nosniff"
                await two.result("file.pause", client_id=client_id(), file_id=file.file_id)
                await two.result("file.forget", client_id=client_id(), file_id=file.file_id)
                assert (await two.result("file.get", file_id=file.file_id))["state"] == "remote"
                kinds = [event["data"]["what"] for event in two.events if event["kind"] == "file.changed"]
                assert kinds in (["resumed", "here"], ["resumed", "here", "forgotten"])
                wrong = await one.refusal("file.get", file_id=b"?" * 16)
                assert wrong["data"]["kind"] == "not_found"

    asyncio.run(scenario())


def test_a_subscriber_is_told_how_far_a_file_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skvoz.api.caller_sessions.PROGRESS_EVERY_S", 0.01)
    monkeypatch.setattr("skvoz.node.transfers._PART_SIZE_FIRST", 32 * 1024)
    monkeypatch.setattr("skvoz.node.transfers.PART_SIZE_MAX", 32 * 1024)

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            async with served(anna) as one:
                await one.result("event.subscribe")
                file_id = await put(anna, CONTENT)
                files = [{"file_id": base64.b64encode(file_id).decode()}]
                chat_id = base64.b64encode(await boris.account_id()).decode()
                params = {"client_id": client_id(), "chat_id": chat_id, "text": "", "files": files}
                told: list[Words] = []
                call = {"jsonrpc": "2.0", "id": 7, "method": "message.send", "params": params}
                await one.websocket.send(json.dumps(call))
                async with asyncio.timeout(20):
                    while len(told) < 3:
                        words = parsed(await one.websocket.recv())
                        if words.get("method") == "progress":
                            told.append(words["params"])
            steps = [one["files"][0] for one in told]
            assert all(0 <= step["done"] <= step["total"] for step in steps)
            assert [step["done"] for step in steps] == sorted({step["done"] for step in steps})

    asyncio.run(scenario())


def parsed(text: str | bytes) -> Words:
    return json.loads(text)


def test_ranges_heads_and_what_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            async with served(anna):

                async def ask(
                    method: str, path: str, body: bytes | None = None, **headers: str
                ) -> tuple[int, dict[str, str], bytes]:
                    return await asyncio.to_thread(lambda: asked(anna, method, path, body, **headers))

                file_id = (await put(anna, CONTENT)).hex()
                path = f"/files/{file_id}"
                for asked_for, start, end in (
                    ("bytes=0-0", 0, 1),
                    ("bytes=262140-262150", 262140, 262151),
                    ("bytes=4999990-", 4999990, 5000000),
                    ("bytes=-10", 4999990, 5000000),
                    ("bytes=1-99999999", 1, 5000000),
                ):
                    status, headers, body = await ask("GET", path, range=asked_for)
                    assert (status, body) == (206, CONTENT[start:end])
                    assert headers["content-range"] == f"bytes {start}-{end - 1}/5000000"
                for asked_for in ("bytes=5000000-", "bytes=9-1", "lines=1-2", "bytes=-", "bytes=1-2,3-4"):
                    status, headers, body = await ask("GET", path, range=asked_for)
                    assert (status, len(body)) == (200, len(CONTENT))
                status, headers, body = await ask("HEAD", path)
                assert (status, headers["content-length"], body) == (200, "5000000", b"")
                assert (await ask("GET", "/files/" + "0" * 32))[0] == 404
                assert (await ask("GET", "/files/xyz"))[0] == 404
                too_large = await ask("POST", "/files?name=x", b"x", content_length=str(2**31 + 1))
                assert too_large[0] == 400
                assert (await ask("POST", "/files?name=x", b"x", transfer_encoding="chunked"))[0] == 400
                await until(lambda: only(anna, file_id))

    asyncio.run(scenario())


async def only(person: Person, name: str) -> bool:
    return [file.name for file in (person.folder / "files").iterdir()] == [name]


def test_a_page_that_could_run_is_given_out_as_a_download(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            async with served(anna):
                for media_type, inline in (
                    ("text/html", False),
                    ("image/svg+xml", False),
                    ("application/pdf", False),
                    ("nonsense", False),
                    ("image/png", True),
                ):
                    caller = Caller(socket_file(anna.folder))
                    source = tmp_path / "page"
                    source.write_bytes(b"<script>alert(1)</script>")
                    with source.open("rb") as opened:
                        file_id = await asyncio.to_thread(
                            caller.put_file, opened, 25, 'a"b\r\nx: y.html', media_type
                        )
                    path = f"/files/{file_id.hex()}"
                    _, headers, _ = await asyncio.to_thread(asked, anna, "GET", path)
                    assert headers["content-type"] == (media_type if inline else "application/octet-stream")
                    assert headers["content-disposition"].startswith("inline" if inline else "attachment")
                    assert headers["content-disposition"].endswith("filename*=utf-8''abx%20y.html")
                    assert "sandbox" in headers["content-security-policy"]
                    assert "x" not in headers

    asyncio.run(scenario())


def test_a_program_that_goes_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna = await here.person("Anna")
            async with served(anna):
                reader, writer = await asyncio.open_unix_connection(str(socket_file(anna.folder)))
                writer.write(b"POST /files?name=x HTTP/1.1\r\nhost: node\r\ncontent-length: 300000\r\n\r\n")
                writer.write(bytes(200_000))
                await writer.drain()
                await until(lambda: holds_something(anna))
                writer.close()
                await until(lambda: holds_nothing(anna))
                del reader
                caller = Caller(socket_file(anna.folder))
                missing = tmp_path / "empty"
                missing.write_bytes(b"")
                with missing.open("rb") as opened, pytest.raises(CallFailed, match="2 GiB"):
                    await asyncio.to_thread(caller.put_file, opened, 2**31 + 1, "x", "")

    asyncio.run(scenario())


async def holds_something(person: Person) -> bool:
    return bool(list((person.folder / "files").iterdir()))


async def holds_nothing(person: Person) -> bool:
    return not await holds_something(person)


def test_bytes_of_what_is_attached_come_under_its_id_and_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        anna, chat_id = await alone(tmp_path / "anna")
        async with served(anna) as one:
            fields = {"chat_id": chat_id, "name": "a\u202egpj.exe", "media_type": "", "size": 3}
            answer = await one.result("file.attach", client_id=client_id(), **fields)
            file_id = base64.b64decode(answer["file_id"])

            async def put_under(named: str) -> int:
                path = f"/files?name=a.exe&file_id={named}"
                return (await asyncio.to_thread(asked, anna, "POST", path, b"abc"))[0]

            [shown] = (await one.result("chat.attached", chat_id=chat_id))["files"]
            assert (shown["state"], shown["name"]) == ("awaited", "agpj.exe")
            assert (await asyncio.to_thread(asked, anna, "GET", f"/files/{file_id.hex()}"))[0] == 409
            assert await put_under("no-hex") == 404
            assert await put_under("00" * 16) == 404
            # Somebody brings its bytes at this moment.
            anna.node.files.arriving.add(file_id)
            assert await put_under(file_id.hex()) == 409
            anna.node.files.arriving.clear()
            assert await put_under(file_id.hex()) == 200
            assert await put_under(file_id.hex()) == 409
            [shown] = (await one.result("chat.attached", chat_id=chat_id))["files"]
            assert shown["state"] == "staged"
            assert (await asyncio.to_thread(asked, anna, "GET", f"/files/{file_id.hex()}"))[2] == b"abc"
        await anna.sleep()

    asyncio.run(scenario())
