"""What people look at: chats, pages of messages, contacts, and the log of events."""

import shutil

from skvoz.base.ids import AccountId, EntryId, GroupId, LogId, MessageId, RelayId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.client import (
    carried_in,
    carried_out,
    carrying,
    closers,
    complaints,
    entries,
    group_links,
    inboxes,
    knocks,
    messages,
)
from skvoz.client.approaches import OPENED
from skvoz.client.records import (
    Account,
    Approach,
    Asker,
    AskerState,
    Bot,
    ComplaintHeard,
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    Counter,
    DeadDrop,
    File,
    FileState,
    Gap,
    HeldMessage,
    Inbox,
    InboxKind,
    Intent,
    IntentKind,
    Joining,
    LoggedEvent,
    Message,
    MessageState,
    Notice,
    Participant,
    PinChange,
    Receipt,
    Relay,
    Votes,
)
from skvoz.client.transaction import Transaction
from skvoz.store.record_tables import RecordTables, decode
from skvoz.store.search import match_expression

PAGE_MAX = 500
"""Rows in one page, however many are asked for."""
DROPPED_COUNTERS = (
    entries.DROPPED_COUNTER,
    closers.DROPPED_COUNTER,
    knocks.DROPPED_COUNTER,
    inboxes.DROPPED_COUNTER,
    messages.REQUEST_DROPPED_COUNTER,
    complaints.DROPPED_COUNTER,
    group_links.DROPPED_COUNTER,
    carried_in.DROPPED_COUNTER,
)
ChatPlace = tuple[int, bytes]
"""Where a chat stands in the list: its last activity, milliseconds, and its id."""
_OVER = (ConversationState.LEFT, ConversationState.REMOVED)


class Chat(Value, frozen=True, kw_only=True):
    """One chat as people see it: its conversations (several, if both sides wrote first), newest message."""

    chat_id: bytes
    conversations: tuple[Conversation, ...]
    """The one that is written to comes first: the lowest group id of those that go on."""
    contact: Contact | None
    last_message: Message | None
    last_files: tuple[File, ...]
    """Those of the newest message."""
    last_votes: tuple[Votes, ...]
    """Those in the newest message, where that is a poll."""
    gaps: int

    @property
    def main(self) -> Conversation:
        """The conversation that is written to."""
        return self.conversations[0]

    @property
    def last_activity_ms(self) -> int:
        """When something last happened."""
        return max(conversation.last_activity_ms for conversation in self.conversations)

    @property
    def unread(self) -> int:
        """Messages not read yet."""
        return sum(conversation.unread for conversation in self.conversations)


