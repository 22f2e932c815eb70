"""What must have been true of the whole life of a world, looked at once everybody has settled.

- a message that its author saw sent stands in the log that the members follow, unless a relay lost it
- all who show a message show the same of it, and in the order of the log
- what one author said stands in the log in the order in which it was said
- whoever is told of a gap to the end was not given something; nobody was lost without a cause
- what must be gone is gone (`forgetting`)
"""

from typing import TYPE_CHECKING

from skvoz.base.ids import GroupId
from skvoz.client.records import (
    Conversation,
    Gap,
    Message,
    MessageState,
)
from skvoz.crypto import sha256
from skvoz.wire.frames import Entry, Flag
from tests.sim import forgetting
from tests.sim.ledger import IN

if TYPE_CHECKING:
    from tests.sim.person import Person
    from tests.sim.world import World

_OUT_OF_QUEUE = (MessageState.SENT, MessageState.DELIVERED, MessageState.READ)


def problems(world: "World") -> list[str]:
    """Return what does not hold."""
    chains = {group_id: chain(world, group_id) for group_id in _groups(world)}
    found = [*_lost(world), *_gaps(world), *forgetting.problems(world, chains)]
    for group_id, followed in chains.items():
        if followed is None:
            continue
        found += _unsaid(world, group_id, followed)
        found += _out_of_order(world, group_id, followed)
        found += _turned_round(world, group_id, followed)
        found += forgetting.removed_who_read(world, group_id, followed)
        found += _shown_differently(world, group_id)
    return found


def _groups(world: "World") -> list[GroupId]:
    return sorted({chat.group_id for one in world.people for chat in one.records.all(Conversation)})


def _restored(world: "World") -> bool:
    return any(relay.restored for relay in world.relays.values())


def chain(world: "World", group_id: GroupId) -> list[Entry] | None:
    """Return the entries of the followed segments, as far as somebody is still in; None where nobody is."""
    for person in world.people:
        chat = person.records.get(Conversation, (group_id,))
        if chat is None or chat.state not in IN:
            continue
        relay = world.relays[chat.relay_id]
        segment = relay.store.segment(chat.log_id, sha256(chat.segment_key))
        truth = relay.truth.get(chat.log_id)
        if segment is None or truth is None:
            return None
        through = {segment.number: max(truth.entries, default=0)}
        number = segment.number
        while number:
            closer = truth.entries[number]
            through[closer.segment] = number
            number = closer.segment
        places = sorted(truth.entries)
        entries = [truth.entries[place] for place in places]
        return [one for one in entries if one.position <= through.get(one.segment, 0)]
    return None


def _said(world: "World", followed: list[Entry]) -> dict[bytes, int]:
    """Return the messages of a chain with their first positions."""
    said: dict[bytes, int] = {}
    for entry in followed:
        encrypted = world.ledger.encrypted.get(entry.entry)
        if encrypted is not None and encrypted.message_id is not None and not entry.flags & Flag.CLOSER:
            said.setdefault(encrypted.message_id, entry.position)
    return said


def _unsaid(world: "World", group_id: GroupId, followed: list[Entry]) -> list[str]:
    if _restored(world):
        return []  # what was acknowledged after the backup is gone with the relay's disk
    said = _said(world, followed)
    found: list[str] = []
    for person in world.people:
        for message in person.records.select(Message, group_id=group_id):
            if message.author != person.account_id or message.message_id in said:
                continue
            chat = person.records.get(Conversation, (group_id,))
            if message.state in _OUT_OF_QUEUE and not _lied_about(world, message.message_id):
                found.append(f"a message that {person.name} sees sent is not in the log")
            elif message.state is MessageState.QUEUED and chat is not None and chat.state in IN:
                found.append(f"a message of {person.name} stays queued for ever")
    return found


def _lied_about(world: "World", message_id: bytes) -> bool:
    """Tell whether a relay said to have stored a message, and to have forgotten it in due time since.

    An author who had not read so far in between can't tell that from the truth.
    """
    lies = {entry_id for relay in world.relays.values() for entry_id in relay.lied_about}
    said = world.ledger.encrypted
    return world.faults.expiry > 0 and any(
        said[entry_id].message_id == message_id for entry_id in lies if entry_id in said
    )


