"""`skvoz storage`: what this home takes on the disk, and files given back."""

import time

import click

from skvoz.api.params import PAGE_SIZE_MAX, NoParams
from skvoz.api.storage_views import StorageView, StoredFilesParams, StoredFilesView
from skvoz.base.errors import BadRequest
from skvoz.cli.command import Group, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import all_chats, find_chat
from skvoz.cli.output import one_line, show_json, size_of
from skvoz.cli.wishes import wish
from skvoz.texts import count, say

_DAY_MS = 24 * 3600 * 1000


@click.group(cls=Group)
def storage() -> None:
    """Say what this home takes on the disk, and free files."""


@storage.command()
@json_option
@pass_desk
def show(desk: Desk, *, as_json: bool) -> None:
    """Say what this home takes on the disk, and the files of which chats."""
    with desk.reach() as caller:
        found = caller.call("storage.get", NoParams(), StorageView)
        titles = {chat.chat_id: chat.title for chat in all_chats(caller)}
    if as_json:
        show_json([found])
        return
    click.echo(say("Messages: {size}", size=size_of(found.database)))
    click.echo(say("Files that can be freed: {size}", size=size_of(found.size)))
    click.echo(say("Free on the disk: {size}", size=size_of(found.free)))
    for chat in found.chats:
        click.echo(f"  {size_of(chat.size):>10}  {one_line(titles.get(chat.chat_id, ''))}")


@storage.command()
@click.option("--chat", default="", metavar="CHAT", help=say("Only files of this chat."))
@click.option("--older-than", "days", type=Number(0), metavar="DAYS", help=say("Only files that are older."))
@json_option
@pass_desk
def free(desk: Desk, *, chat: str, days: int | None, as_json: bool) -> None:
    """Free the room of files: they can be fetched again for as long as their relay has them."""
    if not chat and days is None:
        raise BadRequest("say which files: of a chat, or older than so many days")
    freed = 0
    with desk.reach() as caller:
        params = StoredFilesParams(
            chat_id=find_chat(caller, chat).chat_id if chat else None,
            before_ms=None if days is None else max(0, time.time_ns() // 1_000_000 - days * _DAY_MS),
            limit=PAGE_SIZE_MAX,
        )
        while files := caller.call("storage.files", params, StoredFilesView).files:
            for file in files:
                wish(caller, "file.forget", file_id=file.file_id)
            freed += len(files)
    if as_json:
        show_json([{"freed": freed}])
        return
    click.echo(count("{number} file is freed", "{number} files are freed", freed))
