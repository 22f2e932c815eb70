from skvoz.bot import Bot, Message

bot = Bot.from_env()


@bot.on_message
async def echo(message: Message) -> None:
    await message.reply(message.text or "?")


if __name__ == "__main__":
    bot.run()
