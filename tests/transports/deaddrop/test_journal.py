"""A drop whose provider deletes, alters, swaps and hides objects: what anybody still has is not lost."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from skvoz.base.errors import TransportError
from skvoz.crypto import sha256
from skvoz.transports.deaddrop import states
from skvoz.transports.deaddrop.folder import FolderStorage
from skvoz.transports.deaddrop.journal import MARK, Journal, Patience, make_mark
from skvoz.transports.deaddrop.mirror import Mirror
from skvoz.transports.deaddrop.names import ObjectKind, Place, drop_keys
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.records import Written
from skvoz.wire.frames import Append, Kind, Open, Stored

KEYS = drop_keys(bytes(32))
LOG = bytes(16)
KEY = bytes(range(32))
OPEN = Open(1, LOG, Kind.ROOM, sha256(KEY), sha256(KEY), None, b"", None)
NEVER = Patience(unfinished_s=1e9, missing_s=1e9, look_s=0, compare_s=0)
AT_ONCE = Patience(unfinished_s=0, missing_s=0, look_s=0, compare_s=0)


def name(slot: int) -> str:
    return KEYS.name_of(Place(ObjectKind.RECORD, slot))


class Side:
    """One who uses the drop."""

    def __init__(self, folder: Path, number: int, patience: Patience = NEVER) -> None:
        self.storage = FolderStorage(folder / "drop")
        self.mirror = Mirror(folder / f"mirror-{number}", KEYS, secrets.token_bytes)
        self.patience = patience
        self.now_ms = 1_000
        self.journal = self._journal()

    def _journal(self) -> Journal:
        return Journal(
            keys=KEYS,
            storage=self.storage,
            mirror=self.mirror,
            randomness=secrets.token_bytes,
            patience=self.patience,
            clock_ms=lambda: self.now_ms,
        )

    def restart(self, patience: Patience | None = None) -> None:
        self.patience = patience or self.patience
        self.journal = self._journal()

    async def read(self) -> list[bytes]:
        """Read on, and return all that stands in the log."""
        await self.journal.catch_up(lambda _: None)
        return self.entries()

    def entries(self) -> list[bytes]:
        found = self.journal.replica.rows.entries(LOG, 0, 1_000, 1_000, 10**9)
        return [entry.body or b"" for entry in found]

    async def say(self, *requests: Written) -> None:
        while True:
            await self.journal.catch_up(lambda _: None)
            outcomes = await self.journal.write(requests, (), self.now_ms)
            if outcomes is not None:
                return

    async def write(self, text: bytes) -> None:
        await self.say(append(text))


def append(text: bytes) -> Append:
    return Append(1, LOG, KEY, sha256(text)[:16], text, 0)


def run(folder: Path, work: Callable[[Side, Side], Awaitable[None]]) -> None:
    async def scenario() -> None:
        (folder / "drop").mkdir()
        anna, boris = Side(folder, 1), Side(folder, 2)
        await make_mark(KEYS, anna.storage, secrets.token_bytes)
        await anna.say(OPEN)
        for text in (b"one", b"two", b"three"):
            await anna.write(text)
        await work(anna, boris)

    asyncio.run(scenario())


ALL = [b"one", b"two", b"three"]


def test_both_come_to_the_same_and_a_repeat_changes_nothing(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        assert await boris.read() == ALL
        outcomes = await boris.journal.write([append(b"two")], (), 1_000)
        assert outcomes is not None
        assert isinstance(outcomes[0].answer, Stored)
        assert outcomes[0].answer.position == 2
        assert await anna.read() == ALL
        assert anna.journal.replica.export_state() == boris.journal.replica.export_state()
        anna.restart()
        assert await anna.read() == ALL

    run(tmp_path, work)


def test_only_one_of_two_gets_a_slot(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        assert await boris.read() == await anna.read()
        assert await anna.journal.write([append(b"a")], (), 1_000) is not None
        assert await boris.journal.write([append(b"b")], (), 1_000) is None
        await boris.write(b"b")
        assert await anna.read() == await boris.read() == [*ALL, b"a", b"b"]

    run(tmp_path, work)


@pytest.mark.parametrize("slots", [(3,), (2, 3), (1, 2, 3, 4)])
def test_what_a_provider_deleted_is_put_back_by_who_has_it(tmp_path: Path, slots: tuple[int, ...]) -> None:
    async def work(anna: Side, boris: Side) -> None:
        for slot in slots:
            await boris.storage.delete(name(slot))
        if 4 not in slots:
            with pytest.raises(TransportError, match="missing"):
                await boris.read()
        anna.restart()
        assert await anna.read() == ALL
        assert await boris.read() == ALL
        assert not boris.journal.began_anew

    run(tmp_path, work)


async def _truncate(side: Side) -> None:
    data = await side.storage.get(name(3))
    assert data is not None
    await side.storage.put(name(3), data[:100])


async def _flip(side: Side) -> None:
    data = await side.storage.get(name(3))
    assert data is not None
    await side.storage.put(name(3), data[:50] + bytes([data[50] ^ 1]) + data[51:])


async def _swap(side: Side) -> None:
    third, fourth = await side.storage.get(name(3)), await side.storage.get(name(4))
    assert third is not None
    assert fourth is not None
    await side.storage.put(name(3), fourth)
    await side.storage.put(name(4), third)


async def _repeat(side: Side) -> None:
    second = await side.storage.get(name(2))
    assert second is not None
    await side.storage.put(name(3), second)


async def _bloat(side: Side) -> None:
    await side.storage.put(name(3), bytes(SIZES[-1] + 10))


@pytest.mark.parametrize("spoil", [_truncate, _flip, _swap, _repeat, _bloat])
def test_what_a_provider_altered_is_told_from_what_was_put_there_and_mended(
    tmp_path: Path, spoil: Callable[[Side], Awaitable[None]]
) -> None:
    async def work(anna: Side, boris: Side) -> None:
        await spoil(anna)
        boris.restart(Patience(unfinished_s=0, missing_s=1e9, look_s=0, compare_s=0))
        with pytest.raises(TransportError, match="missing"):
            await boris.read()
        assert boris.entries() == [b"one"]
        await anna.read()
        with contextlib.suppress(TransportError):  # where two are spoilt, the second is in the way now
            await boris.read()
        await anna.read()
        assert await boris.read() == ALL

    run(tmp_path, work)


def test_what_is_not_finished_yet_is_left_alone(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        whole = await anna.storage.get(name(4))
        assert whole is not None
        await _truncate_last(anna, whole)
        with pytest.raises(TransportError, match="missing"):
            await boris.read()
        assert await anna.storage.get(name(4)) == whole[:1000]
        await anna.storage.put(name(4), whole)
        assert await boris.read() == ALL

    async def _truncate_last(side: Side, whole: bytes) -> None:
        await side.storage.put(name(4), whole[:1000])

    run(tmp_path, work)


def test_a_slot_that_nobody_mends_is_given_up_and_its_author_says_again_what_stood_there(
    tmp_path: Path,
) -> None:
    async def work(anna: Side, boris: Side) -> None:
        await boris.storage.delete(name(3))
        boris.restart(AT_ONCE)
        assert await boris.read() == [b"one", b"three"]
        await boris.write(b"four")
        store_id = anna.mirror.store_id
        anna.restart()
        await anna.read()
        assert anna.journal.began_anew
        assert anna.mirror.store_id != store_id
        assert [request.body for request in anna.journal.displaced if isinstance(request, Append)] == [b"two"]
        await anna.say(*anna.journal.displaced)
        assert await anna.read() == await boris.read() == [b"one", b"three", b"four", b"two"]
        assert anna.journal.replica.chain == boris.journal.replica.chain

    run(tmp_path, work)


def test_a_provider_that_goes_back_to_yesterday_is_brought_up_again(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        for slot in (3, 4):
            await anna.storage.delete(name(slot))
        await boris.write(b"from boris")  # who never saw what was there
        anna.restart()
        await anna.read()
        await anna.read()
        assert anna.journal.began_anew
        await anna.say(*anna.journal.displaced)
        found = await boris.read()
        assert sorted(found) == sorted([*ALL, b"from boris"])
        assert await anna.read() == found

    run(tmp_path, work)


def test_thousands_of_foreign_files_are_passed_over(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        for number in range(3_000):
            (tmp_path / "drop" / secrets.token_hex(16)).touch()
            (tmp_path / "drop" / f"holiday {number}.jpg").touch()
        (tmp_path / "drop" / "a folder").mkdir()
        assert await boris.read() == ALL
        anna.restart()
        assert await anna.read() == ALL

    run(tmp_path, work)


class _Liar(FolderStorage):
    """Lists what it likes."""

    def __init__(self, folder: Path, hidden: set[str], made_up: set[str]) -> None:
        super().__init__(folder)
        self._hidden = hidden
        self._made_up = made_up

    async def names(self) -> set[str]:
        return (await super().names() - self._hidden) | self._made_up


@pytest.mark.parametrize(("hidden", "made_up"), [({2, 3}, set[int]()), (set[int](), {6, 9}), ({1, 4}, {7})])
def test_a_listing_that_lies_changes_nothing(tmp_path: Path, hidden: set[int], made_up: set[int]) -> None:
    async def work(anna: Side, boris: Side) -> None:
        for side in (anna, boris):
            lies = set(map(name, hidden)), set(map(name, made_up))
            side.storage = _Liar(tmp_path / "drop", *lies)
            side.restart(AT_ONCE)
            assert await side.read() == ALL
            assert side.journal.replica.slot == 4  # nothing was given up
        await boris.write(b"four")
        assert await anna.read() == [*ALL, b"four"]

    run(tmp_path, work)


def test_an_empty_place_is_taken_for_a_wrong_one(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        (tmp_path / "drop").rename(tmp_path / "elsewhere")
        anna.restart()
        with pytest.raises(TransportError, match="folder isn't there"):
            await anna.read()
        (tmp_path / "drop").mkdir()
        with pytest.raises(TransportError, match="right one"):
            await anna.read()
        assert list((tmp_path / "drop").iterdir()) == []
        (tmp_path / "drop").rmdir()
        (tmp_path / "elsewhere").rename(tmp_path / "drop")
        assert await anna.read() == ALL
        await anna.storage.delete(KEYS.name_of(MARK))
        assert await boris.read() == ALL
        assert await boris.storage.get(KEYS.name_of(MARK)) is not None

    run(tmp_path, work)


def test_a_record_that_a_member_spoilt_is_passed_over_by_all_alike(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        place = Place(ObjectKind.RECORD, 5)
        from skvoz.transports.deaddrop.objects import seal_object  # noqa: PLC0415  # a member's tool

        await anna.storage.create(name(5), seal_object(KEYS, place, b"no record", secrets.token_bytes))
        await boris.write(b"four")
        assert await anna.read() == await boris.read() == [*ALL, b"four"]
        assert anna.journal.replica.chain == boris.journal.replica.chain

    run(tmp_path, work)


HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def _days_pass(count: int, *sides: Side) -> None:
    """Let a day pass so often: everybody says something, and looks."""
    for number in range(count):
        for side in sides:
            side.now_ms += DAY_MS
        for index, side in enumerate(sides):
            await side.write(f"day {side.now_ms // DAY_MS} {index} {number}".encode())
        for side in sides:
            await side.read()


def test_what_has_expired_is_swept_and_who_comes_anew_begins_later(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        await boris.read()
        await _days_pass(33, anna, boris)
        listed = await anna.storage.names()
        places = [place for one in listed if (place := KEYS.place_of(one)) is not None]
        records = {place.number for place in places if place.kind is ObjectKind.RECORD}
        states = {place.number for place in places if place.kind is ObjectKind.STATE}
        assert len(listed) == len(places)  # nothing of the sweep's lies about
        assert len(states) == 2
        assert not {1, 2, 3, 4} & records
        assert len(records) < 33 * 2
        assert anna.entries() == boris.entries()
        assert b"one" not in anna.entries()
        assert len(anna.entries()) > 50
        vera = Side(tmp_path, 3)
        vera.now_ms = anna.now_ms
        assert await vera.read() == anna.entries()
        assert vera.journal.replica.export_state() == anna.journal.replica.export_state()
        await vera.write(b"here")
        for side in (anna, boris):
            side.restart()
            assert (await side.read())[-1] == b"here"
            assert not side.journal.began_anew
            assert side.journal.replica.chain == vera.journal.replica.chain
        kept = {place.number for place in anna.mirror.places() if place.kind is ObjectKind.RECORD}
        assert not {1, 2, 3, 4} & kept

    run(tmp_path, work)


def test_who_was_away_while_things_were_swept_begins_later_and_writes_into_no_hole(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        vera = Side(tmp_path, 3, Patience(look_s=1e9))
        for side in (boris, vera):
            await side.read()
        await _days_pass(34, anna, boris)
        vera.now_ms = anna.now_ms
        await vera.write(b"back again")
        assert vera.journal.began_anew
        assert (await anna.read())[-1] == b"back again"
        assert anna.journal.replica.chain == vera.journal.replica.chain

    run(tmp_path, work)


def test_who_fills_a_drop_keeps_nobody_from_going_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "PARTS_MAX", 0)

    async def work(anna: Side, boris: Side) -> None:
        await boris.read()
        await _days_pass(3, anna, boris)
        found = [place for one in await anna.storage.names() if (place := KEYS.place_of(one)) is not None]
        assert not any(place.kind is ObjectKind.STATE for place in found)
        boris.restart()
        assert await boris.read() == anna.entries()

    run(tmp_path, work)


def test_a_clock_that_is_wrong_sweeps_nothing(tmp_path: Path) -> None:
    async def work(anna: Side, boris: Side) -> None:
        await boris.read()
        anna.now_ms += 400 * DAY_MS
        await boris.write(b"today")
        await anna.read()
        assert await boris.read() == [*ALL, b"today"]

    run(tmp_path, work)


@pytest.mark.parametrize("spoil", [b"", bytes(SIZES[0])])
def test_a_spoilt_state_is_passed_over(tmp_path: Path, spoil: bytes) -> None:
    async def work(anna: Side, boris: Side) -> None:
        await boris.read()
        await _days_pass(3, anna, boris)
        found = [place for one in await anna.storage.names() if (place := KEYS.place_of(one)) is not None]
        latest = max(place for place in found if place.kind is ObjectKind.STATE)
        await anna.storage.put(KEYS.name_of(latest), spoil)
        vera = Side(tmp_path, 3)
        vera.now_ms = anna.now_ms
        assert await vera.read() == anna.entries()

    run(tmp_path, work)
