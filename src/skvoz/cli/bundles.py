"""`skvoz bundle`: messages as a file, to be carried by hand where no relay can be reached."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from skvoz.api.protocol import CallFailed
from skvoz.base.errors import BadRequest, StoreError
from skvoz.cli.command import Group, json_option
from skvoz.cli.desk import Desk, pass_desk
from skvoz.cli.output import show_json, size_of
from skvoz.texts import count, explain, say

if TYPE_CHECKING:
    from skvoz.api.caller import Brought, Caller

_PLACE: Final = click.Path(path_type=Path)
_FILES_MAX: Final = 1000
"""Files of one folder that are looked at."""


@click.group(cls=Group)
def bundle() -> None:
    """Carry messages by hand, where no relay can be reached.

    A bundle is a file, for a USB stick or anything else. Whoever carries it can't read it, or see whose it
    is. Files and new members don't travel this way.
    """


@bundle.command("export")
@click.argument("place", type=_PLACE, metavar="FILE|DIR")
@json_option
@pass_desk
def export_bundle(desk: Desk, place: Path, *, as_json: bool) -> None:
    """Write what others may not have yet into a file; in a folder it gets a name that says nothing."""
    with desk.reach() as caller:
        given = caller.get_bundle()
    file = place / f"{secrets.token_hex(6)}.bin" if place.is_dir() else place
    _write(file, given.file)
    if as_json:
        size, left_out = len(given.file), given.left_out
        show_json([{"file": str(file), "contents": given.contents, "size": size, "left_out": left_out}])
        return
    what = count("{number} message or change", "{number} messages and changes", given.contents)
    click.echo(say("{file}: {what}, {size}", file=file, what=what, size=size_of(len(given.file))))
    if given.left_out:
        click.echo(
            count(
                "The bundle is full: {number} message or change is not in it.",
                "The bundle is full: {number} messages and changes are not in it.",
                given.left_out,
            )
        )


@bundle.command("import")
@click.argument("place", type=_PLACE, metavar="FILE|DIR")
@json_option
@pass_desk
def import_bundle(desk: Desk, place: Path, *, as_json: bool) -> None:
    """Take what is for you from a bundle, or from all bundles in a folder; taking it twice does no harm."""
    new = known = 0
    with desk.reach() as caller:
        for brought in _bring(caller, place):
            new += brought.new_contents
            known += brought.known_contents
    if as_json:
        show_json([{"new": new, "known": known}])
    elif not new and not known:
        click.echo(say("Nothing in it is for you. It can be carried on: whoever it is for can read it."))
    else:
        click.echo(count("{number} new message or change", "{number} new messages and changes", new))


def _bring(caller: "Caller", place: Path) -> "list[Brought]":
    """Import a file, or every bundle of a folder; raise `BadRequest` where there is none."""
    if not place.is_dir():
        return [caller.put_bundle(_read(place))]
    found = [file for file in sorted(place.iterdir())[:_FILES_MAX] if _may_be_one(file)]
    brought: list[Brought] = []
    for file in found:
        try:
            brought.append(caller.put_bundle(_read(file)))
        except CallFailed as failed:
            click.echo(f"{file.name}: {explain(failed)}", err=True)
    if not brought:
        raise BadRequest("there is no bundle in this folder")
    return brought


def _may_be_one(file: Path) -> bool:
    """Tell whether a file has one of the sizes of bundles: a stick holds other things too."""
    from skvoz.client.bundle_form import is_whole  # noqa: PLC0415  # heavy

    try:
        return file.is_file() and is_whole(file.stat().st_size)
    except OSError:
        return False


def _read(file: Path) -> bytes:
    from skvoz.client.bundle_form import BUNDLE_SIZE_MAX  # noqa: PLC0415  # heavy

    try:
        with file.open("rb") as opened:
            return opened.read(BUNDLE_SIZE_MAX + 1)
    except OSError as error:
        raise BadRequest(f"the file can't be read: {error.strerror}") from None


def _write(file: Path, content: bytes) -> None:
    """Write a whole file or none: a stick may be full, or be pulled out."""
    part = file.with_name(file.name + ".part")
    try:
        with part.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"the file can't be saved: {error.strerror}") from None
