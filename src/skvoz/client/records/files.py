"""Files of messages, and messages that wait for their files."""

from enum import IntEnum

from skvoz.base.ids import GroupId, MessageId, RelayId
from skvoz.client.records.base import Record


class FileState(IntEnum):
    """Where a file stands in this home."""

    STAGED = 0
    """Its bytes are here, and no message has it yet."""
    UPLOADING = 1
    REMOTE = 2
    """Its bytes are at the relay only."""
    DOWNLOADING = 3
    HERE = 4
    """Its bytes are here, whole and checked."""
    AWAITED = 5
    """Somebody chose it to be sent, and its bytes have not come yet."""


class File(Record, frozen=True, array_like=True, kw_only=True):
    """A file of a message; its bytes lie sealed in the home's folder of files, under `file_id` in hex."""

    table = "file"
    key = ("file_id",)
    columns = ("message_id", "state", "created_ms")
    file_id: bytes
    message_id: MessageId | None = None
    state: FileState
    created_ms: int
    number: int = 0
    """Its place among the files of its message."""
    file_key: bytes
    size: int
    """Bytes of the file itself."""
    sha256: bytes
    chunk_size: int
    name: str
    media_type: str
    description: str = ""
    thumbnail: bytes = b""
    thumbnail_type: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    waveform: bytes = b""
    relay_id: RelayId = RelayId(b"")
    blob_id: bytes = b""
    write_key: bytes = b""
    """Of a blob of ours."""
    paused: bool = False
    failure: str = ""
    """Why the last try came to nothing; empty once there is a new one."""
    tries: int = 0
    """How often the relay has refused since something last went well."""
    chat_id: bytes = b""
    """Of the chat that it is attached in, while no message has it."""


class HeldMessage(Record, frozen=True, array_like=True, kw_only=True):
    """A message of ours that goes out once its files are at the relay."""

    table = "held_message"
    key = ("message_id",)
    columns = ("group_id",)
    message_id: MessageId
    group_id: GroupId
    body: bytes
    """The exact MIMI content."""
