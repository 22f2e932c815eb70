"""Files that are attached in a chat and not sent yet.

Known from the moment that they are chosen, so that they outlive the page that they were chosen on.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.base.limits import CHUNK_SIZES, FILE_SIZE_MAX
from skvoz.client import file_transfers
from skvoz.client.commands import Answer, AttachFile, FileToSend, StageFile
from skvoz.client.file_names import harmless_name, harmless_type
from skvoz.client.records import Conversation, File, FileState
from skvoz.client.step import Step
from skvoz.content import FILES_MAX, THUMBNAIL_SIZE_MAX

STAGED_KEPT_MS: Final = 24 * 3600 * 1000
"""What was put here and never sent goes after a day: its bytes take room."""


def stage(step: Step, command: StageFile) -> Answer:
    """Know a file whose bytes the driver has put, sealed, into the home."""
    step.account()
    if len(command.file_id) != file_transfers.FILE_ID_SIZE or command.chunk_size not in CHUNK_SIZES:
        raise BadRequest("a file was put here in a wrong way")
    if not 0 <= command.size <= FILE_SIZE_MAX:
        raise BadRequest("a file has 2 GiB at most")
    attached = step.transaction.get(File, command.file_id) if command.is_attached else None
    if command.is_attached and attached is None:
        raise NotFound("this file is not attached any more")
    if attached is not None and attached.state is not FileState.AWAITED:
        raise Conflict("this file is here already")
    file = msgspec.structs.replace(
        attached or _blank(step, command.file_id),
        state=FileState.STAGED,
        file_key=command.file_key,
        size=command.size,
        sha256=command.sha256,
        chunk_size=command.chunk_size,
        name=harmless_name(command.name),
        media_type=harmless_type(command.media_type),
    )
    if attached is not None:
        file_transfers.tell(step, file, "attached")
    step.transaction.put(file)
    step.set_alarm(file_transfers.UNUSED_ALARM, file.file_id, step.now_ms + STAGED_KEPT_MS)
    return Answer(file_id=file.file_id)


def attach(step: Step, command: AttachFile) -> Answer:
    """Know a file that is attached in a chat, before its bytes come or after.

    Raises `BadRequest`, `NotFound`, or `Conflict` for one that a message has.
    """
    step.account()
    if not step.transaction.select(Conversation, chat_id=command.chat_id):
        raise NotFound("there is no such chat")
    if not 0 <= command.size <= FILE_SIZE_MAX:
        raise BadRequest("a file has 2 GiB at most")
    if len(command.thumbnail) > THUMBNAIL_SIZE_MAX:
        raise BadRequest("a thumbnail has 16 KiB at most")
    if command.file_id is None:
        file = _awaited(step, command.chat_id)
    else:
        file = file_transfers.known(step, command.file_id)
        if file.state not in file_transfers.UNSENT or file.chat_id != command.chat_id:
            raise Conflict("this file belongs to a message already")
    is_awaited = file.state is FileState.AWAITED
    file = msgspec.structs.replace(
        file,
        name=harmless_name(command.name),
        media_type=harmless_type(command.media_type),
        size=command.size if is_awaited else file.size,
        thumbnail=command.thumbnail,
        thumbnail_type=command.thumbnail_type,
        width=command.width,
        height=command.height,
        duration_ms=command.duration_ms,
        waveform=command.waveform,
    )
    step.transaction.put(file)
    step.set_alarm(file_transfers.UNUSED_ALARM, file.file_id, step.now_ms + STAGED_KEPT_MS)
    file_transfers.tell(step, file, "attached")
    return Answer(file_id=file.file_id)


def _awaited(step: Step, chat_id: bytes) -> File:
    """Return a new file that is attached behind the others of a chat; raise `BadRequest` for too many."""
    unsent = (one for state in file_transfers.UNSENT for one in step.transaction.select(File, state=state))
    waiting = [one for one in unsent if one.chat_id == chat_id]
    if len(waiting) >= FILES_MAX:
        raise BadRequest("a message has 16 files at most, each once")
    number = max((one.number for one in waiting), default=-1) + 1
    blank = _blank(step, step.randomness(file_transfers.FILE_ID_SIZE))
    return msgspec.structs.replace(blank, number=number, chat_id=chat_id)


def _blank(step: Step, file_id: bytes) -> File:
    return File(
        file_id=file_id,
        state=FileState.AWAITED,
        created_ms=step.now_ms,
        file_key=b"",
        size=0,
        sha256=b"",
        chunk_size=0,
        name="",
        media_type="",
    )


def chosen(step: Step, conversation: Conversation, wished: Sequence[FileToSend]) -> list[File]:
    """Return the records of files that are to be sent, with their places at the conversation's relay.

    Raises `NotFound`, `Conflict` for one that a message has already, or `BadRequest`.
    """
    if len(wished) > FILES_MAX or len({one.file_id for one in wished}) != len(wished):
        raise BadRequest("a message has 16 files at most, each once")
    found: list[File] = []
    for number, one in enumerate(wished):
        file = file_transfers.known(step, one.file_id)
        if file.state is FileState.AWAITED:
            raise Conflict("this file has not come yet")
        if file.state is not FileState.STAGED:
            raise Conflict("this file belongs to a message already")
        found.append(
            msgspec.structs.replace(
                file,
                number=number,
                description=one.description,
                thumbnail=one.thumbnail,
                thumbnail_type=one.thumbnail_type,
                width=one.width,
                height=one.height,
                duration_ms=one.duration_ms,
                waveform=one.waveform,
                relay_id=conversation.relay_id,
                blob_id=step.randomness(16),
                write_key=step.randomness(32),
            )
        )
    return found
