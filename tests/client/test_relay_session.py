"""The client's end of a session against the real relay machine, over connections that break.

Long, because one person and one world serve all of it.
"""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from skvoz.base.errors import Invalid, PeerError
from skvoz.base.ids import EntryId, LogId, RelayId
from skvoz.base.limits import CREDIT_BYTES
from skvoz.client import effects, inputs
from skvoz.client.effects import Channel
from skvoz.client.relay_requests import RETRY_AFTER_MS_MAX, Wish
from skvoz.client.relay_session import IN_FLIGHT_MAX, RelaySession
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.relay import Admission
from skvoz.relay.executor import Executor
from skvoz.relay.seam import Lost, Received
from skvoz.wire.frames import (
    Attached,
    Base,
    Bye,
    Cast,
    Down,
    Entries,
    Entry,
    KnockItem,
    KnocksHeard,
    Limits,
    No,
    Ok,
    Ping,
    Stored,
    Welcome,
    encode,
)
from tests.relay.memory_store import MemoryStore
from tests.relay.world import LOG, OWNER, SUITE, Client, World, entry_id, key

LOG_ID = LogId(LOG)
BOX = LogId(b"B" * 16)


class Person:
    """A client with a relay session; `got` is what its machine would have been told."""

    def __init__(self, world: World, *, knows_key: bool = True, stores: bool = True) -> None:
        self.world = world
        self.stores = stores
        self.relay_id = RelayId(sha256(world.pair.public_key))
        self.session = RelaySession(
            suite=SUITE,
            relay_id=self.relay_id,
            public_key=world.pair.public_key if knows_key else b"",
            randomness=world.dice,
        )
        self.got: list[inputs.Input] = []
        self.connection = 0

    def connect(self) -> None:
        self.connection = self.world.connection()
        self.world.hand(Received(self.connection, self.session.connected()))
        self.settle()

    def send(self) -> None:
        """Send what there is, and take nothing in."""
        for message in self.session.flush():
            self.world.hand(Received(self.connection, message))

    def settle(self) -> None:
        """Send and take in until both are quiet."""
        inbox = self.world.inboxes[self.connection]
        while True:
            self.send()
            if not inbox:
                return
            made = self.session.received(inbox.pop(0))
            self.got += made
            if self.stores:
                self.session.stored(len(made))

    def lose(self) -> None:
        self.world.inboxes[self.connection].clear()
        self.world.hand(Lost(self.connection))
        self.got += self.session.lost()

    def ask(self, *wishes: Wish) -> None:
        for wish in wishes:
            self.session.request(wish)
        if self.connection:
            self.settle()

    def of(self, kind: type[inputs.Input]) -> list[inputs.Input]:
        return [one for one in self.got if isinstance(one, kind)]

    def positions(self, log_id: LogId = LOG_ID) -> list[int]:
        return [
            entry.position
            for one in self.got
            if isinstance(one, inputs.EntriesRead) and one.log_id == log_id
            for entry in one.entries
        ]

    def open(self, log_id: LogId = LOG_ID, **more: bytes | None) -> effects.OpenLog:
        return effects.OpenLog(
            relay_id=self.relay_id,
            channel=Channel.ROOMS,
            log_id=log_id,
            is_inbox=log_id == BOX,
            key_hash=sha256(key(0)),
            owner_hash=sha256(OWNER),
            door_hash=more.get("door_hash"),
        )

    def attach(self, after: int = 0, with_key: bytes | None = None, log_id: LogId = LOG_ID) -> effects.Attach:
        return effects.Attach(
            relay_id=self.relay_id,
            channel=Channel.ROOMS,
            log_id=log_id,
            key=with_key or key(0),
            after=after,
        )

    def append(self, number: int, since: int = 0, body: bytes = b"body") -> effects.Append:
        return effects.Append(
            relay_id=self.relay_id,
            channel=Channel.ROOMS,
            log_id=LOG_ID,
            key=key(0),
            entry_id=EntryId(entry_id(number)),
            body=body,
            since=since,
        )

    def rekey(self, number: int, new: int, *, contest: bool = False) -> effects.Rekey:
        return effects.Rekey(
            relay_id=self.relay_id,
            channel=Channel.ROOMS,
            log_id=LOG_ID,
            key=key(0),
            entry_id=EntryId(entry_id(number)),
            body=b"commit",
            since=0,
            next_hash=sha256(key(new)),
            carry=False,
            contest=contest,
        )


