"""Rooms as clients see them: segments, closers, contests, carry, repeats.

Long, because one world serves all of it, and each rule is a test of a few lines.
"""

import pytest

from skvoz.base.limits import ENTRY_SIZE_MAX, REKEY_SIZE_MAX
from skvoz.crypto import sha256
from skvoz.logs import Quotas, find_contest_proof
from skvoz.relay.turns import HELD_MS, IN_LANE_MAX, Turns
from skvoz.wire.frames import (
    Append,
    Attached,
    Base,
    Detach,
    Down,
    Drop,
    Entries,
    Flag,
    Kind,
    No,
    Ok,
    Open,
    Stored,
    Trim,
)
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


@pytest.fixture
def bob(world: World) -> Client:
    return Client(world)


def test_an_entry_reaches_who_is_attached_and_its_author_without_body(alice: Client, bob: Client) -> None:
    alice.attach()
    bob.attach()
    answer = alice.append(1)
    assert stored_in(answer) == 1
    assert [(entry.position, entry.body) for entry in entries_in(answer)] == [(1, None)]
    assert [(entry.position, entry.entry, entry.body) for entry in entries_in(bob.hear())] == [
        (1, entry_id(1), b"body")
    ]


def test_who_attaches_later_reads_from_where_it_says(alice: Client, bob: Client) -> None:
    for number in range(1, 6):
        alice.append(number, since=number - 1)
    heard = bob.attach(after=3)
    attached = heard[0]
    assert isinstance(attached, Attached)
    assert attached.segment_open
    assert attached.head == 5
    assert positions_in(heard) == [4, 5]
    last = heard[-1]
    assert isinstance(last, Entries)
    assert last.through == 5


def test_unknown_log_and_wrong_key_are_denied_alike(alice: Client, bob: Client) -> None:
    alice.append(1)
    wrong_key = [
        bob.attach(key(9)),
        bob.append(2, key(9)),
        bob.rekey(3, key(9), key(10)),
        bob.send(Trim(bob.number(), LOG, key(9), 1)),
        bob.send(Drop(bob.number(), LOG, key(9))),
    ]
    other = b"?" * 16
    unknown = [
        bob.attach(key(0), log=other),
        bob.append(2, key(0), log=other),
        bob.send(Trim(bob.number(), other, OWNER, 1)),
        bob.send(Drop(bob.number(), other, OWNER)),
    ]
    for answer in wrong_key + unknown:
        assert len(answer) == 1
        assert isinstance(answer[0], No)
        assert (answer[0].code, answer[0].retry_after_ms) == ("denied", 0)


def test_a_room_is_not_read_with_its_owner_key(alice: Client) -> None:
    assert code_in(alice.attach(OWNER)) == "denied"


def test_opening_again_is_harmless_and_opening_otherwise_is_denied(alice: Client, bob: Client) -> None:
    alice.append(1)
    assert isinstance(alice.open()[0], Ok)
    assert code_in(bob.open(first=key(5))) == "denied"
    alice.rekey(2, key(0), key(1))
    assert isinstance(alice.open()[0], Ok)
    assert code_in(bob.open(first=key(1))) == "denied"


def test_a_closed_segment_takes_no_entries(alice: Client, bob: Client) -> None:
    alice.rekey(1, key(0), key(1))
    assert code_in(bob.append(2, key(0))) == "superseded"
    assert stored_in(bob.append(3, key(1))) == 2


def test_a_repeat_is_found_before_it_is_superseded(alice: Client, bob: Client) -> None:
    assert stored_in(bob.append(1)) == 1
    assert stored_in(bob.append(1)) == 1
    alice.rekey(2, key(0), key(1))
    assert stored_in(bob.append(1)) == 1
    assert stored_in(alice.rekey(2, key(0), key(1))) == 2
    assert len(alice.world.store.all_entries(LOG)) == 2


def test_a_repeat_is_looked_for_after_since_only(alice: Client) -> None:
    alice.append(1)
    assert stored_in(alice.append(1, since=1)) == 2


def test_the_first_closer_wins(alice: Client, bob: Client) -> None:
    assert stored_in(alice.rekey(1, key(0), key(1))) == 1
    assert code_in(bob.rekey(2, key(0), key(2))) == "superseded"
    assert code_in(bob.append(3, key(2))) == "denied"


