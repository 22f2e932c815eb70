"""Tokens of bots: made, shown once, counted, and shut out."""

import logging
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from skvoz.api import access as access_module
from skvoz.api.access import new_token, token_hash
from skvoz.api.methods import METHODS
from skvoz.api.page import serving_page
from skvoz.api.service import Service
from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.client.commands import CreateBot, RevokeBot
from skvoz.client.records import Answered, Bot
from skvoz.logs import Rate
from skvoz.node.node import system_clock_ms
from tests.api.programs import Program, Words, new_bot, post, program
from tests.api.test_bots import WITHOUT_PLACE, House, ask, in_the_house, kind_of
from tests.node.people import client_id, until


def test_a_revoked_token_opens_nothing_from_then_on_wherever_it_is_used(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "short-lived")
        [record] = await at.anna.records(Bot)
        async with program(at.anna.folder, token) as bot, program(at.anna.folder, token) as listening:
            await listening.result("event.subscribe")
            await at.anna.do(RevokeBot(client_id=client_id(), bot_id=record.bot_id))
            for name, params in (at.about(shut=False) | WITHOUT_PLACE).items():
                assert kind_of(await ask(bot, name, params)) == "not_allowed", name
            await at.anna.send(at.open_chat, "not for its eyes")
            with pytest.raises(ConnectionClosed) as closed:
                await listening.events_through(at.anna.node.last_event)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008
        with pytest.raises(InvalidStatus):
            async with program(at.anna.folder, token):
                pass
        with pytest.raises(NotFound):
            await at.anna.do(RevokeBot(client_id=client_id(), bot_id=record.bot_id))

    in_the_house(tmp_path, visit)


@pytest.mark.slow
@pytest.mark.parametrize(
    "token", ["", "x", "skvoz-bot-", "skvoz-bot-\udcff", "skvoz-bot-" + "A" * 43, "{other case}"]
)
def test_a_token_that_was_not_given_out_is_refused_even_on_the_homes_own_socket(
    tmp_path: Path, token: str
) -> None:
    async def visit(at: House) -> None:
        real = await new_bot(at.anna, "bot")
        shown = real.swapcase() if token == "{other case}" else token
        assert await Service(at.anna.node).tokens.access(shown) is None
        if not shown.isascii():
            return
        call = b'{"jsonrpc":"2.0","id":1,"method":"bot.self"}'
        length = f"content-length: {len(call)}"
        for scheme in ("Bearer ", "Basic ", ""):
            status, body = await post(at.anna.folder, call, length, f"authorization: {scheme}{shown}")
            assert (status, body) == (401, b"")
        status, body = await post(at.anna.folder, call, length, f"authorization: Bearer {real}")
        assert (status, msgspec.json.decode(body)["result"]["name"]) == (200, "bot")
        with pytest.raises(InvalidStatus) as refused:
            async with program(at.anna.folder, shown):
                pass
        assert refused.value.response.status_code == 403

    in_the_house(tmp_path, visit)


def test_a_token_opens_the_pages_address_for_programs_and_not_for_other_sites(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot", at.open_chat)
        async with serving_page(Service(at.anna.node), at.anna.folder, system_clock_ms) as address:
            place = address().removeprefix("http://").partition("/")[0]

            async def reach(**options: Any) -> Words:
                async with connect(f"ws://{place}/rpc", **options) as websocket:
                    return await Program(websocket).ask("chat.get", chat_id=at.shut_chat)

            bearer = {"authorization": f"Bearer {token}"}
            assert kind_of(await reach(additional_headers=bearer)) == "not_found"
            offered = ["skvoz", f"token.{token}"]
            assert kind_of(await reach(subprotocols=offered)) == "not_found"
            for wrong in (
                {"additional_headers": bearer, "origin": "https://example.org"},
                {"additional_headers": {"authorization": f"Bearer {new_token()}"}},
                {"additional_headers": {"authorization": "Bearer"}, "subprotocols": offered},
                {},
            ):
                with pytest.raises(InvalidStatus):
                    await reach(**wrong)

    in_the_house(tmp_path, visit)


def test_calls_of_a_token_are_counted_and_too_many_are_told_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "CALLS", Rate.of(per_s=0.001, burst=3))

    async def visit(at: House) -> None:
        eager, patient = [await new_bot(at.anna, name) for name in ("eager", "patient")]
        async with program(at.anna.folder, eager) as one, program(at.anna.folder, eager) as same:
            for bot in (one, same, one):
                assert kind_of(await ask(bot, "bot.self", {})) is None
            for bot in (one, same):
                data = (await bot.refusal("bot.self"))["data"]
                assert (data["kind"], data["retryable"]) == ("too_often", True)
                assert data["retry_after_ms"] > 0
        async with program(at.anna.folder, patient) as bot, program(at.anna.folder) as owner:
            assert kind_of(await ask(bot, "bot.self", {})) is None
            for _ in range(5):
                assert kind_of(await ask(owner, "bot.self", {})) is None

    in_the_house(tmp_path, visit)


