"""Sessions: credit, round robin, resumption, replays, and what a broken client gets."""

from collections.abc import Iterable
from unittest.mock import patch

import pytest

from skvoz.base.limits import CREDIT_BYTES
from skvoz.crypto import SUITES, sha256
from skvoz.logs import Quotas
from skvoz.relay import session as session_module
from skvoz.relay.machine import PENDING_MAX, SESSION_S
from skvoz.relay.seam import Executed, Job, ReadAnswer, ReadRequest, Received
from skvoz.wire.frames import (
    ENTRY_COST,
    Append,
    Attach,
    Attached,
    Bye,
    Cast,
    CastHeard,
    Credit,
    Detach,
    Drop,
    Entries,
    Hello,
    Knock,
    KnocksHeard,
    No,
    Ping,
    Pong,
    Rekey,
    Stored,
    Trim,
)
from skvoz.wire.sealed import ask_for_key, greet
from tests.relay.world import (
    LOG,
    OWNER,
    Client,
    World,
    code_in,
    entries_in,
    entry_id,
    key,
    positions_in,
    stored_in,
)

DOOR = b"D" * 32


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Client:
    client = Client(world)
    client.open()
    return client


def fill(client: Client, count: int, size: int, log: bytes = LOG, first: int = 1) -> None:
    for number in range(first, first + count):
        client.append(number, body=bytes(size), since=number - 1, log=log)


def test_ping(alice: Client) -> None:
    assert alice.send(Ping(7)) == [Pong(7)]


def test_an_empty_message_is_quiet(alice: Client) -> None:
    assert alice.send() == []


def test_a_second_hello_ends_the_session(world: World, alice: Client) -> None:
    assert alice.send(Hello(b"x", None, 0, 0)) == [Bye("bad")]
    assert alice.connection in world.closed


@pytest.mark.parametrize("junk", [b"", b"\x01", b"\x02" + bytes(2000), bytes(64), b"\x01" + bytes(3000)])
def test_a_junk_greeting_closes_the_connection(world: World, junk: bytes) -> None:
    connection = world.connection()
    world.hand(Received(connection, junk))
    assert connection in world.closed
    assert world.inboxes[connection] == []
    assert world.relay.session_count == 0


def test_the_key_is_told_to_who_knows_its_hash_only(world: World) -> None:
    connection = world.connection()
    world.hand(Received(connection, ask_for_key(sha256(world.pair.public_key))))
    assert world.inboxes[connection] == [world.pair.public_key]
    stranger = world.connection()
    world.hand(Received(stranger, ask_for_key(bytes(32))))
    assert world.inboxes[stranger] == []
    assert stranger in world.closed


def test_a_greeting_for_another_relay_is_refused(world: World) -> None:
    other = SUITES[1].generate_key_pair(world.dice)
    message, _ = greet(SUITES[1], other.public_key, world.dice)
    connection = world.connection()
    world.hand(Received(connection, message))
    assert connection in world.closed


def test_foreign_repeated_reordered_and_truncated_messages_close_the_connection(world: World) -> None:
    def attempt(*tamper: int) -> bool:
        client = Client(world)
        assert client.sealed is not None
        sent = [client.sealed.seal_up([Ping(number)]) for number in range(3)]
        chosen = [sent[number] if number >= 0 else sent[0][:number] for number in tamper]
        for message in chosen:
            world.hand(Received(client.connection, message))
        return client.connection in world.closed

    assert not attempt(0, 1, 2)
    assert attempt(0, 0)
    assert attempt(1)
    assert attempt(0, 2)
    assert attempt(-1)
    first, second = Client(world), Client(world)
    assert first.sealed is not None
    world.hand(Received(second.connection, first.sealed.seal_up([Ping(1)])))
    assert second.connection in world.closed


def test_frames_that_do_not_parse_close_the_connection(world: World) -> None:
    client = Client(world)
    assert client.sealed is not None
    world.hand(Received(client.connection, client.sealed.seal(b"\x91\x92\x63\x00")))
    assert client.connection in world.closed


def test_credit_bounds_what_a_silent_reader_is_sent(world: World, alice: Client) -> None:
    fill(alice, 80, 8_000)
    lazy = Client(world, pays=False)
    lazy.attach()
    first = entries_in(lazy.heard)
    assert CREDIT_BYTES - 10_000 < sum(len(entry.body or b"") for entry in first) <= CREDIT_BYTES + 8_000
    fill(alice, 5, 8_000, first=81)
    assert lazy.hear() == []
    more = lazy.send(Credit(20_000))
    assert positions_in(more)[0] == len(first) + 1
    assert 2 <= len(entries_in(more)) <= 4
    lazy.pays = True
    lazy.send(Credit(lazy.unpaid))
    assert [entry.position for entry in lazy.entries()] == list(range(1, 86))


