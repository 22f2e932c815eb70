"""Files that bots send and save."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from skvoz.base.errors import NotAllowed, StoreError
from skvoz.bot import Bot, Message, Place
from skvoz.bot import bot as bot_module
from skvoz.bot.files import Files
from skvoz.bot.testing import Stage, stage

CONTENT = Random(7).randbytes(300_000)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bot_module, "RETRY_S", 0.01)


def returning_bot(folder: Path, failures: list[Exception]) -> Bot:
    """Return a bot that sends every file back under another name."""
    bot = Bot.from_env()

    @bot.on_message
    async def give_back(message: Message) -> None:
        for file in message.files:
            await message.save_file(file, folder / file.name)
            assert await message.send_file(folder / file.name, "yours", "back.bin") is not None

    bot.on_failure = failures.append
    return bot


async def sends_a_file(here: Stage, source: Path) -> None:
    file_id = await Files(Place.of_home(here.friend.home)).put(source)
    await here.friend.does(
        "message.send", chat_id=here.friend.chat_id, text="keep it", files=[{"file_id": file_id}]
    )


@pytest.mark.slow
def test_a_bot_of_a_home_sends_back_what_it_saved(tmp_path: Path) -> None:
    async def scenario() -> None:
        failures: list[Exception] = []
        source = tmp_path / "to the bot.bin"
        source.write_bytes(CONTENT)
        saved = tmp_path / "saved"
        saved.mkdir()
        bot = returning_bot(saved, failures)
        async with stage() as here:
            begun = asyncio.Event()
            place = Place.of_home(here.home)
            running = asyncio.create_task(bot.serve(place, tmp_path / "state", begun.set))
            await begun.wait()
            await sends_a_file(here, source)
            got = await here.friend.gets()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert failures == []
        assert (saved / "to the bot.bin").read_bytes() == CONTENT
        [file] = got.files
        assert (got.text, file.name, file.size) == ("yours", "back.bin", len(CONTENT))

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_token_reaches_no_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        source = tmp_path / "a.bin"
        source.write_bytes(b"a")
        async with stage() as here:
            place = Place.of_home(here.home, await here.new_token("bot"))
            with pytest.raises(NotAllowed):
                await Files(place).put(source)
            with pytest.raises(NotAllowed):
                await Files(place).get(bytes(16), tmp_path / "b.bin")

    asyncio.run(scenario())


@pytest.mark.slow
def test_what_can_not_be_read_or_written_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        source = tmp_path / "a.bin"
        source.write_bytes(b"a")
        async with stage() as here:
            files = Files(Place.of_home(here.home))
            with pytest.raises(StoreError, match="can't be read"):
                await files.put(tmp_path / "missing")
            file_id = await files.put(source)
            with pytest.raises(StoreError, match="can't be saved"):
                await files.get(file_id, source)
            assert source.read_bytes() == b"a"

    asyncio.run(scenario())
