"""The root of the commands; a command is loaded when it is typed, so that the others cost nothing."""

import importlib
from pathlib import Path
from typing import Final

import click

from skvoz import __version__
from skvoz.cli.command import Group
from skvoz.cli.desk import Desk
from skvoz.texts import LANGUAGES, say

HOME_VARIABLE: Final = "SKVOZ_HOME"
COMMANDS: Final = {
    "account": ("account", "account", say("Make the account of this home, and look after it.")),
    "invite": ("links", "invite", say("Make a link for somebody to write to you by.")),
    "links": ("links", "links", say("List the links that you made, or revoke one.")),
    "accept": ("links", "accept", say("Open somebody's link and write to them.")),
    "chats": ("chats", "chats", say("List chats, the latest first.")),
    "read": ("chats", "read", say("Show a chat, and mark it as read.")),
    "chat": ("chats", "chat", say("Settle a chat: requests, disappearing messages, silence.")),
    "search": ("chats", "search", say("Find messages with all of these words.")),
    "send": ("messages", "send", say("Write to a chat.")),
    "location": ("locations", "location", say("Send a place on Earth.")),
    "poll": ("polls", "poll", say("Ask a question with answers to choose from, and answer one.")),
    "save": ("files", "save", say("Save the files of a message.")),
    "edit": ("messages", "edit", say("Put another text in place of your message's.")),
    "delete": ("messages", "delete", say("Delete a message for everybody, or only here.")),
    "react": ("messages", "react", say("Put an emoji on a message, or take it off.")),
    "pin": ("pins", "pin", say("Keep a message at hand for everybody in its chat, or not any more.")),
    "pins": ("pins", "pins", say("List the messages that a chat keeps at hand, the latest first.")),
    "receipts": (
        "messages",
        "receipts",
        say("Show who has a message of yours and has read it, as far as they tell."),
    ),
    "report": ("looking_after", "report", say("Tell the admins of a group about a message in it.")),
    "contacts": ("contacts", "contacts", say("List people.")),
    "contact": ("contacts", "contact", say("Compare, rename or block a person.")),
    "group": ("group_links", "group", say("Make a group, and change it.")),
    "bot": ("bots", "bot", say("Let programs in, each to as much as you choose.")),
    "listen": ("listen", "listen", say("Print what arrives, as it arrives.")),
    "home": ("homes", "home", say("Look after the folder with all that is yours.")),
    "bundle": ("bundles", "bundle", say("Carry messages by hand, where no relay can be reached.")),
    "storage": ("storage", "storage", say("Say what this home takes on the disk, and free files.")),
    "lock": ("locking", "lock", say("Close this home until its passphrase is given.")),
    "unlock": ("locking", "unlock", say("Open a locked home with its passphrase.")),
    "proxy": ("proxy", "proxy", say("Reach relays through a proxy of your own: Tor, a VPN's, Xray's.")),
    "doctor": (
        "doctor",
        "doctor",
        say("Say how this home, its relays and the network are: what is blocked here, and what to do."),
    ),
    "drop": ("drops", "drop", say("Talk without any relay, over storage that all of you reach.")),
    "relay": ("relay", "relay", say("Run a relay for others, and look into it.")),
}
"""Each command's module, its name there, and its line in the list."""
UNLISTED: Final = {"try": ("try_out", "try_out"), "demo": ("demo", "demo")}


class App(Group):
    """All commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names for `--help`, in the order in which a person meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; nothing where there is none."""
        del ctx
        if cmd_name in COMMANDS:
            module, name, _ = COMMANDS[cmd_name]
        elif cmd_name in UNLISTED:
            module, name = UNLISTED[cmd_name]
        else:
            return None
        return getattr(importlib.import_module(f"skvoz.cli.{module}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        del ctx
        with formatter.section(say("Commands")):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


def default_home() -> Path:
    """Return where a home is that nobody names."""
    import platformdirs  # noqa: PLC0415  # only where it is needed

    return Path(platformdirs.user_data_dir("skvoz"))


@click.group(cls=App, invoke_without_command=True)
@click.option(
    "--home",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    envvar=HOME_VARIABLE,
    help=say("The home to use; several homes are several people. Also: SKVOZ_HOME."),
)
@click.option("--open/--no-open", "opens", default=None, help=say("Open the page in a browser, or don't."))
@click.option(
    "--relay",
    "relay_address",
    default="",
    envvar="SKVOZ_RELAY",
    metavar="ADDRESS",
    help=say("The relay that the page suggests to a new account. Also: SKVOZ_RELAY."),
)
@click.option("--language", type=click.Choice(LANGUAGES), help=say("Speak this language."))
@click.version_option(__version__, prog_name="skvoz", help=say("Show the version and exit."))
@click.pass_context
def app(
    ctx: click.Context, *, folder: Path | None, opens: bool | None, relay_address: str, language: str | None
) -> None:
    """Write to people so that nobody else can read it.

    Without a command, this runs your node and its page: it receives and sends for as long as it runs.
    """
    del language  # was chosen before this module was loaded
    ctx.obj = Desk(folder or default_home())
    if ctx.invoked_subcommand is None:
        from skvoz.cli.node import PageWish, run_node  # noqa: PLC0415  # heavy

        run_node(ctx.obj, PageWish(opens=opens, suggested_relay=relay_address))
