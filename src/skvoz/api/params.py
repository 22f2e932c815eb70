"""What questions are asked with. Imports little: callers need these types too."""

from typing import Annotated, Final

import msgspec

from skvoz.base.ids import AccountId, LogId, MessageId
from skvoz.base.value import Value

PAGE_SIZE: Final = 50
"""Messages or chats in a page where nobody says otherwise."""
PAGE_SIZE_MAX: Final = 200
"""Bounds one answer: some 100 KB of usual messages."""
EVENTS_MAX: Final = 500
SEQUENCE_MAX: Final = 2**53 - 1
"""The largest integer that every JSON parser reads exactly."""
QUERY_LENGTH_MAX: Final = 1000
PASTED_LENGTH_MAX: Final = 4096
"""Characters; links and addresses are shorter."""

Limit = Annotated[int, msgspec.Meta(ge=1, le=PAGE_SIZE_MAX)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=SEQUENCE_MAX)]


class Params(Value, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of all questions' parameters; its `repr` tells nothing."""


class NoParams(Params, frozen=True, kw_only=True):
    """Nothing to say."""


class TextParams(Params, frozen=True, kw_only=True):
    """A text that a person pasted or that is to be shown."""

    text: Annotated[str, msgspec.Meta(max_length=PASTED_LENGTH_MAX)]


PASSPHRASE_LENGTH_MIN: Final = 8
PASSPHRASE_LENGTH_MAX: Final = 1024
Passphrase = Annotated[str, msgspec.Meta(max_length=PASSPHRASE_LENGTH_MAX)]


class UnlockParams(Params, frozen=True, kw_only=True):
    """The home's passphrase."""

    passphrase: Passphrase


class ProtectParams(Params, frozen=True, kw_only=True):
    """A new passphrase, 8 characters or more, or empty for none; and the present one where there is one."""

    passphrase: Passphrase
    present: Passphrase = ""


class NeighbourParams(Params, frozen=True, kw_only=True):
    """The name of a home beside this one: of its folder, or of one to make."""

    name: Annotated[str, msgspec.Meta(max_length=255)]


class RemoveParams(Params, frozen=True, kw_only=True):
    """The name of this home's person, typed by them, so that nobody removes a home by a slip."""

    name: Annotated[str, msgspec.Meta(max_length=PASTED_LENGTH_MAX)]


class ChatParams(Params, frozen=True, kw_only=True):
    """Names a chat."""

    chat_id: bytes


class ContactParams(Params, frozen=True, kw_only=True):
    """Names a person."""

    account_id: AccountId


class CompareParams(Params, frozen=True, kw_only=True):
    """A person, and the text of a QR code that they let somebody scan."""

    account_id: AccountId
    text: Annotated[str, msgspec.Meta(max_length=PASTED_LENGTH_MAX)]


class LinkParams(Params, frozen=True, kw_only=True):
    """Names a link of ours."""

    log_id: LogId


class MessageParams(Params, frozen=True, kw_only=True):
    """Names a message."""

    message_id: MessageId


class FileParams(Params, frozen=True, kw_only=True):
    """Names a file."""

    file_id: bytes


class ChatPageParams(Params, frozen=True, kw_only=True):
    """A page of the list of chats, from the latest or from the `next_cursor` of an earlier page."""

    cursor: str | None = None
    limit: Limit = PAGE_SIZE


class MessagePageParams(Params, frozen=True, kw_only=True):
    """A page of a chat: the latest, or those next to one of three sequences (at most one is given).

    Below the sequence `before`, above the sequence `after`, or on both sides of `around` and with it.
    """

    chat_id: bytes
    before: Sequence | None = None
    after: Sequence | None = None
    around: Sequence | None = None
    limit: Limit = PAGE_SIZE


class SearchParams(Params, frozen=True, kw_only=True):
    """Words to look for, everywhere or in one chat; the last may be the beginning of a word.

    What is found is the latest, or nearest below the sequence `before`, or nearest above `after`.
    """

    text: Annotated[str, msgspec.Meta(max_length=QUERY_LENGTH_MAX)]
    chat_id: bytes | None = None
    before: Sequence | None = None
    after: Sequence | None = None
    limit: Limit = PAGE_SIZE


class EventPageParams(Params, frozen=True, kw_only=True):
    """Events after a sequence."""

    after: Sequence
    limit: Annotated[int, msgspec.Meta(ge=1, le=EVENTS_MAX)] = EVENTS_MAX


class Subscribe(Params, frozen=True, kw_only=True):
    """From which event on to be told; without `after`, only what happens from now on."""

    after: Sequence | None = None
