"""Inboxes as clients see them: post and read, offers, pools, admission of logs."""

import pytest

from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.relay.executor import Admission
from skvoz.wire.frames import Append, Attach, Down, Kind, No, Ok, Open, Put, Rekey, Take, Taken, Trim
from tests.relay.world import Client, World, code_in, entries_in, entry_id, key, positions_in, stored_in

BOX = b"B" * 16
POST = b"P" * 32
OWN = b"W" * 32


@pytest.fixture
def owner(world: World) -> Client:
    client = Client(world)
    client.open_inbox(BOX, POST, OWN)
    return client


@pytest.fixture
def guest(world: World) -> Client:
    return Client(world)


def take(client: Client, taker: int) -> list[Down]:
    return client.send(Take(client.number(), BOX, POST, bytes([taker]) * 16))


def taken(frames: list[Down]) -> tuple[str, bytes]:
    answer = frames[0]
    assert isinstance(answer, Ok)
    assert isinstance(answer.value, Taken)
    return answer.value.kind, answer.value.body


def put(
    client: Client, *packages: bytes, last: bytes | None = None, offer: bytes | None = None
) -> list[Down]:
    return client.send(Put(client.number(), BOX, OWN, list(packages), last, offer))


def test_who_has_the_post_key_writes_and_the_owner_reads(owner: Client, guest: Client) -> None:
    assert stored_in(guest.append(1, POST, log=BOX)) == 1
    assert positions_in(owner.attach(OWN, log=BOX), BOX) == [1]
    guest.append(2, POST, log=BOX)
    assert [entry.body for entry in entries_in(owner.hear(), BOX)] == [b"body"]


def test_repeats_are_stored_once(owner: Client, guest: Client) -> None:
    assert stored_in(guest.append(1, POST, log=BOX)) == 1
    assert stored_in(guest.append(1, POST, log=BOX)) == 1


def test_the_post_key_reads_nothing_and_the_owner_key_writes_nothing(owner: Client, guest: Client) -> None:
    assert code_in(guest.attach(POST, log=BOX)) == "denied"
    assert code_in(guest.append(1, OWN, log=BOX)) == "denied"
    rekey = Rekey(
        1,
        BOX,
        POST,
        entry_id(1),
        b"x",
        0,
        sha256(key(1)),
        carry=False,
        contest_proof=None,
        door_hash=None,
        answered=[],
    )
    assert code_in(guest.send(rekey)) == "denied"
    assert code_in(guest.send(Put(2, BOX, POST, [b"x"], None, None))) == "denied"
    assert code_in(guest.send(Trim(3, BOX, POST, 1))) == "denied"
    assert code_in(guest.send(Take(4, BOX, OWN, bytes(16)))) == "denied"
    assert code_in(guest.send(Take(4, b"?" * 16, POST, bytes(16)))) == "denied"


def test_an_inbox_holds_so_many_entries_until_trimmed() -> None:
    client = Client(World(Quotas(inbox_entries_max=3)))
    client.open_inbox(BOX, POST, OWN)
    for number in range(3):
        client.append(number, POST, log=BOX)
    assert code_in(client.append(4, POST, log=BOX)) == "full"
    client.send(Trim(9, BOX, OWN, 3))
    assert stored_in(client.append(4, POST, log=BOX)) == 4


def test_each_taker_gets_one_package_and_the_same_again(owner: Client, guest: Client) -> None:
    put(owner, b"one", b"two", last=b"last")
    assert taken(take(guest, 1)) == ("package", b"one")
    assert taken(take(guest, 1)) == ("package", b"one")
    assert taken(take(guest, 2)) == ("package", b"two")
    assert taken(take(guest, 3)) == ("last", b"last")
    assert taken(take(guest, 2)) == ("package", b"two")


def test_a_last_package_makes_the_pool_anew(owner: Client, guest: Client) -> None:
    put(owner, b"one", b"two", b"three", last=b"last")
    assert taken(take(guest, 1)) == ("package", b"one")
    for _ in range(2):
        put(owner, b"one", b"three", b"four", last=b"new last")
    assert taken(take(guest, 1)) == ("package", b"one")
    assert taken(take(guest, 2)) == ("package", b"three")
    assert taken(take(guest, 3)) == ("package", b"four")
    assert taken(take(guest, 4)) == ("last", b"new last")


