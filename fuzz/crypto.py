"""Fuzz keys, encapsulations, ciphertexts and signatures from outside: only `PeerError` may escape.

python fuzz/crypto.py --seconds 60 [--seed 7]
"""

import argparse
import sys
import time
from collections.abc import Callable
from random import Random

from skvoz.base.errors import DecryptFailed, PeerError
from skvoz.crypto import SUITES, CipherSuite, KeyPair

_CONTEXT = b"context"
_TEXT = b"text"


class Subject:
    """One suite with keys of its own, and what others would send to them."""

    def __init__(self, suite: CipherSuite, randomness: Random) -> None:
        self.suite = suite
        self.randomness = randomness
        self.keys: KeyPair = suite.generate_key_pair(randomness.randbytes)
        self.signature_keys: KeyPair = suite.generate_signature_key_pair(randomness.randbytes)
        public_key = self.keys.public_key
        self.sealed = suite.encrypt_with_label(public_key, "fuzz", _CONTEXT, _TEXT, randomness.randbytes)
        self.signature = suite.sign_with_label(self.signature_keys.private_key, "fuzz", _TEXT)

    def try_public_key(self) -> None:
        """Hold a key that passes the check to being fit to encrypt to."""
        public_key = self._changed(self.keys.public_key)
        self.suite.check_public_key(public_key)
        self.suite.encrypt_with_label(public_key, "fuzz", _CONTEXT, _TEXT, self.randomness.randbytes)

    def try_private_key(self) -> None:
        """Take a private key that came from a backup or another device."""
        self.suite.kem.public_key_of(self._changed(self.keys.private_key))

    def try_ciphertext(self) -> None:
        """Open nothing but the original."""
        kem_output, ciphertext = self.sealed.kem_output, self.sealed.ciphertext
        if self.randomness.randrange(2):
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
        )

    def _changed(self, original: bytes) -> bytes:
        data, chance = bytearray(original), self.randomness
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(7):
                case 0:
                    del data[at : at + chance.randrange(9)]
                case 1:
                    data[at:at] = chance.randbytes(chance.randrange(1, 9))
                case 2:
                    data[:] = bytes((chance.choice((0, 1, 2, 3, 4, 0x7F, 0xFF)),)) * len(data)
                case 3:
                    data[:] = chance.randbytes(len(data))
                case _ if at < len(data):
                    data[at] ^= 1 << chance.randrange(8)
                case _:
                    data[:1] = bytes((chance.randrange(256),))
        return bytes(data)


def main() -> int:
    """Run for as long as asked; print how many inputs were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = arguments.parse_args()
    randomness = Random(options.seed)
    subjects = [Subject(suite, randomness) for suite in SUITES.values()]
    executions = accepted = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        for subject in subjects:
            for target in subject.targets():
                executions += 1
                try:
                    target()
                except PeerError:
                    continue
                except Exception:
                    where = f"{subject.suite.name} {target.__name__}"
                    print(f"seed {options.seed}, execution {executions}, {where}")
                    raise
                accepted += 1
    print(f"crypto: {executions} executions, {accepted} accepted, seed {options.seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
