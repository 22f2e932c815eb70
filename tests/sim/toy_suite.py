"""The hybrid suite with a toy in the place of X-Wing: equal sizes, no security, all chance from the seed.

Everything that the suite's AEAD encrypts is noted, so that a world can tell whether a key of a ratchet has
served for two plaintexts.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.crypto import DEFAULT_SUITE, SUITES, CipherSuite, KeyPair
from skvoz.crypto.aead import AES_256_GCM, Aead

_XWING = SUITES[DEFAULT_SUITE].kem


@lru_cache(maxsize=4096)
def _public_key(private_key: bytes) -> bytes:
    return hashlib.shake_256(b"public" + private_key).digest(_XWING.public_key_size)


@dataclass(frozen=True, slots=True)
class ToyKem:
    """A KEM whose public keys give everything away, of X-Wing's sizes."""

    id: int = _XWING.id
    private_key_size: int = _XWING.private_key_size
    public_key_size: int = _XWING.public_key_size
    encapsulation_size: int = _XWING.encapsulation_size

    def generate(self, randomness: Randomness) -> KeyPair:
        return self.derive(randomness(32))

    def derive(self, ikm: bytes) -> KeyPair:
        private_key = hashlib.sha256(b"private" + ikm).digest()
        return KeyPair(private_key=private_key, public_key=_public_key(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        if len(private_key) != self.private_key_size:
            raise Malformed("a private key has a wrong size")
        return _public_key(private_key)

    def check_public_key(self, public_key: bytes) -> None:
        if len(public_key) != self.public_key_size:
            raise Malformed("a public key has a wrong size")

    def encapsulate(self, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
        self.check_public_key(public_key)
        encapsulation = randomness(32) + bytes(self.encapsulation_size - 32)
        return hashlib.sha256(public_key + encapsulation).digest(), encapsulation

    def decapsulate(self, private_key: bytes, encapsulation: bytes) -> bytes:
        if len(encapsulation) != self.encapsulation_size:
            raise DecryptFailed
        return hashlib.sha256(self.public_key_of(private_key) + encapsulation).digest()


@dataclass(frozen=True, slots=True)
class Seal:
    """One use of a key."""

    key: bytes
    plaintext: bytes
    ciphertext: bytes


class Seals:
    """What was encrypted since it was last asked."""

    def __init__(self) -> None:
        self._made: list[Seal] = []

    def note(self, seal: Seal) -> None:
        self._made.append(seal)

    def take(self) -> list[Seal]:
        made, self._made = self._made, []
        return made


class _WatchedCipher:
    def __init__(self, key: bytes, seals: Seals) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self._seals = seals

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        ciphertext = self._cipher.encrypt(nonce, data, associated_data)
        self._seals.note(Seal(self._key, data, ciphertext))
        return ciphertext

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        return self._cipher.decrypt(nonce, data, associated_data)


def toy_suite(seals: Seals) -> CipherSuite:
    """Return the suite; what it encrypts is noted in `seals`."""
    aead = Aead(
        id=AES_256_GCM.id, key_size=AES_256_GCM.key_size, cipher=lambda key: _WatchedCipher(key, seals)
    )
    return replace(SUITES[DEFAULT_SUITE], kem=ToyKem(), aead=aead)