def test_more_credit_than_was_spent_is_worth_nothing(world: World, alice: Client) -> None:
    fill(alice, 80, 8_000)
    greedy = Client(world, pays=False)
    greedy.send(Credit(2**31 - 1))
    greedy.attach()
    assert sum(len(entry.body or b"") for entry in greedy.entries()) <= CREDIT_BYTES + 8_000


def test_a_silent_reader_costs_others_nothing(world: World, alice: Client) -> None:
    lazy = Client(world, pays=False)
    lazy.attach()
    bob = Client(world)
    bob.attach()
    fill(alice, 80, 8_000)
    assert positions_in(bob.hear()) == list(range(1, 81))


def test_logs_take_turns(world: World, alice: Client) -> None:
    logs = [bytes([number]) * 16 for number in range(4)]
    for log in logs:
        alice.open(log)
        fill(alice, 60, 8_000, log)
    reader = Client(world, pays=False)
    reader.send(*(Attach(number, log, key(0), 0) for number, log in enumerate(logs)))
    counts = [len(reader.entries(log)) for log in logs]
    assert all(count >= 4 for count in counts)
    assert max(counts) - min(counts) <= 4
    reader.pays = True
    reader.send(Credit(reader.unpaid))
    assert all(positions_in(reader.heard, log) == list(range(1, 61)) for log in logs)


def test_closers_of_full_size_are_cut_into_messages(world: World, alice: Client) -> None:
    logs = [bytes([number]) * 16 for number in range(3)]
    for log in logs:
        alice.open(log)
        alice.append(1, body=bytes(60_000), log=log)
    for log in logs:
        _rekey(alice, log)
    reader = Client(world)
    reader.send(*(Attach(number, log, key(0), 0) for number, log in enumerate(logs)))
    assert all(positions_in(reader.heard, log) == [1, 2] for log in logs)


def _rekey(client: Client, log: bytes) -> None:
    client.send(
        Rekey(
            9,
            log,
            key(0),
            entry_id(2),
            bytes(1024 * 1024),
            1,
            sha256(key(1)),
            carry=False,
            contest_proof=None,
            door_hash=None,
            answered=[],
        )
    )


def test_resumption_rewinds_exactly_to_what_was_not_received(world: World, alice: Client) -> None:
    bob = Client(world)
    bob.attach()
    fill(alice, 3, 10)
    assert positions_in(bob.hear()) == [1, 2, 3]
    fill(alice, 2, 10, first=4)
    bob.lose()
    fill(alice, 1, 10, first=6)
    welcome = bob.connect()
    assert welcome.resumed
    assert positions_in(bob.send(Ping(0))) == [4, 5, 6]
    fill(alice, 1, 10, first=7)
    assert positions_in(bob.hear()) == [7]


def test_every_loss_point_gives_each_entry_once(world: World, alice: Client) -> None:
    """Lose the connection after each number of messages, with and without paying before."""
    for pays in (True, False):
        for received in range(6):
            log = bytes([received, pays]) + bytes(14)
            alice.open(log)
            bob = Client(world, pays=pays)
            bob.attach(log=log)
            for number in range(1, 7):
                fill(alice, 1, 2_000, log, first=number)
                if number <= received:
                    bob.hear()
            bob.lose()
            assert bob.connect().resumed
            bob.send(Ping(0))
            fill(alice, 2, 2_000, log, first=7)
            bob.hear()
            assert positions_in(bob.heard, log) == list(range(1, 9))


def test_a_payment_that_was_lost_is_made_good_by_resumption(world: World, alice: Client) -> None:
    bob = Client(world, pays=False)
    bob.attach()
    for first in range(1, 100, 10):
        fill(alice, 10, 8_000, first=first)
        bob.hear()
        bob.unpaid = 0
        bob.lose()
        assert bob.connect().resumed
        bob.send(Ping(0))
    assert positions_in(bob.heard) == list(range(1, 101))


