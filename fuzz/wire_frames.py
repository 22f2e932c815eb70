"""Fuzz frames and sealed messages: only `PeerError` may escape, and what parses encodes and parses again.

python fuzz/wire_frames.py --seconds 60 [--seed 7]
"""

import argparse
import sys
import time
from random import Random
from typing import Final

from skvoz.base.errors import PeerError
from skvoz.crypto import SUITES
from skvoz.crypto.counted import CountedOpener, CountedSealer
from skvoz.wire.frames import (
    Append,
    Attach,
    Attached,
    Base,
    Bye,
    Cast,
    CastHeard,
    Credit,
    Detach,
    Down,
    Drop,
    Entries,
    Entry,
    Hello,
    Kind,
    Knock,
    KnockItem,
    KnocksHeard,
    Limits,
    No,
    Ok,
    Open,
    Ping,
    Pong,
    Put,
    Rekey,
    Stored,
    Take,
    Taken,
    Trim,
    Up,
    Welcome,
    credit_cost,
    encode,
    parse_down,
    parse_up,
)
from skvoz.wire.sealed import SealedSession, answer_key_request, ask_for_key, greet, receive_greeting

_ID: Final = bytes(range(16))
_KEY: Final = bytes(range(32))
UP: Final[tuple[Up, ...]] = (
    Hello(_KEY, None, 0, 0),
    Hello(_KEY, _KEY, 5, 7),
    Open(1, _ID, Kind.ROOM, _KEY, _KEY, _KEY, b"ticket", 3600),
    Open(2, _ID, Kind.INBOX, _KEY, _KEY, None, b"", None),
    Attach(3, _ID, _KEY, 1),
    Detach(_ID),
    Append(4, _ID, _KEY, _ID, b"body", 0),
    Rekey(5, _ID, _KEY, _ID, b"", 1, _KEY, carry=True, contest_proof=bytes(8), door_hash=_KEY, answered=[1]),
    Rekey(6, _ID, _KEY, _ID, b"", 1, _KEY, carry=False, contest_proof=None, door_hash=None, answered=[]),
    Knock(7, _ID, _KEY, b"knock"),
    Cast(_ID, _KEY, b"cast"),
    Trim(8, _ID, _KEY, 1),
    Drop(9, _ID, _KEY),
    Put(10, _ID, _KEY, [b"package"], b"last", b"offer"),
    Take(11, _ID, _KEY, _ID),
    Credit(64),
    Ping(12),
)
DOWN: Final[tuple[Down, ...]] = (
    Welcome(_KEY, _ID, resumed=True, limits=Limits(1, 2, 3, 4, 5, 6)),
    Ok(1, Taken("offer", b"offer")),
    Ok(2, None),
    No(3, "superseded", 1),
    Attached(4, _ID, segment_open=True, head=2),
    Stored(5, _ID, _ID, 6),
    Entries(_ID, [Entry(1, _ID, 0, 3, b"body", _KEY), Entry(2, _ID, 1, 0, None, None)], 2),
    Base(_ID, 1),
    KnocksHeard(_ID, [KnockItem(1, b"knock")]),
    CastHeard(_ID, b"cast"),
    Bye("bad"),
    Pong(7),
)
_INTERESTING: Final = bytes.fromhex(
    "00 01 7f 80 8f 90 9f a0 bf c0 c1 c2 c4 c5 c6 c7 c9 ca cc cf d0 d3 d4 d9 db dc dd de df e0 ff"
)


def mutated(randomness: Random, original: bytes, other: bytes) -> bytes:
    """Return bytes with a few changed, cut, repeated, or crossed with `other`."""
    data = bytearray(original)
    for _ in range(randomness.choice((1, 1, 1, 2, 3, 8))):
        at = randomness.randrange(len(data) + 1)
        match randomness.randrange(7):
            case 0:
                del data[at : at + randomness.randrange(9)]
            case 1:
                data[at:at] = randomness.randbytes(randomness.randrange(1, 9))
            case 2:
                data[at : at + 1] = bytes((randomness.choice(_INTERESTING),))
            case 3 if at < len(data):
                data[at] ^= 1 << randomness.randrange(8)
            case 4 if other:
                data[at:] = other[randomness.randrange(len(other)) :]
            case 5:
                data[at:at] = data[at : at + randomness.randrange(40)] * randomness.randrange(1, 9)
            case _:
                data[at:] = (b"\x91", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x92\x01")[
                    at % 4
                ] * 50
    return bytes(data)


