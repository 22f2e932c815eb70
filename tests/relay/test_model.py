"""Whatever members, readers and networks do: each key reads exactly what it may, once and in order."""

from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skvoz.crypto import sha256
from skvoz.logs import Quotas, contest, find_contest_proof
from skvoz.wire.frames import Credit, Entries, Ping
from tests.relay.world import LOG, Client, World, entry_id, key


@dataclass(frozen=True)
class Row:
    position: int
    segment: int
    carry: bool


@dataclass
class Room:
    """What the relay should hold: rows, and which key opened which segment."""

    rows: list[Row] = field(default_factory=list[Row])
    keys: dict[int, bytes] = field(default_factory=lambda: {0: key(0)})
    closed: set[int] = field(default_factory=set[int])

    def visible(self, segment: int, after: int) -> list[int]:
        seen = {segment}
        positions: list[int] = []
        for row in self.rows:
            if row.segment in seen:
                if row.position > after:
                    positions.append(row.position)
                if row.carry:
                    seen.add(row.position)
        return positions


@dataclass
class Reader:
    client: Client
    segment: int = 0
    after: int = 0
    begun: int = 0

    def heard(self) -> list[int]:
        return [
            entry.position
            for frame in self.client.heard[self.begun :]
            if isinstance(frame, Entries)
            for entry in frame.entries
        ]


STEP = st.tuples(
    st.sampled_from(["append", "append", "append", "rekey", "carry", "contest", "attach", "lose", "pay"]),
    st.integers(0, 2),
    st.integers(0, 30),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=50))
def test_each_reader_gets_what_it_may_once_and_in_order(steps: list[tuple[str, int, int]]) -> None:
    with patch.object(contest, "CONTEST_BITS", 2):
        world = World(Quotas(contest_burst=100))
        writer = Client(world)
        writer.open()
        room = Room()
        readers = [Reader(Client(world, pays=False)) for _ in range(3)]
        for reader in readers:
            reader.client.attach()
        for number, (step, which, choice) in enumerate(steps, 1):
            act(room, writer, readers[which], step, choice, number=number)
        for reader in readers:
            reader.client.pays = True
            reader.client.send(Credit(reader.client.unpaid), Ping(0))
            assert reader.heard() == room.visible(reader.segment, reader.after)


def act(room: Room, writer: Client, reader: Reader, step: str, choice: int, *, number: int) -> None:
    segments = sorted(room.keys)
    segment = segments[choice % len(segments)]
    if step == "append" and segment not in room.closed:
        writer.append(number, room.keys[segment], body=bytes(choice * 2_000), since=len(room.rows))
        room.rows.append(Row(len(room.rows) + 1, segment, carry=False))
    elif step in {"rekey", "carry", "contest"}:
        close(room, writer, segment, number, carry=step == "carry")
    elif step == "attach":
        reader.segment = segment
        reader.after = choice % (len(room.rows) + 1)
        reader.client.hear()
        reader.begun = len(reader.client.heard)
        reader.client.attach(room.keys[segment], after=reader.after)
    elif step == "lose":
        if choice % 2:
            reader.client.hear()
        reader.client.lose()
        assert reader.client.connect().resumed
        reader.client.send(Ping(0))
    elif step == "pay":
        reader.client.hear()
        due, reader.client.unpaid = reader.client.unpaid, 0
        reader.client.send(Credit(due))


def close(room: Room, writer: Client, segment: int, number: int, *, carry: bool) -> None:
    new = key(number)
    proof = None
    if segment in room.closed:
        proof = find_contest_proof(LOG, sha256(room.keys[segment]), sha256(new))
    writer.rekey(number, room.keys[segment], new, carry=carry, proof=proof, since=len(room.rows))
    position = len(room.rows) + 1
    room.rows.append(Row(position, segment, carry))
    room.closed.add(segment)
    room.keys[position] = new
    assert writer.world.store.find_repeat(LOG, entry_id(number), b"commit", sha256(new), 0) == position
