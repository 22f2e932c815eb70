"""The page of somebody's node, and requests to it as a browser or anything else would make them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from skvoz.api.page import serving_page
from skvoz.api.service import Service
from tests.api.programs import alone

STATUS = b'{"jsonrpc":"2.0","id":7,"method":"node.status"}'


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    policies: list[str]
    body: bytes


@dataclass
class Door:
    """The page of somebody's node, and requests to it as a browser or anything else would make them."""

    port: int
    new_address: Callable[[], str]
    folder: Path
    clock: Clock
    service: Service

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.authority}"

    async def ask(self, method: str, path: str, body: bytes = b"", host: str = "", **headers: str) -> Answer:
        """Send one request, with these headers and no others."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        lines = [f"{method} {path} HTTP/1.1", f"host: {host or self.authority}"]
        headers.setdefault("connection", "close")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method == "POST":
            lines.append(f"content-length: {len(body)}")
        try:
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            async with asyncio.timeout(20):
                answer = await reader.read()
        finally:
            writer.close()
        top, _, rest = answer.partition(b"\r\n\r\n")
        first, *others = top.decode().split("\r\n")
        found = dict(line.lower().split(": ", 1) for line in others)
        policies = [line.split(": ", 1)[1] for line in others if line.startswith("content-security-policy")]
        return Answer(int(first.split()[1]), found, policies, rest)

    async def exchange(self, start: str, **headers: str) -> Answer:
        return await self.ask("POST", "/session", msgspec.json.encode({"start": start}), **headers)

    async def token(self) -> str:
        """Open the page as a browser does, and return the session's token."""
        start = self.new_address().partition("#start=")[2]
        answer = await self.exchange(start, origin=self.origin, sec_fetch_site="same-origin")
        assert answer.status == 200
        return msgspec.json.decode(answer.body)["token"]

    async def websocket_status(self, *subprotocols: str, origin: str | None = None) -> int:
        """Return the HTTP status that a WebSocket is answered with."""
        offered = [Subprotocol(one) for one in subprotocols] or None
        try:
            async with connect(
                f"ws://{self.authority}/rpc",
                subprotocols=offered,
                origin=None if origin is None else Origin(origin),
            ):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code


@asynccontextmanager
async def door(folder: Path) -> AsyncGenerator[Door]:
    anna, _ = await alone(folder)
    clock = Clock()
    service = Service(anna.node, "ws://127.0.0.1:9/#fingerprint")
    async with serving_page(service, folder, clock) as address:
        port = int(address().partition("#")[0].strip("/").rpartition(":")[2])
        yield Door(port, address, folder, clock, service)
    await anna.sleep()


def at_the_door(folder: Path, visit: Callable[[Door], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with door(folder / "anna") as one:
            await visit(one)

    asyncio.run(scenario())
