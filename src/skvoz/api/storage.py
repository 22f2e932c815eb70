"""Questions about room on the disk: what takes it, and which files can be freed."""

from typing import Final

from skvoz.api import storage_views as views
from skvoz.api.params import NoParams
from skvoz.api.question import Question
from skvoz.store.queries import Queries


def storage_get(queries: Queries, _: NoParams) -> views.StorageView:
    """Return what this home takes on its disk."""
    chats: dict[bytes, list[int]] = {}
    for file, message in queries.freeable_files():
        chats.setdefault(message.chat_id, []).append(file.size)
    shown = [
        views.ChatStorageView(chat_id=chat_id, files=len(sizes), size=sum(sizes))
        for chat_id, sizes in chats.items()
    ]
    shown.sort(key=lambda chat: (-chat.size, chat.chat_id))
    database, free = queries.bytes_stored()
    return views.StorageView(
        database=database,
        free=free,
        files=sum(chat.files for chat in shown),
        size=sum(chat.size for chat in shown),
        chats=tuple(shown),
    )


def storage_files(queries: Queries, params: views.StoredFilesParams) -> views.StoredFilesView:
    """Return files whose bytes can be freed, the largest first; none that has not been sent yet."""
    found = [
        (file, message)
        for file, message in queries.freeable_files()
        if (params.chat_id is None or message.chat_id == params.chat_id)
        and (params.before_ms is None or file.created_ms < params.before_ms)
    ]
    found.sort(key=lambda one: (-one[0].size, one[0].file_id))
    return views.StoredFilesView(
        files=tuple(
            views.StoredFileView(
                file_id=file.file_id,
                message_id=message.message_id,
                chat_id=message.chat_id,
                name=file.name,
                size=file.size,
                created_ms=file.created_ms,
            )
            for file, message in found[: params.limit]
        )
    )


QUESTIONS: Final[dict[str, Question]] = {
    "storage.get": Question(params=NoParams, result=views.StorageView, read=storage_get),
    "storage.files": Question(
        params=views.StoredFilesParams, result=views.StoredFilesView, read=storage_files
    ),
}