@pytest.fixture
def world() -> World:
    return World(Quotas(append_burst=10_000))


@pytest.fixture
def alice(world: World) -> Person:
    person = Person(world)
    person.connect()
    person.ask(person.open())
    return person


def test_a_session_comes_up_and_names_store_and_key(world: World) -> None:
    alice = Person(world)
    alice.connect()
    assert alice.session.is_up
    assert alice.got == [
        inputs.RelayConnected(relay_id=alice.relay_id, store_id=b"S" * 16, public_key=world.pair.public_key)
    ]


def test_who_knows_the_id_only_learns_the_key_and_checks_it(world: World) -> None:
    alice = Person(world, knows_key=False)
    alice.connect()
    assert alice.session.is_up
    assert alice.session.public_key == world.pair.public_key
    impostor = Person(world, knows_key=False)
    impostor.session.connected()
    with pytest.raises(Invalid):
        impostor.session.received(SUITE.generate_key_pair(world.dice).public_key)


def test_a_relay_that_is_another_is_refused(world: World) -> None:
    alice = Person(world)
    alice.session.connected()
    with pytest.raises(PeerError):
        alice.session.received(bytes(2000))


def test_every_wish_has_its_answer(world: World) -> None:
    alice = Person(world)
    relay_id, channel = alice.relay_id, Channel.INBOX
    alice.connect()
    alice.ask(alice.open(door_hash=sha256(b"D" * 32)), alice.open(BOX), alice.attach())
    alice.ask(
        alice.append(1),
        effects.Knock(relay_id=relay_id, channel=channel, log_id=LOG_ID, door_key=b"D" * 32, body=b"knock"),
        effects.Put(relay_id=relay_id, channel=channel, log_id=BOX, owner_key=OWNER, packages=(b"package",)),
        effects.Take(relay_id=relay_id, channel=channel, log_id=BOX, post_key=key(0), taker=b"T" * 16),
        effects.Take(relay_id=relay_id, channel=channel, log_id=BOX, post_key=key(0), taker=b"U" * 16),
        effects.Trim(relay_id=relay_id, channel=channel, log_id=BOX, owner_key=OWNER, before=1),
    )
    alice.ask(alice.rekey(2, 1))
    assert sorted(type(one).__name__ for one in alice.got[1:]) == [
        "Attached",
        "EntriesRead",
        "EntriesRead",
        "EntryStored",
        "EntryStored",
        "Knocked",
        "KnocksRead",
        "LogOpened",
        "LogOpened",
        "PackagesStored",
        "TakeRefused",
        "Taken",
    ]
    assert not alice.session.awaits_answer


def test_refusals_name_what_was_asked(alice: Person) -> None:
    alice.ask(alice.attach(with_key=key(9)))
    alice.ask(alice.rekey(1, 1), alice.append(2))
    alice.ask(
        effects.DropLog(relay_id=alice.relay_id, channel=Channel.ROOMS, log_id=LOG_ID, owner_key=key(9))
    )
    refused = [(one.request, one.code) for one in alice.got if isinstance(one, inputs.RequestRefused)]
    assert refused == [("Attach", "denied"), ("DropLog", "denied")]
    entries = [one.code for one in alice.got if isinstance(one, inputs.EntryRefused)]
    assert entries == ["superseded"]


def test_a_contest_brings_its_proof(alice: Person) -> None:
    alice.ask(alice.rekey(1, 1))
    alice.ask(alice.rekey(2, 2))
    alice.ask(alice.rekey(2, 2, contest=True))
    stored = [one.position for one in alice.got if isinstance(one, inputs.EntryStored)]
    assert stored == [1, 2]


def test_a_waiting_wish_is_sent_once(world: World, alice: Person) -> None:
    world.hold_store = True
    for _ in range(3):
        alice.session.request(alice.append(1))
    alice.send()
    alice.send()
    assert len(world.held) == 1
    world.release()
    alice.settle()
    assert len(world.store.all_entries(LOG)) == 1


