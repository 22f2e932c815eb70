"""Blobs at a relay: who may write and read them, and what is kept through crashes and full disks."""

from random import Random

import pytest

from skvoz.base.limits import CHUNK_SIZES, PART_SIZE_MAX
from skvoz.crypto import sha256
from skvoz.logs import BLOB_UNFINISHED_S, Quotas, hour_after
from skvoz.relay import parts as parts_module
from skvoz.relay.seam import Lost, Received
from skvoz.wire.frames import Discard, Down, Drop, Fetch, Fill, Filled, No, Ok, Part, Reserve, Trim
from tests.relay.world import LOG, OWNER, Client, World, code_in, key

BLOB = b"B" * 16
WRITE = b"W" * 32
READ = b"R" * 32
CHUNK = CHUNK_SIZES[0]
BODY = Random(1).randbytes(2 * CHUNK)
DAY_S = 24 * 3600


def reserve(
    client: Client,
    blob: bytes = BLOB,
    *,
    with_key: bytes | None = None,
    chunk: int = CHUNK,
    count: int = 2,
    retention_s: int | None = None,
    write: bytes = WRITE,
    log: bytes = LOG,
) -> list[Down]:
    return client.send(
        Reserve(
            client.number(),
            blob,
            log,
            with_key or key(0),
            sha256(write),
            sha256(READ),
            chunk,
            count,
            retention_s,
        )
    )


def fill(client: Client, offset: int, body: bytes, *, blob: bytes = BLOB, write: bytes = WRITE) -> list[Down]:
    return client.send(Fill(client.number(), blob, write, offset, body))


def fetch(client: Client, offset: int, size: int, *, blob: bytes = BLOB, read: bytes = READ) -> list[Down]:
    return client.send(Fetch(client.number(), blob, read, offset, size))


def written_in(frames: list[Down]) -> int:
    [written] = [frame.written for frame in frames if isinstance(frame, Filled)]
    return written


def part_in(frames: list[Down]) -> bytes:
    [body] = [frame.body for frame in frames if isinstance(frame, Part)]
    return body


def uploaded(client: Client, blob: bytes = BLOB) -> None:
    assert written_in(reserve(client, blob)) == 0
    assert written_in(fill(client, 0, BODY, blob=blob)) == len(BODY)


@pytest.fixture
def author(world: World) -> Client:
    client = Client(world)
    client.open()
    return client


def test_what_one_writes_another_reads_in_any_ranges(world: World, author: Client) -> None:
    uploaded(author)
    reader = Client(world)
    assert part_in(fetch(reader, 0, len(BODY))) == BODY
    for offset, size in ((0, 1), (1, 17), (CHUNK - 1, 2), (len(BODY) - 1, 1)):
        assert part_in(fetch(reader, offset, size)) == BODY[offset : offset + size]


def test_bytes_come_in_parts_and_repeats_change_nothing(author: Client) -> None:
    reserve(author)
    assert written_in(fill(author, 0, BODY[:100])) == 100
    assert written_in(fill(author, 100, BODY[100:250])) == 250
    assert written_in(fill(author, 0, b"x" * 100)) == 250
    assert written_in(fill(author, 200, b"x" * 50 + BODY[250:300])) == 300
    assert written_in(reserve(author)) == 300
    assert written_in(fill(author, 300, BODY[300:])) == len(BODY)
    assert written_in(fill(author, 0, BODY)) == len(BODY)
    assert part_in(fetch(author, 0, len(BODY))) == BODY


def test_holes_and_bytes_beyond_the_end_are_bad(author: Client) -> None:
    reserve(author)
    assert code_in(fill(author, 1, b"x")) == "bad"
    fill(author, 0, BODY)
    assert code_in(fill(author, len(BODY), b"x")) == "bad"
    assert code_in(fill(author, len(BODY) - 1, b"xx")) == "bad"
    assert code_in(fetch(author, len(BODY) - 1, 2)) == "bad"
    assert code_in(fetch(author, 2**62, 1)) == "bad"


def test_wrong_keys_and_unknown_blobs_are_denied_alike(author: Client) -> None:
    for blob in (BLOB, b"?" * 16):
        assert code_in(fill(author, 0, b"x", blob=blob, write=READ)) == "denied"
        assert code_in(fetch(author, 0, 1, blob=blob, read=WRITE)) == "denied"
        assert code_in(author.send(Discard(1, blob, READ))) == "denied"
        if blob == BLOB:
            uploaded(author)
            assert code_in(fill(author, 0, b"x", write=READ)) == "denied"
            assert code_in(fetch(author, 0, 1, read=WRITE)) == "denied"
            assert code_in(author.send(Discard(1, blob, READ))) == "denied"


def test_nobody_reads_a_blob_before_it_is_whole(author: Client) -> None:
    reserve(author)
    fill(author, 0, BODY[:-1])
    assert code_in(fetch(author, 0, 1)) == "denied"
    fill(author, len(BODY) - 1, BODY[-1:])
    assert part_in(fetch(author, 0, 1)) == BODY[:1]


