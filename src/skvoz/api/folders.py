"""Folders of chats, as this home's person made them."""

from typing import Final

from skvoz.api.lookups import own_account
from skvoz.api.params import NoParams
from skvoz.api.question import Question
from skvoz.api.views import View
from skvoz.store.queries import Queries


class FolderView(View, frozen=True, kw_only=True):
    """Chats under a name; some of them may be gone."""

    name: str
    chats: tuple[bytes, ...]


class FolderListView(View, frozen=True, kw_only=True):
    """All folders, in their person's order."""

    folders: tuple[FolderView, ...]


def folder_list(queries: Queries, _: NoParams) -> FolderListView:
    """Return the folders of chats."""
    own = own_account(queries)
    return FolderListView(
        folders=tuple(FolderView(name=folder.name, chats=folder.chats) for folder in own.folders)
    )


QUESTIONS: Final[dict[str, Question]] = {
    "folder.list": Question(params=NoParams, result=FolderListView, read=folder_list)
}
