import asyncio

from examples.echo_bot import bot
from skvoz.bot.testing import stage


def test_it_repeats_what_it_is_told() -> None:
    async def scenario() -> None:
        async with stage() as here, here.running(bot):
            await here.friend.says("hello")
            assert await here.friend.hears() == "hello"

    asyncio.run(scenario())
