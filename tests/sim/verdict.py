"""What must hold once the faults have stopped and everybody has had time."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from skvoz.base.ids import AccountId, GroupId
from skvoz.client.environment import Environment
from skvoz.client.records import (
    Conversation,
    ConversationState,
    Intent,
    KeptCloser,
    Participant,
    StagedCommit,
)
from skvoz.client.step import Caches, Step
from skvoz.client.transaction import Transaction
from skvoz.crypto import sha256
from skvoz.mls import Group
from tests.sim.ledger import IN, OUT

if TYPE_CHECKING:
    from tests.sim.person import Person
    from tests.sim.world import World


def problems(world: "World") -> list[str]:
    """Return what does not hold (yet)."""
    found: list[str] = []
    for person in world.people:
        found += _of_person(world, person)
    for group_id in sorted({chat.group_id for one in world.people for chat in one.records.all(Conversation)}):
        found += _of_group(world, group_id)
    return found


def _of_person(world: "World", person: "Person") -> list[str]:
    found: list[str] = []
    if not person.is_at_rest:
        found.append(f"{person.name} is not at rest")
    for staged in person.records.all(StagedCommit):
        chat = person.records.get(Conversation, (staged.group_id,))
        if chat is None or not _is_over(world, chat):
            found.append(f"{person.name} still has a staged commit")
    for intent in person.records.all(Intent):
        chat = person.records.get(Conversation, (intent.group_id,))
        if chat is not None and _is_over(world, chat):
            continue
        state = "no" if chat is None else chat.state.name
        found.append(f"{person.name} still has an intent ({intent.kind.name}, {state})")
    return found + _of_chats(world, person)


def _of_chats(world: "World", person: "Person") -> list[str]:
    settled = {ConversationState.ACTIVE, ConversationState.LEFT, ConversationState.REMOVED}
    return [
        f"{person.name} is {chat.state.name}"
        for chat in person.records.all(Conversation)
        if chat.state not in settled
        and not (chat.state is ConversationState.HELD and chat.is_request)
        and not _is_over(world, chat)
    ]


def _is_over(world: "World", chat: Conversation) -> bool:
    """Tell whether nothing can come of a conversation any more, which its people can't know."""
    return _was_dropped(world, chat) or _backup_was_too_old(world, chat)


def _was_dropped(world: "World", chat: Conversation) -> bool:
    """Tell whether the last member dropped the room of somebody who had not read their removal."""
    is_denied = chat.state is ConversationState.LOST and chat.denied and not chat.store_changed
    return is_denied and world.relays[chat.relay_id].store.log(chat.log_id) is None


def _backup_was_too_old(world: "World", chat: Conversation) -> bool:
    """Tell whether a relay went back further than members keep closers, to a log that leads nowhere.

    The closers that all of them kept lead back to no segment that it knows: one of those between was too long
    to be kept, or kept by somebody who has left. Only who made the log could drop it: that is not done by
    itself, since others may be in it.
    """
    relay = world.relays[chat.relay_id]
    if not (chat.denied and relay.restored) or relay.store.log(chat.log_id) is None:
        return False
    before = {
        one.next_hash: sha256(one.segment_key)
        for person in world.people
        if _is_in(person, chat.group_id)
        for one in person.records.select(KeptCloser, group_id=chat.group_id)
    }
    segment: bytes | None = sha256(chat.segment_key)
    while segment is not None and relay.store.segment(chat.log_id, segment) is None:
        segment = before.pop(segment, None)
    return segment is None


def _is_in(person: "Person", group_id: GroupId) -> bool:
    chat = person.records.get(Conversation, (group_id,))
    return chat is not None and chat.state not in OUT


def group_of(person: "Person", group_id: GroupId) -> Group:
    """Return a person's MLS group as it is stored."""
    environment = Environment(suite=person.suite, randomness=person.random.randbytes)
    group = Step(Transaction(person.records), environment, person.now_ms, Caches()).group(group_id)
    group.members()  # the tree is loaded while the transaction is there
    return group


def _of_group(world: "World", group_id: GroupId) -> list[str]:
    """Compare what members of a conversation hold."""
    views: dict[object, list[str]] = {}
    for person in world.people:
        chat = person.records.get(Conversation, (group_id,))
        if chat is None or chat.state not in IN or _was_removed_elsewhere(world, person, group_id):
            continue
        group = group_of(person, group_id)
        # Since when somebody is in is what each has seen for themselves.
        people = tuple(
            replace(one, since_epoch=0) for one in person.records.select(Participant, group_id=group_id)
        )
        view = (chat.epoch, group.epoch_authenticator, chat.title, chat.message_expiry_s, people)
        views.setdefault(view, []).append(f"{person.name} in {chat.epoch}")
    if len(views) > 1 and not _all_parted(world, group_id):
        return [f"members of a conversation differ: {sorted(views.values())}"]
    return []


def _all_parted(world: "World", group_id: GroupId) -> bool:
    """Tell whether each of several, denied by a restored relay for a week, has gone on alone, and is told so.

    Whoever may be alone answers no knocks, lest they take in who was removed: where all are, nobody does.
    """
    if not any(relay.restored for relay in world.relays.values()):
        return False
    found = [person.records.get(Conversation, (group_id,)) for person in world.people]
    present = [chat for chat in found if chat is not None and chat.state in IN]
    return all(chat.parted and chat.alone for chat in present)


def _was_removed_elsewhere(world: "World", person: "Person", group_id: GroupId) -> bool:
    """Tell whether those who went on after a relay had lost somebody's segment have removed them there.

    Whoever is removed gets no answer to knocks, and can't tell that from a closer that nobody follows.
    """
    if not any(relay.restored for relay in world.relays.values()):
        return False
    others = [one for one in world.people if one is not person and _is_in(one, group_id)]
    return any(person.account_id not in _members(one, group_id) for one in others)


def _members(person: "Person", group_id: GroupId) -> set[AccountId]:
    return {one.account_id for one in person.records.select(Participant, group_id=group_id)}
