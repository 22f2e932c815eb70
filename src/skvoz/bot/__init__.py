"""Bots: programs that are told what happens in chats, and write there.

    from skvoz.bot import Bot, Message

    bot = Bot.from_env()


    @bot.on_message
    async def echo(message: Message) -> None:
        await message.reply(message.text)


    bot.run()

- `bot`: handlers, and the loop that brings events there
- `message`: a message, and what may be done about it
- `line`: calls and events over the node's WebSocket
- `files`: bytes of files, for a bot with a home of its own
- `place`: where the node is, and the token; said by the environment
- `cursor`: how far the bot is, in a file
- `testing`: a relay and two homes in a temporary folder, for tests of bots

It imports the API's types and a WebSocket client and nothing else of Skvoz, except for `testing`.
"""

from skvoz.api.protocol import CallFailed
from skvoz.api.views import BotSelfView, ChatView, EventView, FileView, MemberView, MessageView
from skvoz.bot.bot import Bot
from skvoz.bot.message import Message
from skvoz.bot.place import Place

__all__ = [
    "Bot",
    "BotSelfView",
    "CallFailed",
    "ChatView",
    "EventView",
    "FileView",
    "MemberView",
    "Message",
    "MessageView",
    "Place",
]