def test_what_was_withdrawn_is_not_sent_again(world: World, alice: Person) -> None:
    alice.lose()
    for wish in (alice.append(1), alice.append(2), alice.rekey(3, 1)):
        alice.session.request(wish)
    for number in (1, 3):
        alice.session.withdraw(LOG_ID, EntryId(entry_id(number)))
    alice.connect()
    assert [entry.entry for entry in world.store.all_entries(LOG)] == [entry_id(2)]
    assert len(alice.of(inputs.EntryStored)) == 1


def test_wishes_wait_for_a_connection_and_go_in_one_message(world: World) -> None:
    alice = Person(world)
    alice.ask(alice.open(), alice.attach(), *(alice.append(number) for number in range(1, 50)))
    assert alice.session.flush() == []
    alice.connection = world.connection()
    world.hand(Received(alice.connection, alice.session.connected()))
    alice.got += alice.session.received(world.inboxes[alice.connection].pop())
    messages = alice.session.flush()
    assert len(messages) == 1
    world.hand(Received(alice.connection, messages[0]))
    alice.settle()
    assert alice.positions() == list(range(1, 50))


def test_long_wishes_are_cut_into_messages(world: World, alice: Person) -> None:
    for number in range(1, 101):
        alice.session.request(alice.append(number, body=bytes(60_000)))
    assert len(alice.session.flush()) >= 5


def test_so_many_requests_are_in_flight(world: World, alice: Person) -> None:
    world.hold_store = True
    for number in range(1, 3_001):
        alice.session.request(alice.append(number, since=number - 1, body=b"x"))
    alice.send()
    assert len(world.relay._sessions) == 1
    alice.session.request(alice.append(1, body=b"x"))
    world.release()
    alice.settle()
    assert len(world.store.all_entries(LOG)) == 3_000
    assert IN_FLIGHT_MAX < 3_000
    assert [one.position for one in alice.got if isinstance(one, inputs.EntryStored)] == list(range(1, 3_001))


def test_a_lost_answer_is_asked_for_again(world: World, alice: Person) -> None:
    alice.session.request(alice.append(1))
    alice.send()
    alice.lose()
    assert alice.of(inputs.RelayLost)
    alice.connect()
    assert [one.position for one in alice.got if isinstance(one, inputs.EntryStored)] == [1]
    assert len(world.store.all_entries(LOG)) == 1


def test_resumption_goes_on_without_attaching(world: World, alice: Person) -> None:
    alice.ask(alice.attach())
    bob = Client(world)
    bob.append(1)
    alice.settle()
    bob.append(2, since=1)
    alice.lose()
    bob.append(3, since=2)
    alice.connect()
    assert alice.positions() == [1, 2, 3]
    assert len(alice.of(inputs.Attached)) == 1


def test_a_restarted_relay_is_attached_again_where_reading_stood(world: World, alice: Person) -> None:
    alice.ask(alice.open(BOX), alice.attach(), alice.attach(with_key=OWNER, log_id=BOX))
    bob = Client(world)
    bob.append(1)
    alice.settle()
    alice.lose()
    world.start()
    bob.connect()
    bob.append(2, since=1)
    alice.connect()
    assert alice.positions() == [1, 2]
    assert [one.log_id for one in alice.got if isinstance(one, inputs.Attached)] == [LOG_ID, BOX] * 2


def test_a_restored_relay_shows_by_its_store(world: World, alice: Person) -> None:
    assert isinstance(world.store, MemoryStore)
    backup = world.store.snapshot()
    alice.ask(alice.append(1), alice.append(2, since=1), alice.attach())
    alice.lose()
    world.store.restore(backup, b"R" * 16)
    world.start()
    alice.connect()
    connected = [one.store_id for one in alice.got if isinstance(one, inputs.RelayConnected)]
    assert connected == [b"S" * 16, b"R" * 16]
    heads = [one.head for one in alice.got if isinstance(one, inputs.Attached)]
    assert heads == [2, 0]


