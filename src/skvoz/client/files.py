"""Files: which are on their way, up or down, and what becomes of the messages that have them.

STAGED --sent--> UPLOADING --at the relay--> HERE <--whole and checked-- DOWNLOADING <--asked for-- REMOTE

The driver moves bytes; here it is decided which. A message goes out once all its files are at the relay, and
what is said later does not wait for it. Nothing is fetched that nobody asked for, and nothing of a stranger's
before they are accepted.
"""

from collections.abc import Sequence
from typing import Final, assert_never

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.base.ids import GroupId, MessageId, RelayId
from skvoz.base.limits import CHUNK_SIZES, FILE_SIZE_MAX
from skvoz.client import gaps, messages, outbox
from skvoz.client.commands import Answer, AttachFile, FetchFile, FileToSend, ForgetFile, PauseFile, StageFile
from skvoz.client.effects import DiscardBlob, Download, RemoveFile, StopTransfer, Upload
from skvoz.client.events import FileChange, FileChanged
from skvoz.client.file_names import harmless_name, harmless_type
from skvoz.client.inputs import DownloadDone, TransferRefused, UploadDone
from skvoz.client.records import (
    Conversation,
    ConversationState,
    File,
    FileState,
    HeldMessage,
    Message,
    Relay,
)
from skvoz.client.step import Step
from skvoz.content import FILES_MAX, THUMBNAIL_SIZE_MAX, BlobPlace
from skvoz.content import File as SaidFile

RETRY_ALARM: Final = "file.retry"
UNUSED_ALARM: Final = "file.unused"
STAGED_KEPT_MS: Final = 24 * 3600 * 1000
"""What was put here and never sent goes after a day: its bytes take room."""
FILE_ID_SIZE: Final = 16
TRIES_MAX: Final = 10
"""Refusals in a row, seconds and then minutes apart, before a file is given up."""
_RETRY_MS: Final = 2_000
_FULL_RETRY_MS: Final = 60_000
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)
_UNSENT: Final = (FileState.AWAITED, FileState.STAGED)
_MOVING: Final = (FileState.UPLOADING, FileState.DOWNLOADING)


def stage(step: Step, command: StageFile) -> Answer:
    """Know a file whose bytes the driver has put, sealed, into the home."""
    step.account()
    if len(command.file_id) != FILE_ID_SIZE or command.chunk_size not in CHUNK_SIZES:
        raise BadRequest("a file was put here in a wrong way")
    if not 0 <= command.size <= FILE_SIZE_MAX:
        raise BadRequest("a file has 2 GiB at most")
    attached = step.transaction.get(File, command.file_id) if command.is_attached else None
    if command.is_attached and attached is None:
        raise NotFound("this file is not attached any more")
    if attached is not None and attached.state is not FileState.AWAITED:
        raise Conflict("this file is here already")
    file = File(
        file_id=command.file_id,
        state=FileState.STAGED,
        created_ms=step.now_ms,
        file_key=command.file_key,
        size=command.size,
        sha256=command.sha256,
        chunk_size=command.chunk_size,
        name=harmless_name(command.name),
        media_type=harmless_type(command.media_type),
    )
    if attached is not None:
        file = msgspec.structs.replace(
            attached,
            state=FileState.STAGED,
            file_key=file.file_key,
            size=file.size,
            sha256=file.sha256,
            chunk_size=file.chunk_size,
            name=file.name,
            media_type=file.media_type,
        )
        _tell(step, file, "attached")
    step.transaction.put(file)
    step.set_alarm(UNUSED_ALARM, file.file_id, step.now_ms + STAGED_KEPT_MS)
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
        file = _file(step, command.file_id)
        if file.state not in _UNSENT or file.chat_id != command.chat_id:
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
    step.set_alarm(UNUSED_ALARM, file.file_id, step.now_ms + STAGED_KEPT_MS)
    _tell(step, file, "attached")
    return Answer(file_id=file.file_id)


