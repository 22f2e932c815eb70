"""What questions are asked with. Imports little: callers need these types too."""

from typing import Final

import msgspec

from skvoz.base.ids import AccountId, MessageId

PAGE_SIZE: Final = 50
"""Messages in a page where nobody says otherwise."""


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all questions' parameters; its `repr` tells nothing."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class NoParams(Params, frozen=True, kw_only=True):
    """Nothing to say."""


class ChatParams(Params, frozen=True, kw_only=True):
    """Names a chat."""

    chat_id: bytes


class ContactParams(Params, frozen=True, kw_only=True):
    """Names a person."""

    account_id: AccountId


class MessageParams(Params, frozen=True, kw_only=True):
    """Names a message."""

    message_id: MessageId


class MessagePageParams(Params, frozen=True, kw_only=True):
    """A page of a chat, back from the end or from below the sequence `before`."""

    chat_id: bytes
    before: int | None = None
    limit: int = PAGE_SIZE


class SearchParams(Params, frozen=True, kw_only=True):
    """Words to look for, everywhere or in one chat."""

    text: str
    chat_id: bytes | None = None
    before: int | None = None
    limit: int = PAGE_SIZE


class EventPageParams(Params, frozen=True, kw_only=True):
    """Events after a sequence."""

    after: int
    limit: int = 500


class Subscribe(Params, frozen=True, kw_only=True):
    """From which event on to be told."""

    after: int
