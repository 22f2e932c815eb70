"""Bytes of files on their way: when they move, are tried again, and are given up.

The driver moves them; here it is decided which.
"""

from typing import Final, assert_never

import msgspec

from skvoz.base.errors import NotFound
from skvoz.base.ids import MessageId
from skvoz.client import gaps, messages, outbox
from skvoz.client.effects import DiscardBlob, Download, RemoveFile, StopTransfer, Upload
from skvoz.client.events import FileChange, FileChanged
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

RETRY_ALARM: Final = "file.retry"
UNUSED_ALARM: Final = "file.unused"
FILE_ID_SIZE: Final = 16
TRIES_MAX: Final = 10
"""Refusals in a row, seconds and then minutes apart, before a file is given up."""
UNSENT: Final = (FileState.AWAITED, FileState.STAGED)
MOVING: Final = (FileState.UPLOADING, FileState.DOWNLOADING)
_RETRY_MS: Final = 2_000
_FULL_RETRY_MS: Final = 60_000
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)


def started(step: Step) -> None:
    """Take up what was on its way."""
    for state in MOVING:
        for file in step.transaction.select(File, state=state):
            go_on(step, file)


def alarm(step: Step, name: str, file_id: bytes) -> None:
    """Do what is due about a file."""
    file = step.transaction.get(File, file_id)
    if file is None:
        return
    if name == RETRY_ALARM:
        go_on(step, file)
    elif file.state in UNSENT:
        drop(step, file)


def handle(step: Step, fact: UploadDone | DownloadDone | TransferRefused) -> None:
    """Take what became of a transfer; a fact about one that is not wanted any more says nothing."""
    file = step.transaction.get(File, fact.file_id)
    if file is None:
        return
    match fact:
        case UploadDone():
            if file.state is FileState.UPLOADING:
                change(step, file, "uploaded", state=FileState.HERE, paused=False, failure="", tries=0)
                _release(step, file.message_id)
        case DownloadDone():
            if file.state is FileState.DOWNLOADING:
                change(step, file, "here", state=FileState.HERE, paused=False, failure="", tries=0)
        case TransferRefused():
            if file.state is FileState.UPLOADING:
                _upload_refused(step, file, fact)
            elif file.state is FileState.DOWNLOADING:
                _download_refused(step, file, fact)
        case _:
            assert_never(fact)


def go_on(step: Step, file: File) -> None:
    """Have a file's bytes moved, where they are to be and may be."""
    if file.paused or file.state not in MOVING:
        return
    conversation = conversation_of(step, file)
    relay = step.transaction.get(Relay, file.relay_id)
    if file.state is FileState.UPLOADING and conversation.state in _OVER:
        if file.message_id is not None:
            give_up(step, file.message_id, "left")
        return
    may_write = file.state is FileState.DOWNLOADING or conversation.state is ConversationState.ACTIVE
    if relay is None or not may_write:
        step.set_alarm(RETRY_ALARM, file.file_id, step.now_ms + _RETRY_MS)
        return
    addresses = relay.reach
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
            change(step, file, "failed", state=FileState.HERE, failure=reason)
            if file.message_id is not None:
                give_up(step, file.message_id, reason)


def _download_refused(step: Step, file: File, fact: TransferRefused) -> None:
    if fact.code == "slow":
        _wait(step, file, fact, _RETRY_MS, failure="", tries=0)
        return
    words = {"denied": "file_gone", "damaged": "file_damaged", "disk_full": "disk_full"}
    failure = words.get(fact.code, "relay_refused")
    change(step, file, "failed", state=FileState.REMOTE, paused=False, failure=failure)


def _wait(step: Step, file: File, fact: TransferRefused, least_ms: int, *, failure: str, tries: int) -> None:
    changed = msgspec.structs.replace(file, failure=failure, tries=tries)
    step.transaction.put(changed)
    if failure and failure != file.failure:
        tell(step, changed, "failed")
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
    gaps.said(step, conversation, held.message_id)
    outbox.enqueue(step, held.group_id, held.body, held.message_id)


def give_up(step: Step, message_id: MessageId, reason: str) -> None:
    """Send a message no more whose files could not go."""
    step.transaction.delete(HeldMessage, message_id)
    for file in step.transaction.select(File, message_id=message_id):
        if file.state is FileState.UPLOADING:
            step.emit(StopTransfer(file_id=file.file_id))
            change(step, file, "failed", state=FileState.HERE, failure=reason)
    messages.failed(step, message_id, reason)


def drop(step: Step, file: File, *, everywhere: bool = False) -> None:
    """Forget a file and its bytes here and, if `everywhere`, at the relay where it is ours."""
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
                addresses=relay.reach,
                blob_id=file.blob_id,
                write_key=file.write_key,
            )
        )


def change(
    step: Step,
    file: File,
    what: FileChange,
    *,
    state: FileState | None = None,
    paused: bool | None = None,
    failure: str | None = None,
    tries: int | None = None,
) -> None:
    """Store what changed about a file, tell it, and go on from there."""
    changed = msgspec.structs.replace(
        file,
        state=file.state if state is None else state,
        paused=file.paused if paused is None else paused,
        failure=file.failure if failure is None else failure,
        tries=file.tries if tries is None else tries,
    )
    step.transaction.put(changed)
    step.clear_alarm(RETRY_ALARM, file.file_id)
    tell(step, changed, what)
    go_on(step, changed)


def tell(step: Step, file: File, what: FileChange) -> None:
    """Tell people that something about a file changed."""
    message = None if file.message_id is None else step.transaction.get(Message, file.message_id)
    chat_id = file.chat_id if message is None else message.chat_id
    step.tell(FileChanged(chat_id=chat_id, message_id=file.message_id, file_id=file.file_id, what=what))


def known(step: Step, file_id: bytes) -> File:
    """Return a file that must be there; raise `NotFound`."""
    file = step.transaction.get(File, file_id)
    if file is None:
        raise NotFound("there is no such file")
    return file


def conversation_of(step: Step, file: File) -> Conversation:
    """Return the conversation of a message's file; raise `NotFound`."""
    message = None if file.message_id is None else step.transaction.get(Message, file.message_id)
    if message is None:
        raise NotFound("there is no such file")
    return step.conversation(message.group_id)