def test_a_pool_is_made_anew_whole_or_not_at_all() -> None:
    client = Client(World(Quotas(packages_max=2)))
    client.open_inbox(BOX, POST, OWN)
    put(client, b"one", b"two", last=b"last")
    assert code_in(put(client, b"three", b"four", b"five", last=b"new last")) == "full"
    assert isinstance(put(client, b"three", b"four", last=b"new last")[0], Ok)
    assert [taken(take(client, taker)) for taker in (1, 2, 3)] == [
        ("package", b"three"),
        ("package", b"four"),
        ("last", b"new last"),
    ]


def test_a_dry_pool_without_a_last_package_is_gone(owner: Client, guest: Client) -> None:
    assert code_in(take(guest, 1)) == "gone"


def test_a_repeated_put_adds_nothing_even_after_a_take(owner: Client, guest: Client) -> None:
    put(owner, b"one")
    taken(take(guest, 1))
    put(owner, b"one", b"one")
    assert code_in(take(guest, 2)) == "gone"


def test_an_offer_is_for_one_taker(owner: Client, guest: Client) -> None:
    put(owner, offer=b"card")
    assert taken(take(guest, 1)) == ("offer", b"card")
    assert taken(take(guest, 1)) == ("offer", b"card")
    assert code_in(take(guest, 2)) == "used"
    put(owner, offer=b"card")
    assert code_in(take(guest, 2)) == "used"
    put(owner, offer=b"new card")
    assert taken(take(guest, 2)) == ("offer", b"new card")


def test_a_pool_has_its_bound() -> None:
    client = Client(World(Quotas(packages_max=2)))
    client.open_inbox(BOX, POST, OWN)
    put(client, b"one", b"two")
    assert code_in(put(client, b"three")) == "full"
    assert isinstance(put(client, b"two")[0], Ok)


def test_takes_are_rated_except_repeats() -> None:
    client = Client(World(Quotas(take_burst=2)))
    client.open_inbox(BOX, POST, OWN)
    put(client, b"one", b"two", b"three")
    taken(take(client, 1))
    taken(take(client, 2))
    refused = take(client, 3)[0]
    assert isinstance(refused, No)
    assert refused.code == "slow"
    assert refused.retry_after_ms > 0
    assert taken(take(client, 1)) == ("package", b"one")
    client.world.tick(refused.retry_after_ms / 1000)
    assert taken(take(client, 3)) == ("package", b"three")


def test_a_full_disk_takes_no_packages(owner: Client) -> None:
    owner.world.disk_full = True
    assert code_in(put(owner, b"one")) == "full"


def test_pools_belong_to_inboxes(world: World) -> None:
    client = Client(world)
    client.open()
    assert code_in(client.send(Put(1, b"L" * 16, b"O" * 32, [b"x"], None, None))) == "denied"
    assert code_in(client.send(Take(1, b"L" * 16, key(0), bytes(16)))) == "denied"


def test_a_closed_relay_wants_a_ticket() -> None:
    client = Client(World(admission=Admission(ticket_hashes=frozenset([sha256(b"ticket")]))))

    def opened(ticket: bytes, log: bytes) -> list[Down]:
        return client.send(
            Open(client.number(), log, Kind.ROOM, sha256(key(0)), sha256(OWN), None, ticket, None)
        )

    assert code_in(opened(b"", b"1" * 16)) == "denied"
    assert code_in(opened(b"forged", b"1" * 16)) == "denied"
    assert isinstance(opened(b"ticket", b"1" * 16)[0], Ok)
    assert isinstance(opened(b"", b"1" * 16)[0], Ok)


def test_opening_logs_is_rated() -> None:
    world = World(Quotas(session_open_burst=2, open_burst=3))
    first, second = Client(world), Client(world)
    first.open(b"1" * 16)
    first.open(b"2" * 16)
    assert code_in(first.open(b"3" * 16)) == "slow"
    second.open(b"3" * 16)
    assert code_in(second.open(b"4" * 16)) == "slow"
    world.tick(60)
    assert isinstance(first.open(b"4" * 16)[0], Ok)


def test_attach_and_append_in_one_message(owner: Client) -> None:
    heard = owner.send(Attach(1, BOX, OWN, 0), Append(2, BOX, POST, entry_id(1), b"x", 0))
    assert positions_in(heard, BOX) == [1]