def test_a_removed_member_reads_up_to_its_removal_and_no_further(alice: Client, bob: Client) -> None:
    bob.attach()
    alice.append(1)
    alice.rekey(2, key(0), key(1))
    alice.append(3, key(1), since=2)
    assert positions_in(bob.hear()) == [1, 2]
    again = bob.attach(key(0))
    assert positions_in(again) == [1, 2]
    attached = again[0]
    assert isinstance(attached, Attached)
    assert not attached.segment_open
    assert attached.head == 2


def test_a_new_member_reads_nothing_older(alice: Client, bob: Client) -> None:
    alice.append(1)
    alice.rekey(2, key(0), key(1), carry=True)
    alice.append(3, key(1), since=2)
    assert positions_in(bob.attach(key(1))) == [3]


def test_carry_lets_a_reader_go_on(alice: Client, bob: Client) -> None:
    bob.attach()
    alice.append(1)
    alice.rekey(2, key(0), key(1), carry=True)
    alice.append(3, key(1), since=2)
    live = bob.hear()
    assert positions_in(live) == [1, 2, 3]
    assert [entry.segment for entry in entries_in(live)] == [0, 0, 2]
    assert positions_in(bob.attach(key(0))) == [1, 2, 3]
    assert positions_in(bob.attach(key(0), after=2)) == [3]


def test_carry_does_not_reach_beyond_a_closer_without_it(alice: Client, bob: Client) -> None:
    alice.rekey(1, key(0), key(1), carry=True)
    alice.rekey(2, key(1), key(2))
    alice.append(3, key(2), since=2)
    assert positions_in(bob.attach(key(0))) == [1, 2]
    assert positions_in(bob.attach(key(1))) == [2]


def test_a_contest_needs_its_proof(alice: Client, bob: Client) -> None:
    alice.rekey(1, key(0), key(1))
    assert code_in(bob.rekey(2, key(0), key(2))) == "superseded"
    proof = find_contest_proof(LOG, sha256(key(0)), sha256(key(2)))
    other = find_contest_proof(LOG, sha256(key(0)), sha256(key(3)))
    assert code_in(bob.rekey(2, key(0), key(2), proof=other)) == "bad"
    assert code_in(bob.rekey(2, key(0), key(2), proof=proof, answered=[1])) == "bad"
    assert stored_in(bob.rekey(2, key(0), key(2), proof=proof)) == 2


def test_each_closer_opens_its_own_segment_and_reaches_who_waits(alice: Client, bob: Client) -> None:
    carol = Client(alice.world)
    carol.attach()
    alice.rekey(1, key(0), key(1))
    proof = find_contest_proof(LOG, sha256(key(0)), sha256(key(2)))
    bob.rekey(2, key(0), key(2), proof=proof)
    assert stored_in(alice.append(3, key(1), since=2)) == 3
    assert stored_in(bob.append(4, key(2), since=2)) == 4
    heard = entries_in(carol.hear())
    assert [(entry.position, entry.next_hash, entry.flags) for entry in heard] == [
        (1, sha256(key(1)), Flag.CLOSER),
        (2, sha256(key(2)), Flag.CLOSER),
    ]
    assert [entry.entry for entry in entries_in(carol.attach(key(2), after=2))] == [entry_id(4)]


@pytest.mark.slow
def test_contests_are_rated() -> None:
    world = World(Quotas(contest_burst=1))
    alice = Client(world)
    alice.open()
    alice.rekey(1, key(0), key(1))
    proofs = [find_contest_proof(LOG, sha256(key(0)), sha256(key(number))) for number in (2, 3)]
    assert stored_in(alice.rekey(2, key(0), key(2), proof=proofs[0])) == 2
    refused = alice.rekey(3, key(0), key(3), proof=proofs[1])[0]
    assert isinstance(refused, No)
    assert refused.code == "slow"
    world.tick(refused.retry_after_ms / 1000)
    assert stored_in(alice.rekey(3, key(0), key(3), proof=proofs[1])) == 3


def test_a_closer_may_not_open_a_key_that_the_log_knows(alice: Client) -> None:
    assert code_in(alice.rekey(1, key(0), key(0))) == "bad"
    alice.rekey(1, key(0), key(1))
    assert code_in(alice.rekey(2, key(1), key(0))) == "bad"


def test_a_closer_that_was_put_back_is_found_before_since(alice: Client, bob: Client) -> None:
    proof = find_contest_proof(LOG, sha256(key(0)), sha256(key(1)))
    assert stored_in(alice.rekey(1, key(0), key(1))) == 1
    assert stored_in(bob.rekey(1, key(0), key(1), proof=proof, since=9)) == 1
    assert code_in(bob.rekey(2, key(0), key(1), proof=proof, since=9)) == "bad"


