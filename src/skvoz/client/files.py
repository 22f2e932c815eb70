"""Files of messages: what a message says of its files, and what becomes of them with it.

STAGED --sent--> UPLOADING --at the relay--> HERE <--whole and checked-- DOWNLOADING <--asked for-- REMOTE

A message goes out once all its files are at the relay, and what is said later does not wait for it. Nothing
is fetched that nobody asked for, and nothing of a stranger's before they are accepted.

What is not sent yet is in `chosen_files`, how bytes move in `file_transfers`.
"""

from collections.abc import Sequence

import msgspec

from skvoz.base.errors import BadRequest, Conflict
from skvoz.base.ids import GroupId, MessageId, RelayId
from skvoz.client import file_transfers, outbox
from skvoz.client.commands import Answer, FetchFile, ForgetFile, PauseFile
from skvoz.client.effects import RemoveFile, StopTransfer
from skvoz.client.file_names import harmless_name, harmless_type
from skvoz.client.records import File, FileState, HeldMessage, Message
from skvoz.client.step import Step
from skvoz.content import BlobPlace
from skvoz.content import File as SaidFile


def said(file: File) -> SaidFile:
    """Return a file as its message says it."""
    return SaidFile(
        place=BlobPlace(relay_id=file.relay_id, blob_id=file.blob_id, chunk_size=file.chunk_size),
        key=file.file_key,
        size=file.size,
        sha256=file.sha256,
        name=file.name,
        media_type=file.media_type,
        description=file.description,
        thumbnail=file.thumbnail,
        thumbnail_type=file.thumbnail_type,
        width=file.width,
        height=file.height,
        duration_ms=file.duration_ms,
        waveform=file.waveform,
    )


def hold(step: Step, message: Message, body: bytes, files: Sequence[File]) -> None:
    """Let a message of ours wait for its files, and begin to send them.

    Raises `BadRequest` if it is too long.
    """
    if len(body) > outbox.BODY_SIZE_MAX:
        raise BadRequest("a message is too long")
    step.transaction.put(HeldMessage(message_id=message.message_id, group_id=message.group_id, body=body))
    for file in files:
        step.clear_alarm(file_transfers.UNUSED_ALARM, file.file_id)
        sent = msgspec.structs.replace(
            file, message_id=message.message_id, chat_id=b"", state=FileState.UPLOADING
        )
        step.transaction.put(sent)
        file_transfers.go_on(step, sent)


def received(step: Step, message: Message, files: Sequence[SaidFile]) -> None:
    """Note the files of a message that came; nothing of them is fetched."""
    for number, one in enumerate(files):
        step.transaction.put(
            File(
                file_id=step.randomness(file_transfers.FILE_ID_SIZE),
                message_id=message.message_id,
                state=FileState.REMOTE,
                created_ms=step.now_ms,
                number=number,
                file_key=one.key,
                size=one.size,
                sha256=one.sha256,
                chunk_size=one.place.chunk_size,
                name=harmless_name(one.name),
                media_type=harmless_type(one.media_type),
                description=one.description,
                thumbnail=one.thumbnail,
                thumbnail_type=one.thumbnail_type,
                width=one.width,
                height=one.height,
                duration_ms=one.duration_ms,
                waveform=one.waveform,
                relay_id=RelayId(one.place.relay_id),
                blob_id=one.place.blob_id,
            )
        )


def fetch(step: Step, command: FetchFile) -> Answer:
    """Begin to bring a file here, or go on with it."""
    file = file_transfers.known(step, command.file_id)
    answer = Answer(file_id=file.file_id)
    if file.message_id is None or file.state in {FileState.HERE, FileState.UPLOADING}:
        return answer
    conversation = file_transfers.conversation_of(step, file)
    if conversation.is_request:
        raise Conflict("accept the request before you open its files")
    if conversation.relay_id != file.relay_id:
        raise Conflict("this file lies at a relay that is not the chat's")
    file_transfers.change(
        step, file, "resumed", state=FileState.DOWNLOADING, paused=False, failure="", tries=0
    )
    return answer


def pause(step: Step, command: PauseFile) -> Answer:
    """Hold a file on its way up or down, or let it go on."""
    file = file_transfers.known(step, command.file_id)
    if file.state in file_transfers.MOVING and file.paused != command.paused:
        if command.paused:
            step.emit(StopTransfer(file_id=file.file_id))
        file_transfers.change(
            step, file, "paused" if command.paused else "resumed", paused=command.paused, tries=0
        )
    return Answer(file_id=file.file_id)


def forget(step: Step, command: ForgetFile) -> Answer:
    """Give the room of a file back: it can be fetched again for as long as the relay has it."""
    file = file_transfers.known(step, command.file_id)
    if file.state is FileState.UPLOADING:
        raise Conflict("this file is still on its way to the relay")
    if file.message_id is None:
        file_transfers.drop(step, file)
        if file.chat_id:
            file_transfers.tell(step, file, "forgotten")
    elif file.state is not FileState.REMOTE:
        step.emit(StopTransfer(file_id=file.file_id))
        step.emit(RemoveFile(file_id=file.file_id))
        file_transfers.change(step, file, "forgotten", state=FileState.REMOTE, paused=False)
    return Answer(file_id=file.file_id)


def drop_of(step: Step, message: Message, *, everywhere: bool = False) -> None:
    """Let a message's files go with it, here and, if `everywhere`, at the relay where they are ours."""
    if message.file_count:
        for file in step.transaction.select(File, message_id=message.message_id):
            file_transfers.drop(step, file, everywhere=everywhere)
        step.transaction.delete(HeldMessage, message.message_id)


def is_held(step: Step, message_id: MessageId) -> bool:
    """Tell whether a message of ours has not gone out yet, since its files have not."""
    return step.transaction.get(HeldMessage, message_id) is not None


def left(step: Step, group_id: GroupId) -> None:
    """Give up what was to be sent in a conversation that is over."""
    for held in step.transaction.select(HeldMessage, group_id=group_id):
        file_transfers.give_up(step, held.message_id, "left")