def test_credit_is_returned_when_inputs_are_stored_only(world: World, alice: Person) -> None:
    for number in range(1, 81):
        alice.ask(alice.append(number, since=number - 1, body=bytes(8_000)))
    bob = Person(world, stores=False)
    bob.connect()
    bob.ask(bob.attach())
    bob.settle()
    held = len(bob.positions())
    assert held * 8_000 <= CREDIT_BYTES + 8_000
    bob.session.stored(len(bob.got))
    bob.stores = True
    bob.settle()
    assert bob.positions() == list(range(1, 81))


def test_detach_lets_nothing_more_through(world: World, alice: Person) -> None:
    alice.ask(alice.attach())
    alice.session.detach(LOG_ID)
    bob = Client(world)
    bob.append(1)
    alice.settle()
    assert alice.positions() == []
    bob.append(2, since=1)
    alice.settle()
    assert world.inboxes[alice.connection] == []


def test_a_detach_that_was_lost_is_said_again(world: World, alice: Person) -> None:
    alice.ask(alice.attach())
    alice.session.detach(LOG_ID)
    alice.session.flush()
    alice.lose()
    bob = Client(world)
    bob.append(1)
    alice.connect()
    bob.append(2, since=1)
    alice.settle()
    bob.append(3, since=2)
    alice.settle()
    assert alice.positions() == []
    assert alice.session.awaits_answer is False


def test_attaching_anew_replaces_what_waits(world: World, alice: Person) -> None:
    bob = Client(world)
    for number in range(1, 4):
        bob.append(number, since=number - 1)
    alice.session.request(alice.attach(after=2))
    alice.session.request(alice.attach(after=0))
    alice.settle()
    assert alice.positions() == [1, 2, 3]
    assert len(alice.of(inputs.Attached)) == 1


def test_casts_are_consumed_without_a_word(world: World, alice: Person) -> None:
    alice.ask(alice.attach())
    bob = Client(world)
    bob.attach()
    for _ in range(100):
        bob.send(Cast(LOG, key(0), bytes(16_000)))
        alice.settle()
    bob.append(1)
    alice.settle()
    assert alice.positions() == [1]


def test_a_ping_is_awaited(world: World, alice: Person) -> None:
    assert not alice.session.awaits_answer
    alice.session.ping()
    alice.send()
    assert alice.session.awaits_answer
    alice.settle()
    assert not alice.session.awaits_answer


def _deceive(alice: Person, frames: Iterable[Down]) -> None:
    """Hand in a message of the relay that it would not send."""
    session = next(iter(alice.world.relay._connected.values()))
    assert session.sealed is not None
    alice.session.received(session.sealed.seal(encode(list(frames))))


@pytest.mark.parametrize("positions", [(2, 1), (1, 1), (1, 9)])
def test_entries_out_of_order_are_refused(alice: Person, positions: tuple[int, int]) -> None:
    alice.ask(alice.attach())
    entries = [Entry(position, bytes(16), 0, 0, b"", None) for position in positions]
    with pytest.raises(Invalid):
        _deceive(alice, [Entries(LOG, [], 0), Entries(LOG, entries, 2)])


def test_a_second_welcome_is_refused(alice: Person) -> None:
    welcome = Welcome(
        bytes(32), bytes(16), resumed=True, limits=Limits(1, 1, 1, 1, 1, 1), addresses=[], carries=False
    )
    with pytest.raises(Invalid):
        _deceive(alice, [welcome])


def test_after_a_goodbye_the_next_session_is_new(alice: Person) -> None:
    alice.ask(alice.attach())
    _deceive(alice, [Bye("moved")])
    alice.lose()
    alice.connect()
    assert len(alice.of(inputs.Attached)) == 2


def test_a_relay_puts_nobody_off_for_ever(alice: Person) -> None:
    alice.session.request(alice.append(1))
    alice.session.flush()
    [request] = alice.session._pending
    session = next(iter(alice.world.relay._connected.values()))
    assert session.sealed is not None
    [refused] = alice.session.received(session.sealed.seal(encode([No(request, "slow", 2**63 - 1)])))
    assert isinstance(refused, inputs.EntryRefused)
    assert refused.retry_after_ms == RETRY_AFTER_MS_MAX