def test_only_present_members_make_space(world: World, author: Client) -> None:
    assert code_in(reserve(author, with_key=key(9))) == "denied"
    assert code_in(reserve(author, log=b"?" * 16)) == "denied"
    uploaded(author)
    author.rekey(1, key(0), key(1))
    assert code_in(reserve(author, b"C" * 16)) == "superseded"
    assert written_in(reserve(author, b"C" * 16, with_key=key(1))) == 0
    assert written_in(reserve(author)) == len(BODY), "a repeat is never superseded"
    author.open_inbox(b"I" * 16, key(7))
    assert code_in(reserve(author, b"D" * 16, with_key=key(7), log=b"I" * 16)) == "denied"


def test_a_commit_in_the_middle_stops_no_upload(author: Client) -> None:
    reserve(author)
    fill(author, 0, BODY[:10])
    author.rekey(1, key(0), key(1))
    assert written_in(fill(author, 10, BODY[10:])) == len(BODY)


def test_an_id_that_is_taken_is_denied(author: Client) -> None:
    uploaded(author)
    assert code_in(reserve(author, write=b"X" * 32)) == "denied"
    assert code_in(reserve(author, count=3)) == "denied"


def test_blobs_have_the_sizes_of_padded_chunks(author: Client) -> None:
    assert code_in(reserve(author, chunk=CHUNK - 16)) == "bad"
    assert code_in(reserve(author, chunk=CHUNK + 1)) == "bad"
    assert code_in(reserve(author, chunk=CHUNK_SIZES[-1], count=513)) == "too_big"
    for number, chunk in enumerate(CHUNK_SIZES):
        assert written_in(reserve(author, bytes([number]) * 16, chunk=chunk)) == 0


def test_a_log_has_so_many_blobs_and_bytes(world: World) -> None:
    world = World(Quotas(log_blobs_max=2, log_blob_bytes_max=5 * CHUNK))
    client = Client(world)
    client.open()
    reserve(client, b"1" * 16)
    assert code_in(reserve(client, b"2" * 16, count=4)) == "full"
    reserve(client, b"2" * 16)
    assert code_in(reserve(client, b"3" * 16, count=1)) == "full"
    assert isinstance(client.send(Discard(1, b"1" * 16, WRITE))[0], Ok)
    assert written_in(reserve(client, b"3" * 16, count=3)) == 0


def test_making_space_is_rated(world: World) -> None:
    world = World(Quotas(reserve_burst=2))
    client = Client(world)
    client.open()
    for number in (1, 2):
        reserve(client, bytes([number]) * 16)
    assert code_in(reserve(client, bytes([3]) * 16)) == "slow"
    assert written_in(reserve(client, bytes([1]) * 16)) == 0
    world.tick(2)
    assert written_in(reserve(client, bytes([3]) * 16)) == 0


def test_past_the_high_water_mark_nothing_is_stored_and_all_is_read(world: World, author: Client) -> None:
    uploaded(author)
    reserve(author, b"C" * 16)
    world.disk_full = True
    assert code_in(reserve(author, b"D" * 16)) == "full"
    assert code_in(fill(author, 0, BODY, blob=b"C" * 16)) == "full"
    assert written_in(fill(author, 0, BODY)) == len(BODY)
    assert part_in(fetch(author, 0, 9)) == BODY[:9]
    world.disk_full = False
    assert written_in(fill(author, 0, BODY, blob=b"C" * 16)) == len(BODY)


def test_a_disk_that_fills_up_in_the_middle_of_a_part_loses_nothing(world: World, author: Client) -> None:
    reserve(author)
    fill(author, 0, BODY[:1000])
    world.store.files.room_bytes = 500
    assert code_in(fill(author, 1000, BODY[1000:])) == "full"
    world.store.files.room_bytes = None
    assert written_in(reserve(author)) == 1000
    assert written_in(fill(author, 1000, BODY[1000:])) == len(BODY)
    assert part_in(fetch(author, 0, len(BODY))) == BODY


def test_what_was_acknowledged_survives_a_crash_at_any_point(world: World, author: Client) -> None:
    reserve(author)
    fill(author, 0, BODY[:1000])
    # The next part is in its file, and the relay dies before its row learns of it.
    world.hold_store = True
    fill(author, 1000, BODY[1000:3000])
    assert world.store.files.durable[BLOB] == BODY[:3000]
    world.hold_store = False
    world.held.clear()
    world.store.crash()
    world.start()
    author = Client(world)
    assert written_in(reserve(author)) == 1000
    assert written_in(fill(author, 1000, BODY[1000:])) == len(BODY)
    assert part_in(fetch(author, 0, len(BODY))) == BODY


def test_an_answer_comes_only_once_the_row_is_stored(world: World, author: Client) -> None:
    reserve(author)
    world.hold_store = True
    assert fill(author, 0, BODY) == []
    assert world.store.files.durable[BLOB] == BODY
    written, world.held = world.held, []
    world.hand(*written)
    assert author.hear() == []
    world.release()
    assert written_in(author.hear()) == len(BODY)


