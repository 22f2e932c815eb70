"""What must be gone from every home once a world has come to rest.

- secrets of past epochs
- keys of messages that were read: what was read once opens no more
- the private keys of KeyPackages that brought somebody in
"""

from typing import TYPE_CHECKING

import msgspec

from skvoz.base.errors import PeerError
from skvoz.base.ids import EntryId, GroupId
from skvoz.client import envelope, policy
from skvoz.client.records import Conversation, ConversationState
from skvoz.crypto import sha256
from skvoz.mls import ApplicationMessage
from skvoz.wire.frames import Entry, Flag
from tests.sim.ledger import IN, OUT
from tests.sim.verdict import group_of

if TYPE_CHECKING:
    from tests.sim.person import Person
    from tests.sim.world import World

_LATEST = 6
"""Entries that are tried again; and epochs that are looked for."""


def problems(world: "World", chains: dict[GroupId, list[Entry] | None]) -> list[str]:
    """Return what is still there; `chains` are the entries that the members of each group follow."""
    found: list[str] = []
    for person in world.people:
        home = b"".join(
            msgspec.msgpack.encode(record)
            for table in person.records.tables.values()
            for record in table.values()
        )
        found += _secrets(world, person, home)
        used = world.ledger.used_init_keys.get(person.name, ())
        found += [f"{person.name} still has a key of a used KeyPackage" for key in used if key in home]
        for group_id, followed in chains.items():
            if followed is not None:
                found += _what_opens_again(world, person, group_id, followed)
    return found


def _secrets(world: "World", person: "Person", home: bytes) -> list[str]:
    """Look for secrets of past epochs in everything that is stored."""
    found: list[str] = []
    for (name, group_id), epochs in world.ledger.secrets.items():
        chat = person.records.get(Conversation, (group_id,))
        if name != person.name or chat is None:
            continue
        past = [one for one in epochs if one[0] != chat.epoch or chat.state in OUT]
        found += [
            f"{name} still has a secret of epoch {epoch} of {chat.epoch}"
            for epoch, secrets in past[-_LATEST:]
            if any(secret in home for secret in secrets)
        ]
    return found


def _what_opens_again(
    world: "World", person: "Person", group_id: GroupId, followed: list[Entry]
) -> list[str]:
    """Try to read again, with what is stored, what somebody has read in the present epoch."""
    chat = person.records.get(Conversation, (group_id,))
    if chat is None or chat.state not in IN:
        return []
    segment = _number_of(followed, sha256(chat.segment_key))
    log = world.relays[chat.relay_id].store.log(chat.log_id)
    expired = 0 if log is None else log.base  # some of it perhaps before it was read
    read = [
        entry
        for entry in followed
        if entry.segment == segment
        and expired < entry.position <= chat.cursor
        and not entry.flags & Flag.CLOSER
        and (person.name, entry.entry) not in world.ledger.withheld
    ]
    group = group_of(person, group_id)
    secret = group.export(envelope.ENVELOPE_LABEL, b"", envelope.SECRET_SIZE)
    found: list[str] = []
    for entry in read[-_LATEST:]:
        try:
            opened = envelope.open_entry(
                group.suite, secret, EntryId(entry.entry), envelope.APPLICATION, entry.body or b""
            )
            received = group.receive(opened, policy=policy.MEMBERS)
        except PeerError:
            continue
        if isinstance(received, ApplicationMessage):
            found.append(f"{person.name} can open again what was read in {group_id.hex()[:4]}")
    return found


def _number_of(followed: list[Entry], segment_hash: bytes) -> int:
    """Return the number of the segment under a key; 0 for the first, which no closer opened."""
    numbers = [one.position for one in followed if one.flags & Flag.CLOSER and one.next_hash == segment_hash]
    return numbers[-1] if numbers else 0


def removed_who_read(world: "World", group_id: GroupId, followed: list[Entry]) -> list[str]:
    """Try what somebody who was removed may have kept on what was said after that."""
    found: list[str] = []
    for person in world.people:
        chat = person.records.get(Conversation, (group_id,))
        group = world.ledger.last_groups.get((person.name, group_id))
        if chat is None or chat.state is not ConversationState.REMOVED or group is None:
            continue
        secret = group.export(envelope.ENVELOPE_LABEL, b"", envelope.SECRET_SIZE)
        own = sha256(group.export(envelope.ACCESS_LABEL, b"", envelope.SECRET_SIZE))
        openers = {one.position: one.next_hash for one in followed if one.flags & Flag.CLOSER}
        for entry in followed[-_LATEST:]:
            if entry.body is None or openers.get(entry.segment, own) == own:
                continue
            kind = envelope.CLOSER if entry.flags & Flag.CLOSER else envelope.APPLICATION
            try:
                envelope.open_entry(group.suite, secret, EntryId(entry.entry), kind, entry.body)
            except PeerError:
                continue
            found.append(f"{person.name} was removed and can still read")
    return found
