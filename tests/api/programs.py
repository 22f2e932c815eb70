"""Programs that speak with a node over its real socket, for tests."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, unix_connect

from skvoz.api.access import new_token, token_hash
from skvoz.api.caller import socket_file
from skvoz.api.home_socket import serving
from skvoz.api.service import Service
from skvoz.client.commands import CreateAccount, CreateBot, CreateGroup, RelayAddress
from tests.node.people import Person, client_id

Words = dict[str, Any]


def in_json(value: object) -> Any:
    """Return how a value looks in JSON: bytes as base64."""
    return msgspec.to_builtins(value, builtin_types=())


class Program:
    """A program on the WebSocket; what it is told meanwhile is kept in `events`."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self._ids = itertools.count(1)
        self.events: list[Words] = []
        self.through = 0

    async def say(self, words: object) -> Words:
        """Send any words and return the answer."""
        text = words if isinstance(words, str) else msgspec.json.encode(words).decode()
        await self.websocket.send(text)
        return await self.answer()

    async def answer(self) -> Words:
        async with asyncio.timeout(20):
            while True:
                told: Words = msgspec.json.decode(await self.websocket.recv())
                if "method" not in told:
                    return told
                self._note(told)

    def _note(self, told: Words) -> None:
        if told["method"] == "event":
            self.events.append(told["params"])
        elif told["method"] == "event.through":
            self.through = told["params"]["sequence"]

    async def ask(self, method: str, **params: object) -> Words:
        """Return the whole answer of a call."""
        request_id = next(self._ids)
        answer = await self.say(
            {"jsonrpc": "2.0", "id": request_id, "method": method, "params": in_json(params)}
        )
        assert answer["id"] == request_id
        assert answer["jsonrpc"] == "2.0"
        return answer

    async def result(self, method: str, **params: object) -> Words:
        answer = await self.ask(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    async def refusal(self, method: str, **params: object) -> Words:
        """Return the error of a call that is refused."""
        answer = await self.ask(method, **params)
        assert "result" not in answer, answer
        error = answer["error"]
        assert set(error) == {"code", "message", "data"}
        assert set(error["data"]) == {"kind", "retryable", "retry_after_ms"}
        return error

    async def events_through(self, sequence: int) -> list[Words]:
        """Return all events told so far, waiting for the one with this sequence."""
        async with asyncio.timeout(20):
            while not self.events or self.events[-1]["sequence"] < sequence:
                told: Words = msgspec.json.decode(await self.websocket.recv())
                self._note(told)
        return self.events


@asynccontextmanager
async def program(folder: Path, token: str | None = None) -> AsyncGenerator[Program]:
    """Connect a program to the node that serves a home, as its owner or with a token."""
    headers = None if token is None else {"authorization": f"Bearer {token}"}
    async with unix_connect(
        str(socket_file(folder)), "ws://node/rpc", max_size=None, additional_headers=headers
    ) as websocket:
        yield Program(websocket)


async def new_bot(person: Person, name: str, *chats: bytes, can_write: bool = True) -> str:
    """Let a program in, to these chats or to all, and return its token."""
    token = new_token()
    await person.do(
        CreateBot(
            client_id=client_id(),
            name=name,
            token_hash=token_hash(token),
            can_write=can_write,
            chats=chats or None,
        )
    )
    return token


@asynccontextmanager
async def served(person: Person) -> AsyncGenerator[Program]:
    """Serve a person's node, with one program connected."""
    async with serving(Service(person.node), socket_file(person.folder)), program(person.folder) as one:
        yield one


async def alone(folder: Path) -> tuple[Person, bytes]:
    """Return somebody whose relay can't be reached, and a group that only they are in."""
    person = Person(folder)
    await person.wake()
    relay = RelayAddress(public_key=bytes(1216), addresses=("ws://127.0.0.1:9/",))
    await person.do(CreateAccount(client_id=client_id(), name="Anna", relay=relay))
    made = await person.do(CreateGroup(client_id=client_id(), title="Notes", members=()))
    assert made.chat_id is not None
    return person, made.chat_id


async def post(folder: Path, body: bytes, *headers: str) -> tuple[int, bytes]:
    """POST raw bytes, and return the status and the answer's body."""
    reader, writer = await asyncio.open_unix_connection(str(socket_file(folder)))
    head = "\r\n".join(("POST /rpc HTTP/1.1", "host: node", "connection: close", *headers))
    try:
        writer.write(head.encode() + b"\r\n\r\n" + body)
        async with asyncio.timeout(20):
            answer = await reader.read()
    finally:
        writer.close()
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split()[1]), rest
