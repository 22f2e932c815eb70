"""How views are made from stored records."""

from collections.abc import Sequence
from typing import Final

from skvoz.api.views import (
    AccountView,
    ChatKindWord,
    ChatView,
    ChatWord,
    ContactView,
    ContactWord,
    FileView,
    FileWord,
    LinkView,
    LocationView,
    MemberView,
    MentionView,
    MessageView,
    MessageWord,
    PollOptionView,
    PollView,
    QuotedView,
    ReactionView,
)
from skvoz.base.ids import AccountId
from skvoz.client.polls import people_by_option
from skvoz.client.records import (
    Account,
    Contact,
    ContactState,
    ConversationKind,
    ConversationState,
    File,
    FileState,
    Inbox,
    InboxKind,
    Message,
    MessageState,
    Relay,
    Votes,
)
from skvoz.store.queries import Chat
from skvoz.store.search import highlights

QUOTE_LENGTH_MAX: Final = 200
"""Characters of a message that is answered: what fits above the answer."""
_MESSAGE_WORDS: Final[dict[MessageState, MessageWord]] = {
    MessageState.QUEUED: "queued",
    MessageState.SENT: "sent",
    MessageState.DELIVERED: "delivered",
    MessageState.READ: "read",
    MessageState.FAILED: "failed",
    MessageState.RECEIVED: "received",
}
_CONTACT_WORDS: Final[dict[ContactState, ContactWord]] = {
    ContactState.KNOWN: "known",
    ContactState.REQUEST: "request",
    ContactState.ACCEPTED: "accepted",
    ContactState.BLOCKED: "blocked",
}
_FILE_WORDS: Final[dict[FileState, FileWord]] = {
    FileState.AWAITED: "awaited",
    FileState.STAGED: "staged",
    FileState.UPLOADING: "uploading",
    FileState.REMOTE: "remote",
    FileState.DOWNLOADING: "downloading",
    FileState.HERE: "here",
}
_KIND_WORDS: Final[dict[ConversationKind, ChatKindWord]] = {
    ConversationKind.SELF: "self",
    ConversationKind.DIRECT: "direct",
    ConversationKind.GROUP: "group",
}
_CHAT_WORDS: Final[dict[ConversationState, ChatWord]] = {
    ConversationState.CREATING: "creating",
    ConversationState.ACTIVE: "active",
    ConversationState.LEAVING: "leaving",
    ConversationState.LEFT: "left",
    ConversationState.REMOVED: "removed",
    ConversationState.LOST: "lost",
    ConversationState.FROZEN: "frozen",
    ConversationState.HELD: "held",
}


def shown_name(contact: Contact | None) -> str:
    """Return what to call a person: our own name for them, else theirs."""
    return "" if contact is None else contact.own_name or contact.name


def name_of(account_id: AccountId, own: Account, contact: Contact | None) -> str:
    """Return what to call somebody who may be oneself."""
    return own.name if account_id == own.account_id else shown_name(contact)


def account_view(account: Account, relay: Relay | None) -> AccountView:
    """Show the account."""
    return AccountView(
        account_id=account.account_id,
        name=account.name,
        relay_addresses=() if relay is None else relay.addresses,
        phrase_confirmed=account.root_private_key is None,
        reports_enabled=account.reports_enabled,
        created_ms=account.created_ms,
        lock_after_minutes=account.lock_after_minutes,
        lan_enabled=account.lan_enabled,
    )


def contact_view(contact: Contact) -> ContactView:
    """Show a person."""
    return ContactView(
        account_id=contact.account_id,
        name=shown_name(contact),
        card_name=contact.name,
        state=_CONTACT_WORDS[contact.state],
        verified=contact.verified_ms is not None,
        key_changed=contact.key_changed_ms is not None,
    )


def member_view(account_id: AccountId, own: Account, contact: Contact | None, *, admin: bool) -> MemberView:
    """Show a member of a chat."""
    is_own = account_id == own.account_id
    return MemberView(
        account_id=account_id,
        name=name_of(account_id, own, contact),
        admin=admin,
        own=is_own,
        state=None if is_own or contact is None else _CONTACT_WORDS[contact.state],
        verified=contact is not None and contact.verified_ms is not None,
    )


