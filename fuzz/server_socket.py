"""Fuzz a relay's listener over real sockets on this machine: broken upgrades, frames and sessions.

Whoever talks nonsense is closed or left waiting; the relay goes on, logs no failed callback, and a client
that behaves is served as before.
"""

import asyncio
import contextlib
import logging
import struct
from functools import cache
from random import Random
from threading import Thread
from typing import Any, Final

from fuzz import scratch
from fuzz.target import Script, Target, changed, scripts
from fuzz.wire_frames import UP
from skvoz.base.ids import LogId
from skvoz.crypto import DEFAULT_SUITE, suite
from skvoz.server import RelayService, Settings, create_home
from skvoz.server.service import is_strangers_fault
from skvoz.wire.frames import Ping, encode
from skvoz.wire.sealed import ask_for_key, greet
from tests.mls.synthetic_tree import Counter
from tests.server.real_relay import Client

_UPGRADE: Final = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_WAIT_S: Final = 2.0
_HONEST_EVERY: Final = 50
_BINARY: Final = 2


class Relay:
    """A relay that runs on a thread of its own, and what went wrong in it."""

    def __init__(self) -> None:
        self.failures: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(self._failed)
        Thread(target=self.loop.run_forever, daemon=True).start()
        folder = scratch.folder() / "relay"
        create_home(folder)
        self.service = self.wait(self._start(RelayService, folder))
        watched = logging.getLogger("picows")
        watched.setLevel(logging.ERROR)
        watched.addHandler(_Noted(self.failures))
        watched.propagate = False
        self.runs = 0

    async def _start(self, kind: type[RelayService], folder: Any) -> RelayService:  # noqa: ANN401  # a path
        return await kind(folder, Settings(port=0, reserve_bytes=0)).start()

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if not is_strangers_fault(context):
            self.failures.append(repr(context.get("exception") or context.get("message")))

    def wait(self, work: Any) -> Any:  # noqa: ANN401  # any coroutine
        """Run something on the relay's loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def check(self) -> None:
        """Raise if anything went wrong in the relay."""
        if self.service.failed.done():
            raise AssertionError("the relay broke") from self.service.failed.result()
        if self.failures:
            raise AssertionError(f"a callback failed: {self.failures}")

    async def be_served(self) -> None:
        """Store and read an entry as a client does that behaves."""
        client = Client(self.service.public_key, f"ws://127.0.0.1:{self.service.port}/")
        await client.connect()
        log_id = LogId(self.runs.to_bytes(16))
        client.open_room(log_id)
        client.attach(log_id)
        client.append(log_id, b"honest")
        await client.until(lambda _: len(client.stored()) == 1)
        await client.close()


class _Noted(logging.Handler):
    """Keeps what the library says went wrong in a callback of ours."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.failures = failures

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is not None and not isinstance(record.exc_info[1], OSError):
            self.failures.append(record.getMessage())


def _frame(chance: Random, payload: bytes) -> bytes:
    """Return a WebSocket frame (RFC 6455 §5.2), which is mostly one."""
    opcode = _BINARY if chance.randrange(4) else chance.choice((0, 1, 2, 8, 9, 10, 3, 15))
    final = 0x80 if chance.randrange(8) else chance.choice((0, 0x40, 0xF0))
    size = len(payload) if chance.randrange(12) else chance.choice((0, 126, 2**31, 2**63, 2**64 - 1))
    masked = 0x80 if chance.randrange(16) else 0
    if size < 126:
        head = bytes([final | opcode, masked | size])
    elif size < 1 << 16:
        head = bytes([final | opcode, masked | 126]) + struct.pack(">H", size)
    else:
        head = bytes([final | opcode, masked | 127]) + struct.pack(">Q", size)
    return head + (bytes(4) if masked else b"") + payload


def _payload(chance: Random, relay: Relay) -> bytes:
    public_key = relay.service.public_key
    match chance.randrange(4):
        case 0:
            greeting, _ = greet(suite(DEFAULT_SUITE), public_key, Counter("fuzz socket"))
            return changed(chance, greeting) if chance.randrange(2) else greeting
        case 1:
            return changed(chance, ask_for_key(relay.service.public_key[:32]))
        case 2:
            return changed(chance, encode([chance.choice(UP), Ping(1)]))
        case _:
            return chance.randbytes(chance.randrange(20))


async def _talk(relay: Relay, said: bytes, *, abruptly: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.service.port)
    try:
        writer.write(said)
        if not abruptly:
            writer.write_eof()
            async with asyncio.timeout(_WAIT_S):
                await reader.read()
    except (OSError, TimeoutError):
        pass
    finally:
        if abruptly:
            writer.transport.abort()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@cache
def _relay() -> Relay:
    return Relay()


def run(data: bytes) -> None:
    """Connect, and say what the input says."""
    relay = _relay()
    script = Script(data)
    upgrade = changed(script, _UPGRADE) if script.randrange(4) == 0 else _UPGRADE
    frames = [_frame(script, _payload(script, relay)) for _ in range(script.randrange(1, 4))]
    relay.wait(_talk(relay, upgrade + b"".join(frames), abruptly=script.randrange(4) == 0))
    relay.runs += 1
    if relay.runs % _HONEST_EVERY == 0:
        relay.wait(relay.be_served())
    relay.check()


def make() -> Target:
    """Return the target; nothing is raised here, whatever a relay is told."""
    _relay()
    return Target(run=run, seeds=scripts(60, 120), refusals=(), guided=False)
