"""What a world remembers of everybody, and what must hold at every single transaction.

- a member shows every message that stood in what it read, once, in the order of the log
- nobody shows a message of an epoch that they are not in
- all who are in an epoch agree on its key and its members: one closer was followed
- no key of a ratchet encrypts two plaintexts that may both have gone out
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skvoz.base.ids import AccountId, GroupId
from skvoz.client.events import ChatChanged, Event, MessageReceived
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationState,
    Intent,
    IntentKind,
    KeyPackageSecret,
    Message,
    Participant,
    Relay,
    StagedCommit,
)
from skvoz.client.transaction import Transaction
from skvoz.content import account_uri, message_id, room_uri
from skvoz.crypto import sha256
from skvoz.mls import KeyPackageBundle
from skvoz.wire.frames import Entry, Flag
from tests.sim.toy_suite import Seal

if TYPE_CHECKING:
    from skvoz.mls import Group
    from tests.sim.person import Person
    from tests.sim.relay_host import RelayHost

IN = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.FROZEN)
OUT = (ConversationState.LEFT, ConversationState.REMOVED)


class Broken(AssertionError):
    """Something that must hold does not."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """An intent that was encrypted: in which segment it may stand, and what it says."""

    group_id: GroupId
    segment_hash: bytes
    message_id: bytes | None
    """Of a text."""
    content_id: bytes
    """Of whatever it says."""
    author: str


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as who is in it first saw it."""

    segment_hash: bytes
    members: frozenset[AccountId]


