"""What methods name, looked up in the records: each raises `NotFound` where there is none."""

from typing import TypeVar

from skvoz.base.errors import NotFound
from skvoz.base.ids import AccountId, LogId, MessageId
from skvoz.client.records import Account, Contact, File, Inbox, Message, Relay
from skvoz.store.queries import Chat, Queries

T = TypeVar("T")


def own_account(queries: Queries) -> Account:
    """Return the person whose home this is; raise `NotFound` before there is one."""
    return _required(queries.account(), NotFound("this home has no account yet"))


def known_contact(queries: Queries, account_id: AccountId) -> Contact:
    """Return a person."""
    return _required(queries.contact(account_id), NotFound("there is no such contact"))


def known_chat(queries: Queries, chat_id: bytes) -> Chat:
    """Return a chat."""
    return _required(queries.chat(chat_id), NotFound("there is no such chat"))


def known_message(queries: Queries, message_id: MessageId) -> Message:
    """Return a message."""
    return _required(queries.message(message_id), NotFound("there is no such message"))


def known_file(queries: Queries, file_id: bytes) -> File:
    """Return a file."""
    return _required(queries.file(file_id), NotFound("there is no such file"))


def known_link(queries: Queries, log_id: LogId) -> tuple[Inbox, Relay]:
    """Return a link that was made and not revoked."""
    return _required(queries.link(log_id), NotFound("there is no such link"))


def _required(value: T | None, otherwise: NotFound) -> T:
    if value is None:
        raise otherwise
    return value
