"""What a home keeps: one record kind per table.

A record is stored under its key fields; `columns` are further fields that can be selected by. Fields
are only ever appended, with defaults; any other change is a new schema version with a migration.
A record's `repr` names its kind and nothing else: records hold keys and people's words.

- `base`: what all have, and the machine's own: counters, alarms, answers, events
- `people`: this home's person, contacts, relays
- `rooms`: conversations, their groups, what is on its way into them
- `inboxes`: inboxes, KeyPackages, invitations
- `files`: files of messages
- `groups`: what admins of groups have before them, and groups that we ask to be let into
- `messages`: messages, reactions, reports, gaps
- `notices`: what changed in a chat, between its messages
- `carrying`: what is carried beside a relay
- `bots`: programs with a token
- `drops`: storage that stands in for a relay
"""

from skvoz.client.records.base import Alarm, Answered, Counter, LoggedEvent, Record
from skvoz.client.records.bots import Bot
from skvoz.client.records.carrying import Arrived, CarryKey, Parcel
from skvoz.client.records.drops import DeadDrop
from skvoz.client.records.files import File, FileState, HeldMessage
from skvoz.client.records.groups import Asker, AskerState, ComplaintHeard, Joining, JoiningState
from skvoz.client.records.inboxes import Approach, Delivery, Inbox, InboxKind, KeyPackageSecret, MailPart
from skvoz.client.records.messages import (
    Gap,
    LastSeen,
    Message,
    MessageState,
    PendingReport,
    PinChange,
    ReactionGiven,
    Receipt,
    Spoken,
    Unread,
    Votes,
    WaitingChange,
)
from skvoz.client.records.notices import Notice, NoticeKind
from skvoz.client.records.people import Account, Contact, ContactState, Folder, Relay
from skvoz.client.records.rooms import (
    Closer,
    Conversation,
    ConversationKind,
    ConversationState,
    GroupPart,
    Intent,
    IntentKind,
    KeptCloser,
    KnockHeard,
    OwnKnock,
    Participant,
    SentEntry,
    StagedCommit,
)

RECORDS: tuple[type[Record], ...] = (
    Counter,
    Account,
    Relay,
    Contact,
    Conversation,
    Participant,
    GroupPart,
    Intent,
    SentEntry,
    StagedCommit,
    Closer,
    KeptCloser,
    KnockHeard,
    OwnKnock,
    Delivery,
    Inbox,
    MailPart,
    KeyPackageSecret,
    Approach,
    Message,
    ReactionGiven,
    PinChange,
    Votes,
    LastSeen,
    Spoken,
    Unread,
    WaitingChange,
    Receipt,
    PendingReport,
    Gap,
    File,
    HeldMessage,
    CarryKey,
    Parcel,
    Arrived,
    Bot,
    DeadDrop,
    ComplaintHeard,
    Asker,
    Joining,
    Notice,
    Alarm,
    Answered,
    LoggedEvent,
)

__all__ = [
    "RECORDS",
    "Account",
    "Alarm",
    "Answered",
    "Approach",
    "Arrived",
    "Asker",
    "AskerState",
    "Bot",
    "CarryKey",
    "Closer",
    "ComplaintHeard",
    "Contact",
    "ContactState",
    "Conversation",
    "ConversationKind",
    "ConversationState",
    "Counter",
    "DeadDrop",
    "Delivery",
    "File",
    "FileState",
    "Folder",
    "Gap",
    "GroupPart",
    "HeldMessage",
    "Inbox",
    "InboxKind",
    "Intent",
    "IntentKind",
    "Joining",
    "JoiningState",
    "KeptCloser",
    "KeyPackageSecret",
    "KnockHeard",
    "LastSeen",
    "LoggedEvent",
    "MailPart",
    "Message",
    "MessageState",
    "Notice",
    "NoticeKind",
    "OwnKnock",
    "Parcel",
    "Participant",
    "PendingReport",
    "PinChange",
    "ReactionGiven",
    "Receipt",
    "Record",
    "Relay",
    "SentEntry",
    "Spoken",
    "StagedCommit",
    "Unread",
    "Votes",
    "WaitingChange",
]