def test_when_a_bot_was_last_at_work_is_noted_by_the_hour(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot")

        async def used() -> int | None:
            return (await at.anna.records(Bot))[0].used_ms

        assert await used() is None
        async with program(at.anna.folder, token) as bot:
            await bot.result("bot.self")
            first = await until(used)
            await bot.result("bot.self")
            assert await used() == first

    in_the_house(tmp_path, visit)


async def make_bot(at: House, **changed: Any) -> None:
    made = CreateBot(client_id=client_id(), name="bot", token_hash=token_hash(new_token()))
    await at.anna.do(msgspec.structs.replace(made, **changed))


def test_a_bot_that_makes_no_sense_is_not_made(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        await new_bot(at.anna, "taken")
        taken = (await at.anna.records(Bot))[0].token_hash
        for error, changed in (
            (BadRequest, {"name": "  "}),
            (BadRequest, {"name": "two\nlines"}),
            (BadRequest, {"token_hash": b"short"}),
            (BadRequest, {"chats": ()}),
            (BadRequest, {"chats": tuple(bytes([n]) for n in range(65))}),
            (NotFound, {"chats": (at.open_chat, bytes(16))}),
            (Conflict, {"name": "taken"}),
            (Conflict, {"name": " taken "}),
            (Conflict, {"token_hash": taken}),
        ):
            with pytest.raises(error):
                await make_bot(at, **changed)
        assert len(await at.anna.records(Bot)) == 1
        for number in range(63):
            await make_bot(at, name=f"{number}")
        with pytest.raises(Conflict, match="enough"):
            await make_bot(at, name="one more")

    in_the_house(tmp_path, visit)


def test_a_token_is_in_no_record_file_log_or_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def visit(at: House) -> None:
        token = await new_bot(at.anna, "bot")
        async with program(at.anna.folder, token) as bot:
            errors = [await ask(bot, name, {}) for name in METHODS]
        answered = await at.anna.records(Answered)
        secret = token.removeprefix("skvoz-bot-")
        assert secret not in repr(errors)
        kept = b"".join(one.answer + one.command for one in answered)
        assert secret.encode() not in kept + msgspec.msgpack.encode(await at.anna.records(Bot))
        files = [file.read_bytes() for file in at.anna.folder.iterdir() if file.is_file()]
        assert files
        assert not any(secret.encode() in file or b64encode(secret.encode()) in file for file in files)
        heard = [record.getMessage() for record in caplog.records if record.name != "websockets.client"]
        assert not [line for line in heard if secret in line]

    with caplog.at_level(logging.DEBUG):
        in_the_house(tmp_path, visit)


def test_a_repeat_makes_no_second_bot(tmp_path: Path) -> None:
    async def visit(at: House) -> None:
        wish = CreateBot(client_id="the same", name="bot", token_hash=bytes(32))
        assert await at.anna.do(wish) == await at.anna.do(wish)
        async with program(at.anna.folder) as owner:
            [bot] = (await owner.result("bot.list"))["bots"]
        assert (bot["name"], bot["can_write"], bot["used_ms"]) == ("bot", False, None)
        assert "token" not in repr(bot)
        assert len(b64decode(bot["bot_id"])) == 16

    in_the_house(tmp_path, visit)
