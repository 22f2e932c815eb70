"""Sessions: credit, round robin, resumption, replays, and what a broken client gets."""

from unittest.mock import patch

import pytest

from skvoz.base.limits import CREDIT_BYTES
from skvoz.crypto import SUITES, sha256
from skvoz.relay import session as session_module
from skvoz.relay.machine import PENDING_MAX, SESSION_S
from skvoz.relay.seam import Received
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Bye,
    Credit,
    Detach,
    Drop,
    Hello,
    Ping,
    Pong,
    Rekey,
    Stored,
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
)

DOOR = b"D" * 32


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
    assert len(world.relay._sessions) == 0


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


def test_too_many_waiting_requests_are_slow(world: World, alice: Client) -> None:
    world.hold_store = True
    frames = [Attach(number, LOG, key(0), 0) for number in range(PENDING_MAX)]
    alice.send(*frames)
    assert code_in(alice.send(Attach(PENDING_MAX, LOG, key(0), 0))) == "slow"


def test_an_author_that_is_behind_gets_its_own_entries_without_body(world: World, alice: Client) -> None:
    fill(alice, 40, 8_000)
    bob = Client(world, pays=False)
    bob.attach()
    answer = bob.append(50, since=40)
    assert isinstance(answer[-1], Stored)
    bob.pays = True
    bob.send(Credit(bob.unpaid))
    assert [entry.body for entry in bob.entries() if entry.entry == entry_id(50)] == [None]


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
    assert len(world.relay._sessions) == 1
    assert list(world.relay._readers._by_log) == []


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
    assert list(world.relay._readers._by_log) == []
    assert bob.send(Ping(1)) == [Pong(1)]
