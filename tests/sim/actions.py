"""What people do: one wish at a time, chosen by the seed from what is possible for somebody now."""

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from skvoz.base.ids import AccountId, MessageId
from skvoz.client.commands import (
    AcceptLink,
    AcceptRequest,
    AddMembers,
    Answer,
    BlockContact,
    ChangeProfile,
    CreateGroup,
    CreateLink,
    DeclineRequest,
    DeleteMessage,
    EditMessage,
    LeaveGroup,
    MarkRead,
    React,
    RemoveMember,
    RenameGroup,
    SendMessage,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.composing import WRITABLE
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationKind,
    Message,
    MessageState,
    Participant,
)

if TYPE_CHECKING:
    from tests.sim.person import Person
    from tests.sim.world import World

Action = Callable[["World", "Person"], None]
EMOJI = ("👍", "❤", "🎉")


def meet(world: "World", person: "Person") -> None:
    """Make a link, which somebody else opens after a while."""
    others = [other for other in world.people if other is not person]
    guest = world.random.choice(others)
    lasting = world.random.random() < 0.3
    text = world.fresh_text() if world.random.random() < 0.7 else None

    def handed_over(answer: Answer) -> None:
        link = answer.link
        if link is not None:
            delay_ms = world.random.choice((0, 500, 5_000, 60_000))
            world.clock.after(
                delay_ms,
                lambda: guest.do(
                    lambda client_id: AcceptLink(client_id=client_id, link=link, text=text),
                    lambda _: world.note_said(guest, text),
                ),
            )

    person.do(lambda client_id: CreateLink(client_id=client_id, lasting=lasting), handed_over)


def say(world: "World", person: "Person") -> None:
    """Write to a chat, several times at once now and then; now and then as a reply."""
    chat = _writable(world.random, person)
    if chat is None:
        return
    for _ in range(world.random.choice((1, 1, 1, 2, 5))):
        text = world.fresh_text()
        known = person.records.all(Message)
        reply_to = world.random.choice(known).message_id if known and world.random.random() < 0.2 else None
        person.do(
            lambda client_id, text=text, reply_to=reply_to: SendMessage(
                client_id=client_id, chat_id=chat.chat_id, text=text, reply_to=reply_to
            ),
            lambda _, text=text: world.note_said(person, text),
        )


def edit(world: "World", person: "Person") -> None:
    """Edit a message of one's own."""
    message = _message(world.random, person, own=True)
    if message is not None:
        text = f"{world.fresh_text()} (was {message.text})"[:200]
        person.do(
            lambda client_id: EditMessage(client_id=client_id, message_id=message.message_id, text=text)
        )


def delete(world: "World", person: "Person") -> None:
    """Delete any message for everybody, where one may."""
    message = _message(world.random, person)
    if message is not None:
        person.do(lambda client_id: DeleteMessage(client_id=client_id, message_id=message.message_id))


def react(world: "World", person: "Person") -> None:
    """Put an emoji on a message, or take it off."""
    message = _message(world.random, person)
    if message is not None:
        emoji, present = world.random.choice(EMOJI), world.random.random() < 0.7
        person.do(
            lambda client_id: React(
                client_id=client_id, message_id=message.message_id, emoji=emoji, present=present
            )
        )


def read(world: "World", person: "Person") -> None:
    """Read a chat up to a message."""
    message = _message(world.random, person)
    if message is not None:
        identity: MessageId = message.message_id
        person.do(
            lambda client_id: MarkRead(client_id=client_id, chat_id=message.chat_id, message_id=identity)
        )


def make_group(world: "World", person: "Person") -> None:
    """Make a group with some contacts."""
    contacts = _contacts(person)
    if contacts and len(person.records.all(Conversation)) < 8:
        members = tuple(world.random.sample(contacts, world.random.randrange(1, len(contacts) + 1)))
        title = f"group {world.random.randrange(1000)}"
        person.do(lambda client_id: CreateGroup(client_id=client_id, title=title, members=members))


def add(world: "World", person: "Person") -> None:
    """Add a contact to a group."""
    chat, contacts = _group(world.random, person), _contacts(person)
    if chat is not None and contacts:
        member = world.random.choice(contacts)
        person.do(lambda client_id: AddMembers(client_id=client_id, chat_id=chat.chat_id, members=(member,)))


def remove(world: "World", person: "Person") -> None:
    """Remove a member from a group."""
    chat = _group(world.random, person)
    member = None if chat is None else _member(world.random, person, chat)
    if chat is not None and member is not None:
        person.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=chat.chat_id, member=member))