def test_knocks_base_and_progress_come_again_after_a_loss(world: World, alice: Client) -> None:
    alice.open(b"K" * 16, door=DOOR)
    alice.send(Knock(1, b"K" * 16, DOOR, b"let me in"))
    alice.append(1, log=b"K" * 16)
    alice.append(2, since=1, log=b"K" * 16)
    alice.send(Trim(2, b"K" * 16, OWNER, 2))
    bob = Client(world)
    assert bob.sealed is not None
    world.hand(Received(bob.connection, bob.sealed.seal_up([Attach(1, b"K" * 16, key(0), 0)])))
    bob.lose()
    assert bob.connect().resumed
    names = [type(frame).__name__ for frame in bob.send(Ping(0))]
    assert sorted(names) == ["Base", "Entries", "KnocksHeard", "Pong"]


def test_an_empty_stretch_is_told_again_after_a_loss(world: World, alice: Client) -> None:
    """A reader that sees nothing of what lies there learns that it has come to the head."""
    alice.rekey(1, key(0), key(1))
    alice.append(2, key(1), since=1)
    alice.send(Trim(5, LOG, OWNER, 3))
    bob = Client(world)
    assert bob.sealed is not None
    world.hand(Received(bob.connection, bob.sealed.seal_up([Attach(1, LOG, key(1), 1)])))
    bob.lose()
    assert bob.connect().resumed
    last = bob.send(Ping(0))[-1]
    assert isinstance(last, Entries)
    assert (last.entries, last.through) == ([], 2)


def test_answers_that_were_lost_come_by_asking_again(world: World, alice: Client) -> None:
    world.hold_store = True
    alice.append(1)
    alice.lose()
    world.release()
    assert alice.connect().resumed
    assert stored_in(alice.append(1)) == 1
    assert len(world.store.all_entries(LOG)) == 1


def test_a_session_lives_for_minutes_without_a_connection(world: World) -> None:
    bob = Client(world)
    bob.send(Ping(0))
    bob.lose()
    world.tick(SESSION_S - 1)
    assert bob.connect().resumed
    bob.send(Ping(0))
    bob.lose()
    world.tick(SESSION_S)
    assert world.relay.session_count == 0
    assert not bob.connect().resumed
    bob.send(Ping(0))


def test_an_unknown_or_impossible_resumption_begins_anew(world: World) -> None:
    bob = Client(world)
    bob.send(Ping(0))
    bob.received = 99
    assert not bob.connect().resumed
    bob.token = bytes(32)
    assert not bob.connect().resumed


def test_resumption_closes_the_old_connection_once_the_new_one_has_spoken(world: World) -> None:
    bob = Client(world)
    bob.send(Ping(0))
    old, old_sealed = bob.connection, bob.sealed
    bob.connect()
    assert old not in world.closed
    bob.send(Ping(1))
    assert old in world.closed
    assert old_sealed is not None
    world.hand(Received(old, old_sealed.seal_up([Ping(2)])))
    assert world.relay.session_count == 1


def test_a_replayed_connection_takes_nothing_over_and_does_nothing(world: World, alice: Client) -> None:
    bob = Client(world)
    bob.attach()
    message, greeting = greet(
        SUITES[1], world.pair.public_key, world.dice, token=bob.token, received=bob.received
    )
    connection = world.connection()
    world.hand(Received(connection, message))
    _, sealed = greeting.finish(world.inboxes[connection].pop())
    second = sealed.seal_up([Append(1, LOG, key(0), entry_id(1), b"once", 0)])
    world.hand(Received(connection, second))
    bob.connection, bob.sealed = connection, sealed
    replay = world.connection()
    world.hand(Received(replay, message), Received(replay, second))
    assert replay in world.closed
    assert connection not in world.closed
    assert positions_in(bob.hear()) == [1]
    silent = world.connection()
    world.hand(Received(silent, message))
    assert bob.send(Ping(3)) == [Pong(3)]
    world.tick(31)
    assert silent in world.closed
    assert bob.send(Ping(4)) == [Pong(4)]


def test_the_relay_forgets_sessions_when_it_starts_and_keeps_entries(world: World, alice: Client) -> None:
    alice.append(1)
    world.start()
    assert not alice.connect().resumed
    assert positions_in(alice.attach()) == [1]


def test_too_many_waiting_requests_are_slow(world: World, alice: Client) -> None:
    world.hold_store = True
    frames = [Attach(number, LOG, key(0), 0) for number in range(PENDING_MAX)]
    alice.send(*frames)
    assert code_in(alice.send(Attach(PENDING_MAX, LOG, key(0), 0))) == "slow"