class Ledger:
    """Watches all people of a world."""

    def __init__(self, relays: "dict[bytes, RelayHost]") -> None:
        self._relays = relays
        self.encrypted: dict[bytes, Encrypted] = {}
        """By entry id."""
        self.closers: dict[bytes, GroupId] = {}
        """Honest closers by entry id."""
        self.epochs: dict[tuple[GroupId, int], Epoch] = {}
        self.by_segment: dict[bytes, Epoch] = {}
        self.shown: dict[str, dict[bytes, int]] = {}
        """By person: messages of others, with their place among all that were shown."""
        self.carried: set[tuple[str, bytes]] = set()
        """Readers, and messages that came to them by hand: where they stand in the log, others show them."""
        self.requests: set[tuple[str, bytes]] = set()
        """Readers, and messages that came before their author was accepted: one of them is shown."""
        self.withheld: set[tuple[str, bytes]] = set()
        """Readers, and the entries that they were not given."""
        self.accounts: dict[str, AccountId] = {}
        self._keys: dict[bytes, bytes] = {}
        self._passed_by: set[tuple[str, bytes]] = set()
        self.have_blocked: set[str] = set()
        self.lost: set[str] = set()
        """Who said to be lost."""
        self.secrets: dict[tuple[str, GroupId], list[tuple[int, tuple[bytes, ...]]]] = {}
        """By person and group: epochs, and secrets that must not outlive them."""
        self.used_init_keys: dict[str, list[bytes]] = {}
        """By person: private keys of KeyPackages that they let go."""
        self.last_groups: dict[tuple[str, GroupId], Group] = {}

    def withhold(self, person: "Person", entry_id: bytes) -> bool:
        """Note that a reader is not given an entry; False for their own, and for what people don't write."""
        said = self.encrypted.get(entry_id)
        if said is None or said.author == person.name:
            return False
        self.withheld.add((person.name, entry_id))
        return True

    def sealed(self, person: "Person", transaction: Transaction, seals: list[Seal]) -> None:
        """Take what a person encrypted, of which counts what is in a stored entry: it may go out.

        What was encrypted to be thrown away again, such as a proposal that was only tried, does not.
        """
        bodies: set[bytes] = set()
        for _, _, record in transaction.changes():
            if isinstance(record, Intent):
                bodies.add(record.ciphertext)
            elif isinstance(record, StagedCommit):
                bodies.add(record.body)
        outer: list[bytes] = []
        for seal in reversed(seals):
            if seal.ciphertext in bodies or any(seal.ciphertext in plaintext for plaintext in outer):
                outer.append(seal.plaintext)
                if self._keys.setdefault(seal.key, seal.ciphertext) != seal.ciphertext:
                    raise Broken(f"{person.name} encrypts two plaintexts under one key")

    def committed(
        self,
        person: "Person",
        transaction: Transaction,
        before: dict[GroupId, Conversation],
        events: tuple[Event, ...],
    ) -> None:
        """Take what is on a person's disk now."""
        conversations: list[Conversation] = []
        for kind, _, record in transaction.changes():
            if kind is Intent and isinstance(record, Intent):
                self._note_intent(person, record)
            elif kind is StagedCommit and isinstance(record, StagedCommit):
                self.closers[record.entry_id] = record.group_id
            elif isinstance(record, Contact) and record.state is ContactState.BLOCKED:
                self.have_blocked.add(person.name)
            elif kind is Conversation and isinstance(record, Conversation):
                conversations.append(record)
        for conversation in conversations:
            self._note_epoch(person, conversation)
        self._note_events(person, events)
        for conversation in conversations:
            self._check_read(person, before.get(conversation.group_id), conversation)

    def _note_intent(self, person: "Person", intent: Intent) -> None:
        if intent.entry_id is None or intent.entry_id in self.encrypted:
            return
        conversation = person.records.get(Conversation, (intent.group_id,))
        if conversation is not None:
            account = person.account_id
            sender = account_uri(account) if account is not None else ""
            says = intent.kind is IntentKind.CONTENT
            self.encrypted[intent.entry_id] = Encrypted(
                intent.group_id,
                sha256(conversation.segment_key),
                intent.message_id,
                message_id(sender, room_uri(intent.group_id), intent.body) if says else b"",
                person.name,
            )

    def _note_epoch(self, person: "Person", conversation: Conversation) -> None:
        if conversation.state in OUT or not conversation.segment_key:
            return
        group_id = conversation.group_id
        self._note_secrets(person, conversation)
        people = person.records.select(Participant, group_id=group_id)
        epoch = Epoch(sha256(conversation.segment_key), frozenset(one.account_id for one in people))
        self.by_segment.setdefault(epoch.segment_hash, epoch)
        known = self.epochs.setdefault((group_id, conversation.epoch), epoch)
        if known.segment_hash != epoch.segment_hash:
            if not any(relay.restored for relay in self._relays.values()):
                raise Broken(f"{person.name} is in another epoch {conversation.epoch} than others")
            known = self.by_segment[epoch.segment_hash]
        if known.members != epoch.members:
            raise Broken(f"{person.name} sees other members of epoch {conversation.epoch} than others")

    def _note_secrets(self, person: "Person", conversation: Conversation) -> None:
        group = person.cached_group(conversation.group_id)
        place = (person.name, conversation.group_id)
        if group is None or group.epoch != conversation.epoch:
            return
        self.last_groups[place] = group
        epochs = self.secrets.setdefault(place, [])
        if not epochs:
            self._check_key_package(person, group)
        if not epochs or epochs[-1][0] != group.epoch:
            kept = group.state.secrets
            epochs.append(
                (
                    group.epoch,
                    (kept.init_secret, kept.sender_data_secret, kept.exporter_secret, kept.membership_key),
                )
            )

    def _note_events(self, person: "Person", events: tuple[Event, ...]) -> None:
        shown = self.shown.setdefault(person.name, {})
        for event in events:
            if isinstance(event, MessageReceived):
                if event.message_id in shown:
                    raise Broken(f"{person.name} shows a message twice")
                shown[event.message_id] = len(shown)
                if person.is_importing:
                    self.carried.add((person.name, event.message_id))
            elif isinstance(event, ChatChanged) and event.what == "lost":
                chat = person.records.get(Conversation, (event.group_id,))
                if chat is not None and self._relays[chat.relay_id].store.log(chat.log_id) is not None:
                    self.lost.add(person.name)  # else its last member has dropped the room

    def let_go(self, person: "Person", secret: KeyPackageSecret) -> None:
        """Take a KeyPackage whose private side is no longer among a person's records."""
        bundle = KeyPackageBundle.parse(secret.bundle, person.suite)
        self.used_init_keys.setdefault(person.name, []).append(bundle.init_private_key)

    def _check_key_package(self, person: "Person", group: "Group") -> None:
        """Check that the KeyPackage by which somebody has just come in is not kept for another Welcome."""
        [own] = [one for one in group.members() if one.leaf_index == group.own_leaf_index]
        for secret in person.records.all(KeyPackageSecret):
            if own.leaf_node.encryption_key in secret.bundle and not secret.is_last_resort:
                raise Broken(f"{person.name} keeps a KeyPackage that was used")

    # What was read

    def _check_read(self, person: "Person", before: Conversation | None, now: Conversation) -> None:
        """Check that what a person read since the last transaction was shown."""
        if before is None or before.state not in IN or now.state in OUT or now.log_id != before.log_id:
            return
        if now.epoch == before.epoch and now.cursor <= before.cursor:
            return
        known = person.records.get(Relay, (now.relay_id,))
        if known is None or known.store_id != self._relays[now.relay_id].store.store_id:
            return  # what a busy one still has of a store that went back since stands elsewhere now
        for entry in self._passed(before, now):
            said = self.encrypted.get(entry.entry)
            passed = (person.name, entry.entry)
            if said is None or passed in self._passed_by:
                continue  # what is read again, after a relay was restored, is not shown again
            self._passed_by.add(passed)
            opened = self._relays[now.relay_id].truth[now.log_id].entries.get(entry.segment)
            if opened is not None and opened.next_hash != said.segment_hash:
                raise Broken("an entry stands in another segment than that of its epoch")
            self._check_shown(person, before, now, entry, said)

    def _passed(self, before: Conversation, now: Conversation) -> list[Entry]:
        """Return the entries of followed segments between two states of a reader, but no closers."""
        relay = self._relays[now.relay_id]
        truth = relay.truth.get(now.log_id)
        first = relay.store.segment(now.log_id, sha256(before.segment_key))
        last = relay.store.segment(now.log_id, sha256(now.segment_key))
        if truth is None or first is None or last is None or now.cursor < before.cursor:
            return []
        segments: dict[int, int] = {}
        number, through = last.number, now.cursor
        while True:
            segments[number] = through
            if number == first.number:
                break
            closer = truth.entries.get(number)
            if closer is None or number < first.number:
                return []
            number, through = closer.segment, number
        places = range(before.cursor + 1, now.cursor + 1)
        found = [truth.entries[place] for place in places if place in truth.entries]
        return [
            entry
            for entry in found
            if not entry.flags & Flag.CLOSER and entry.position <= segments.get(entry.segment, 0)
        ]

    def _check_shown(
        self, person: "Person", before: Conversation, now: Conversation, entry: Entry, said: Encrypted
    ) -> None:
        if said.message_id is None or said.author == person.name:
            return
        if said.message_id in self.shown.get(person.name, {}):
            return
        relay = self._relays[now.relay_id]
        if before.is_request or now.is_request:
            self.requests.add((person.name, said.message_id))
        if (person.name, said.message_id) in self.requests or (person.name, entry.entry) in self.withheld:
            return
        log = relay.store.log(now.log_id)
        if log is None or entry.position <= log.base:
            return  # it had expired before it was read
        if self._has_blocked(person, said.author):
            return
        if person.records.get(Message, (said.message_id,)) is not None:
            return
        raise Broken(f"{person.name} read past a message of {said.author} without showing it")

    def _has_blocked(self, person: "Person", author: str) -> bool:
        contacts = person.records.select(Contact, state=ContactState.BLOCKED)
        return any(contact.account_id == self.accounts[author] for contact in contacts)