def rename(world: "World", person: "Person") -> None:
    """Give a group another title."""
    chat = _group(world.random, person)
    if chat is not None:
        title = f"title {world.random.randrange(1000)}"
        person.do(lambda client_id: RenameGroup(client_id=client_id, chat_id=chat.chat_id, title=title))


def set_role(world: "World", person: "Person") -> None:
    """Make a member an admin, or not."""
    chat = _group(world.random, person)
    member = None if chat is None else _member(world.random, person, chat)
    if chat is not None and member is not None:
        admin = world.random.random() < 0.7
        person.do(
            lambda client_id: SetRole(client_id=client_id, chat_id=chat.chat_id, member=member, admin=admin)
        )


def leave(world: "World", person: "Person") -> None:
    """Leave a group."""
    chat = _group(world.random, person)
    if chat is not None:
        person.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=chat.chat_id))


def set_expiry(world: "World", person: "Person") -> None:
    """Let new messages of a chat disappear, or stay."""
    chat = _writable(world.random, person)
    if chat is not None:
        expiry_s = world.random.choice((None, 30, 3_600))
        person.do(
            lambda client_id: SetMessageExpiry(client_id=client_id, chat_id=chat.chat_id, expiry_s=expiry_s)
        )


def answer_request(world: "World", person: "Person") -> None:
    """Accept or decline what a stranger asked."""
    requests = [chat for chat in person.records.all(Conversation) if chat.is_request and not chat.hidden]
    if requests:
        chat_id = world.random.choice(requests).chat_id
        if world.random.random() < 0.8:
            person.do(lambda client_id: AcceptRequest(client_id=client_id, chat_id=chat_id))
        else:
            person.do(lambda client_id: DeclineRequest(client_id=client_id, chat_id=chat_id))


def block(world: "World", person: "Person") -> None:
    """Block somebody, or take it back."""
    known = person.records.all(Contact)
    if known:
        contact = world.random.choice(known)
        blocked = contact.state is not ContactState.BLOCKED and world.random.random() < 0.5
        person.do(
            lambda client_id: BlockContact(
                client_id=client_id, account_id=contact.account_id, blocked=blocked
            )
        )


def change_name(world: "World", person: "Person") -> None:
    """Take another name."""
    name = f"{person.name} {world.random.randrange(100)}"
    person.do(lambda client_id: ChangeProfile(client_id=client_id, name=name))


ACTIONS: dict[str, tuple[Action, int]] = {
    "meet": (meet, 4),
    "say": (say, 20),
    "edit": (edit, 2),
    "delete": (delete, 1),
    "react": (react, 3),
    "read": (read, 3),
    "make_group": (make_group, 3),
    "add": (add, 3),
    "remove": (remove, 2),
    "rename": (rename, 2),
    "set_role": (set_role, 2),
    "leave": (leave, 1),
    "set_expiry": (set_expiry, 1),
    "answer_request": (answer_request, 3),
    "block": (block, 1),
    "change_name": (change_name, 1),
}
"""By name: the action, and how often it is chosen."""
_RARE = {"delete", "remove", "leave", "set_expiry", "block", "change_name"}


def draw_weights(random: Random) -> dict[str, int]:
    """Return how often each action is chosen in one world; some are left out of some worlds."""
    return {
        name: weight * random.choice((1, 1, 3))
        for name, (_, weight) in ACTIONS.items()
        if name not in _RARE or random.random() < 0.5
    }


def _writable(random: Random, person: "Person") -> Conversation | None:
    chats = [chat for chat in person.records.all(Conversation) if chat.state in WRITABLE]
    return random.choice(chats) if chats else None


def _group(random: Random, person: "Person") -> Conversation | None:
    chats = [
        chat
        for chat in person.records.all(Conversation)
        if chat.kind is ConversationKind.GROUP and chat.state in WRITABLE
    ]
    return random.choice(chats) if chats else None


def _member(random: Random, person: "Person", chat: Conversation) -> AccountId | None:
    members = list(person.records.select(Participant, group_id=chat.group_id))
    others = [one.account_id for one in members if one.account_id != person.account_id]
    return random.choice(others) if others else None


def _contacts(person: "Person") -> list[AccountId]:
    contacts = person.records.select(Contact, state=ContactState.ACCEPTED)
    return [contact.account_id for contact in contacts if contact.inbox]


def _message(random: Random, person: "Person", *, own: bool = False) -> Message | None:
    found = [
        message
        for message in person.records.all(Message)[-20:]
        if not message.deleted
        and message.state is not MessageState.FAILED
        and (not own or message.author == person.account_id)
    ]
    return random.choice(found) if found else None
