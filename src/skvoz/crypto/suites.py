"""Cipher suites: everything that MLS does with keys, bytes in, bytes out (RFC 9420 §5)."""

import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from skvoz.base.errors import Invalid
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import opaque, uint16
from skvoz.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead
from skvoz.crypto.hpke import (
    HpkeCiphertext,
    hpke_open,
    hpke_receiver,
    hpke_seal,
    hpke_seal_to_all,
    hpke_sender,
)
from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from skvoz.crypto.kem_curves import DHKEM_P256, DHKEM_P384, DHKEM_P521, DHKEM_X448, DHKEM_X25519
from skvoz.crypto.kem_xwing import XWING
from skvoz.crypto.ports import Kem, KeyPair, SignatureScheme, Signer
from skvoz.crypto.signatures import ECDSA_P256, ECDSA_P384, ECDSA_P521, ED448, ED25519


@lru_cache(maxsize=256)
def _label(label: str) -> bytes:
    return opaque(b"MLS 1.0 " + label.encode())


class CipherSuite(Value, frozen=True, kw_only=True):
    """A suite by its MLS number; `msgspec.structs.replace` swaps a part, as simulations do."""

    number: int
    name: str
    kem: Kem
    kdf: Kdf
    aead: Aead
    signature: SignatureScheme

    @property
    def hash_size(self) -> int:
        """Nh, bytes."""
        return self.kdf.hash_size

    @property
    def aead_key_size(self) -> int:
        """Nk, bytes."""
        return self.aead.key_size

    @property
    def aead_nonce_size(self) -> int:
        """Nn, bytes."""
        return self.aead.nonce_size

    def hash(self, data: bytes) -> bytes:
        """Return the digest of `data`, Nh bytes."""
        return self.kdf.hash(data)

    def mac(self, key: bytes, data: bytes) -> bytes:
        """Return HMAC, Nh bytes."""
        return hmac.digest(key, data, self.kdf.hash_name)

    def verify_mac(self, key: bytes, data: bytes, tag: bytes) -> bool:
        """Tell whether `tag` is the whole HMAC, in constant time."""
        return hmac.compare_digest(hmac.digest(key, data, self.kdf.hash_name), tag)

    def extract(self, salt: bytes, ikm: bytes) -> bytes:
        """HKDF-Extract, Nh bytes."""
        return self.kdf.extract(salt, ikm)

    def expand(self, secret: bytes, info: bytes, length: int) -> bytes:
        """HKDF-Expand to `length` bytes."""
        return self.kdf.expand(secret, info, length)

    def seal(self, key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Encrypt with the suite's AEAD."""
        return self.aead.seal(key, nonce, aad, plaintext)

    def open(self, key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
        """Decrypt with the suite's AEAD; raise `DecryptFailed`."""
        return self.aead.open(key, nonce, aad, ciphertext)

    def expand_with_label(self, secret: bytes, label: str, context: bytes, length: int) -> bytes:
        """ExpandWithLabel of RFC 9420 §8."""
        return self.kdf.expand(secret, uint16(length) + _label(label) + opaque(context), length)

    def derive_secret(self, secret: bytes, label: str) -> bytes:
        """DeriveSecret of RFC 9420 §8, Nh bytes."""
        size = self.kdf.hash_size
        return self.kdf.expand(secret, uint16(size) + _label(label) + b"\x00", size)

    def ref_hash(self, label: str, value: bytes) -> bytes:
        """RefHash of RFC 9420 §5.2; `label` is taken as it is."""
        return self.kdf.hash(opaque(label.encode()) + opaque(value))

    def generate_signature_key_pair(self, randomness: Randomness) -> KeyPair:
        """Make a fresh signature key pair."""
        return self.signature.generate(randomness)

    def check_signature_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` is a sound signature key."""
        self.signature.check_public_key(public_key)

    def signer(self, private_key: bytes) -> Signer:
        """Parse a signature key once: twice as fast for whoever signs often."""
        return self.signature.load(private_key)

    def sign_with_label(self, private_key: bytes | Signer, label: str, content: bytes) -> bytes:
        """SignWithLabel of RFC 9420 §5.1.2, with a private key or what `signer` made of it."""
        sign = self.signature.load(private_key) if isinstance(private_key, bytes) else private_key
        return sign(_label(label) + opaque(content))

    def verify_with_label(self, public_key: bytes, label: str, content: bytes, signature: bytes) -> None:
        """Raise `DecryptFailed` unless `sign_with_label` made `signature` (RFC 9420 §5.1.2)."""
        self.signature.verify(public_key, _label(label) + opaque(content), signature)

    def generate_key_pair(self, randomness: Randomness) -> KeyPair:
        """Make a fresh HPKE key pair."""
        return self.kem.generate(randomness)

    def derive_key_pair(self, ikm: bytes) -> KeyPair:
        """Make the HPKE key pair that `ikm` determines (RFC 9180 §7.1.3)."""
        return self.kem.derive(ikm)

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` can be encrypted to."""
        self.kem.check_public_key(public_key)

    def encrypt_with_label(
        self, public_key: bytes, label: str, context: bytes, plaintext: bytes, randomness: Randomness
    ) -> HpkeCiphertext:
        """EncryptWithLabel of RFC 9420 §5.1.3; raise `Malformed` for a bad key."""
        info = _label(label) + opaque(context)
        kem_output, ciphertext = hpke_seal(self, public_key, info, b"", plaintext, randomness)
        return HpkeCiphertext(kem_output=kem_output, ciphertext=ciphertext)

    def encrypt_to_all_with_label(
        self,
        public_keys: Sequence[bytes],
        label: str,
        context: bytes,
        plaintext: bytes,
        randomness: Randomness,
    ) -> list[HpkeCiphertext]:
        """EncryptWithLabel of one plaintext for each public key in turn; raise `Malformed` for a bad key."""
        info = _label(label) + opaque(context)
        return [
            HpkeCiphertext(kem_output=kem_output, ciphertext=ciphertext)
            for kem_output, ciphertext in hpke_seal_to_all(self, public_keys, info, plaintext, randomness)
        ]

    def decrypt_with_label(
        self, private_key: bytes, label: str, context: bytes, kem_output: bytes, ciphertext: bytes
    ) -> bytes:
        """DecryptWithLabel of RFC 9420 §5.1.3; raise `DecryptFailed`."""
        info = _label(label) + opaque(context)
        return hpke_open(self, private_key, kem_output, info, b"", ciphertext)

    def hpke_export_sender(
        self, public_key: bytes, info: bytes, exporter_context: bytes, length: int, randomness: Randomness
    ) -> tuple[bytes, bytes]:
        """Return (KEM output, exported secret) as SendExport of RFC 9180 §6.2; raise `Malformed`."""
        kem_output, context = hpke_sender(self, public_key, info, randomness)
        return kem_output, context.export(exporter_context, length)

    def hpke_export_receiver(
        self, private_key: bytes, kem_output: bytes, info: bytes, exporter_context: bytes, length: int
    ) -> bytes:
        """Return the secret of ReceiveExport (RFC 9180 §6.2); raise `DecryptFailed`."""
        return hpke_receiver(self, private_key, kem_output, info).export(exporter_context, length)


DEFAULT_SUITE: Final = 0xF0A2
"""Our hybrid suite: a private-use number until IANA assigns one."""


def _all_suites() -> tuple[CipherSuite, ...]:
    rows: tuple[tuple[int, str, Kem, Kdf, Aead, SignatureScheme], ...] = (
        (1, "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519", DHKEM_X25519, HKDF_SHA256, AES_128_GCM, ED25519),
        (2, "MLS_128_DHKEMP256_AES128GCM_SHA256_P256", DHKEM_P256, HKDF_SHA256, AES_128_GCM, ECDSA_P256),
        (
            3,
            "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
            DHKEM_X25519,
            HKDF_SHA256,
            CHACHA20_POLY1305,
            ED25519,
        ),
        (4, "MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448", DHKEM_X448, HKDF_SHA512, AES_256_GCM, ED448),
        (5, "MLS_256_DHKEMP521_AES256GCM_SHA512_P521", DHKEM_P521, HKDF_SHA512, AES_256_GCM, ECDSA_P521),
        (
            6,
            "MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448",
            DHKEM_X448,
            HKDF_SHA512,
            CHACHA20_POLY1305,
            ED448,
        ),
        (7, "MLS_256_DHKEMP384_AES256GCM_SHA384_P384", DHKEM_P384, HKDF_SHA384, AES_256_GCM, ECDSA_P384),
        (
            DEFAULT_SUITE,
            "SKVOZ_256_XWING_AES256GCM_SHA384_Ed25519",
            XWING,
            HKDF_SHA384,
            AES_256_GCM,
            ED25519,
        ),
    )
    return tuple(
        CipherSuite(number=number, name=name, kem=kem, kdf=kdf, aead=aead, signature=signature)
        for number, name, kem, kdf, aead, signature in rows
    )


SUITES: Final[Mapping[int, CipherSuite]] = MappingProxyType({made.number: made for made in _all_suites()})
"""The seven suites of RFC 9420 §17.1 and ours, by number."""


def suite(number: int) -> CipherSuite:
    """Return the suite with this MLS number; raise `Invalid` if there is none."""
    found = SUITES.get(number)
    if found is None:
        raise Invalid("unknown cipher suite")
    return found
