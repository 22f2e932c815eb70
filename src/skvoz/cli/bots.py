"""`skvoz bot`: programs that are let in with a token of their own."""

import click
import msgspec

from skvoz.api.params import NoParams
from skvoz.api.views import BotListView, BotView
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import all_chats, find_bot, find_chat
from skvoz.cli.output import called, clock, one_line, show_json
from skvoz.cli.wishes import wish
from skvoz.texts import count, say


@click.group(cls=Group)
def bot() -> None:
    """Let programs in, each to as much as you choose.

    A bot acts as you: what it writes, you have written. One for the public has a home of its own: --home.
    """


@bot.command()
@click.argument("name")
@click.option(
    "--chat", "chats", multiple=True, metavar="CHAT", help=say("Only this chat; may be said several times.")
)
@click.option("--read-only", is_flag=True, help=say("It reads, and writes nothing."))
@json_option
@pass_desk
def new(desk: Desk, name: str, *, chats: tuple[str, ...], read_only: bool, as_json: bool) -> None:
    """Let a program in, and print its token.

    The token is shown this once, and kept nowhere: whoever has it is let in until you revoke it.
    """
    from skvoz.api.access import new_token, token_hash  # noqa: PLC0415  # heavy

    token = new_token()
    with desk.reach() as caller:
        named = [find_chat(caller, chat).chat_id for chat in chats] or None
        bot_id = wish(
            caller,
            "bot.create",
            name=name,
            token_hash=token_hash(token),
            can_write=not read_only,
            chats=named,
        ).bot_id
        made = next(
            one for one in caller.call("bot.list", NoParams(), BotListView).bots if one.bot_id == bot_id
        )
    if as_json:
        show_json([{**msgspec.to_builtins(made), "token": token}])
        return
    click.echo(token)
    click.echo(say("This is the bot's token. It is shown this once; the bot takes it from:"), err=True)
    click.echo("  SKVOZ_BOT_TOKEN", err=True)


@bot.command("list")
@json_option
@pass_desk
def list_bots(desk: Desk, *, as_json: bool) -> None:
    """List programs that are let in, and what each may do."""
    with desk.reach() as caller:
        found = caller.call("bot.list", NoParams(), BotListView).bots
        titles = {chat.chat_id: chat.title for chat in all_chats(caller)} if found else {}
    if as_json:
        show_json(found)
        return
    for one in found:
        click.echo(f"{one_line(one.name)}  {_rights(one, titles)}  {_last_use(one)}")
    if not found:
        click.echo(say("No bots. `skvoz bot new NAME` lets one in."), err=True)


def _rights(one: BotView, titles: dict[bytes, str]) -> str:
    if one.chats is None:
        return say("reads and writes in all chats") if one.can_write else say("reads all chats")
    known = [titles[chat] for chat in one.chats if chat in titles]
    gone = len(one.chats) - len(known)
    named = [called(title, 40) for title in known]
    if gone:
        named.append(count("{number} chat that is not listed", "{number} chats that are not listed", gone))
    chats = ", ".join(named)
    return (
        say("reads and writes in: {chats}", chats=chats)
        if one.can_write
        else say("reads: {chats}", chats=chats)
    )


def _last_use(one: BotView) -> str:
    if one.used_ms is None:
        return say("never used")
    return say("last used {time}", time=clock(one.used_ms))


@bot.command()
@click.argument("name")
@json_option
@pass_desk
def revoke(desk: Desk, name: str, *, as_json: bool) -> None:
    """Let a program in no longer, from this moment on."""
    with desk.reach() as caller:
        found = find_bot(caller, name)
        wish(caller, "bot.revoke", bot_id=found.bot_id)
        if as_json:
            show_json(caller.call("bot.list", NoParams(), BotListView).bots)
            return
    click.echo(say("{name} is not let in any more.", name=one_line(found.name)), err=True)