def _awaited(step: Step, chat_id: bytes) -> File:
    """Return a new file that is attached behind the others of a chat; raise `BadRequest` for too many."""
    unsent = (one for state in _UNSENT for one in step.transaction.select(File, state=state))
    waiting = [one for one in unsent if one.chat_id == chat_id]
    if len(waiting) >= FILES_MAX:
        raise BadRequest("a message has 16 files at most, each once")
    return File(
        file_id=step.randomness(FILE_ID_SIZE),
        state=FileState.AWAITED,
        created_ms=step.now_ms,
        number=max((one.number for one in waiting), default=-1) + 1,
        chat_id=chat_id,
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
        file = _file(step, one.file_id)
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
        step.clear_alarm(UNUSED_ALARM, file.file_id)
        sent = msgspec.structs.replace(
            file, message_id=message.message_id, chat_id=b"", state=FileState.UPLOADING
        )
        step.transaction.put(sent)
        _go_on(step, sent)


def received(step: Step, message: Message, files: Sequence[SaidFile]) -> None:
    """Note the files of a message that came; nothing of them is fetched."""
    for number, one in enumerate(files):
        step.transaction.put(
            File(
                file_id=step.randomness(FILE_ID_SIZE),
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
    file = _file(step, command.file_id)
    answer = Answer(file_id=file.file_id)
    if file.message_id is None or file.state in {FileState.HERE, FileState.UPLOADING}:
        return answer
    conversation = _conversation(step, file)
    if conversation.is_request:
        raise Conflict("accept the request before you open its files")
    if conversation.relay_id != file.relay_id:
        raise Conflict("this file lies at a relay that is not the chat's")
    _change(step, file, "resumed", state=FileState.DOWNLOADING, paused=False, failure="", tries=0)
    return answer


def pause(step: Step, command: PauseFile) -> Answer:
    """Hold a file on its way up or down, or let it go on."""
    file = _file(step, command.file_id)
    if file.state in _MOVING and file.paused != command.paused:
        if command.paused:
            step.emit(StopTransfer(file_id=file.file_id))
        _change(step, file, "paused" if command.paused else "resumed", paused=command.paused, tries=0)
    return Answer(file_id=file.file_id)


def forget(step: Step, command: ForgetFile) -> Answer:
    """Give the room of a file back: it can be fetched again for as long as the relay has it."""
    file = _file(step, command.file_id)
    if file.state is FileState.UPLOADING:
        raise Conflict("this file is still on its way to the relay")
    if file.message_id is None:
        _drop(step, file)
        if file.chat_id:
            _tell(step, file, "forgotten")
    elif file.state is not FileState.REMOTE:
        step.emit(StopTransfer(file_id=file.file_id))
        step.emit(RemoveFile(file_id=file.file_id))
        _change(step, file, "forgotten", state=FileState.REMOTE, paused=False)
    return Answer(file_id=file.file_id)


def drop_of(step: Step, message: Message, *, everywhere: bool = False) -> None:
    """Let a message's files go with it, here and, if `everywhere`, at the relay where they are ours."""
    if message.file_count:
        for file in step.transaction.select(File, message_id=message.message_id):
            _drop(step, file, everywhere=everywhere)
        step.transaction.delete(HeldMessage, message.message_id)


def is_held(step: Step, message_id: MessageId) -> bool:
    """Tell whether a message of ours has not gone out yet, since its files have not."""
    return step.transaction.get(HeldMessage, message_id) is not None


def left(step: Step, group_id: GroupId) -> None:
    """Give up what was to be sent in a conversation that is over."""
    for held in step.transaction.select(HeldMessage, group_id=group_id):
        _give_up(step, held.message_id, "left")


def started(step: Step) -> None:
    """Take up what was on its way."""
    for state in _MOVING:
        for file in step.transaction.select(File, state=state):
            _go_on(step, file)


def alarm(step: Step, name: str, file_id: bytes) -> None:
    """Do what is due about a file."""
    file = step.transaction.get(File, file_id)
    if file is None:
        return
    if name == RETRY_ALARM:
        _go_on(step, file)
    elif file.state in _UNSENT:
        _drop(step, file)


def handle(step: Step, fact: UploadDone | DownloadDone | TransferRefused) -> None:
    """Take what became of a transfer; a fact about one that is not wanted any more says nothing."""
    file = step.transaction.get(File, fact.file_id)
    if file is None:
        return
    match fact:
        case UploadDone():
            if file.state is FileState.UPLOADING:
                _change(step, file, "uploaded", state=FileState.HERE, paused=False, failure="", tries=0)
                _release(step, file.message_id)
        case DownloadDone():
            if file.state is FileState.DOWNLOADING:
                _change(step, file, "here", state=FileState.HERE, paused=False, failure="", tries=0)
        case TransferRefused():
            if file.state is FileState.UPLOADING:
                _upload_refused(step, file, fact)
            elif file.state is FileState.DOWNLOADING:
                _download_refused(step, file, fact)
        case _:
            assert_never(fact)


def _go_on(step: Step, file: File) -> None:
    """Have a file's bytes moved, where they are to be and may be."""
    if file.paused or file.state not in _MOVING:
        return
    conversation = _conversation(step, file)
    relay = step.transaction.get(Relay, file.relay_id)
    if file.state is FileState.UPLOADING and conversation.state in _OVER:
        if file.message_id is not None:
            _give_up(step, file.message_id, "left")
        return
    may_write = file.state is FileState.DOWNLOADING or conversation.state is ConversationState.ACTIVE
    if relay is None or not may_write:
        step.set_alarm(RETRY_ALARM, file.file_id, step.now_ms + _RETRY_MS)
        return
    addresses = (*relay.addresses, *relay.named)
    if file.state is FileState.UPLOADING:
        step.emit(
            Upload(
                relay_id=file.relay_id,
                public_key=relay.public_key,
                addresses=addresses,
                file_id=file.file_id,
                blob_id=file.blob_id,
                log_id=conversation.log_id,
                segment_key=conversation.segment_key,
                write_key=file.write_key,
                file_key=file.file_key,
                size=file.size,
                chunk_size=file.chunk_size,
            )
        )
    else:
        step.emit(
            Download(
                relay_id=file.relay_id,
                public_key=relay.public_key,
                addresses=addresses,
                file_id=file.file_id,
                blob_id=file.blob_id,
                file_key=file.file_key,
                size=file.size,
                sha256=file.sha256,
                chunk_size=file.chunk_size,
            )
        )


def _upload_refused(step: Step, file: File, fact: TransferRefused) -> None:
    tries = file.tries + 1
    match fact.code:
        case "full":
            # The relay may have room again, or its operator may make some: the person sees why it waits.
            _wait(step, file, fact, _FULL_RETRY_MS, failure="relay_full", tries=0)
        case "slow":
            _wait(step, file, fact, _RETRY_MS, failure="", tries=0)
        case "superseded" | "denied" if tries < TRIES_MAX:
            _wait(step, file, fact, _RETRY_MS * tries, failure="", tries=tries)
        case _:
            reason = fact.code if fact.code in {"too_big", "bad"} else "relay_refused"
            if fact.code == "damaged":
                reason = "file_damaged"
            _change(step, file, "failed", state=FileState.HERE, failure=reason)
            if file.message_id is not None:
                _give_up(step, file.message_id, reason)


def _download_refused(step: Step, file: File, fact: TransferRefused) -> None:
    if fact.code == "slow":
        _wait(step, file, fact, _RETRY_MS, failure="", tries=0)
        return
    words = {"denied": "file_gone", "damaged": "file_damaged", "disk_full": "disk_full"}
    failure = words.get(fact.code, "relay_refused")
    _change(step, file, "failed", state=FileState.REMOTE, paused=False, failure=failure)


def _wait(step: Step, file: File, fact: TransferRefused, least_ms: int, *, failure: str, tries: int) -> None:
    changed = msgspec.structs.replace(file, failure=failure, tries=tries)
    step.transaction.put(changed)
    if failure and failure != file.failure:
        _tell(step, changed, "failed")
    step.set_alarm(RETRY_ALARM, file.file_id, step.now_ms + max(fact.retry_after_ms, least_ms))


def _release(step: Step, message_id: MessageId | None) -> None:
    """Send a message whose files are all at the relay."""
    held = None if message_id is None else step.transaction.get(HeldMessage, message_id)
    if held is None:
        return
    files = step.transaction.select(File, message_id=held.message_id)
    if any(file.state is FileState.UPLOADING for file in files):
        return
    step.transaction.delete(HeldMessage, held.message_id)
    conversation = step.conversation(held.group_id)
    # Only now may what is said later name it as seen: nobody has it before.
    gaps.arrived(step, conversation, step.account().account_id, held.message_id, ())
    outbox.enqueue(step, held.group_id, held.body, held.message_id)


def _give_up(step: Step, message_id: MessageId, reason: str) -> None:
    step.transaction.delete(HeldMessage, message_id)
    for file in step.transaction.select(File, message_id=message_id):
        if file.state is FileState.UPLOADING:
            step.emit(StopTransfer(file_id=file.file_id))
            _change(step, file, "failed", state=FileState.HERE, failure=reason)
    messages.failed(step, message_id, reason)


def _drop(step: Step, file: File, *, everywhere: bool = False) -> None:
    step.transaction.delete(File, file.file_id)
    for name in (RETRY_ALARM, UNUSED_ALARM):
        step.clear_alarm(name, file.file_id)
    step.emit(StopTransfer(file_id=file.file_id))
    step.emit(RemoveFile(file_id=file.file_id))
    relay = step.transaction.get(Relay, file.relay_id)
    if everywhere and file.write_key and relay is not None:
        # Tried once: what fails is left to the blob's expiry.
        step.emit(
            DiscardBlob(
                relay_id=file.relay_id,
                public_key=relay.public_key,
                addresses=(*relay.addresses, *relay.named),
                blob_id=file.blob_id,
                write_key=file.write_key,
            )
        )


def _change(
    step: Step,
    file: File,
    what: FileChange,
    *,
    state: FileState | None = None,
    paused: bool | None = None,
    failure: str | None = None,
    tries: int | None = None,
) -> None:
    changed = msgspec.structs.replace(
        file,
        state=file.state if state is None else state,
        paused=file.paused if paused is None else paused,
        failure=file.failure if failure is None else failure,
        tries=file.tries if tries is None else tries,
    )
    step.transaction.put(changed)
    step.clear_alarm(RETRY_ALARM, file.file_id)
    _tell(step, changed, what)
    _go_on(step, changed)


def _tell(step: Step, file: File, what: FileChange) -> None:
    message = None if file.message_id is None else step.transaction.get(Message, file.message_id)
    chat_id = file.chat_id if message is None else message.chat_id
    step.tell(FileChanged(chat_id=chat_id, message_id=file.message_id, file_id=file.file_id, what=what))


def _file(step: Step, file_id: bytes) -> File:
    file = step.transaction.get(File, file_id)
    if file is None:
        raise NotFound("there is no such file")
    return file


def _conversation(step: Step, file: File) -> Conversation:
    message = None if file.message_id is None else step.transaction.get(Message, file.message_id)
    if message is None:
        raise NotFound("there is no such file")
    return step.conversation(message.group_id)
