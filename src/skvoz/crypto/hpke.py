"""HPKE in base mode (RFC 9180) over a `Kem`, a `Kdf` and an `Aead`.

Single-shot seal and open go through the library's own HPKE where it has the three parts and the
associated data is empty: the same bytes, about twice as fast. Everything else is built here.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD as NATIVE_AEAD
from cryptography.hazmat.primitives.hpke import KDF as NATIVE_KDF
from cryptography.hazmat.primitives.hpke import Suite as NativeSuite

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead
from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from skvoz.crypto.kem_curves import CurveKem
from skvoz.crypto.kem_xwing import XWingKem
from skvoz.crypto.ports import Kem

_MODE_BASE: Final = b"\x00"
_NATIVE_KDFS: Final = {
    HKDF_SHA256.id: NATIVE_KDF.HKDF_SHA256,
    HKDF_SHA384.id: NATIVE_KDF.HKDF_SHA384,
    HKDF_SHA512.id: NATIVE_KDF.HKDF_SHA512,
}
_NATIVE_AEADS: Final = {
    AES_128_GCM.id: NATIVE_AEAD.AES_128_GCM,
    AES_256_GCM.id: NATIVE_AEAD.AES_256_GCM,
    CHACHA20_POLY1305.id: NATIVE_AEAD.CHACHA20_POLY1305,
}


class HpkeSuite(Protocol):
    """The three parts of HPKE; every `CipherSuite` is one."""

    @property
    def kem(self) -> Kem:
        """How a secret reaches the recipient."""
        ...

    @property
    def kdf(self) -> Kdf:
        """How keys are made of it."""
        ...

    @property
    def aead(self) -> Aead:
        """What encrypts."""
        ...


class HpkeCiphertext(Value, frozen=True, kw_only=True):
    """What the recipient of an HPKE message needs (HPKECiphertext of RFC 9420 §7.6)."""

    kem_output: bytes
    ciphertext: bytes


class HpkeContext(Value, NeverPickled, frozen=True, kw_only=True):
    """Keys that both ends share after an encapsulation (RFC 9180 §5.1); `sequence` counts from 0."""

    suite_id: bytes
    kdf: Kdf
    aead: Aead
    key: bytes
    base_nonce: bytes
    exporter_secret: bytes

    def nonce(self, sequence: int) -> bytes:
        """Return the nonce of message `sequence`."""
        size = self.aead.nonce_size
        return (int.from_bytes(self.base_nonce, "big") ^ sequence).to_bytes(size, "big")

    def seal(self, aad: bytes, plaintext: bytes, *, sequence: int = 0) -> bytes:
        """Encrypt message `sequence`; one number must never serve twice."""
        return self.aead.seal(self.key, self.nonce(sequence), aad, plaintext)

    def open(self, aad: bytes, ciphertext: bytes, *, sequence: int = 0) -> bytes:
        """Decrypt message `sequence`; raise `DecryptFailed`."""
        return self.aead.open(self.key, self.nonce(sequence), aad, ciphertext)

    def export(self, exporter_context: bytes, length: int) -> bytes:
        """Return a secret of `length` bytes (RFC 9180 §5.3)."""
        return self.kdf.labeled_expand(self.suite_id, self.exporter_secret, b"sec", exporter_context, length)


def _schedule(suite: HpkeSuite, info: bytes) -> tuple[bytes, bytes]:
    """Return suite_id and key_schedule_context (RFC 9180 §5.1): the part that no recipient changes."""
    kdf, numbers = suite.kdf, (suite.kem.id, suite.kdf.id, suite.aead.id)
    suite_id = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in numbers)
    return suite_id, (
        _MODE_BASE
        + kdf.labeled_extract(suite_id, b"", b"psk_id_hash", b"")
        + kdf.labeled_extract(suite_id, b"", b"info_hash", info)
    )


def hpke_context(suite: HpkeSuite, shared_secret: bytes, info: bytes) -> HpkeContext:
    """Key schedule of base mode (RFC 9180 §5.1)."""
    kdf, aead = suite.kdf, suite.aead
    suite_id, context = _schedule(suite, info)
    secret = kdf.labeled_extract(suite_id, shared_secret, b"secret", b"")
    return HpkeContext(
        suite_id=suite_id,
        kdf=kdf,
        aead=aead,
        key=kdf.labeled_expand(suite_id, secret, b"key", context, aead.key_size),
        base_nonce=kdf.labeled_expand(suite_id, secret, b"base_nonce", context, aead.nonce_size),
        exporter_secret=kdf.labeled_expand(suite_id, secret, b"exp", context, kdf.hash_size),
    )


def hpke_sender(
    suite: HpkeSuite, public_key: bytes, info: bytes, randomness: Randomness
) -> tuple[bytes, HpkeContext]:
    """Return (encapsulation, context); raise `Malformed` for a bad key."""
    shared_secret, encapsulation = suite.kem.encapsulate(public_key, randomness)
    return encapsulation, hpke_context(suite, shared_secret, info)


def hpke_receiver(suite: HpkeSuite, private_key: bytes, encapsulation: bytes, info: bytes) -> HpkeContext:
    """Return the context that the sender has; raise `DecryptFailed`."""
    return hpke_context(suite, suite.kem.decapsulate(private_key, encapsulation), info)


def hpke_seal(  # noqa: PLR0917 - the parameters of RFC 9180 §6.1, in its order
    suite: HpkeSuite, public_key: bytes, info: bytes, aad: bytes, plaintext: bytes, randomness: Randomness
) -> tuple[bytes, bytes]:
    """Return (encapsulation, ciphertext); raise `Malformed` for a bad key."""
    kem = suite.kem
    if not aad and isinstance(kem, CurveKem | XWingKem) and (native := _native(suite)):
        # The library types a key per KEM; `native` and the key come from the same one.
        key: Any = kem.load_public_key(public_key)
        sealed = native.encrypt(plaintext, key, info)
        return sealed[: kem.encapsulation_size], sealed[kem.encapsulation_size :]
    encapsulation, context = hpke_sender(suite, public_key, info, randomness)
    return encapsulation, context.seal(aad, plaintext)


def hpke_seal_to_all(
    suite: HpkeSuite, public_keys: Sequence[bytes], info: bytes, plaintext: bytes, randomness: Randomness
) -> list[tuple[bytes, bytes]]:
    """Return (encapsulation, ciphertext) of one plaintext for each recipient, with no associated data.

    Recipients of a Diffie-Hellman KEM share an ephemeral key (see `encapsulate_to_all`); those of another
    KEM don't. Raises `Malformed` for a bad key.
    """
    kem, kdf, aead = suite.kem, suite.kdf, suite.aead
    if not isinstance(kem, CurveKem) or len(public_keys) < 2:
        return [hpke_seal(suite, public_key, info, b"", plaintext, randomness) for public_key in public_keys]
    encapsulation, shared_secrets = kem.encapsulate_to_all(public_keys, randomness)
    suite_id, context = _schedule(suite, info)
    expand, extract, key_size = kdf.labeled_expand, kdf.labeled_extract, aead.key_size
    sealed: list[tuple[bytes, bytes]] = []
    for shared_secret in shared_secrets:
        secret = extract(suite_id, shared_secret, b"secret", b"")
        key = expand(suite_id, secret, b"key", context, key_size)
        nonce = expand(suite_id, secret, b"base_nonce", context, aead.nonce_size)
        sealed.append((encapsulation, aead.seal(key, nonce, b"", plaintext)))
    return sealed


def hpke_open(  # noqa: PLR0917 - the same
    suite: HpkeSuite, private_key: bytes, encapsulation: bytes, info: bytes, aad: bytes, ciphertext: bytes
) -> bytes:
    """Return the plaintext; raise `DecryptFailed`."""
    kem = suite.kem
    if not aad and isinstance(kem, CurveKem | XWingKem) and (native := _native(suite)):
        if len(encapsulation) != kem.encapsulation_size:
            raise DecryptFailed
        try:
            key: Any = kem.load_private_key(private_key)
            return native.decrypt(encapsulation + ciphertext, key, info)
        except (Malformed, ValueError, InvalidTag):
            raise DecryptFailed from None
    return hpke_receiver(suite, private_key, encapsulation, info).open(aad, ciphertext)


def _native(suite: HpkeSuite) -> NativeSuite | None:
    kem = suite.kem
    if not isinstance(kem, CurveKem | XWingKem) or kem.native is None:
        return None
    return _native_suite(kem, suite.kdf.id, suite.aead.id)


@lru_cache(maxsize=64)
def _native_suite(kem: CurveKem | XWingKem, kdf_id: int, aead_id: int) -> NativeSuite | None:
    kdf, aead = _NATIVE_KDFS.get(kdf_id), _NATIVE_AEADS.get(aead_id)
    if kem.native is None or kdf is None or aead is None:
        return None
    return NativeSuite(kem.native, kdf, aead)
