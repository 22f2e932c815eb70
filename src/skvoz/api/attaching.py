"""What is attached in a chat and not sent yet, for a page that is opened anew."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing, views
from skvoz.api.lookups import known_chat
from skvoz.api.question import Question
from skvoz.store.queries import Queries


def chat_attached(queries: Queries, params: asked.ChatParams) -> views.FileListView:
    """Return the files that are attached in a chat and not sent yet, in their order."""
    known_chat(queries, params.chat_id)
    return views.FileListView(files=tuple(map(showing.file_view, queries.attached(params.chat_id))))


QUESTIONS: Final[dict[str, Question]] = {
    "chat.attached": Question(params=asked.ChatParams, result=views.FileListView, read=chat_attached),
}
"""What may be asked about what is attached, by its name."""
