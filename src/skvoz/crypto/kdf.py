"""HKDF over SHA-2, and the labelled forms that HPKE builds on it.

`hmac.digest` of the standard library is one call into OpenSSL, several times faster than an
HMAC object.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

_VERSION: Final = b"HPKE-v1"


class _Digest(Protocol):
    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kdf:
    """A hash function with the HMAC and HKDF over it (RFC 5869), by its HPKE number."""

    id: int
    hash_name: str
    hash_size: int
    block_size: int
    digest: Callable[[bytes], _Digest] = field(repr=False)
    inner_pad: int = field(init=False, repr=False)
    outer_pad: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, byte in (("inner_pad", b"\x36"), ("outer_pad", b"\x5c")):
            object.__setattr__(self, name, int.from_bytes(byte * self.block_size, "big"))

    def hash(self, data: bytes) -> bytes:
        """Return the digest of `data`, `hash_size` bytes."""
        return self.digest(data).digest()

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Return HMAC, `hash_size` bytes."""
        return hmac.digest(key, data, self.hash_name)

    def extract(self, salt: bytes, ikm: bytes) -> bytes:
        """HKDF-Extract; an empty salt means zeros, as RFC 5869 §2.2 says."""
        return hmac.digest(salt, ikm, self.hash_name)

    def expand(self, secret: bytes, info: bytes, length: int) -> bytes:
        """HKDF-Expand to `length` bytes, at most 255 hashes; more is a `ValueError`."""
        block_size = self.block_size
        if length <= self.hash_size and len(secret) <= block_size:
            # HMAC written out: OpenSSL's own costs twice as much for one block, and every message takes five.
            key = int.from_bytes(secret.ljust(block_size, b"\x00"), "big")
            digest = self.digest
            inner = digest((key ^ self.inner_pad).to_bytes(block_size, "big") + info + b"\x01").digest()
            return digest((key ^ self.outer_pad).to_bytes(block_size, "big") + inner).digest()[:length]
        if length > 255 * self.hash_size:
            raise ValueError("HKDF can't expand that far")
        block = output = b""
        counter = 0
        while len(output) < length:
            counter += 1
            block = hmac.digest(secret, block + info + counter.to_bytes(1, "big"), self.hash_name)
            output += block
        return output[:length]

    def labeled_extract(self, suite_id: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
        """LabeledExtract of RFC 9180 §4."""
        return self.extract(salt, _VERSION + suite_id + label + ikm)

    def labeled_expand(self, suite_id: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
        """LabeledExpand of RFC 9180 §4."""
        return self.expand(secret, length.to_bytes(2, "big") + _VERSION + suite_id + label + info, length)


HKDF_SHA256: Final = Kdf(id=1, hash_name="sha256", hash_size=32, block_size=64, digest=hashlib.sha256)
HKDF_SHA384: Final = Kdf(id=2, hash_name="sha384", hash_size=48, block_size=128, digest=hashlib.sha384)
HKDF_SHA512: Final = Kdf(id=3, hash_name="sha512", hash_size=64, block_size=128, digest=hashlib.sha512)


def shake256_labeled_derive(suite_id: bytes, ikm: bytes, label: bytes, context: bytes, length: int) -> bytes:
    """LabeledDerive of draft-ietf-hpke-hpke over SHAKE256."""
    labeled = b"".join(
        (
            ikm,
            _VERSION,
            suite_id,
            len(label).to_bytes(2, "big"),
            label,
            length.to_bytes(2, "big"),
            context,
        )
    )
    return hashlib.shake_256(labeled).digest(length)