def test_sizes(alice: Client) -> None:
    assert stored_in(alice.append(1, body=bytes(ENTRY_SIZE_MAX))) == 1
    assert code_in(alice.append(2, body=bytes(ENTRY_SIZE_MAX + 1), since=1)) == "too_big"
    assert stored_in(alice.rekey(3, key(0), key(1), body=bytes(REKEY_SIZE_MAX))) == 2
    bob = Client(alice.world)
    assert [len(entry.body or b"") for entry in entries_in(bob.attach())] == [ENTRY_SIZE_MAX, REKEY_SIZE_MAX]


def test_quotas_of_a_log() -> None:
    alice = Client(World(Quotas(log_entries_max=2)))
    alice.open()
    alice.append(1)
    alice.append(2, since=1)
    assert code_in(alice.append(3, since=2)) == "full"
    alice = Client(World(Quotas(log_bytes_max=10)))
    alice.open()
    alice.append(1, body=bytes(8))
    assert code_in(alice.append(2, body=bytes(3))) == "full"
    assert stored_in(alice.rekey(3, key(0), key(1), body=bytes(20))) == 2
    assert code_in(alice.rekey(4, key(1), key(2))) == "full"


def test_nothing_overtakes_an_entry_that_was_refused() -> None:
    world = World()
    alice, bob = Client(world), Client(world)
    alice.open()
    alice.attach()
    world.disk_full = True
    assert code_in(alice.append(1)) == "full"
    world.disk_full = False
    assert code_in(alice.append(2)) == "slow"
    assert stored_in(bob.append(3)) == 1  # others wait for nobody
    assert stored_in(alice.append(1)) == 2
    assert stored_in(alice.append(2)) == 3


def test_what_was_refused_behind_another_keeps_its_place() -> None:
    world = World()
    alice = Client(world)
    alice.open()
    world.disk_full = True
    assert code_in(alice.append(1)) == "full"
    assert code_in(alice.append(2)) == "full"
    world.disk_full = False
    assert stored_in(alice.append(1)) == 1
    assert code_in(alice.append(3)) == "slow"  # said before its author heard that 2 was refused
    assert stored_in(alice.append(2)) == 2
    assert stored_in(alice.append(3)) == 3
    assert stored_in(alice.append(4)) == 4


def test_the_wait_is_told_and_ends() -> None:
    world = World(Quotas(append_burst=1, appends_per_s=1.0))
    alice = Client(world)
    alice.open()
    alice.append(1)
    first = alice.append(2, since=1)[0]
    world.tick(0.4)
    second = alice.append(3, since=1)[0]
    assert isinstance(first, No)
    assert isinstance(second, No)
    assert (first.retry_after_ms, second.code, second.retry_after_ms) == (1000, "slow", 600)
    world.tick(HELD_MS / 1000)
    assert code_in(alice.append(3, since=1)) == "slow"
    world.tick(0.6)
    assert stored_in(alice.append(3, since=1)) == 2  # its author has given the other up


@pytest.mark.parametrize(
    ("body", "code"),
    [(bytes(ENTRY_SIZE_MAX + 1), "too_big"), (b"", "superseded")],
    ids=lambda one: str(one)[:9],
)
def test_what_will_never_be_taken_holds_nothing_up(body: bytes, code: str) -> None:
    world = World()
    alice, bob = Client(world), Client(world)
    alice.open()
    world.disk_full = True
    assert code_in(alice.append(1, body=body)) == "full"
    world.disk_full = False
    if code == "superseded":
        bob.rekey(9, key(0), key(1))
        assert stored_in(alice.append(2, key(1), since=1)) == 2
    assert code_in(alice.append(1, body=body)) == code
    after = alice.append(3, since=0)
    assert code_in(after) == "superseded" if code == "superseded" else stored_in(after) == 1


def test_a_repeat_of_what_is_stored_waits_for_nothing() -> None:
    world = World()
    alice = Client(world)
    alice.open()
    alice.append(1)
    world.disk_full = True
    assert code_in(alice.append(2)) == "full"
    assert stored_in(alice.append(1)) == 1


