"""Contested branches: somebody who was removed opens one and fills it, and takes no room from anybody."""

import pytest

from skvoz.base.limits import CHUNK_SIZES
from skvoz.crypto import sha256
from skvoz.logs import Quotas, find_contest_proof
from skvoz.wire.frames import Cast, CastHeard, Down, Filled, No, Reserve, Trim
from tests.relay.world import LOG, OWNER, Client, World, code_in, entry_id, key, stored_in

GOING_ON = key(1)
JUNK = key(99)


def contested(quotas: Quotas) -> tuple[World, Client, Client]:
    """Return a room whose member was removed by a closer and has contested it; the second one is removed."""
    world = World(quotas)
    members, removed = Client(world), Client(world)
    members.open()
    members.rekey(1, key(0), GOING_ON)
    proof = find_contest_proof(LOG, sha256(key(0)), sha256(JUNK))
    stored_in(removed.rekey(2, key(0), JUNK, proof=proof))
    return world, members, removed


def fill(client: Client, with_key: bytes, body: bytes) -> str:
    """Append until the relay refuses; return why."""
    for number in range(100, 200):
        heard = client.append(number, with_key, body)
        if any(isinstance(frame, No) for frame in heard):
            return code_in(heard)
    raise AssertionError("nothing is ever refused")


@pytest.mark.parametrize(
    ("quotas", "body", "code"),
    [
        (Quotas(log_bytes_max=400), b"x" * 100, "full"),
        (Quotas(log_entries_max=20), b"x", "full"),
        (Quotas(appends_per_s=0.001, append_burst=20), b"x", "slow"),
    ],
)
def test_a_full_branch_leaves_the_others_their_room(quotas: Quotas, body: bytes, code: str) -> None:
    _, members, removed = contested(quotas)
    assert fill(removed, JUNK, body) == code
    stored_in(members.append(3, GOING_ON, body))
    stored_in(members.rekey(4, GOING_ON, key(2)))
    # Whoever goes on in a contested branch, since the first closer was no commit, has room for all too.
    proof = find_contest_proof(LOG, sha256(GOING_ON), sha256(key(3)))
    stored_in(members.rekey(5, GOING_ON, key(3), proof=proof))
    assert fill(members, key(2), body) == code
    stored_in(members.append(6, key(3), body))


def test_closers_of_a_branch_are_charged_to_it_and_bounded() -> None:
    _, members, removed = contested(Quotas(log_entries_max=10, log_closers_spare=5))
    present = JUNK
    for number in range(100, 114):
        stored_in(removed.rekey(number, present, key(number), body=b""))
        present = key(number)
    assert code_in(removed.rekey(200, present, key(200), body=b"")) == "full"
    stored_in(members.append(3, GOING_ON))
    stored_in(members.rekey(4, GOING_ON, key(2)))


def test_members_may_close_a_room_that_is_full_of_entries() -> None:
    world = World(Quotas(log_entries_max=3, log_closers_spare=2))
    members = Client(world)
    members.open()
    assert fill(members, key(0), b"x") == "full"
    stored_in(members.rekey(1, key(0), key(1)))
    stored_in(members.rekey(2, key(1), key(2)))
    assert code_in(members.rekey(3, key(2), key(3))) == "full"


def test_trimming_and_time_relieve_a_branch() -> None:
    world, _, removed = contested(Quotas(log_entries_max=4))
    assert fill(removed, JUNK, b"x") == "full"
    removed.send(Trim(removed.number(), LOG, OWNER, 100))
    # From other sessions, since what was refused goes first in its own.
    stored_in(Client(world).append(10, JUNK))
    assert fill(Client(world), JUNK, b"x") == "full"
    world.tick(31 * 24 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    stored_in(Client(world).append(11, JUNK))


def test_files_are_charged_to_their_branch() -> None:
    size = CHUNK_SIZES[0]
    _, members, removed = contested(Quotas(log_blob_bytes_max=2 * size))

    def reserve(client: Client, with_key: bytes, number: int) -> Down:
        frame = Reserve(client.number(), entry_id(number), LOG, with_key, bytes(32), bytes(32), size, 1, None)
        [answer] = client.send(frame)
        return answer

    assert isinstance(reserve(removed, JUNK, 1), Filled)
    assert isinstance(reserve(removed, JUNK, 2), Filled)
    refused = reserve(removed, JUNK, 3)
    assert isinstance(refused, No)
    assert refused.code == "full"
    assert isinstance(reserve(members, GOING_ON, 4), Filled)


def test_casts_of_who_was_removed_silence_nobody() -> None:
    world, members, removed = contested(Quotas(cast_burst=5, casts_per_s=0.001))
    other = Client(world)
    members.attach(GOING_ON)
    other.attach(GOING_ON)
    removed.attach(JUNK)
    for _ in range(10):
        removed.send(Cast(LOG, JUNK, b"noise"))
    members.send(Cast(LOG, GOING_ON, b"ring"))
    assert other.hear() == [CastHeard(LOG, b"ring")]