def _out_of_order(world: "World", group_id: GroupId, followed: list[Entry]) -> list[str]:
    if _restored(world):
        return []
    said = _said(world, followed)
    found: list[str] = []
    ledger = world.ledger
    for person in world.people:
        kept_back = {
            ledger.encrypted[entry_id].message_id for name, entry_id in ledger.withheld if name == person.name
        }  # where their author says them again, for an epoch that was over, they come in a later place
        shown = {
            one: place
            for one, place in ledger.shown.get(person.name, {}).items()
            if (person.name, one) not in ledger.carried and one not in kept_back
        }
        places = [said[one] for one in sorted(shown, key=lambda one: shown[one]) if one in said]
        if places != sorted(places):
            found.append(f"{person.name} shows messages of {group_id.hex()[:4]} in another order")
    return found


def _turned_round(world: "World", group_id: GroupId, followed: list[Entry]) -> list[str]:
    """Compare the log with the order in which its authors spoke; a relay that lies changes it."""
    if _restored(world) or world.faults.relay_lies:
        return []
    said = _said(world, followed)
    found: list[str] = []
    for person in world.people:
        own = [
            message
            for message in person.records.select(Message, group_id=group_id)
            if message.author == person.account_id and message.message_id in said
        ]
        own.sort(key=lambda message: message.sequence)
        places = [said[message.message_id] for message in own]
        if places != sorted(places):
            found.append(f"what {person.name} said stands in another order in {group_id.hex()[:4]}")
    return found


def _shown_differently(world: "World", group_id: GroupId) -> list[str]:
    """Compare text, deletion and reactions of messages at all who were given everything."""
    if _restored(world) or world.faults.relay_withholds or world.faults.expiry:
        return []
    blockers = world.ledger.have_blocked
    people = [
        one
        for one in _throughout(world, group_id)
        if one.name not in blockers and _takes_everything(one, group_id)
    ]
    views: dict[bytes, dict[str, str]] = {}
    for person in people:
        for message in person.records.select(Message, group_id=group_id):
            if message.state in {MessageState.FAILED, MessageState.QUEUED}:
                continue
            reactions = sorted((emoji, len(set(who))) for emoji, who in message.reactions.items())
            view = f"{message.text} {'deleted' if message.deleted else ''} {reactions}"
            views.setdefault(message.message_id, {})[person.name] = view
    return [
        f"a message is shown differently: {by_person}"
        for by_person in views.values()
        if len(set(by_person.values())) > 1
    ]


def _throughout(world: "World", group_id: GroupId) -> list["Person"]:
    """Return who was in every epoch since their first one: others missed something while they were out."""
    found: list[Person] = []
    for person in world.people:
        epochs = [number for number, _ in world.ledger.secrets.get((person.name, group_id), ())]
        if epochs and epochs == list(range(epochs[0], epochs[-1] + 1)):
            found.append(person)
    return found


def _takes_everything(person: "Person", group_id: GroupId) -> bool:
    chat = person.records.get(Conversation, (group_id,))
    return chat is not None and chat.state in IN and not chat.is_request


def _lost(world: "World") -> list[str]:
    causes = world.faults.relay_restore, world.faults.expiry
    return [] if any(causes) else [f"{name} was lost without a cause" for name in sorted(world.ledger.lost)]


def _gaps(world: "World") -> list[str]:
    if _restored(world) or world.faults.expiry:
        return []
    # A gap that is filled may be shown for a moment: a relay that refuses an entry and takes the next one
    # turns them round.
    entries: dict[bytes, list[bytes]] = {}
    for entry_id, encrypted in world.ledger.encrypted.items():
        entries.setdefault(encrypted.content_id, []).append(entry_id)
    return [
        f"{person.name} is told of a gap though nothing was withheld"
        for person in world.people
        for gap in person.records.all(Gap)
        if person in _throughout(world, gap.group_id)
        and not any((person.name, one) in world.ledger.withheld for one in entries.get(gap.message_id, ()))
    ]