def test_deleted_blobs_leave_no_bytes_and_take_none(world: World, author: Client) -> None:
    uploaded(author)
    assert isinstance(author.send(Discard(1, BLOB, WRITE))[0], Ok)
    assert world.store.files.files == {}
    assert code_in(fetch(author, 0, 1)) == "denied"
    assert code_in(fill(author, 0, BODY)) == "denied"
    assert world.store.files.files == {}


def test_a_part_that_is_written_while_its_blob_is_deleted_is_denied(world: World, author: Client) -> None:
    reserve(author)
    fill(author, 0, BODY[:10])
    number = author.number()
    other = Client(world)
    assert author.sealed is not None
    assert other.sealed is not None
    world.hand(
        Received(author.connection, author.sealed.seal_up([Fill(number, BLOB, WRITE, 10, BODY[10:])])),
        Received(other.connection, other.sealed.seal_up([Discard(1, BLOB, WRITE)])),
    )
    assert code_in(author.hear()) == "denied"
    assert BLOB not in world.store.blobs()


def test_blobs_go_with_their_log(world: World, author: Client) -> None:
    uploaded(author)
    author.send(Drop(author.number(), LOG, OWNER))
    assert world.store.files.files == {}
    assert code_in(fetch(author, 0, 1)) == "denied"


def test_trimming_takes_the_blobs_of_what_it_deletes(world: World, author: Client) -> None:
    uploaded(author, b"1" * 16)
    author.append(1)
    uploaded(author, b"2" * 16)
    author.append(2)
    author.send(Trim(author.number(), LOG, OWNER, 2))
    assert set(world.store.files.files) == {b"2" * 16}
    author.send(Trim(author.number(), LOG, OWNER, 3))
    assert world.store.files.files == {}


def test_a_whole_blob_expires_like_an_entry_and_an_unfinished_one_sooner(
    world: World, author: Client
) -> None:
    uploaded(author, b"1" * 16)
    reserve(author, b"2" * 16)
    reserve(author, b"3" * 16, retention_s=DAY_S)
    fill(author, 0, BODY, blob=b"3" * 16)
    hours = {blob_id[:1]: blob.expires_hour for blob_id, blob in world.store.blobs().items()}
    now = world.now_ms
    assert hours == {
        b"1": hour_after(now, Quotas().retention_s),
        b"2": hour_after(now, BLOB_UNFINISHED_S),
        b"3": hour_after(now, DAY_S),
    }
    world.store.expire(hours[b"2"])
    world.store.sync()
    assert set(world.store.files.files) == {b"1" * 16}
    world.store.expire(hours[b"1"])
    world.store.sync()
    assert world.store.files.files == {}


def test_a_session_has_so_many_parts_under_way(world: World, author: Client) -> None:
    reserve(author)
    fills = [Fill(author.number(), BLOB, WRITE, n, b"x") for n in range(parts_module.PARTS_MAX + 1)]
    answers = author.send(*fills)
    assert [frame.code for frame in answers if isinstance(frame, No)] == ["slow"]
    assert written_in(reserve(author)) == parts_module.PARTS_MAX


def test_parts_that_wait_to_be_written_are_bounded_for_all(
    world: World, author: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_module, "PARTS_BYTES_MAX", 2_000)
    reserve(author)
    answers = author.send(
        Fill(author.number(), BLOB, WRITE, 0, BODY[:1500]),
        Fill(author.number(), BLOB, WRITE, 1500, BODY[:1500]),
    )
    assert [type(frame).__name__ for frame in answers if not isinstance(frame, Part)] == ["No", "Filled"]
    assert written_in(fill(author, 1500, BODY[1500:3000])) == 3000


def test_a_connection_that_goes_in_the_middle_leaves_what_was_written(world: World, author: Client) -> None:
    reserve(author)
    world.hold_store = True
    fill(author, 0, BODY[:5000])
    world.hand(Lost(author.connection))
    world.release()
    author.connect()
    assert written_in(reserve(author)) == 5000
    for _ in range(3 * parts_module.PARTS_MAX):
        fill(author, 0, b"x")
    assert written_in(fill(author, 5000, BODY[5000:])) == len(BODY)


def test_a_part_fits_into_a_message(world: World, author: Client) -> None:
    reserve(author, chunk=CHUNK_SIZES[-1], count=1)
    body = Random(2).randbytes(CHUNK_SIZES[-1])
    for offset in range(0, len(body), PART_SIZE_MAX):
        fill(author, offset, body[offset : offset + PART_SIZE_MAX])
    requests = [Fetch(author.number(), BLOB, READ, at * PART_SIZE_MAX, PART_SIZE_MAX) for at in range(4)]
    parts = [frame.body for frame in author.send(*requests) if isinstance(frame, Part)]
    assert b"".join(parts) == body[: 4 * PART_SIZE_MAX]
