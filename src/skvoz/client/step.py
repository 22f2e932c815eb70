"""`Step`: what travels through the modules while one input or command is handled.

A step reads and changes records through its transaction and gathers effects and events. `Caches` live from
step to step in the machine, hold nothing that the records don't, and are dropped whenever a transaction was
not stored.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from skvoz.base.errors import Conflict, NotFound
from skvoz.base.ids import EntryId, GroupId, LogId, RelayId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.client.effects import Carrier, Channel, Connect, Effect, WakeAt
from skvoz.client.envelope import ENVELOPE_LABEL, SECRET_SIZE
from skvoz.client.environment import Environment
from skvoz.client.events import Event
from skvoz.client.records import Account, Alarm, Conversation, GroupPart, LoggedEvent, Relay
from skvoz.client.transaction import Transaction
from skvoz.mls import Group

CARRIERS_MAX: Final = 2
"""Relays that may carry a session to another one."""
_CANDIDATES_MAX: Final = 16
"""Relays of others that are looked at for it: the first by their ids, so the same ones every time."""
GROUPS_CACHED_MAX: Final = 128
"""Decoded groups kept from step to step: some 100 KB each once their tree is loaded."""
_encode_event = msgspec.msgpack.Encoder().encode


class Outcome(Value, frozen=True, kw_only=True):
    """What a step wants done once its changes are stored, and what people are told."""

    effects: tuple[Effect, ...]
    events: tuple[Event, ...]


@dataclass(slots=True, kw_only=True)
class Reading:
    """How far a room is read in this run: nothing is appended before its head was reached once."""

    key: bytes = field(repr=False)
    """The key of the attachment."""
    attached: bool = False
    head: int = 0
    through: int = 0
    held_back: bool = False
    """The relay has no room for an entry of ours now: nothing new goes out before it is said again."""
    owed: dict[EntryId, int] = field(default_factory=dict[EntryId, int], repr=False)
    """Entries and a closer of ours that the relay says to have, and where; they were not met yet."""
    tries: int = 0
    """How often in a row such things were sent again."""

    @property
    def caught_up(self) -> bool:
        """Whether everything that was there when we attached has been read."""
        return self.attached and self.through >= self.head


@dataclass(slots=True, kw_only=True)
class LookBack:
    """A reading of a segment that we left, to see that others left it as we did."""

    reading: Reading
    place: int
    """Which of the closers that we followed is looked for."""
    segment: int = -1
    """The number of the segment, once something of it was read."""


class Outside(Value, frozen=True, kw_only=True):
    """What a run has asked for outside: rooms that are read, and the next alarm."""

    readings: dict[GroupId, Reading]
    denials: dict[GroupId, int]
    looks: dict[GroupId, LookBack]
    wake_at_ms: int | None


class Caches:
    """Decoded state between steps; `forget` it whenever a transaction was not stored."""

    def __init__(self) -> None:
        self.transaction: Transaction | None = None
        self.groups: OrderedDict[GroupId, Group] = OrderedDict()
        self.readings: dict[GroupId, Reading] = {}
        self.routes: dict[LogId, GroupId] = {}
        self.envelopes: dict[GroupId, tuple[int, bytes]] = {}
        self.denials: dict[GroupId, int] = {}
        self.looks: dict[GroupId, LookBack] = {}
        self.carry_links: dict[GroupId, list[tuple[int, bytes]]] = {}
        """Epochs and carry secrets out of links that came over the network around."""
        self.contested: set[EntryId] = set()
        """Closers that were put back as contests since the last knock."""
        self.people: dict[GroupId, tuple[int, int]] = {}
        """By group: an epoch and how many people it has."""
        self.wake_at_ms: int | None = None

    def outside(self) -> "Outside":
        """Return what stands for things outside, which don't change where a command is refused."""
        return Outside(
            readings=dict(self.readings),
            denials=dict(self.denials),
            looks=dict(self.looks),
            wake_at_ms=self.wake_at_ms,
        )

    def put_back(self, outside: "Outside") -> None:
        """Go on from what `outside` returned."""
        self.readings.update(outside.readings)
        self.denials.update(outside.denials)
        self.looks.update(outside.looks)
        self.wake_at_ms = outside.wake_at_ms

    def tree_of(self, group_id: GroupId) -> bytes:
        """Return the stored tree of a group."""
        part = None if self.transaction is None else self.transaction.get(GroupPart, group_id, "tree", 0)
        if part is None:
            raise RuntimeError("a group without a tree")
        return part.body

    def forget(self) -> None:
        """Drop everything."""
        self.groups.clear()
        self.readings.clear()
        self.routes.clear()
        self.envelopes.clear()
        self.people.clear()
        self.denials.clear()
        self.looks.clear()
        self.contested.clear()
        self.carry_links.clear()
        self.wake_at_ms = None


