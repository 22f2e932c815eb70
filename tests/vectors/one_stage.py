"""HPKE's one-stage KDFs (draft-ietf-hpke-hpke), which some official vectors use over KEMs that we have.

The product has no use for them, so they live with the vectors.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from skvoz.crypto.aead import Aead

_MASK = 2**64 - 1


def _rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _MASK if by else lane


def _round_constants() -> list[int]:
    constants: list[int] = []
    register = 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << (2**power - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return constants


def _permute_12_rounds(lanes: list[list[int]]) -> list[list[int]]:
    for constant in _round_constants()[12:]:
        parity = [lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)]
        mixed = [parity[(x + 4) % 5] ^ _rotate(parity[(x + 1) % 5], 1) for x in range(5)]
        lanes = [[lane ^ mixed[x] for lane in lanes[x]] for x in range(5)]
        x, y, current = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], _rotate(current, (step + 1) * (step + 2) // 2 % 64)
        rows = [list(column) for column in lanes]
        for x in range(5):
            for y in range(5):
                lanes[x][y] = rows[x][y] ^ (~rows[(x + 1) % 5][y] & rows[(x + 2) % 5][y])
        lanes[0][0] ^= constant
    return lanes


def turboshake(data: bytes, length: int, *, rate: int, domain: int = 0x1F) -> bytes:
    """TurboSHAKE of RFC 9861: rate 168 bytes for 128 bits of security, 136 for 256."""
    padded = bytearray(data + bytes((domain,)))
    padded += bytes(-len(padded) % rate)
    padded[-1] ^= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), rate):
        for index in range(rate // 8):
            word = padded[start + 8 * index : start + 8 * index + 8]
            lanes[index % 5][index // 5] ^= int.from_bytes(word, "little")
        lanes = _permute_12_rounds(lanes)
    output = b""
    while len(output) < length:
        output += b"".join(lanes[i % 5][i // 5].to_bytes(8, "little") for i in range(rate // 8))
        lanes = _permute_12_rounds(lanes)
    return output[:length]


@dataclass(frozen=True)
class OneStageKdf:
    """A KDF that does in one step what HKDF does in two."""

    id: int
    hash_size: int
    derive: Callable[[bytes, int], bytes]


ONE_STAGE_KDFS = {
    kdf.id: kdf
    for kdf in (
        OneStageKdf(0x10, 32, lambda data, length: hashlib.shake_128(data).digest(length)),
        OneStageKdf(0x11, 64, lambda data, length: hashlib.shake_256(data).digest(length)),
        OneStageKdf(0x12, 32, lambda data, length: turboshake(data, length, rate=168)),
        OneStageKdf(0x13, 64, lambda data, length: turboshake(data, length, rate=136)),
    )
}


@dataclass(frozen=True)
class OneStageContext:
    """What `skvoz.crypto.hpke.HpkeContext` is, over a one-stage KDF."""

    suite_id: bytes
    kdf: OneStageKdf
    aead: Aead
    key: bytes
    base_nonce: bytes
    exporter_secret: bytes

    def seal(self, aad: bytes, plaintext: bytes, *, sequence: int) -> bytes:
        return self.aead.seal(self.key, self._nonce(sequence), aad, plaintext)

    def open(self, aad: bytes, ciphertext: bytes, *, sequence: int) -> bytes:
        return self.aead.open(self.key, self._nonce(sequence), aad, ciphertext)

    def export(self, exporter_context: bytes, length: int) -> bytes:
        return _labeled_derive(
            self.kdf, self.suite_id, self.exporter_secret, b"sec", exporter_context, length
        )

    def _nonce(self, sequence: int) -> bytes:
        return (int.from_bytes(self.base_nonce, "big") ^ sequence).to_bytes(len(self.base_nonce), "big")


def one_stage_context(
    kem_id: int, kdf: OneStageKdf, aead: Aead, shared_secret: bytes, info: bytes
) -> OneStageContext:
    """Key schedule of base mode in one stage."""
    suite_id = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (kem_id, kdf.id, aead.id))
    secrets = _prefixed(b"") + _prefixed(shared_secret)
    context = b"\x00" + _prefixed(b"") + _prefixed(info)
    sizes = (aead.key_size, aead.nonce_size, kdf.hash_size)
    secret = _labeled_derive(kdf, suite_id, secrets, b"secret", context, sum(sizes))
    return OneStageContext(
        suite_id=suite_id,
        kdf=kdf,
        aead=aead,
        key=secret[: sizes[0]],
        base_nonce=secret[sizes[0] : sizes[0] + sizes[1]],
        exporter_secret=secret[sizes[0] + sizes[1] :],
    )


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _labeled_derive(  # noqa: PLR0917 - the draft's parameters in its order
    kdf: OneStageKdf, suite_id: bytes, ikm: bytes, label: bytes, context: bytes, length: int
) -> bytes:
    parts = (ikm, b"HPKE-v1", suite_id, _prefixed(label), length.to_bytes(2, "big"), context)
    return kdf.derive(b"".join(parts), length)