def test_turns_are_forgotten_when_they_have_lapsed() -> None:
    turns = Turns()
    for number in range(5_000):
        turns.refused((number, LOG, b""), entry_id(1), 0, 0)
    assert turns.wait_ms((0, LOG, b""), entry_id(2), HELD_MS - 1) == 1
    assert turns.wait_ms((0, LOG, b""), entry_id(1), HELD_MS - 1) == 0
    assert turns.wait_ms((0, LOG, b""), entry_id(2), HELD_MS) == 0
    assert turns.wait_ms((0, LOG, b""), entry_id(2), -1) == 0  # a clock was set back
    for number in range(10_000):
        turns.refused((number, LOG, b"x"), entry_id(1), 0, HELD_MS)
    assert len(turns) == 10_000


@pytest.mark.slow
def test_turns_are_bounded_in_a_lane_and_over_all() -> None:
    turns = Turns()
    for number in range(IN_LANE_MAX + 10):
        turns.refused((0, LOG, b""), entry_id(number), 1_000, 0)
    assert len(turns) == IN_LANE_MAX
    for number in range(70_000):
        turns.refused((number, LOG, b"x"), entry_id(1), 1_000, 0)
    assert len(turns) <= 65_536
    assert turns.wait_ms((69_999, LOG, b"x"), entry_id(2), 0) == 1_000
    turns.settled((69_999, LOG, b"x"), entry_id(1))
    assert turns.wait_ms((69_999, LOG, b"x"), entry_id(2), 0) == 0


def test_rate_of_a_log() -> None:
    world = World(Quotas(append_burst=2, appends_per_s=1.0))
    alice = Client(world)
    alice.open()
    alice.append(1)
    alice.append(2, since=1)
    refused = alice.append(3, since=2)[0]
    assert isinstance(refused, No)
    assert (refused.code, refused.retry_after_ms) == ("slow", 1000)
    assert stored_in(alice.append(2, since=1)) == 2
    world.tick(1)
    assert stored_in(alice.append(3, since=2)) == 3


def test_a_full_disk_takes_nothing_new_and_still_knows_repeats(alice: Client, bob: Client) -> None:
    alice.append(1)
    alice.world.disk_full = True
    assert stored_in(alice.append(1)) == 1
    assert code_in(alice.append(2, since=1)) == "full"
    assert code_in(alice.rekey(2, key(0), key(1), since=1)) == "full"
    assert code_in(alice.open(log=b"M" * 16)) == "full"
    assert positions_in(bob.attach()) == [1]
    alice.world.disk_full = False
    assert stored_in(alice.append(2, since=1)) == 2


def test_trim_takes_entries_and_leaves_closers(alice: Client, bob: Client) -> None:
    alice.append(1)
    alice.rekey(2, key(0), key(1), carry=True)
    alice.append(3, key(1), since=2)
    alice.append(4, key(1), since=3)
    assert isinstance(alice.send(Trim(alice.number(), LOG, OWNER, 4))[0], Ok)
    heard = bob.attach()
    assert positions_in(heard) == [2, 4]
    assert [frame.position for frame in heard if isinstance(frame, Base)] == [3]
    assert isinstance(alice.send(Trim(alice.number(), LOG, OWNER, 4))[0], Ok)
    assert alice.world.store.log(LOG) is not None


def test_trim_frees_the_quota() -> None:
    alice = Client(World(Quotas(log_entries_max=1)))
    alice.open()
    alice.append(1)
    alice.send(Trim(alice.number(), LOG, OWNER, 100))
    assert stored_in(alice.append(2, since=1)) == 2


def test_drop_takes_everything(alice: Client, bob: Client) -> None:
    bob.attach()
    alice.append(1)
    assert isinstance(alice.send(Drop(alice.number(), LOG, OWNER))[0], Ok)
    assert code_in(bob.append(2)) == "denied"
    assert code_in(bob.attach()) == "denied"
    assert alice.world.store.log_ids() == []


