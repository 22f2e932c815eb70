"""Fuzz keys, encapsulations, ciphertexts and signatures from outside, in all suites."""

from collections.abc import Callable
from functools import cache
from random import Random
from typing import Final

from fuzz.target import Script, Target, changed, scripts
from skvoz.base.errors import DecryptFailed
from skvoz.crypto import (
    ED25519,
    SUITES,
    ZERO_NONCE,
    CipherSuite,
    KeyPair,
    seal,
    sign_labeled,
    unseal,
    verify_labeled,
)
from skvoz.crypto.counted import CountedOpener, CountedSealer
from tests.mls.synthetic_tree import Counter

_CONTEXT: Final = b"context"
_TEXT: Final = b"text"
_KEY: Final = bytes(32)


class Subject:
    """One suite with keys of its own, and what others would send to them."""

    def __init__(self, suite: CipherSuite) -> None:
        self.suite = suite
        self.chance = Random(0)
        self.randomness = Counter("fuzz crypto")
        self.keys: KeyPair = suite.generate_key_pair(self.randomness)
        self.signature_keys: KeyPair = suite.generate_signature_key_pair(self.randomness)
        public_key = self.keys.public_key
        self.sealed = suite.encrypt_with_label(public_key, "fuzz", _CONTEXT, _TEXT, self.randomness)
        self.signature = suite.sign_with_label(self.signature_keys.private_key, "fuzz", _TEXT)

    def try_public_key(self) -> None:
        """Hold a key that passes the check to being fit to encrypt to."""
        public_key = self._changed(self.keys.public_key)
        self.suite.check_public_key(public_key)
        self.suite.encrypt_with_label(public_key, "fuzz", _CONTEXT, _TEXT, self.randomness)

    def try_private_key(self) -> None:
        """Take a private key that came from a backup or another device."""
        self.suite.kem.public_key_of(self._changed(self.keys.private_key))

    def try_ciphertext(self) -> None:
        """Open nothing but the original."""
        kem_output, ciphertext = self.sealed.kem_output, self.sealed.ciphertext
        if self.chance.randrange(2):
            kem_output = self._changed(kem_output)
        else:
            ciphertext = self._changed(ciphertext)
        self.suite.decrypt_with_label(self.keys.private_key, "fuzz", _CONTEXT, kem_output, ciphertext)
        # X25519 ignores the highest bit of a public key; the key schedule does not.
        if (kem_output, ciphertext) != (self.sealed.kem_output, self.sealed.ciphertext):
            raise AssertionError("a changed ciphertext opened")

    def try_export(self) -> None:
        """Take an encapsulation alone, as external joiners send it."""
        kem_output = self._changed(self.sealed.kem_output)
        self.suite.hpke_export_receiver(self.keys.private_key, kem_output, b"", b"", 32)

    def try_signature(self) -> None:
        """Accept nothing but the original."""
        signature = self._changed(self.signature)
        public_key = self.signature_keys.public_key
        self.suite.verify_with_label(public_key, "fuzz", _TEXT, signature)
        if signature != self.signature:
            raise AssertionError("a changed signature fits")

    def try_signature_key(self) -> None:
        """Refuse the signature under every other key."""
        public_key = self._changed(self.signature_keys.public_key)
        if public_key == self.signature_keys.public_key:
            return
        self.suite.check_signature_key(public_key)
        try:
            self.suite.verify_with_label(public_key, "fuzz", _TEXT, self.signature)
        except DecryptFailed:
            return
        raise AssertionError("a signature fits a foreign key")

    def try_signature_private_key(self) -> None:
        """Take a signature key that came from a backup or another device."""
        self.suite.signature.public_key_of(self._changed(self.signature_keys.private_key))

    def try_symmetric(self) -> None:
        """Open nothing but the original, with a key of its own, in a sequence, or in a suite."""
        key = _KEY[: self.suite.aead_key_size]
        match self.chance.randrange(3):
            case 0:
                opened = unseal(_KEY, ZERO_NONCE, b"", self._changed(seal(_KEY, ZERO_NONCE, b"", _TEXT)))
            case 1:
                opened = CountedOpener(_KEY).open(self._changed(CountedSealer(_KEY).seal(_TEXT)))
            case _:
                sealed = self.suite.seal(key, ZERO_NONCE, b"", _TEXT)
                opened = self.suite.open(key, ZERO_NONCE, b"", self._changed(sealed))
        if opened != _TEXT:
            raise AssertionError("a changed ciphertext opened")

    def try_labeled_signature(self) -> None:
        """Accept nothing but the original of a signature beside MLS."""
        pair = ED25519.generate(Counter("fuzz labels"))
        signature = sign_labeled(pair.private_key, "fuzz", _TEXT)
        changed_signature = self._changed(signature)
        verify_labeled(self._changed(pair.public_key), "fuzz", _TEXT, changed_signature)
        if changed_signature != signature:
            raise AssertionError("a changed signature fits")

    def targets(self) -> tuple[Callable[[], None], ...]:
        """Return everything to be tried."""
        return (
            self.try_public_key,
            self.try_private_key,
            self.try_ciphertext,
            self.try_export,
            self.try_signature,
            self.try_signature_key,
            self.try_signature_private_key,
            self.try_symmetric,
            self.try_labeled_signature,
        )

    def _changed(self, original: bytes) -> bytes:
        match self.chance.randrange(8):
            case 0:
                return original
            case 1:
                filling = bytes((self.chance.choice((0, 1, 2, 3, 4, 0x7F, 0xFF)),))
                return filling * len(original)
            case 2:
                return self.chance.randbytes(len(original))
            case _:
                return changed(self.chance, original)


@cache
def _subjects() -> tuple[Subject, ...]:
    return tuple(Subject(suite) for suite in SUITES.values())


def run(data: bytes) -> None:
    """Try one thing in one suite, as the input says."""
    script = Script(data)
    subject = script.choice(_subjects())
    subject.chance = script
    script.choice(subject.targets())()


def make() -> Target:
    """Return the target."""
    _subjects()
    return Target(run=run, seeds=scripts(200))
