"""Fuzz a whole relay with mad clients: nothing escapes, and an honest one never notices."""

from random import Random
from typing import Final

from fuzz.target import Script, Target, changed, scripts
from fuzz.wire_frames import UP
from skvoz.base.limits import CHUNK_SIZES
from skvoz.crypto import sha256
from skvoz.relay.seam import Lost, Received
from skvoz.wire.frames import (
    Append,
    Attach,
    Cast,
    Credit,
    Detach,
    Discard,
    Fetch,
    Fill,
    Kind,
    Open,
    Ping,
    Rekey,
    Reserve,
    Trim,
    Up,
    encode,
)
from tests.relay.world import LOG, OWNER, Client, World, entry_id, key, positions_in

_STEPS_MAX: Final = 200


class MadClient:
    """Holds real keys, and says anything in any order."""

    def __init__(self, world: World, randomness: Random) -> None:
        self.world = world
        self.randomness = randomness
        self.client = Client(world, pays=False)
        self.logs = [bytes([number]) * 16 for number in range(3)]
        self.number = 0

    def frame(self) -> Up:
        """Return a frame that makes some sense."""
        chance = self.randomness
        self.number += 1
        log = chance.choice(self.logs)
        with_key = key(chance.randrange(6))
        since = chance.randrange(5)
        match chance.randrange(12):
            case 0:
                kind = Kind(chance.randrange(2))
                first = sha256(key(chance.randrange(2)))
                return Open(self.number, log, kind, first, sha256(OWNER), sha256(with_key), b"", None)
            case 1:
                return Attach(self.number, log, with_key, since)
            case 2 | 3:
                identity = entry_id(chance.randrange(50))
                return Append(self.number, log, with_key, identity, chance.randbytes(since), since)
            case 4:
                return Rekey(
                    self.number,
                    log,
                    with_key,
                    entry_id(chance.randrange(50)),
                    b"",
                    since,
                    sha256(key(chance.randrange(6))),
                    carry=bool(chance.randrange(2)),
                    contest_proof=None,
                    door_hash=None,
                    answered=[since],
                )
            case 5:
                return Detach(log)
            case 6:
                return chance.choice((Credit(chance.randrange(2**31)), Cast(log, with_key, b"x")))
            case 7:
                return Trim(self.number, log, OWNER, since)
            case 8 | 9:
                return self.blob_frame(log, with_key)
            case _:
                return chance.choice(UP[2:])

    def blob_frame(self, log: bytes, with_key: bytes) -> Up:
        """Return a frame about one of two small blobs."""
        chance = self.randomness
        which = chance.randrange(2)
        blob, own = bytes([which]) * 16, key(which)
        match chance.randrange(6):
            case 0:
                wish_s = chance.choice((None, 3600))
                hashes = sha256(own), sha256(own)
                return Reserve(self.number, blob, log, with_key, *hashes, CHUNK_SIZES[0], 1, wish_s)
            case 1 | 2 | 3:
                size = chance.choice((1, 1000, CHUNK_SIZES[0]))
                return Fill(self.number, blob, own, chance.choice((0, 1, 1000)), bytes(size))
            case 4:
                return Fetch(self.number, blob, own, chance.choice((0, 1000)), 10)
            case _:
                return Discard(self.number, blob, own)

    def step(self) -> None:
        """Say something, or break something."""
        chance, client = self.randomness, self.client
        if client.sealed is None or client.connection in self.world.closed or not chance.randrange(40):
            self.world.hand(Lost(client.connection))
            client.connect()
            return
        frames = [self.frame() for _ in range(chance.randrange(4))]
        data = encode(frames)
        if not chance.randrange(10):
            data = changed(chance, data, encode(UP))
        sealed = client.sealed.seal(data)
        if not chance.randrange(40):
            sealed = changed(chance, sealed)
        self.world.hand(Received(client.connection, sealed))
        if chance.randrange(3):
            client.hear()


def run(data: bytes) -> None:
    """Let two mad clients do what the input says, beside an honest one."""
    script = Script(data)
    world = World()
    honest = Client(world)
    honest.open()
    honest.attach()
    mad = [MadClient(world, script) for _ in range(2)]
    written = 0
    for number in range(1, _STEPS_MAX):
        if script.is_over:
            break
        script.choice(mad).step()
        if number % 20 == 0:
            written += 1
            honest.append(number, since=written - 1)
            world.tick(1)
    honest.send(Ping(1))
    expected = list(range(1, written + 1))
    if positions_in(honest.heard) != expected or len(world.store.all_entries(LOG)) != written:
        raise AssertionError("an honest client was disturbed")
    for log_id in world.store.log_ids():
        positions = [entry.position for entry in world.store.all_entries(log_id)]
        if positions != sorted(set(positions)):
            raise AssertionError("positions are not in order")
    rows, files = world.store.blobs(), world.store.files.files
    if not files.keys() <= rows.keys():
        raise AssertionError("a file without a row is left")
    if any(len(files.get(blob_id, b"")) < blob.written for blob_id, blob in rows.items()):
        raise AssertionError("a blob has fewer bytes than were acknowledged")


def make() -> Target:
    """Return the target; the relay answers a client's faults, and raises nothing."""
    return Target(run=run, seeds=scripts(60, 400), refusals=())
