"""What a fuzz target is: a function of one input's bytes, inputs to begin with, and what may come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from skvoz.base.errors import PeerError

INPUT_SIZE_MAX: Final = 16 * 1024
"""Bytes: longer inputs are changed too slowly to find much; what needs more multiplies its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that is fuzzed.

    `run` may raise one of `refusals`, and nothing else; the same bytes always do the same.
    """

    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    refusals: tuple[type[Exception], ...] = (PeerError,)
    guided: bool = True
    """Whether coverage may choose inputs; not where threads or sockets answer at their own pace."""
    check: Callable[[], None] | None = None
    """Called now and then: raises unless what refused everything is as it was."""

    def takes(self, data: bytes) -> bool:
        """Run one input; tell whether it was taken. Raises what nobody documented."""
        try:
            self.run(data)
        except self.refusals:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Part:
    """One parser of several that share a target, and inputs for it."""

    run: Callable[[bytes], object]
    seeds: Sequence[bytes]


def one_of(
    parts: Sequence[Part],
    refusals: tuple[type[Exception], ...] = (PeerError,),
    check: Callable[[], None] | None = None,
) -> Target:
    """Make a target of several: the first byte of an input says which one the rest is for."""

    def run(data: bytes) -> object:
        return parts[data[0] % len(parts)].run(data[1:]) if data else None

    seeds = tuple(bytes([number]) + seed for number, part in enumerate(parts) for seed in part.seeds)
    return Target(run=run, seeds=seeds, refusals=refusals, check=check)


class Script(Random):
    """Chance that is read from an input, so that whoever changes the input changes what happens.

    After the input's end everything is zero: the smallest choice.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = data
        self._position = 0

    @property
    def is_over(self) -> bool:
        """Whether the input is used up: loops end here."""
        return self._position >= len(self._data)

    def getrandbits(self, k: int) -> int:
        """Return `k` bits of the input; all other draws of `Random` are made of this one."""
        size = (k + 7) // 8
        taken = self._data[self._position : self._position + size]
        self._position += size
        return int.from_bytes(taken, "little") & ((1 << k) - 1)

    def random(self) -> float:
        """Return a number from 0 up to, but not including, 1."""
        return self.getrandbits(53) / (1 << 53)

    def rest(self) -> bytes:
        """Return what is left of the input."""
        taken = self._data[self._position :]
        self._position = len(self._data)
        return taken


def scripts(count: int, size: int = 200) -> tuple[bytes, ...]:
    """Return inputs for targets that read a `Script`: bytes of chance, the same each time."""
    return tuple(Random(number).randbytes(size) for number in range(count))


_INTERESTING: Final = (
    *(bytes([value]) for value in (0, 1, 2, 3, 0x17, 0x18, 0x3F, 0x40, 0x7F, 0x80, 0x9F, 0xBF, 0xC0, 0xDF)),
    *(b"\xff", b"\xff\xff", b"\xff" * 4, b"\xff" * 8, b"\x00" * 4, b"\x00" * 8, b"\x00" * 32),
    *(b"\x40\x01", b"\x7f\xff", b"\x80\x00\x00\x01", b"\xbf\xff\xff\xff"),  # lengths of RFC 9420
    *(b"\x1b" + b"\xff" * 8, b"\x3b" + b"\xff" * 8, b"\x81" * 40, b"\xa1\x00" * 20, b"\x9f"),  # CBOR
    *(b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\x00" * 7, b"\xdd" + b"\xff" * 4, b"\xc6" + b"\xff" * 4),
    *(b"\x91" * 40, b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xc3"),  # MessagePack; texts that are none
)


def changed(chance: Random, original: bytes, other: bytes = b"") -> bytes:
    """Return bytes with one to eight changes: some are cut, repeated, replaced, or taken from `other`."""
    data = bytearray(original)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(9):
            case 0:
                del data[at : at + chance.randrange(1, 40)]
            case 1:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                piece = chance.choice(_INTERESTING)
                data[at : at + len(piece)] = piece
            case 3:
                data[at:at] = chance.choice(_INTERESTING)
            case 4 if other:
                data[at:] = other[chance.randrange(len(other)) :]
            case 5:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + chance.randrange(64)] * chance.randrange(1, 5)
            case 6:
                del data[at:]
            case _ if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case _:
                data.append(chance.randrange(256))
    return bytes(data[:INPUT_SIZE_MAX])
