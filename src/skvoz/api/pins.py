"""Questions about pinned messages."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.lookups import known_chat, own_account
from skvoz.api.message_views import PinListView, PinView
from skvoz.api.question import Question
from skvoz.api.shown_messages import shown
from skvoz.store.queries import Queries


def chat_pins(queries: Queries, params: asked.ChatParams) -> PinListView:
    """Return the messages that are pinned in a chat, the latest pin first."""
    known_chat(queries, params.chat_id)
    own = own_account(queries)
    pins: list[PinView] = []
    for pin in queries.pins(params.chat_id):
        message = queries.message(pin.message_id)
        if message is not None:
            name = showing.name_of(pin.account_id, own, queries.contact(pin.account_id))
            shown_message = shown(queries, message)
            pins.append(PinView(message=shown_message, pinned_by=pin.account_id, pinned_by_name=name))
    return PinListView(pins=tuple(pins))


QUESTIONS: Final[dict[str, Question]] = {
    "chat.pins": Question(params=asked.ChatParams, result=PinListView, read=chat_pins),
}
