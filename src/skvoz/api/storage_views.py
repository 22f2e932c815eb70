"""How much room a home takes, as JSON shows it."""

from typing import Annotated

import msgspec

from skvoz.api.params import Limit, Params
from skvoz.api.views import View
from skvoz.base.ids import MessageId


class StoredFilesParams(Params, frozen=True, kw_only=True):
    """Which files: of one chat, or that came before a time, milliseconds since 1970; the largest first."""

    chat_id: bytes | None = None
    before_ms: Annotated[int, msgspec.Meta(ge=0)] | None = None
    limit: Limit = 50


class ChatStorageView(View, frozen=True, kw_only=True):
    """What the files of a chat take here."""

    chat_id: bytes
    files: int
    size: int


class StorageView(View, frozen=True, kw_only=True):
    """What a home takes on its disk, in bytes: its database, and the files that can be freed, by chat."""

    database: int
    free: int
    files: int
    size: int
    chats: tuple[ChatStorageView, ...]


class StoredFileView(View, frozen=True, kw_only=True):
    """A file whose bytes are here; `file.forget` frees them."""

    file_id: bytes
    message_id: MessageId
    chat_id: bytes
    name: str
    size: int
    created_ms: int


class StoredFilesView(View, frozen=True, kw_only=True):
    """A page of files, the largest first."""

    files: tuple[StoredFileView, ...]