def test_expiry_takes_entries_after_their_time_and_closers_much_later(alice: Client, bob: Client) -> None:
    world = alice.world
    alice.append(1)
    alice.rekey(2, key(0), key(1), carry=True)
    world.tick(31 * 24 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    alice = Client(world)
    alice.append(3, key(1), since=2)
    heard = bob.connect() and bob.attach()
    assert positions_in(heard) == [2, 3]
    assert [frame.position for frame in heard if isinstance(frame, Base)] == [1]
    world.tick(380 * 24 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    bob.connect()
    assert code_in(bob.attach(key(0))) == "denied"
    assert isinstance(bob.attach(key(1))[0], Attached)


def test_a_log_without_visitors_is_forgotten(alice: Client) -> None:
    world = alice.world
    world.tick(401 * 24 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    assert world.store.log_ids() == []


def test_the_shorter_retention_holds(world: World) -> None:
    alice = Client(world)
    alice.send(Open(1, LOG, Kind.ROOM, sha256(key(0)), sha256(OWNER), None, b"", 3600))
    alice.append(1)
    world.tick(3 * 3600)
    world.store.expire(world.now_ms // 3_600_000)
    assert world.store.all_entries(LOG) == []


def test_nothing_is_acknowledged_before_it_is_on_stable_storage(alice: Client, bob: Client) -> None:
    bob.attach()
    alice.world.hold_store = True
    assert alice.append(1) == []
    assert bob.hear() == []
    alice.world.release()
    assert isinstance(alice.hear()[0], Stored)
    assert positions_in(bob.hear()) == [1]


def test_detach_ends_reading_even_before_the_answer(alice: Client, bob: Client) -> None:
    bob.attach()
    bob.send(Detach(LOG))
    alice.append(1)
    assert bob.hear() == []
    alice.world.hold_store = True
    bob.attach()
    bob.send(Detach(LOG))
    alice.world.release()
    assert entries_in(bob.hear()) == []
    alice.append(2, since=1)
    assert bob.hear() == []


def test_many_entries_in_one_message_come_in_order(alice: Client, bob: Client) -> None:
    bob.attach()
    frames = [Append(number, LOG, key(0), entry_id(number), b"x", 0) for number in range(1, 101)]
    answer = alice.send(*frames)
    assert [frame.position for frame in answer if isinstance(frame, Stored)] == list(range(1, 101))
    heard = bob.hear()
    assert positions_in(heard) == list(range(1, 101))
    assert len(heard) == 1


def test_attaching_after_the_head_of_a_restored_store_reads_what_comes(alice: Client, bob: Client) -> None:
    heard = bob.attach(after=50)
    attached = heard[0]
    assert isinstance(attached, Attached)
    assert attached.head == 0
    alice.append(1)
    assert positions_in(bob.hear()) == [1]


def test_other_bytes_under_a_known_id_are_another_entry(alice: Client, bob: Client) -> None:
    assert stored_in(alice.append(1, body=b"said")) == 1
    assert stored_in(bob.append(1, body=b"junk")) == 2
    assert stored_in(alice.append(1, body=b"said")) == 1
    assert stored_in(bob.append(1, body=b"junk")) == 2
    assert stored_in(alice.append(3, body=b"commit")) == 3
    assert stored_in(alice.rekey(3, key(0), key(1), body=b"commit")) == 4
    assert stored_in(alice.rekey(3, key(0), key(1), body=b"commit")) == 4


def test_looking_far_back_is_rated() -> None:
    world = World(Quotas(append_burst=10_000, lookup_burst=2, lookups_per_s=1.0))
    alice = Client(world)
    alice.open()
    alice.send(*(Append(number, LOG, key(0), entry_id(number), b"", 0) for number in range(1, 1_500)))
    alice.send(*(Append(number, LOG, key(0), entry_id(number), b"", 1_499) for number in range(1_500, 3_001)))
    assert stored_in(alice.append(1, body=b"")) == 1
    assert stored_in(alice.append(2, body=b"")) == 2
    refused = alice.append(3, body=b"")[0]
    assert isinstance(refused, No)
    assert (refused.code, refused.retry_after_ms) == ("slow", 1_000)
    assert stored_in(alice.append(2_999, body=b"", since=2_990)) == 2_999
    world.tick(1)
    assert stored_in(alice.append(3, body=b"")) == 3


def head_in(frames: list[Down]) -> int:
    attached = frames[0]
    assert isinstance(attached, Attached)
    return attached.head


def test_attaching_far_behind_a_long_carry_chain_is_rated() -> None:
    world = World(Quotas(lookup_burst=1, lookups_per_s=1.0))
    alice = Client(world)
    alice.open()
    for number in range(1, 71):
        alice.rekey(number, key(number - 1), key(number), carry=True)
    assert head_in(alice.attach(after=70)) == 70
    refused = alice.attach(after=70)[0]
    assert isinstance(refused, No)
    assert (refused.code, refused.retry_after_ms) == ("slow", 1_000)
    assert head_in(alice.attach(key(20), after=70)) == 70, "fifty segments are no long walk"
    assert head_in(alice.attach(after=60)) == 70, "what is not reached yet is not looked at"
    world.tick(1)
    assert head_in(alice.attach(after=70)) == 70