class Step:
    """One input or command on its way through the machine."""

    def __init__(
        self, transaction: Transaction, environment: Environment, now_ms: int, caches: Caches
    ) -> None:
        self.transaction = transaction
        self.environment = environment
        self.now_ms = now_ms
        self.caches = caches
        self.effects: list[Effect] = []
        self.events: list[Event] = []
        self._unsaved: dict[GroupId, Group | None] = {}
        caches.transaction = transaction

    @property
    def randomness(self) -> Randomness:
        """The source of random bytes."""
        return self.environment.randomness

    def outcome(self) -> Outcome:
        """Write what is still to be written, and return what was gathered."""
        self._write_groups()
        return Outcome(effects=tuple(self.effects), events=tuple(self.events))

    def emit(self, effect: Effect) -> None:
        """Have something done once the changes are stored."""
        self.effects.append(effect)

    def tell(self, event: Event) -> None:
        """Tell people something, and keep it in the durable log."""
        self.events.append(event)
        self.transaction.put(
            LoggedEvent(
                sequence=self.transaction.next_number("event"),
                kind=event.kind,
                body=_encode_event(event),
                created_ms=self.now_ms,
            )
        )

    def connect(self, relay_id: RelayId, channel: Channel) -> None:
        """Have a session to a known relay kept on this channel."""
        relay = self.transaction.get(Relay, relay_id)
        if relay is not None:
            self.emit(
                Connect(
                    relay_id=relay_id,
                    channel=channel,
                    public_key=relay.public_key,
                    addresses=relay.reach,
                    carriers=self._carriers(relay_id),
                )
            )

    def _carriers(self, relay_id: RelayId) -> tuple[Carrier, ...]:
        """Return who can carry a session there: to relays of others, rather our own; to ours, if need be."""
        account = self.transaction.get(Account, 0)
        home_id = None if account is None else account.home_relay_id
        home = None if home_id is None else self.transaction.get(Relay, home_id)
        others = self.transaction.first(Relay, _CANDIDATES_MAX)
        known = [] if home is None else [home, *(one for one in others if one.relay_id != home_id)]
        usable = [one for one in known if one.carries and one.relay_id != relay_id]
        return tuple(
            Carrier(
                relay_id=one.relay_id,
                public_key=one.public_key,
                addresses=one.reach,
                preferred=one.relay_id == home_id,
            )
            for one in usable[:CARRIERS_MAX]
        )

    def set_alarm(self, name: str, subject: bytes, due_ms: int) -> None:
        """Have `name` done about `subject` at `due_ms`, in place of what was set under both before."""
        self.transaction.put(Alarm(name=name, subject=subject, due_ms=due_ms))
        self.wake_by(due_ms)

    def hasten_alarm(self, name: str, subject: bytes, due_ms: int) -> None:
        """Set an alarm unless it is set for an earlier time already."""
        known = self.transaction.get(Alarm, name, subject)
        if known is None or known.due_ms > due_ms:
            self.set_alarm(name, subject, due_ms)

    def clear_alarm(self, name: str, subject: bytes) -> None:
        """Forget an alarm."""
        if self.transaction.get(Alarm, name, subject) is not None:
            self.transaction.delete(Alarm, name, subject)

    def wake_by(self, due_ms: int) -> None:
        """Ask to be woken at `due_ms` unless that is asked for at an earlier time."""
        known = self.caches.wake_at_ms
        if known is None:
            # After a transaction that was not stored nobody knows what the driver was asked for.
            for earliest in self.transaction.smallest(Alarm, "due_ms", 1):
                due_ms = min(due_ms, earliest.due_ms)
        if known is None or due_ms < known:
            self.caches.wake_at_ms = due_ms
            self.emit(WakeAt(time_ms=due_ms))

    def account(self) -> Account:
        """Return this home's account; raise `NotFound` where there is none yet."""
        account = self.transaction.get(Account, 0)
        if account is None:
            raise NotFound("there is no account here yet")
        return account

    def fresh_entry_id(self) -> EntryId:
        """Return a new entry's id."""
        return EntryId(self.randomness(16))

    def conversation(self, group_id: GroupId) -> Conversation:
        """Return a conversation that must be there."""
        conversation = self.transaction.get(Conversation, group_id)
        if conversation is None:
            raise NotFound("there is no such conversation")
        return conversation

    def conversation_of_log(self, log_id: LogId) -> Conversation | None:
        """Return the conversation whose room is this log, if any."""
        group_id = self.caches.routes.get(log_id)
        if group_id is None:
            for found in self.transaction.select(Conversation, log_id=log_id):
                self.caches.routes[log_id] = found.group_id
                return found
            return None
        return self.transaction.get(Conversation, group_id)

    def change(self, group_id: GroupId, **changes: Any) -> Conversation:  # noqa: ANN401 - fields of the record
        """Change fields of a conversation as it is now, and return it."""
        changed = msgspec.structs.replace(self.conversation(group_id), **changes)
        self.transaction.put(changed)
        return changed

    # Groups

    def group(self, group_id: GroupId) -> Group:
        """Return a conversation's MLS group; the tree is read only when something asks for it."""
        groups = self.caches.groups
        group = groups.get(group_id)
        if group is not None:
            groups.move_to_end(group_id)
            return group
        ratchets = self.transaction.select(GroupPart, group_id=group_id, part="ratchet")
        caches = self.caches
        group = Group.restore(
            members=self._part(group_id, "members"),
            epoch=self._part(group_id, "epoch"),
            secrets=self._part(group_id, "secrets"),
            ratchets={part.leaf: part.body for part in ratchets},
            load_tree=lambda: caches.tree_of(group_id),
            suite=self.environment.suite,
        )
        self._keep(group_id, group)
        return group

    def writable_group(self, group_id: GroupId) -> Group:
        """Return a conversation's MLS group to encrypt with; raise `Conflict` for a leaf that has a twin.

        Two copies of a leaf would use one key for two messages. Whatever encrypts asks here.
        """
        if self.conversation(group_id).frozen:
            raise Conflict("a copy of this device writes here: nothing is encrypted before it is added anew")
        return self.group(group_id)

    def envelope_secret(self, group: Group) -> bytes:
        """Return the secret of the envelopes of a group's epoch."""
        group_id = GroupId(group.group_id)
        known = self.caches.envelopes.get(group_id)
        if known is not None and known[0] == group.epoch:
            return known[1]
        secret = group.export(ENVELOPE_LABEL, b"", SECRET_SIZE)
        self.caches.envelopes[group_id] = (group.epoch, secret)
        return secret

    def save_group(self, group: Group, since: Group | None) -> None:
        """Have stored what changed in a group `since` its earlier state (None: everything).

        The parts are written once, when the step ends: entries of a batch move the same ratchets
        again and again.
        """
        group_id = GroupId(group.group_id)
        if since is None:
            self.caches.envelopes.pop(group_id, None)
        if since is None or group_id not in self._unsaved:
            self._unsaved[group_id] = since
        self._keep(group_id, group)

    def _write_groups(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        for group_id, since in unsaved.items():
            self._write_group(group_id, self.caches.groups[group_id], since)

    def _write_group(self, group_id: GroupId, group: Group, since: Group | None) -> None:
        snapshot = group.snapshot(since)
        if snapshot.epoch_changed:
            self.caches.envelopes.pop(group_id, None)
            for old in self.transaction.select(GroupPart, group_id=group_id, part="ratchet"):
                self.transaction.delete(GroupPart, *old.key_values())
        named = (
            ("tree", snapshot.tree),
            ("members", snapshot.members),
            ("epoch", snapshot.epoch),
            ("secrets", snapshot.secrets),
        )
        for part, body in named:
            if body is not None:
                self.transaction.put(GroupPart(group_id=group_id, part=part, body=body))
        for leaf, body in snapshot.ratchets.items():
            self.transaction.put(GroupPart(group_id=group_id, part="ratchet", leaf=leaf, body=body))

    def drop_group(self, group_id: GroupId) -> None:
        """Forget all keys of a group."""
        for part in self.transaction.select(GroupPart, group_id=group_id):
            self.transaction.delete(GroupPart, *part.key_values())
        self.caches.groups.pop(group_id, None)
        self._unsaved.pop(group_id, None)
        self.caches.envelopes.pop(group_id, None)

    def _part(self, group_id: GroupId, name: str) -> bytes:
        part = self.transaction.get(GroupPart, group_id, name, 0)
        if part is None:
            raise NotFound("there are no keys for this conversation here")
        return part.body

    def _keep(self, group_id: GroupId, group: Group) -> None:
        groups = self.caches.groups
        groups[group_id] = group
        groups.move_to_end(group_id)
        if len(groups) > GROUPS_CACHED_MAX:
            oldest, dropped = groups.popitem(last=False)
            if oldest in self._unsaved:
                self._write_group(oldest, dropped, self._unsaved.pop(oldest))