class Fuzzer:
    """Messages of both directions, and what tries them."""

    def __init__(self, seed: int) -> None:
        self.randomness = Random(seed)
        self.up = [encode([frame]) for frame in UP] + [encode(UP)]
        self.down = [encode([frame]) for frame in DOWN] + [encode(DOWN)]
        self.suite = SUITES[1]
        self.pair = self.suite.generate_key_pair(self.randomness.randbytes)

    def _mutated(self, corpus: list[bytes]) -> bytes:
        return mutated(self.randomness, self.randomness.choice(corpus), self.randomness.choice(corpus))

    def try_up(self) -> None:
        """Parse what a client might send."""
        data = self._mutated(self.up)
        frames = parse_up(data)
        if parse_up(encode(frames)) != frames:
            raise AssertionError("frames change when they are encoded again")
        self._keep(self.up, data)

    def try_down(self) -> None:
        """Parse what a relay might send."""
        data = self._mutated(self.down)
        frames = parse_down(data)
        if parse_down(encode(frames)) != frames:
            raise AssertionError("frames change when they are encoded again")
        for frame in frames:
            credit_cost(frame)
        self._keep(self.down, data)

    def try_sealed(self) -> None:
        """Open a message that was changed on its way, and one that was sealed over junk."""
        key = self.randomness.randbytes(32)
        session = SealedSession(CountedSealer(key), CountedOpener(key))
        session.open_up(CountedSealer(key).seal(self._mutated([b"\x00\x00\x00\x02\x91\x90", *self.up])))
        sealed = SealedSession(CountedSealer(key), CountedOpener(key))
        sealed.open_up(mutated(self.randomness, sealed.seal(encode([Ping(1)])), b""))
        raise AssertionError("a changed message was opened")

    def try_greeting(self) -> None:
        """Receive a greeting that was changed, or asked for a key."""
        randomness = self.randomness
        message, _ = greet(self.suite, self.pair.public_key, randomness.randbytes)
        if randomness.randrange(2):
            answer_key_request(self.pair.public_key, self._mutated([ask_for_key(bytes(32)), message]))
        changed = mutated(randomness, message, message)
        receive_greeting(self.suite, self.pair.private_key, changed)
        if changed != message:
            raise AssertionError("a changed greeting was accepted")

    def try_welcome(self) -> None:
        """Finish a handshake with a welcome that was changed."""
        message, greeting = greet(self.suite, self.pair.public_key, self.randomness.randbytes)
        arrival = receive_greeting(self.suite, self.pair.private_key, message)
        welcome = Welcome(_KEY, _ID, resumed=False, limits=Limits(1, 2, 3, 4, 5, 6))
        answer, _ = arrival.answer(welcome, self.randomness.randbytes)
        changed = mutated(self.randomness, answer, message)
        greeting.finish(changed)
        if changed != answer:
            raise AssertionError("a changed welcome was accepted")

    def _keep(self, corpus: list[bytes], data: bytes) -> None:
        if len(data) < 2000 and len(corpus) < 2000:
            corpus.append(data)


def main() -> int:
    """Run for as long as asked; print how many inputs were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = arguments.parse_args()
    fuzzer = Fuzzer(options.seed)
    targets = (fuzzer.try_up, fuzzer.try_down) * 20 + (
        fuzzer.try_sealed,
        fuzzer.try_greeting,
        fuzzer.try_welcome,
    )
    executions = accepted = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        for target in targets:
            executions += 1
            try:
                target()
            except PeerError:
                continue
            except Exception:
                print(f"seed {options.seed}, execution {executions}, {target.__name__}")
                raise
            accepted += 1
    print(f"wire: {executions} executions, {accepted} accepted, seed {options.seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