def test_casts_reach_who_is_attached_to_the_open_segment(world: World, alice: Client) -> None:
    bob, carol, removed = Client(world), Client(world), Client(world)
    removed.attach()
    alice.rekey(1, key(0), key(1))
    removed.hear()
    for client in (alice, bob):
        client.attach(key(1), after=1)
    carol.attach(key(0))
    assert alice.send(Cast(LOG, key(1), b"ring")) == []
    assert bob.hear() == [CastHeard(LOG, b"ring")]
    assert carol.hear() == []
    assert removed.hear() == []
    removed.send(Cast(LOG, key(0), b"old key"))
    carol.send(Cast(LOG, key(1), b"not attached with it"))
    alice.send(Cast(LOG, key(7), b"unknown key"))
    assert bob.hear() == []
    assert len(world.store.all_entries(LOG)) == 1


def test_casts_follow_a_carry(world: World, alice: Client) -> None:
    bob = Client(world)
    alice.attach()
    bob.attach()
    alice.rekey(1, key(0), key(1), carry=True)
    bob.hear()
    bob.send(Cast(LOG, key(1), b"ring"))
    assert CastHeard(LOG, b"ring") in alice.hear()
    bob.send(Cast(LOG, key(0), b"late"))
    assert alice.hear() == []


def test_casts_are_rated_and_cost_credit() -> None:
    world = World(Quotas(cast_burst=40, casts_per_s=1.0))
    alice, bob = Client(world), Client(world, pays=False)
    alice.open()
    alice.attach()
    bob.attach()
    for _ in range(50):
        alice.send(Cast(LOG, key(0), bytes(16_000)))
    heard = [frame for frame in bob.hear() if isinstance(frame, CastHeard)]
    assert len(heard) == CREDIT_BYTES // (16_000 + ENTRY_COST) + 1
    bob.send(Credit(bob.unpaid))
    world.tick(1)
    alice.send(*(Cast(LOG, key(0), b"x") for _ in range(5)))
    assert len(bob.hear()) == 1


def test_an_author_that_is_behind_gets_its_own_entries_without_body(world: World, alice: Client) -> None:
    fill(alice, 40, 8_000)
    bob = Client(world, pays=False)
    bob.attach()
    answer = bob.append(50, since=40)
    assert isinstance(answer[-1], Stored)
    bob.pays = True
    bob.send(Credit(bob.unpaid))
    assert [entry.body for entry in bob.entries() if entry.entry == entry_id(50)] == [None]


def test_knocks_wait_for_members_and_are_settled_by_a_commit(world: World) -> None:
    alice, bob = Client(world), Client(world)
    alice.open(door=DOOR)
    bob.send(Knock(1, LOG, DOOR, b"let me in"))
    bob.send(Knock(2, LOG, DOOR, b"let me in"))
    heard = [frame for frame in alice.attach() if isinstance(frame, KnocksHeard)]
    assert [(item.knock, item.body) for frame in heard for item in frame.knocks] == [(1, b"let me in")]
    bob.send(Knock(3, LOG, DOOR, b"me too"))
    live = alice.hear()
    assert isinstance(live[-1], KnocksHeard)
    assert live[-1].knocks[-1].body == b"me too"
    alice.rekey(1, key(0), key(1), answered=[1, 2])
    assert world.store.knock_count(LOG) == 0


@pytest.mark.parametrize("carry", [True, False])
def test_a_knock_is_heard_though_a_commit_overtakes_its_reading(world: World, *, carry: bool) -> None:
    alice, lost = Client(world), Client(world)
    alice.open(door=DOOR)
    alice.attach()
    commit = Rekey(1, LOG, key(0), entry_id(1), b"commit", 0, sha256(key(1)), carry, None, None, [])
    read = world.store.read
    overtaking = [Job(0, commit)]

    def read_late(requests: Iterable[ReadRequest]) -> list[ReadAnswer]:
        asked = list(requests)
        if overtaking and any(request.knocks for request in asked):
            world.held.append(Executed(world.store.execute([overtaking.pop()], world.now_ms)))
            world.store.sync()
        return read(asked)

    with patch.object(world.store, "read", read_late):
        lost.send(Knock(lost.number(), LOG, DOOR, b"let me in"))
        assert not overtaking
        world.hand(*world.held)
    alice.hear()
    assert [entry.position for entry in alice.entries()] == [1]
    if not carry:
        alice.attach(key(1), after=1)
    heard = [frame for frame in alice.heard if isinstance(frame, KnocksHeard)]
    assert [item.body for frame in heard for item in frame.knocks] == [b"let me in"]


