"""`skvoz save`, and what `skvoz send --file` does: files in and out, with progress for who watches."""

import contextlib
import mimetypes
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from skvoz.api.params import FileParams, MessageParams, NoParams
from skvoz.api.views import FileView, MessageView, ProgressView
from skvoz.base.errors import BadRequest, Conflict, NotFound, StoreError
from skvoz.cli.command import Command, Number, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.naming import find_message
from skvoz.cli.output import failure, show_json, size_of
from skvoz.cli.wishes import PATIENCE_S, wish

if TYPE_CHECKING:
    from skvoz.api.caller import Caller

_POLL_S: Final = 0.1
FILE: Final = click.Path(path_type=Path, dir_okay=False)
"""A file, wherever it is."""


def put_files(caller: "Caller", files: Sequence[Path]) -> list[bytes]:
    """Put files into the home, and return their ids; raise `BadRequest` for one that can't be read."""
    found: list[bytes] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                media_type = mimetypes.guess_type(file.name)[0] or ""
                found.append(caller.put_file(opened, size, file.name, media_type))
        except OSError as error:
            raise BadRequest(f"the file can't be read: {error.strerror}") from None
    return found


def wait_for_upload(caller: "Caller", message: MessageView) -> None:
    """Wait until a message's files are at the relay, or can't go there now; say so as it goes."""
    _wait(caller, [file.file_id for file in message.files], "uploading")


def _wait(caller: "Caller", file_ids: Sequence[bytes], moving: str) -> None:
    """Wait while any of these files moves on; what can't goes on by itself later, while a node runs."""
    bar = sys.stderr is not None and sys.stderr.isatty()
    stood, since = -1, time.monotonic()
    while True:
        files = [caller.call("file.get", FileParams(file_id=one), FileView) for one in file_ids]
        under_way = [file for file in files if file.state == moving]
        done, total = _progress(caller, file_ids)
        if bar and total:
            click.echo(f"\r\x1b[K{size_of(done)} / {size_of(total)}", nl=False, err=True)
        if done != stood:
            stood, since = done, time.monotonic()
        is_stuck = all(file.paused or file.failure for file in under_way)
        if is_stuck or time.monotonic() - since > PATIENCE_S:
            break
        time.sleep(_POLL_S)
    if bar:
        click.echo("\r\x1b[K", nl=False, err=True)
    for file in files:
        if file.failure:
            click.echo(f"{file.name}: {failure(file.failure)}", err=True)


def _progress(caller: "Caller", file_ids: Sequence[bytes]) -> tuple[int, int]:
    found = [
        one for one in caller.call("file.progress", NoParams(), ProgressView).files if one.file_id in file_ids
    ]
    return sum(one.done for one in found), sum(one.total for one in found)


@click.command(cls=Command)
@click.argument("number", type=Number(), metavar="NUMBER")
@click.argument("target", type=click.Path(path_type=Path), default=Path(), metavar="[FILE]")
@json_option
@pass_desk
def save(desk: Desk, number: int, target: Path, *, as_json: bool) -> None:
    """Save the files of a message.

    They go into a folder, or one goes where you say. What is not here yet is fetched first. Nothing that is
    there already is overwritten.
    """
    with desk.reach() as caller:
        message = find_message(caller, number)
        if not message.files:
            raise NotFound("this message has no files")
        for file in message.files:
            wish(caller, "file.fetch", file_id=file.file_id)
        _wait(caller, [file.file_id for file in message.files], "downloading")
        message = caller.call("message.get", MessageParams(message_id=message.message_id), MessageView)
        if any(file.state not in {"here", "uploading"} for file in message.files):
            raise Conflict("not every file is here: what came is kept, and fetching can go on")
        saved = [_save(caller, file, place) for file, place in _places(message.files, target)]
    if as_json:
        show_json([{"file": str(place)} for place in saved])
    else:
        for place in saved:
            click.echo(place)


def _places(files: Sequence[FileView], target: Path) -> Iterable[tuple[FileView, Path]]:
    if target.is_dir():
        return [(file, target / file.name) for file in files]
    if len(files) > 1:
        raise BadRequest("this message has several files: name a folder")
    return [(files[0], target)]


def _save(caller: "Caller", file: FileView, wished: Path) -> Path:
    """Write a file beside its place, then put it there; raise `StoreError`, and then nothing is there."""
    part = wished.with_name(f".{wished.name}.{os.getpid()}.part")
    try:
        try:
            with part.open("xb", buffering=0) as opened:
                caller.get_file(file.file_id, opened)
                os.fsync(opened.fileno())
            return _link(part, wished)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
    except OSError as error:
        raise StoreError(f"the file can't be saved: {error.strerror}") from None


def _link(part: Path, wished: Path) -> Path:
    """Give a file its name, or with a number behind it where that is taken."""
    place, number = wished, 1
    while True:
        try:
            os.link(part, place)
        except FileExistsError:
            number += 1
            place = wished.with_name(f"{wished.stem} ({number}){wished.suffix}")
        else:
            return place
