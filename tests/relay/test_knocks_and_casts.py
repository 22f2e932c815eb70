"""Knocks wait for members; casts reach whoever is there, and are stored nowhere."""

from collections.abc import Iterable
from unittest.mock import patch

import pytest

from skvoz.base.limits import CREDIT_BYTES
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.relay.seam import Executed, Job, ReadAnswer, ReadRequest
from skvoz.wire.frames import (
    ENTRY_COST,
    Cast,
    CastHeard,
    Credit,
    Knock,
    KnocksHeard,
    No,
    Rekey,
)
from tests.relay.test_sessions import DOOR
from tests.relay.world import (
    LOG,
    Client,
    World,
    code_in,
    entry_id,
    key,
)


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
