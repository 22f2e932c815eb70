"""Hops to relays behind TLS, and by relays that keep what they carry and say it again."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from websockets.asyncio.client import ClientConnection

from skvoz.base.errors import DecryptFailed, TransportError
from skvoz.cli.lending import lend
from skvoz.crypto import sha256
from skvoz.node.lending import path_of
from skvoz.relay import Carriage
from skvoz.server import RelayService
from skvoz.transports import hop, wss
from skvoz.wire.frames import Ping, Pong, Welcome
from skvoz.wire.sealed import SealedSession, ask_for_key, greet
from tests.node.barrier import Barrier
from tests.server.test_hops import SUITE, hop_over, place, refused, relay


@asynccontextmanager
async def front(
    target: RelayService, authority: trustme.CA, name: str
) -> AsyncGenerator[tuple[int, Barrier]]:
    """Speak TLS for a relay under a name; gives the port, and who counts what passes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    behind = Barrier(target.port)
    server = await asyncio.start_server(behind.met_by, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], behind
    finally:
        await behind.close()
        server.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """Have an authority trusted by everybody here."""
    made = trustme.CA()
    file = tmp_path / "authority.pem"
    made.cert_pem.write_to_path(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return made


async def answers(carried: hop.HopConnection, far: RelayService) -> None:
    """Have the relay at the other end of a hop tell its key."""
    await carried.send(ask_for_key(sha256(far.public_key)))
    assert await carried.receive() == far.public_key


def test_a_relay_is_reached_over_tls_where_its_certificate_is_good(
    tmp_path: Path, authority: trustme.CA
) -> None:
    async def scenario() -> None:
        async with relay(tmp_path / "near") as near, relay(tmp_path / "far", None) as far:
            far_id = sha256(far.public_key)
            async with front(far, authority, "localhost") as (port, behind):
                async with await hop_over(near, f"wss://localhost:{port}/", far_id) as carried:
                    await answers(carried, far)
                assert behind.met == 1
                await refused(near, f"wss://127.0.0.1:{port}/", far_id, "doesn't reach")
            async with front(far, trustme.CA(), "localhost") as (port, behind):
                await refused(near, f"wss://localhost:{port}/", far_id, "doesn't reach")
            assert not behind.met

    asyncio.run(scenario())


def test_the_address_that_was_looked_at_is_gone_to_and_has_to_show_the_name(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the world: a public name at an allowed port, without leave to go to local addresses."""
    looked_up: list[object] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def passes(_: str) -> bool:
            return True

        async def look_up(_: object, host: str, port: int, **__: object) -> list[object]:
            looked_up.append(host)
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        async with relay(tmp_path / "far", None) as far:
            far_id = sha256(far.public_key)
            async with front(far, authority, "relay.example") as (port, behind):
                carriage = Carriage(ports=frozenset({port}))
                async with relay(tmp_path / "near", carriage) as near:

                    async def carried_to(name: str) -> hop.HopConnection:
                        connection = await wss.connect(place(near))
                        with monkeypatch.context() as patched:
                            patched.setattr(type(loop), "getaddrinfo", look_up)
                            patched.setattr("skvoz.server.onward.is_public_ip", passes)
                            onto = hop.Onto(
                                relay_id=sha256(near.public_key),
                                public_key=near.public_key,
                                far_relay_id=far_id,
                                far_address=f"wss://{name}:{port}/",
                            )
                            return await hop.connect(connection, onto)

                    async with await carried_to("relay.example") as carried:
                        await answers(carried, far)
                    with pytest.raises(TransportError, match="doesn't reach"):
                        await carried_to("other.example")
                    assert behind.met == 1
        assert looked_up == ["relay.example", "other.example"]

    asyncio.run(scenario())


async def shake_hands(
    connection: hop.HopConnection | wss.WebSocketConnection, far: RelayService, token: bytes | None
) -> tuple[Welcome, SealedSession]:
    message, greeting = greet(SUITE, far.public_key, secrets.token_bytes, token=token)
    await connection.send(message)
    return greeting.finish(await connection.receive())


def test_what_a_relay_carried_and_says_again_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to the far relay, where it takes nobody's session over, nor to the client."""
    kept: list[bytes] = []
    send = ClientConnection.send

    async def keep(self: ClientConnection, message: bytes) -> None:
        if self.protocol.logger.name == "skvoz.onward":
            kept.append(message)
        await send(self, message)

    monkeypatch.setattr(ClientConnection, "send", keep)

    async def scenario() -> None:
        async with relay(tmp_path / "near") as near, relay(tmp_path / "far", None) as far:
            far_id = sha256(far.public_key)
            async with await hop_over(near, place(far), far_id) as carried:
                welcome, sealed = await shake_hands(carried, far, None)
                await carried.send(sealed.seal_up([Ping(1)]))
                pong = await carried.receive()
                assert sealed.open_down(pong) == [Pong(1)]
                with pytest.raises(DecryptFailed):
                    sealed.open_down(pong)
            async with await hop_over(near, place(far), far_id) as carried:
                again, sealed = await shake_hands(carried, far, welcome.token)
                assert again.resumed
                await carried.send(sealed.seal_up([Ping(2)]))
                assert sealed.open_down(await carried.receive()) == [Pong(2)]
                told = list(kept)
                assert len(told) == 8, "the key, the proof, a greeting and a ping, each twice"
                async with await wss.connect(place(far)) as meddler:
                    for message in told[4:7]:
                        await meddler.send(message)
                        assert await meddler.receive()
                    await meddler.send(told[7])
                    with pytest.raises(TransportError):
                        await meddler.receive()
                await carried.send(sealed.seal_up([Ping(3)]))
                assert sealed.open_down(await carried.receive()) == [Pong(3)]

    asyncio.run(scenario())


def test_a_lent_relay_carries_nobody_further(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with lend(tmp_path / "lent", "127.0.0.1") as lent:
            address = f"ws://127.0.0.1:{lent.port}{path_of(lent.lender)}"
            async with await wss.connect(address) as connection:
                await connection.send(ask_for_key(lent.lender.relay_id))
                message, greeting = greet(SUITE, await connection.receive(), secrets.token_bytes)
                await connection.send(message)
                welcome, _ = greeting.finish(await connection.receive())
                assert not welcome.carries

    asyncio.run(scenario())
