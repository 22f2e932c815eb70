"""A session outlives its connection: what was lost with it comes again, once."""

from skvoz.crypto import SUITES
from skvoz.relay.machine import SESSION_S
from skvoz.relay.seam import Received
from skvoz.wire.frames import (
    Append,
    Attach,
    Entries,
    Knock,
    Ping,
    Pong,
    Trim,
)
from skvoz.wire.sealed import greet
from tests.relay.test_sessions import DOOR, fill
from tests.relay.world import (
    LOG,
    OWNER,
    Client,
    World,
    entry_id,
    key,
    positions_in,
    stored_in,
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
    assert len(world.relay._sessions) == 0
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
    assert len(world.relay._sessions) == 1


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


def test_a_resumption_that_comes_too_late_is_closed(world: World) -> None:
    bob = Client(world)
    bob.send(Ping(0))
    bob.lose()
    world.tick(SESSION_S - 10)
    assert bob.connect().resumed
    world.tick(10)
    assert bob.send(Ping(1)) == []
    assert bob.connection in world.closed
