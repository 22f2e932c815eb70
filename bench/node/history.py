"""A history put straight into a home's store: 100,000 messages would take minutes to say."""

import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from skvoz.base.ids import AccountId, MessageId
from skvoz.client.events import MessageReceived
from skvoz.client.records import (
    Conversation,
    Counter,
    LoggedEvent,
    Message,
    MessageState,
    Participant,
    Record,
)
from skvoz.node.node import open_home
from skvoz.store import Protection, RecordTables

_RECORDS_AT_A_TIME: Final = 5_000
_WORDS: Final = ("through", "nobody", "read", "lost", "way", "сквозь", "слово", "прочтёт", "чужой", "путь")


def fill(home: Path, count: Callable[[Conversation], int], place: Callable[[Conversation], int]) -> None:
    """Put `count` messages into every chat of a home that no process holds, in the order of `place`."""
    chance = random.Random(1)
    with open_home(home, str, Protection.FILE) as opened:
        records = RecordTables(opened.database)
        conversations = sorted(records.select(Conversation), key=place)
        numbers = {name: _number(records, name) for name in ("message", "event")}
        now_ms = time.time_ns() // 1_000_000 - 7 * 24 * 3_600_000
        written: list[Record] = []
        for conversation in conversations:
            members = records.select(Participant, group_id=conversation.group_id)
            authors = [member.account_id for member in members]
            for _ in range(count(conversation)):
                now_ms += 300
                numbers = {name: value + 1 for name, value in numbers.items()}
                author = chance.choice(authors)
                text = " ".join(chance.choices(_WORDS, k=chance.randint(3, 20)))
                written += _message(conversation, author, text, now_ms, **numbers)
                if len(written) > _RECORDS_AT_A_TIME:
                    _store(records, written)
                    written = []
            read = numbers["message"]
            written.append(
                msgspec.structs.replace(conversation, last_activity_ms=now_ms, read_sequence=read, unread=0)
            )
        _store(records, [*written, *(Counter(name=name, value=value) for name, value in numbers.items())])


def _store(records: RecordTables, written: list[Record]) -> None:
    with records.database.transaction():
        records.apply([(type(record), record.key_values(), record) for record in written])


def _number(records: RecordTables, name: str) -> int:
    counter = records.get(Counter, (name,))
    return 0 if counter is None else counter.value


def _message(
    conversation: Conversation, author: AccountId, text: str, now_ms: int, *, message: int, event: int
) -> list[Record]:
    """Return the records of a message and of the event that told it, under their sequences."""
    message_id = MessageId(secrets.token_bytes(32))
    told = MessageReceived(chat_id=conversation.chat_id, message_id=message_id, sequence=message)
    return [
        Message(
            message_id=message_id,
            chat_id=conversation.chat_id,
            group_id=conversation.group_id,
            sequence=message,
            author=author,
            sent_ms=now_ms,
            received_ms=now_ms,
            state=MessageState.RECEIVED,
            text=text,
        ),
        LoggedEvent(sequence=event, kind=told.kind, body=msgspec.msgpack.encode(told), created_ms=now_ms),
    ]