def file_view(file: File) -> FileView:
    """Show a file."""
    return FileView(
        file_id=file.file_id,
        state=_FILE_WORDS[file.state],
        paused=file.paused,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        description=file.description,
        thumbnail=file.thumbnail,
        thumbnail_type=file.thumbnail_type,
        width=file.width,
        height=file.height,
        duration_ms=file.duration_ms,
        waveform=file.waveform,
        failure=file.failure,
    )


def quoted_view(message: Message, own: Account, author: Contact | None) -> QuotedView:
    """Show the beginning of a message that is answered."""
    return QuotedView(
        message_id=message.message_id,
        sequence=message.sequence,
        author_name=name_of(message.author, own, author),
        own=message.author == own.account_id,
        text=message.text[:QUOTE_LENGTH_MAX],
        deleted=message.deleted,
    )


def location_view(latitude_e7: int, longitude_e7: int, label: str) -> LocationView:
    """Show a place."""
    return LocationView(latitude_e7=latitude_e7, longitude_e7=longitude_e7, label=label)


def poll_view(message: Message, poll: tuple[str, tuple[str, ...], bool], votes: Sequence[Votes]) -> PollView:
    """Show a poll with what people chose."""
    question, options, several = poll
    people = people_by_option(message, votes)
    return PollView(
        question=question,
        options=tuple(
            PollOptionView(text=text, account_ids=who) for text, who in zip(options, people, strict=True)
        ),
        several=several,
        closed=message.poll_closed_ms is not None,
        voters=len(set[AccountId]().union(*people)),
    )


def message_view(
    message: Message,
    own: Account,
    author: Contact | None,
    files: Sequence[File],
    *,
    query: str = "",
    quoted: QuotedView | None = None,
    votes: Sequence[Votes] = (),
) -> MessageView:
    """Show a message with its files; with a `query`, say where its words are."""
    return MessageView(
        message_id=message.message_id,
        chat_id=message.chat_id,
        sequence=message.sequence,
        author=message.author,
        author_name=name_of(message.author, own, author),
        own=message.author == own.account_id,
        sent_ms=message.sent_ms,
        received_ms=message.received_ms,
        state=_MESSAGE_WORDS[message.state],
        text=message.text,
        unsupported=message.unsupported,
        reply_to=message.reply_to,
        quoted=quoted,
        mentions=tuple(
            MentionView(account_id=AccountId(account_id), start=start, length=length)
            for account_id, start, length in message.mentions
        ),
        reactions=tuple(
            ReactionView(emoji=emoji, account_ids=accounts)
            for emoji, accounts in sorted(message.reactions.items())
            if accounts
        ),
        edited=message.edited_ms is not None,
        deleted=message.deleted,
        expires_ms=message.expires_ms,
        failure=message.failure,
        files=tuple(map(file_view, files)),
        forwarded=message.forwarded,
        location=None if message.location is None else location_view(*message.location),
        poll=None if message.poll is None else poll_view(message, message.poll, votes),
        highlights=tuple(highlights(message.text, query)) if query else (),
    )


def chat_view(chat: Chat, own: Account, last_author: Contact | None) -> ChatView:
    """Show a chat in the list."""
    main = chat.main
    last = chat.last_message
    is_gone = main.state is ConversationState.LOST and main.knocks_denied > 0
    return ChatView(
        chat_id=chat.chat_id,
        group_id=main.group_id,
        kind=_KIND_WORDS[main.kind],
        state="gone" if is_gone else _CHAT_WORDS[main.state],
        title=main.title or shown_name(chat.contact),
        is_request=main.is_request,
        alone=main.alone and main.state is ConversationState.ACTIVE,
        hidden=all(conversation.hidden for conversation in chat.conversations),
        unread=chat.unread,
        read_sequence=main.read_sequence,
        muted=main.muted,
        pinned=main.pinned_ms is not None,
        archived=main.archived,
        draft=main.draft,
        draft_reply_to=main.draft_reply_to,
        gaps=chat.gaps,
        expiry_s=main.message_expiry_s,
        last_activity_ms=chat.last_activity_ms,
        last_message=None
        if last is None
        else message_view(last, own, last_author, chat.last_files, votes=chat.last_votes),
    )


def link_view(inbox: Inbox, link: str) -> LinkView:
    """Show a link of ours."""
    return LinkView(
        log_id=inbox.log_id,
        link=link,
        lasting=inbox.kind is InboxKind.LASTING,
        ready=inbox.opened,
        used=inbox.used_ms is not None,
        created_ms=inbox.created_ms,
    )