def test_knocks_are_refused_without_the_door_key_and_when_many_wait(world: World) -> None:
    alice = Client(world)
    alice.open(door=DOOR)
    assert code_in(alice.send(Knock(1, LOG, key(5), b"x"))) == "denied"
    assert code_in(alice.send(Knock(1, b"?" * 16, DOOR, b"x"))) == "denied"
    for number in range(8):
        alice.send(Knock(number, LOG, DOOR, b"%d" % number))
    assert code_in(alice.send(Knock(9, LOG, DOOR, b"9"))) == "full"
    alice.rekey(1, key(0), key(1), door=key(6), answered=[3])
    assert code_in(alice.send(Knock(9, LOG, DOOR, b"9"))) == "denied"
    assert isinstance(alice.send(Knock(9, LOG, key(6), b"9"))[0], No) is False


def test_knocks_are_rated() -> None:
    world = World(Quotas(knock_burst=1))
    alice = Client(world)
    alice.open(door=DOOR)
    alice.send(Knock(1, LOG, DOOR, b"1"))
    assert code_in(alice.send(Knock(2, LOG, DOOR, b"2"))) == "slow"


def test_who_was_removed_hears_no_knocks(world: World) -> None:
    alice, bob = Client(world), Client(world)
    alice.open(door=DOOR)
    bob.attach()
    alice.rekey(1, key(0), key(1))
    bob.hear()
    alice.send(Knock(1, LOG, DOOR, b"let me in"))
    assert bob.hear() == []
    assert not any(isinstance(frame, KnocksHeard) for frame in bob.attach())


def test_knocks_expire(world: World) -> None:
    alice = Client(world)
    alice.open(door=DOOR)
    alice.send(Knock(1, LOG, DOOR, b"1"))
    world.tick(15 * 24 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    assert world.store.knock_count(LOG) == 0


def test_attaching_anew_takes_back_what_was_about_to_go_out(world: World, alice: Client) -> None:
    bob = Client(world, pays=False)
    bob.attach()
    heard = bob.send(Append(1, LOG, key(0), entry_id(1), bytes(5_000), 0), Attach(2, LOG, key(0), 0))
    assert positions_in(heard) == [1]
    session = world.relay._connected[bob.connection]
    assert CREDIT_BYTES - session.credit == bob.unpaid


def test_a_session_reads_so_many_logs(world: World) -> None:
    bob = Client(world)
    with patch.object(session_module, "ATTACHMENTS_MAX", 2):
        for number in range(3):
            log = bytes([number]) * 16
            bob.open(log)
            answer = bob.attach(log=log)
            if number == 2:
                assert code_in(answer) == "full"
    bob.send(Detach(bytes(16)))
    with patch.object(session_module, "ATTACHMENTS_MAX", 2):
        assert isinstance(bob.attach(log=b"\x02" * 16)[0], Attached)


def test_a_session_that_dies_reads_no_more(world: World, alice: Client) -> None:
    bob = Client(world)
    bob.attach()
    bob.lose()
    world.tick(SESSION_S)
    alice.append(1)
    assert world.relay.session_count == 1
    assert list(world.relay._readers) == []


def test_a_resumption_that_comes_too_late_is_closed(world: World) -> None:
    bob = Client(world)
    bob.send(Ping(0))
    bob.lose()
    world.tick(SESSION_S - 10)
    assert bob.connect().resumed
    world.tick(10)
    assert bob.send(Ping(1)) == []
    assert bob.connection in world.closed


def test_a_long_carry_chain_is_followed_to_its_end(world: World, alice: Client) -> None:
    bob = Client(world)
    bob.attach()
    for number in range(100):
        alice.rekey(number, key(number), key(number + 1), carry=True, since=number)
    alice.append(200, key(100), since=100)
    assert positions_in(bob.hear()) == list(range(1, 102))
    assert positions_in(bob.attach(after=90)) == list(range(91, 102))
    assert positions_in(bob.attach()) == list(range(1, 102))


def test_a_silent_reader_of_a_dropped_log_is_let_go(world: World, alice: Client) -> None:
    bob = Client(world, pays=False)
    fill(alice, 60, 8_000)
    bob.attach()
    alice.send(Drop(1, LOG, OWNER))
    bob.send(Credit(bob.unpaid))
    assert list(world.relay._readers) == []
    assert bob.send(Ping(1)) == [Pong(1)]
