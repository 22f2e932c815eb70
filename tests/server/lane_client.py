"""A lane by hand: plain HTTP requests to a relay's port, one connection each."""

import asyncio
import secrets
from collections import deque

from skvoz.wire.lanes import LaneRequest, RowIn, RowOut, parse_lane_answer


async def exchange(port: int, request: bytes) -> bytes:
    """Send bytes to the port and return all that comes back until the other end hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def post(path: str, body: bytes, method: str = "POST") -> bytes:
    """Return a request with a body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: relay.example\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Lane:
    """A `MessageConnection` over single requests; loses requests and answers as it is told to."""

    def __init__(self, port: int, path: str = "/", *, piece_max: int = 4096, wait_s: int = 5) -> None:
        self.port = port
        self.path = path
        self.lane_id = secrets.token_bytes(32)
        self.piece_max = piece_max
        self.wait_s = wait_s
        self.going = RowOut()
        self.coming = RowIn()
        self.messages: deque[bytes] = deque()
        self.loses_answers = 0
        self.heard_at = 0.0
        self.requests = 0

    def request(self, wait_s: int | None = None) -> LaneRequest:
        if self.going.held > self.piece_max:
            wait_s = 0
        return LaneRequest(
            lane=self.lane_id,
            place=self.going.acknowledged,
            received=self.coming.received,
            wanted=self.piece_max,
            wait_s=self.wait_s if wait_s is None else wait_s,
            piece=self.going.piece(self.piece_max),
        )

    async def ask(self, request: LaneRequest) -> bytes | None:
        """Send a request; None if it is not found."""
        self.requests += 1
        answer = await exchange(self.port, post(self.path, request.encode()))
        head, _, body = answer.partition(b"\r\n\r\n")
        return body if head.startswith(b"HTTP/1.1 200 ") else None

    async def step(self, wait_s: int | None = None) -> None:
        body = await self.ask(self.request(wait_s))
        if body is None:
            raise ConnectionError
        if self.loses_answers:
            self.loses_answers -= 1
            return
        answer = parse_lane_answer(body)
        self.going.acknowledge(answer.received)
        self.messages += self.coming.take(answer.place, answer.piece)

    async def send(self, message: bytes) -> None:
        self.going.add(message)

    async def receive(self) -> bytes:
        while not self.messages:
            await self.step()
        return self.messages.popleft()

    async def close(self) -> None:
        pass