def test_what_waits_behind_a_refused_entry_is_not_said_first_on_a_new_session(
    world: World, alice: Person
) -> None:
    alice.session.request(alice.append(1))
    alice.session.request(alice.append(2))
    alice.session.request(replace(alice.append(3), log_id=BOX))
    alice.session.flush()
    first, *_ = alice.session._pending
    session = next(iter(world.relay._connected.values()))
    assert session.sealed is not None
    alice.session.received(session.sealed.seal(encode([No(first, "full", 0)])))
    waiting = [wish.entry_id for wish in alice.session._pending.values() if isinstance(wish, effects.Append)]
    assert waiting == [entry_id(3)]


def test_nothing_is_said_between_a_refusal_and_its_repeat(world: World, alice: Person) -> None:
    world.disk_full = True
    alice.ask(alice.append(1))
    assert [one.code for one in alice.got if isinstance(one, inputs.EntryRefused)] == ["full"]
    # As a machine does that has not heard of it yet.
    alice.session.request(alice.append(2))
    alice.lose()
    world.disk_full = False
    world.store.executor = Executor(quotas=world.quotas, admission=Admission())  # it knows of no turns
    world.start()
    alice.connect()
    assert world.store.all_entries(LOG) == []
    alice.session.say_again(LOG_ID)
    alice.ask(alice.append(1), alice.append(2))
    assert [entry.entry for entry in world.store.all_entries(LOG)] == [entry_id(1), entry_id(2)]


def test_a_refusal_holds_back_nothing_of_other_logs_or_keys(world: World, alice: Person) -> None:
    world.disk_full = True
    alice.ask(alice.append(1))
    world.disk_full = False
    alice.ask(alice.rekey(2, 1))
    alice.ask(replace(alice.append(3), key=key(1)))
    assert [entry.entry for entry in world.store.all_entries(LOG)] == [entry_id(2), entry_id(3)]


def test_answers_to_nothing_are_ignored(alice: Person) -> None:
    before = len(alice.got)
    _deceive(
        alice,
        [
            Ok(99, None),
            No(99, "denied", 0),
            Stored(99, LOG, bytes(16), 1),
            Attached(99, LOG, segment_open=True, head=1),
            Base(b"?" * 16, 1),
            KnocksHeard(b"?" * 16, [KnockItem(1, b"x")]),
        ],
    )
    alice.settle()
    assert len(alice.got) == before


def test_foreign_messages_are_refused(world: World, alice: Person) -> None:
    bob = Client(world)
    assert bob.sealed is not None
    for message in (b"", bytes(600), bob.sealed.seal_up([Ping(1)])):
        with pytest.raises(PeerError):
            alice.session.received(message)


def test_a_relay_may_not_speak_first(world: World) -> None:
    alice = Person(world)
    with pytest.raises(Invalid):
        alice.session.received(b"x")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from(["append", "other", "lose", "lose unsent", "settle", "send", "store", "restart"]),
        max_size=40,
    )
)
def test_whatever_breaks_every_entry_is_stored_and_read_once(steps: list[str]) -> None:
    world = World(Quotas(append_burst=10_000))
    alice = Person(world, stores=False)
    alice.connect()
    alice.ask(alice.open(), alice.attach())
    other = Client(world)
    appended = taken = 0
    for step in [*steps, "settle"]:
        if step in {"append", "other"}:
            appended += 1
            if step == "append":
                alice.session.request(alice.append(appended, body=bytes(20_000)))
            else:
                other.append(appended, body=bytes(20_000))
        elif step == "settle":
            alice.settle()
        elif step == "send":
            alice.send()
        elif step == "store":
            alice.session.stored(len(alice.got) - taken)
            taken = len(alice.got)
        else:
            if step == "lose":
                alice.send()
            alice.lose()
            if step == "restart":
                world.start()
                other.connect()
            alice.connect()
    alice.session.stored(len(alice.got) - taken)
    alice.settle()
    alice.stores = True
    alice.settle()
    assert alice.positions() == list(range(1, appended + 1))
    ids = [entry.entry for entry in world.store.all_entries(LOG)]
    assert sorted(ids) == [entry_id(number) for number in range(1, appended + 1)]
