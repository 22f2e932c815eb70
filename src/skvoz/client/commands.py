"""`Command`: wishes of the person whose home this is.

Each carries a `client_id` chosen by the caller: a repeat gets the first one's answer and does nothing.
A wish that can't be fulfilled raises a `CallerError` and changes nothing.

Long, because it is the list of all that a person can ask for, and is read as one.
"""

from typing import Annotated, Final, Literal

import msgspec

from skvoz.base.ids import AccountId, LogId, MessageId, RelayId
from skvoz.base.value import Value
from skvoz.content.locations import LATITUDE_MAX, LONGITUDE_MAX
from skvoz.content.polls import OPTIONS_MAX

CLIENT_ID_LENGTH_MAX: Final = 128
"""Characters of a `client_id`: room for any program's own numbering."""

DRAFT_LENGTH_MAX: Final = 16 * 4096
"""Characters: a text that is too long to be sent is kept while it is made shorter."""


BOT_NAME_LENGTH_MAX: Final = 64
DROP_URL_LENGTH_MAX: Final = 1024
"""Characters of a storage's place, and of the password there."""
DROP_POLL_S: Final = 30
DROP_BYTES_A_DAY: Final = 20 * 1024 * 1024
"""What looking into a drop may cost where nobody says otherwise: a look each half a minute is 2 MB."""
FOLDERS_MAX: Final = 20
FOLDER_CHATS_MAX: Final = 1000
FOLDER_NAME_LENGTH_MAX: Final = 64
LOCK_AFTER_MINUTES_MAX: Final = 24 * 60
NOTE_LENGTH_MAX: Final = 500


