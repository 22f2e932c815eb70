"""The Diffie-Hellman KEMs of RFC 9180 §4.1 over X25519, X448, P-256, P-384 and P-521.

Public keys are checked where they are parsed: length, on the curve, not of low order. Parsed
public keys are kept in a bounded cache; private keys never are, since they must be forgotten.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from cryptography.hazmat.primitives import hpke as native_hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ports import Randomness
from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from skvoz.crypto.ports import KeyPair

PUBLIC_KEYS_KEPT: Final = 2048
"""Parsed public keys kept: enough for the copath of a commit in a fresh tree of 800 devices."""

CurvePrivateKey: TypeAlias = X25519PrivateKey | X448PrivateKey | ec.EllipticCurvePrivateKey
CurvePublicKey: TypeAlias = X25519PublicKey | X448PublicKey | ec.EllipticCurvePublicKey

_P25519: Final = 2**255 - 19
_P448: Final = 2**448 - 2**224 - 1
_ORDER_8_A: Final = 325606250916557431795983626356110631294008115727848805560023387167927233504
_ORDER_8_B: Final = 39382357235489614581723060781553021112529911719440698176882885853963445705823
_LOW_ORDER_25519: Final = frozenset({0, 1, _P25519 - 1, _ORDER_8_A, _ORDER_8_B})
_LOW_ORDER_448: Final = frozenset({0, 1, _P448 - 1})


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def x25519_public_key(data: bytes) -> X25519PublicKey:
    """Parse 32 bytes; raise `Malformed` for another length or a point of low order (RFC 7748 §6.1)."""
    if len(data) != 32:
        raise Malformed("a public key has a wrong size")
    if (int.from_bytes(data, "little") & (2**255 - 1)) % _P25519 in _LOW_ORDER_25519:
        raise Malformed("a public key is of low order")
    return X25519PublicKey.from_public_bytes(data)


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def x448_public_key(data: bytes) -> X448PublicKey:
    """Parse 56 bytes; raise `Malformed` for another length or a point of low order (RFC 7748 §6.2)."""
    if len(data) != 56:
        raise Malformed("a public key has a wrong size")
    if int.from_bytes(data, "little") % _P448 in _LOW_ORDER_448:
        raise Malformed("a public key is of low order")
    return X448PublicKey.from_public_bytes(data)


@lru_cache(maxsize=PUBLIC_KEYS_KEPT)
def nist_public_key(curve: ec.EllipticCurve, data: bytes) -> ec.EllipticCurvePublicKey:
    """Parse an uncompressed point; raise `Malformed` unless it is one and lies on the curve."""
    if len(data) != 2 * ((curve.key_size + 7) // 8) + 1:
        raise Malformed("a public key is not an uncompressed point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, data)
    except ValueError:
        raise Malformed("a public key is not on its curve") from None


def nist_public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the uncompressed point of `key`."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def nist_private_key(curve: ec.EllipticCurve, data: bytes) -> ec.EllipticCurvePrivateKey:
    """Parse a big-endian scalar; raise `Malformed` if it is out of range."""
    scalar = int.from_bytes(data, "big")
    if len(data) > (curve.key_size + 7) // 8 or not 0 < scalar < curve.group_order:
        raise Malformed("a private key is out of range")
    return ec.derive_private_key(scalar, curve)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurveKem(ABC):
    """What the Diffie-Hellman KEMs share: everything but how a curve parses and multiplies."""

    id: int
    kdf: Kdf = field(repr=False)
    private_key_size: int
    public_key_size: int
    native: native_hpke.KEM | None = field(repr=False, default=None)

    @property
    def encapsulation_size(self) -> int:
        """Nenc, bytes: an encapsulation is a public key."""
        return self.public_key_size

    @property
    def suite_id(self) -> bytes:
        """The domain of this KEM's labels, 5 bytes (RFC 9180 §4.1)."""
        return b"KEM" + self.id.to_bytes(2, "big")

    @abstractmethod
    def load_public_key(self, public_key: bytes) -> CurvePublicKey:
        """Parse and check; raise `Malformed`."""

    @abstractmethod
    def load_private_key(self, private_key: bytes) -> CurvePrivateKey:
        """Parse; raise `Malformed`."""

    @abstractmethod
    def derive(self, ikm: bytes) -> KeyPair:
        """DeriveKeyPair of RFC 9180 §7.1.3."""

    @abstractmethod
    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`."""

    def exchange(self, private_key: bytes, public_key: bytes) -> bytes:
        """Return the Diffie-Hellman output; raise `Malformed` for bad keys, `ValueError` for zeros."""
        return self.exchange_with_all(private_key, (public_key,))[0]

    @abstractmethod
    def exchange_with_all(self, private_key: bytes, public_keys: Sequence[bytes]) -> list[bytes]:
        """Return the Diffie-Hellman output with each public key; raise as `exchange`."""

    def generate(self, randomness: Randomness) -> KeyPair:
        """GenerateKeyPair as RFC 9180 §4 suggests: derived from Nsk fresh bytes."""
        return self.derive(randomness(self.private_key_size))

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` can be encapsulated to."""
        self.load_public_key(public_key)

    def encapsulate(self, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
        """Encap of RFC 9180 §4.1."""
        encapsulation, shared_secrets = self.encapsulate_to_all((public_key,), randomness)
        return shared_secrets[0], encapsulation

    def encapsulate_to_all(
        self, public_keys: Sequence[bytes], randomness: Randomness
    ) -> tuple[bytes, list[bytes]]:
        """Encap for several recipients of one plaintext, with one ephemeral key: half the work.

        Returns the encapsulation that all of them get, and each one's shared secret. A recipient learns no
        more than from an ephemeral key of its own, since X25519 and its kin bear any number of exchanges
        with one private key, and each shared secret is bound to its recipient's public key.
        """
        ephemeral = self.generate(randomness)
        encapsulation = ephemeral.public_key
        exchanged = self.exchange_with_all(ephemeral.private_key, public_keys)
        return encapsulation, [
            self._extract_and_expand(shared, encapsulation, public_key)
            for public_key, shared in zip(public_keys, exchanged, strict=True)
        ]

    def decapsulate(self, private_key: bytes, encapsulation: bytes) -> bytes:
        """Decap of RFC 9180 §4.1."""
        try:
            shared = self.exchange(private_key, encapsulation)
        except (Malformed, ValueError):
            raise DecryptFailed from None
        return self._extract_and_expand(shared, encapsulation, self.public_key_of(private_key))

    def _extract_and_expand(self, shared: bytes, encapsulation: bytes, public_key: bytes) -> bytes:
        prk = self.kdf.labeled_extract(self.suite_id, b"", b"eae_prk", shared)
        context = encapsulation + public_key
        return self.kdf.labeled_expand(self.suite_id, prk, b"shared_secret", context, self.kdf.hash_size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MontgomeryKem(CurveKem):
    """DHKEM over X25519 or X448; private keys are raw bytes."""

    private_class: type[X25519PrivateKey] | type[X448PrivateKey] = field(repr=False)

    def load_public_key(self, public_key: bytes) -> X25519PublicKey | X448PublicKey:
        """Parse and check; raise `Malformed`."""
        return x25519_public_key(public_key) if self.public_key_size == 32 else x448_public_key(public_key)

    def load_private_key(self, private_key: bytes) -> X25519PrivateKey | X448PrivateKey:
        """Parse; raise `Malformed`."""
        if len(private_key) != self.private_key_size:
            raise Malformed("a private key has a wrong size")
        return self.private_class.from_private_bytes(private_key)

    def derive(self, ikm: bytes) -> KeyPair:
        """DeriveKeyPair of RFC 9180 §7.1.3."""
        prk = self.kdf.labeled_extract(self.suite_id, b"", b"dkp_prk", ikm)
        private_key = self.kdf.labeled_expand(self.suite_id, prk, b"sk", b"", self.private_key_size)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`."""
        return self.load_private_key(private_key).public_key().public_bytes_raw()

    def exchange_with_all(self, private_key: bytes, public_keys: Sequence[bytes]) -> list[bytes]:
        """Return the Diffie-Hellman output with each public key; raise as `exchange`."""
        own = self.load_private_key(private_key)
        if isinstance(own, X25519PrivateKey):
            return [own.exchange(x25519_public_key(public_key)) for public_key in public_keys]
        return [own.exchange(x448_public_key(public_key)) for public_key in public_keys]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NistKem(CurveKem):
    """DHKEM over a NIST curve; private keys are big-endian scalars."""

    curve: ec.EllipticCurve = field(repr=False)
    first_byte_mask: int = field(repr=False, default=0xFF)

    def load_public_key(self, public_key: bytes) -> ec.EllipticCurvePublicKey:
        """Parse and check; raise `Malformed`."""
        return nist_public_key(self.curve, public_key)

    def load_private_key(self, private_key: bytes) -> ec.EllipticCurvePrivateKey:
        """Parse; raise `Malformed`."""
        return nist_private_key(self.curve, private_key)

    def derive(self, ikm: bytes) -> KeyPair:
        """DeriveKeyPair of RFC 9180 §7.1.3: the first candidate that is a scalar of the group."""
        prk = self.kdf.labeled_extract(self.suite_id, b"", b"dkp_prk", ikm)
        for counter in range(256):
            drawn = self.kdf.labeled_expand(
                self.suite_id, prk, b"candidate", counter.to_bytes(1, "big"), self.private_key_size
            )
            candidate = bytes((drawn[0] & self.first_byte_mask,)) + drawn[1:]
            if 0 < int.from_bytes(candidate, "big") < self.curve.group_order:
                return KeyPair(private_key=candidate, public_key=self.public_key_of(candidate))
        raise ValueError("no key could be derived")

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`."""
        return nist_public_bytes(self.load_private_key(private_key).public_key())

    def exchange_with_all(self, private_key: bytes, public_keys: Sequence[bytes]) -> list[bytes]:
        """Return the Diffie-Hellman output with each public key; raise as `exchange`."""
        own, ecdh = self.load_private_key(private_key), ec.ECDH()
        return [own.exchange(ecdh, self.load_public_key(public_key)) for public_key in public_keys]


DHKEM_P256: Final = NistKem(
    id=0x10,
    kdf=HKDF_SHA256,
    private_key_size=32,
    public_key_size=65,
    native=native_hpke.KEM.P256,
    curve=ec.SECP256R1(),
)
DHKEM_P384: Final = NistKem(
    id=0x11,
    kdf=HKDF_SHA384,
    private_key_size=48,
    public_key_size=97,
    native=native_hpke.KEM.P384,
    curve=ec.SECP384R1(),
)
DHKEM_P521: Final = NistKem(
    id=0x12,
    kdf=HKDF_SHA512,
    private_key_size=66,
    public_key_size=133,
    native=native_hpke.KEM.P521,
    curve=ec.SECP521R1(),
    first_byte_mask=0x01,
)
DHKEM_X25519: Final = MontgomeryKem(
    id=0x20,
    kdf=HKDF_SHA256,
    private_key_size=32,
    public_key_size=32,
    native=native_hpke.KEM.X25519,
    private_class=X25519PrivateKey,
)
DHKEM_X448: Final = MontgomeryKem(
    id=0x21, kdf=HKDF_SHA512, private_key_size=56, public_key_size=56, private_class=X448PrivateKey
)
