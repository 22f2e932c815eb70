"""Fuzz a whole relay with a mad client: nothing may escape, and honest clients go on as if it weren't there.

python -m fuzz.wire_relay --seconds 60 [--seed 7]
"""

import argparse
import sys
import time
from random import Random

from fuzz.wire_frames import UP, mutated
from skvoz.crypto import sha256
from skvoz.relay.seam import Lost, Received
from skvoz.wire.frames import Append, Attach, Cast, Credit, Detach, Kind, Open, Ping, Rekey, Trim, Up, encode
from tests.relay.world import LOG, OWNER, Client, World, entry_id, key, positions_in


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
        match chance.randrange(9):
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
            case _:
                return chance.choice(UP[2:])

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
            data = mutated(chance, data, encode(UP))
        sealed = client.sealed.seal(data)
        if not chance.randrange(40):
            sealed = mutated(chance, sealed, sealed)
        self.world.hand(Received(client.connection, sealed))
        if chance.randrange(3):
            client.hear()


def main() -> int:
    """Run for as long as asked; print how many messages were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = arguments.parse_args()
    randomness = Random(options.seed)
    executions = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        world = World()
        honest = Client(world)
        honest.open()
        honest.attach()
        mad = [MadClient(world, randomness) for _ in range(2)]
        for number in range(1, 200):
            executions += 1
            try:
                randomness.choice(mad).step()
            except Exception:
                print(f"seed {options.seed}, execution {executions}")
                raise
            if number % 20 == 0:
                honest.append(number, since=number // 20 - 1)
                world.tick(1)
        honest.send(Ping(1))
        if positions_in(honest.heard) != list(range(1, 10)) or len(world.store.all_entries(LOG)) != 9:
            raise AssertionError("an honest client was disturbed")
        for log_id in world.store.log_ids():
            positions = [entry.position for entry in world.store.all_entries(log_id)]
            if positions != sorted(set(positions)):
                raise AssertionError("positions are not in order")
    print(f"relay: {executions} messages, seed {options.seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