class Queries:
    """Reads for the API; run them on the thread that owns the database."""

    def __init__(self, records: RecordTables) -> None:
        self._records = records
        self._database = records.database

    def shows(self, chat_id: bytes) -> bool:
        """Tell whether a chat is shown to whoever asks; `skvoz.api.bot_queries` shows some people fewer."""
        del chat_id
        return True

    def bundle(self, randomness: Randomness) -> carried_out.Bundle:
        """Return everything that others may lack, as a file for somebody to carry."""
        return carried_out.make_bundle(Transaction(self._records), randomness)

    def carried(self, group_id: GroupId) -> list[tuple[EntryId, bytes]]:
        """Return what others of a conversation may lack, as entries of a log beside it."""
        return carried_out.entries(Transaction(self._records), group_id)

    def carried_count(self) -> int:
        """Return a number that grows with each content to be carried."""
        counter = self._records.get(Counter, (carrying.NUMBERS,))
        return 0 if counter is None else counter.value

    def account(self) -> Account | None:
        """Return the account of this home, or nothing."""
        return self._records.get(Account, (0,))

    def chats(self, *, below: ChatPlace | None = None, limit: int | None = None) -> list[Chat]:
        """Return chats, the latest first: all, or up to `limit` from below a place on.

        Chats that were deleted, or declined as requests, are left out, and so is the devices' own one.
        """
        by_chat: dict[bytes, list[Conversation]] = {}
        for conversation in self._records.select(Conversation):
            is_listed = not conversation.hidden and conversation.kind is not ConversationKind.SELF
            if is_listed and self.shows(conversation.chat_id):
                by_chat.setdefault(conversation.chat_id, []).append(conversation)
        places = sorted(
            (-max(conversation.last_activity_ms for conversation in found), chat_id)
            for chat_id, found in by_chat.items()
        )
        if below is not None:
            places = [place for place in places if place > (-below[0], below[1])]
        return [self._chat(chat_id, by_chat[chat_id]) for _, chat_id in places[:limit]]

    def chat(self, chat_id: bytes) -> Chat | None:
        """Return one chat, or nothing."""
        found = list(self._records.select(Conversation, chat_id=chat_id))
        return self._chat(chat_id, found) if found else None

    def _chat(self, chat_id: bytes, found: list[Conversation]) -> Chat:
        found.sort(key=lambda conversation: (conversation.state in _OVER, conversation.group_id))
        last = self.messages(chat_id, before=None, limit=1)
        gaps = sum(
            self._database.rows("SELECT count(*) FROM gap WHERE group_id = ?", (conversation.group_id,))[0][0]
            for conversation in found
        )
        return Chat(
            chat_id=chat_id,
            conversations=tuple(found),
            contact=self._records.get(Contact, (chat_id,)),
            last_message=last[0] if last else None,
            last_files=tuple(self.files(last[0])) if last else (),
            last_votes=tuple(self.votes(last[0])) if last else (),
            gaps=gaps,
        )

    def members(self, group_id: GroupId) -> list[tuple[AccountId, bool]]:
        """Return a conversation's members and whether each is an admin, admins first."""
        found = {one.account_id: one.admin for one in self._records.select(Participant, group_id=group_id)}
        return sorted(found.items(), key=lambda member: (not member[1], member[0]))

    def participants(self, group_id: GroupId) -> list[Participant]:
        """Return a conversation's members with all that is known of their place in it."""
        return list(self._records.select(Participant, group_id=group_id))

    def relay(self, relay_id: RelayId) -> Relay | None:
        """Return a relay, or nothing."""
        return self._records.get(Relay, (relay_id,))

    def links(self) -> list[tuple[Inbox, Relay]]:
        """Return the inboxes of links that were not revoked, with their relays, the latest first."""
        found = [self._link(inbox) for inbox in self._records.select(Inbox)]
        links = [link for link in found if link is not None]
        return sorted(links, key=lambda link: (-link[0].created_ms, link[0].log_id))

    def link(self, log_id: LogId) -> tuple[Inbox, Relay] | None:
        """Return the inbox of one link with its relay, or nothing."""
        inbox = self._records.get(Inbox, (log_id,))
        return None if inbox is None else self._link(inbox)

    def _link(self, inbox: Inbox) -> tuple[Inbox, Relay] | None:
        relay = self.relay(inbox.relay_id)
        if relay is None or inbox.kind not in inboxes.LINKS or inbox.revoked:
            return None
        return inbox, relay

    def unsent(self) -> int:
        """Count what a person said or wished and no relay has taken yet: words, invitations, links."""
        intents = sum(
            not intent.quiet or intent.kind is not IntentKind.CONTENT
            for intent in self._records.select(Intent)
        )
        asked = sum(approach.purpose != OPENED for approach in self._records.select(Approach))
        unstocked = sum(
            not (inbox.revoked or (inbox.opened and inbox.stocked)) for inbox in self._records.select(Inbox)
        )
        rooms = len(list(self._records.select(Conversation, state=ConversationState.CREATING)))
        commits = self._database.rows("SELECT count(*) FROM staged_commit")[0][0]
        deliveries = self._database.rows("SELECT count(*) FROM delivery")[0][0]
        held = self._database.rows("SELECT count(*) FROM held_message")[0][0]
        return int(intents + asked + unstocked + rooms + commits + deliveries + held)

    def file_ids(self) -> list[bytes]:
        """Return the ids of all files."""
        return [row[0] for row in self._database.rows("SELECT file_id FROM file")]

    def freeable_files(self) -> list[tuple[File, Message]]:
        """Return files whose bytes are here, with their messages; none of a message that has not gone out."""
        found: list[tuple[File, Message]] = []
        for file in self._records.select(File, state=FileState.HERE):
            message = None if file.message_id is None else self.message(file.message_id)
            if message is None or message.state is MessageState.QUEUED:
                continue
            if self._records.get(HeldMessage, (message.message_id,)) is None:
                found.append((file, message))
        return found

    def bytes_stored(self) -> tuple[int, int]:
        """Return how many bytes the database takes, with its log, and how many are free on its disk."""
        file = self._database.file
        log = file.with_name(f"{file.name}-wal")
        taken = sum(one.stat().st_size for one in (file, log) if one.exists())
        return taken, shutil.disk_usage(file.parent).free

    def file(self, file_id: bytes) -> File | None:
        """Return one file, or nothing."""
        return self._records.get(File, (file_id,))

    def files(self, message: Message) -> list[File]:
        """Return the files of a message, in their order."""
        if not message.file_count:
            return []
        found = self._records.select(File, message_id=message.message_id)
        return sorted(found, key=lambda file: file.number)

    def attached(self, chat_id: bytes) -> list[File]:
        """Return the files that are attached in a chat and not sent yet, in their order."""
        states = (FileState.AWAITED, FileState.STAGED)
        found = [file for state in states for file in self._records.select(File, state=state)]
        return sorted((one for one in found if one.chat_id == chat_id), key=lambda file: file.number)

    def receipts(self, message_id: MessageId) -> list[Receipt]:
        """Return what people reported about a message of ours."""
        return list(self._records.select(Receipt, message_id=message_id))

    def gaps(self, conversation: Conversation) -> list[Gap]:
        """Return the messages that may be missing in a conversation."""
        return list(self._records.select(Gap, group_id=conversation.group_id))

    def messages(self, chat_id: bytes, *, before: int | None, limit: int) -> list[Message]:
        """Return up to `limit` messages of a chat below the sequence `before`, the latest first."""
        rows = self._database.rows(
            "SELECT body FROM message WHERE chat_id = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
            (chat_id, 2**62 if before is None else before, min(limit, PAGE_MAX)),
        )
        return [decode(Message, body) for (body,) in rows]

    def messages_after(self, chat_id: bytes, *, after: int, limit: int) -> list[Message]:
        """Return up to `limit` messages of a chat above the sequence `after`, the oldest first."""
        rows = self._database.rows(
            "SELECT body FROM message WHERE chat_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (chat_id, after, min(limit, PAGE_MAX)),
        )
        return [decode(Message, body) for (body,) in rows]

    def notices(self, chat_id: bytes) -> list[Notice]:
        """Return what changed in a chat, oldest first: the latest `PAGE_MAX` changes."""
        rows = self._database.rows(
            "SELECT body FROM notice WHERE chat_id = ? ORDER BY sequence DESC LIMIT ?", (chat_id, PAGE_MAX)
        )
        return [decode(Notice, body) for (body,) in reversed(rows)]

    def message(self, message_id: MessageId) -> Message | None:
        """Return one message, or nothing."""
        return self._records.get(Message, (message_id,))

    def votes(self, message: Message) -> list[Votes]:
        """Return what people chose in a poll; those of the blocked don't count."""
        if message.poll is None:
            return []
        blocked = {one.account_id for one in self._records.select(Contact, state=ContactState.BLOCKED)}
        found = self._records.select(Votes, message_id=message.message_id)
        return [one for one in found if one.account_id not in blocked]

    def pins(self, chat_id: bytes) -> list[PinChange]:
        """Return what is pinned in a chat, the latest first."""
        found = [one for one in self._records.select(PinChange, chat_id=chat_id) if one.pinned]
        return sorted(found, key=lambda one: (one.changed_ms, one.change_id), reverse=True)

    def search(self, query: str, *, chat_id: bytes | None, before: int | None, limit: int) -> list[Message]:
        """Return up to `limit` messages with all words of `query`, the latest first; none for no words."""
        return self._search(query, chat_id, "< ?2 ORDER BY message_text.rowid DESC", before, limit)

    def search_after(self, query: str, *, chat_id: bytes | None, after: int, limit: int) -> list[Message]:
        """Return up to `limit` messages with all words of `query` above a sequence, the oldest first."""
        return self._search(query, chat_id, "> ?2 ORDER BY message_text.rowid", after, limit)

    def _search(
        self, query: str, chat_id: bytes | None, where: str, place: int | None, limit: int
    ) -> list[Message]:
        expression = match_expression(query)
        if not expression:
            return []
        rows = self._database.rows(
            "SELECT message.body FROM message_text"  # noqa: S608 - `where` is one of the two above
            " JOIN message ON message.sequence = message_text.rowid"
            " WHERE message_text MATCH ?1 AND (?3 IS NULL OR message.chat_id = ?3)"
            f" AND message_text.rowid {where} LIMIT ?4",
            (expression, 2**62 if place is None else place, chat_id, min(limit, PAGE_MAX)),
        )
        return [decode(Message, body) for (body,) in rows]

    def contacts(self) -> list[Contact]:
        """Return everybody who is known here but for the merely seen, by name."""
        found = [c for c in self._records.select(Contact) if c.state is not ContactState.KNOWN]
        return sorted(
            found, key=lambda contact: ((contact.own_name or contact.name).lower(), contact.account_id)
        )

    def contact(self, account_id: bytes) -> Contact | None:
        """Return one person, or nothing."""
        return self._records.get(Contact, (account_id,))

    def events(self, *, after: int, limit: int) -> list[LoggedEvent]:
        """Return up to `limit` events above the sequence `after`, in order."""
        rows = self._database.rows(
            "SELECT body FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, min(limit, PAGE_MAX)),
        )
        return [decode(LoggedEvent, body) for (body,) in rows]

    def event_page(self, *, after: int, limit: int) -> tuple[list[LoggedEvent], int]:
        """Return such events as are shown to whoever asks, and the last sequence that was looked at."""
        found = self.events(after=after, limit=limit)
        return found, found[-1].sequence if found else after

    def complaints(self, group_id: GroupId) -> list[ComplaintHeard]:
        """Return what members said against messages of a group, in the order in which it came."""
        found = self._records.select(ComplaintHeard, group_id=group_id)
        return sorted(found, key=lambda one: one.number)

    def askers(self, group_id: GroupId) -> list[Asker]:
        """Return who waits to be let into a group, the first first."""
        found = self._records.select(Asker, group_id=group_id)
        waiting = [one for one in found if one.state is AskerState.WAITING]
        return sorted(waiting, key=lambda one: (one.received_ms, one.account_id))

    def group_link(self, group_id: GroupId) -> tuple[Inbox, Relay] | None:
        """Return the inbox of our link into a group with its relay, or nothing."""
        for inbox in self._records.select(Inbox, kind=InboxKind.GROUP):
            relay = self.relay(inbox.relay_id)
            if inbox.group_id == group_id and not inbox.revoked and relay is not None:
                return inbox, relay
        return None

    def joinings(self) -> list[Joining]:
        """Return the links of groups that were opened here, the latest first."""
        return sorted(self._records.select(Joining), key=lambda one: (-one.created_ms, one.log_id))

    def groups_with_matters(self) -> list[Conversation]:
        """Return the groups in which something waits for their admins."""
        ids = {one.group_id for one in self._records.select(ComplaintHeard)}
        ids |= {one.group_id for one in self._records.select(Asker) if one.state is AskerState.WAITING}
        found = [self._records.get(Conversation, (group_id,)) for group_id in sorted(ids)]
        return [group for group in found if group is not None]

    def bots(self) -> list[Bot]:
        """Return the programs that have a token, by name."""
        return sorted(self._records.select(Bot), key=lambda bot: bot.name.lower())

    def drops(self) -> list[DeadDrop]:
        """Return the dead drops that this home can reach, the first one kept first."""
        return sorted(self._records.select(DeadDrop), key=lambda drop: (drop.created_ms, drop.relay_id))

    def drop(self, relay_id: RelayId) -> DeadDrop | None:
        """Return one of them, with what opens it."""
        return self._records.get(DeadDrop, (relay_id,))

    def bot_with(self, token_hash: bytes) -> Bot | None:
        """Return the program whose token has this SHA-256, or nothing."""
        return next(self._records.select(Bot, token_hash=token_hash), None)

    def dropped(self) -> dict[str, int]:
        """Return how much of each kind was dropped without a word, since anybody could have sent it."""
        found = {name: self._records.get(Counter, (name,)) for name in DROPPED_COUNTERS}
        return {name: 0 if counter is None else counter.value for name, counter in found.items()}

    def last_event(self) -> int:
        """Return the sequence of the newest event, kept or not; 0 where there was none."""
        counter = self._records.get(Counter, ("event",))
        return 0 if counter is None else counter.value

    def keeps_events_after(self, sequence: int) -> bool:
        """Say whether every event after `sequence` is still kept; 0 asks for what there is."""
        oldest = self._database.rows("SELECT min(sequence) FROM event")[0][0]
        return sequence == 0 or sequence >= (self.last_event() if oldest is None else oldest - 1)