class CommandBase(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all commands."""

    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=CLIENT_ID_LENGTH_MAX)]


class RelayAddress(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relay to live at: its X-Wing key (1216 bytes) or the key's SHA-256, addresses, perhaps a ticket."""

    addresses: tuple[str, ...]
    public_key: bytes = b""
    relay_id: RelayId = RelayId(b"")
    ticket: bytes = b""


class CreateAccount(CommandBase, frozen=True, kw_only=True):
    """Make this home's account. Answers `account_id`."""

    name: str
    relay: RelayAddress


class ConfirmRecoveryPhrase(CommandBase, frozen=True, kw_only=True):
    """The phrase is written down: forget the root key here. `phrase` must be the right one."""

    phrase: str


class ChangeProfile(CommandBase, frozen=True, kw_only=True):
    """Change one's own name, what is reported, when to lock, and whether to use the network around."""

    name: str | None = None
    reports_enabled: bool | None = None
    lan_enabled: bool | None = None
    lock_after_minutes: Annotated[int, msgspec.Meta(ge=0, le=LOCK_AFTER_MINUTES_MAX)] | None = None


class CreateLink(CommandBase, frozen=True, kw_only=True):
    """Make a link for somebody to write to us by. Answers `link` and `log_id`."""

    lasting: bool = False


class RevokeLink(CommandBase, frozen=True, kw_only=True):
    """Let a link lead nowhere from now on."""

    log_id: LogId


class AcceptLink(CommandBase, frozen=True, kw_only=True):
    """Open somebody's link and write to them. Answers `chat_id` (their account id) at once."""

    link: str
    text: str | None = None


class AcceptRequest(CommandBase, frozen=True, kw_only=True):
    """Let a stranger who wrote be a contact."""

    chat_id: bytes


class DeclineRequest(CommandBase, frozen=True, kw_only=True):
    """Leave a stranger's request unanswered and forget it."""

    chat_id: bytes


class BlockContact(CommandBase, frozen=True, kw_only=True):
    """Take nothing more from this person, or (`blocked=False`) take it again."""

    account_id: AccountId
    blocked: bool = True


class RenameContact(CommandBase, frozen=True, kw_only=True):
    """Call a person by a name of one's own; empty: by their own."""

    account_id: AccountId
    own_name: str


class VerifyContact(CommandBase, frozen=True, kw_only=True):
    """Mark a person as compared by safety number, or (`verified=False`) not."""

    account_id: AccountId
    verified: bool = True


class CreateGroup(CommandBase, frozen=True, kw_only=True):
    """Make a group with these contacts. Answers `chat_id`."""

    title: str
    members: tuple[AccountId, ...]


class AddMembers(CommandBase, frozen=True, kw_only=True):
    """Add contacts to a group."""

    chat_id: bytes
    members: tuple[AccountId, ...]


class RemoveMember(CommandBase, frozen=True, kw_only=True):
    """Remove a person from a group."""

    chat_id: bytes
    member: AccountId


class RenameGroup(CommandBase, frozen=True, kw_only=True):
    """Give a group another title."""

    chat_id: bytes
    title: str


class SetRole(CommandBase, frozen=True, kw_only=True):
    """Make a member an admin or a plain member."""

    chat_id: bytes
    member: AccountId
    admin: bool


class SetMessageExpiry(CommandBase, frozen=True, kw_only=True):
    """Let new messages of a chat disappear so many seconds after they are sent; None: never."""

    chat_id: bytes
    expiry_s: int | None


class LeaveGroup(CommandBase, frozen=True, kw_only=True):
    """Leave a group."""

    chat_id: bytes


class MuteChat(CommandBase, frozen=True, kw_only=True):
    """Keep a chat quiet, or not."""

    chat_id: bytes
    muted: bool


class PinChat(CommandBase, frozen=True, kw_only=True):
    """Put a chat on top of the list, or (`pinned=False`) not."""

    chat_id: bytes
    pinned: bool


class ArchiveChat(CommandBase, frozen=True, kw_only=True):
    """Keep a chat out of the list, or (`archived=False`) not; it goes on as before."""

    chat_id: bytes
    archived: bool


class KeepDraft(CommandBase, frozen=True, kw_only=True):
    """Keep what was begun in a chat and is not sent yet; an empty text forgets it. Nobody is told."""

    chat_id: bytes
    text: Annotated[str, msgspec.Meta(max_length=DRAFT_LENGTH_MAX)]
    reply_to: MessageId | None = None


class DeleteChat(CommandBase, frozen=True, kw_only=True):
    """Forget a chat's messages here; a group must have been left."""

    chat_id: bytes


class MentionSpan(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Characters (Unicode code points) `start … start + length` of a text name this person."""

    account_id: AccountId
    start: int
    length: int


class FileToSend(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file that was put into the home, and what to show of it before it is fetched.

    `thumbnail`: a JPEG, PNG or WebP of 16 KiB at most. `waveform`: loudness in up to 256 steps, a byte each.
    """

    file_id: bytes
    description: str = ""
    thumbnail: bytes = b""
    thumbnail_type: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    waveform: bytes = b""


class SendMessage(CommandBase, frozen=True, kw_only=True):
    """Write to a chat. Answers `message_id`. With files the text may be empty; it goes out after them.

    `forwarded` says that somebody else said it first, and not who.
    """

    chat_id: bytes
    text: str
    reply_to: MessageId | None = None
    mentions: tuple[MentionSpan, ...] = ()
    files: tuple[FileToSend, ...] = ()
    forwarded: bool = False


class SendLocation(CommandBase, frozen=True, kw_only=True):
    """Send a place to a chat: its coordinates in 1e-7 degrees, and what is there. Answers `message_id`."""

    chat_id: bytes
    latitude_e7: Annotated[int, msgspec.Meta(ge=-LATITUDE_MAX, le=LATITUDE_MAX)]
    longitude_e7: Annotated[int, msgspec.Meta(ge=-LONGITUDE_MAX, le=LONGITUDE_MAX)]
    label: str = ""
    reply_to: MessageId | None = None
    forwarded: bool = False


class AttachFile(CommandBase, frozen=True, kw_only=True):
    """Attach a file in a chat before its bytes come, or say more of one. Answers `file_id`.

    What is attached is kept for a day, so that a page which is opened anew still knows of it. Its bytes are
    put under its id.
    """

    chat_id: bytes
    file_id: bytes | None = None
    name: str
    media_type: str
    size: int
    thumbnail: bytes = b""
    thumbnail_type: str = ""
    width: int = 0
    height: int = 0
    duration_ms: int = 0
    waveform: bytes = b""


class AskPoll(CommandBase, frozen=True, kw_only=True):
    """Ask a chat a question with answers to choose from. Answers `message_id`.

    Everybody in the chat sees who chose what.
    """

    chat_id: bytes
    question: str
    options: tuple[str, ...]
    several: bool = False


class VoteInPoll(CommandBase, frozen=True, kw_only=True):
    """Choose answers of a poll, by their numbers from 0 up, in place of those before; none: take it back."""

    message_id: MessageId
    choices: tuple[Annotated[int, msgspec.Meta(ge=0, lt=OPTIONS_MAX)], ...]


class EndPoll(CommandBase, frozen=True, kw_only=True):
    """Take no more votes in a poll of one's own."""

    message_id: MessageId


class StageFile(CommandBase, frozen=True, kw_only=True):
    """Know a file whose bytes were put into the home. Answers `file_id`."""

    file_id: bytes
    file_key: bytes
    size: int
    sha256: bytes
    chunk_size: int
    name: str
    media_type: str
    is_attached: bool = False
    """Whether it is one of those that `AttachFile` names."""


class FetchFile(CommandBase, frozen=True, kw_only=True):
    """Bring a file of a message here, or go on with that."""

    file_id: bytes


class PauseFile(CommandBase, frozen=True, kw_only=True):
    """Hold a file on its way up or down, or (`paused=False`) let it go on."""

    file_id: bytes
    paused: bool = True


class ForgetFile(CommandBase, frozen=True, kw_only=True):
    """Free the room that a file takes here; it can be fetched again while the relay has it."""

    file_id: bytes


class EditMessage(CommandBase, frozen=True, kw_only=True):
    """Put another text in place of one's own message's."""

    message_id: MessageId
    text: str
    mentions: tuple[MentionSpan, ...] = ()


class DeleteMessage(CommandBase, frozen=True, kw_only=True):
    """Delete a message: for everybody (one's own, or as an admin), or only here."""

    message_id: MessageId
    for_everyone: bool = True


class React(CommandBase, frozen=True, kw_only=True):
    """Put an emoji on a message, or (`present=False`) take it off."""

    message_id: MessageId
    emoji: str
    present: bool = True


class PinMessage(CommandBase, frozen=True, kw_only=True):
    """Keep a message at hand for everybody in its chat, or (`pinned=False`) not any more."""

    message_id: MessageId
    pinned: bool = True


class MakeGroupLink(CommandBase, frozen=True, kw_only=True):
    """Make a lasting link into a group, as its admin, or return the one there is. Answers `link`, `log_id`.

    Whoever opens it learns the group's name and size, and can ask this admin to be let in.
    """

    chat_id: bytes


class RevokeGroupLink(CommandBase, frozen=True, kw_only=True):
    """Let one's own link into a group lead nowhere, and forget who asked by it."""

    chat_id: bytes


class ApproveJoin(CommandBase, frozen=True, kw_only=True):
    """Let somebody into a group who asked by its link."""

    chat_id: bytes
    account_id: AccountId


class DeclineJoin(CommandBase, frozen=True, kw_only=True):
    """Leave somebody outside who asked by a group's link; nobody tells them, nor hears them for a month."""

    chat_id: bytes
    account_id: AccountId


class OpenGroupLink(CommandBase, frozen=True, kw_only=True):
    """Look where a link into a group leads; nobody is asked yet. Answers `log_id`."""

    link: str


class AskToJoin(CommandBase, frozen=True, kw_only=True):
    """Ask the admin whose link was opened to be let in, under our name."""

    log_id: LogId


class CancelJoining(CommandBase, frozen=True, kw_only=True):
    """Forget a group's link that was opened, and wait for no answer any more."""

    log_id: LogId


class ReportMessage(CommandBase, frozen=True, kw_only=True):
    """Tell those admins of a group who are contacts about a message in it, and nobody else."""

    message_id: MessageId
    reason: Literal["spam", "insult", "danger", "other"]
    note: Annotated[str, msgspec.Meta(max_length=NOTE_LENGTH_MAX)] = ""


class DismissComplaints(CommandBase, frozen=True, kw_only=True):
    """Take what members said against a message of a group off one's own list, as its admin."""

    chat_id: bytes
    message_id: MessageId


class FolderWish(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder as its person wants it."""

    name: Annotated[str, msgspec.Meta(max_length=FOLDER_NAME_LENGTH_MAX)]
    chats: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=FOLDER_CHATS_MAX)] = ()


class KeepFolders(CommandBase, frozen=True, kw_only=True):
    """Keep these folders of chats, in this order, in place of those that there were."""

    folders: Annotated[tuple[FolderWish, ...], msgspec.Meta(max_length=FOLDERS_MAX)]


class MarkRead(CommandBase, frozen=True, kw_only=True):
    """Everything in a chat up to this message has been read."""

    chat_id: bytes
    message_id: MessageId


class ImportBundle(CommandBase, frozen=True, kw_only=True):
    """Take what is for us in a bundle's file. Answers `new_contents` and `known_contents`."""

    file: bytes


class CreateBot(CommandBase, frozen=True, kw_only=True):
    """Let a program in that has a token, of which only the SHA-256 is said here. Answers `bot_id`.

    It acts as this home's person in all chats, or (`chats`) in these; without `can_write` it only reads.
    """

    name: Annotated[str, msgspec.Meta(max_length=BOT_NAME_LENGTH_MAX)]
    token_hash: bytes
    can_write: bool = False
    chats: tuple[bytes, ...] | None = None


class RevokeBot(CommandBase, frozen=True, kw_only=True):
    """Let a bot's token open nothing any more, at once."""

    bot_id: bytes


class KeepDrop(CommandBase, frozen=True, kw_only=True):
    """Keep a dead drop, with what opens it: its secret of 32 bytes, its place, and the password there.

    `relay_id` is that of the relay which follows from the secret. One that is kept already is changed.
    `poll_s`: seconds between looks for news while it is quiet; more often while people talk.
    """

    relay_id: RelayId
    secret: bytes
    url: Annotated[str, msgspec.Meta(min_length=1, max_length=DROP_URL_LENGTH_MAX)]
    password: Annotated[str, msgspec.Meta(max_length=DROP_URL_LENGTH_MAX)] = ""
    bytes_a_day: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = DROP_BYTES_A_DAY
    poll_s: Annotated[int, msgspec.Meta(ge=1, le=24 * 3600)] = DROP_POLL_S


class ForgetDrop(CommandBase, frozen=True, kw_only=True):
    """Forget a dead drop that no conversation or link of ours lies in."""

    relay_id: RelayId


Command = (
    CreateAccount
    | ConfirmRecoveryPhrase
    | ChangeProfile
    | KeepFolders
    | CreateLink
    | RevokeLink
    | AcceptLink
    | AcceptRequest
    | DeclineRequest
    | BlockContact
    | RenameContact
    | VerifyContact
    | CreateGroup
    | AddMembers
    | RemoveMember
    | RenameGroup
    | SetRole
    | SetMessageExpiry
    | LeaveGroup
    | MuteChat
    | PinChat
    | ArchiveChat
    | KeepDraft
    | DeleteChat
    | SendMessage
    | SendLocation
    | AttachFile
    | AskPoll
    | VoteInPoll
    | EndPoll
    | StageFile
    | FetchFile
    | PauseFile
    | ForgetFile
    | EditMessage
    | DeleteMessage
    | React
    | PinMessage
    | MakeGroupLink
    | RevokeGroupLink
    | ApproveJoin
    | DeclineJoin
    | OpenGroupLink
    | AskToJoin
    | CancelJoining
    | ReportMessage
    | DismissComplaints
    | MarkRead
    | ImportBundle
    | CreateBot
    | RevokeBot
    | KeepDrop
    | ForgetDrop
)


class Answer(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What a command answers; the fields that apply are set."""

    account_id: AccountId | None = None
    chat_id: bytes | None = None
    message_id: MessageId | None = None
    log_id: LogId | None = None
    link: str | None = None
    file_id: bytes | None = None
    bot_id: bytes | None = None
    new_contents: int | None = None
    known_contents: int | None = None
