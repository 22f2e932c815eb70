"""What a cipher suite is made of, as ports, so that a simulation can swap in a toy.

`msgspec.structs.replace(suite, kem=toy)` gives a suite that does everything over `toy`.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value

Signer: TypeAlias = Callable[[bytes], bytes]
"""A signature private key that was parsed once: content to signature."""


class KeyPair(Value, NeverPickled, frozen=True, kw_only=True):
    """A private key and its public key, both as they are stored and sent."""

    private_key: bytes
    public_key: bytes


class Kem(Protocol):
    """A key encapsulation mechanism of RFC 9180 §4, bytes in, bytes out."""

    @property
    def id(self) -> int:
        """The number in the HPKE KEM registry."""
        ...

    @property
    def public_key_size(self) -> int:
        """Npk, bytes."""
        ...

    @property
    def private_key_size(self) -> int:
        """Nsk, bytes."""
        ...

    @property
    def encapsulation_size(self) -> int:
        """Nenc, bytes."""
        ...

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair."""
        ...

    def derive(self, ikm: bytes) -> KeyPair:
        """Make the key pair that `ikm` determines."""
        ...

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`; raise `Malformed` if it is not one."""
        ...

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` can be encapsulated to."""
        ...

    def encapsulate(self, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
        """Return (shared secret, encapsulation); raise `Malformed` for a bad key."""
        ...

    def decapsulate(self, private_key: bytes, encapsulation: bytes) -> bytes:
        """Return the shared secret; raise `DecryptFailed`."""
        ...


class SignatureScheme(Protocol):
    """A signature scheme, bytes in, bytes out."""

    def generate(self, randomness: Randomness) -> KeyPair:
        """Make a fresh key pair."""
        ...

    def public_key_of(self, private_key: bytes) -> bytes:
        """Return the public key of `private_key`; raise `Malformed` if it is not one."""
        ...

    def check_public_key(self, public_key: bytes) -> None:
        """Raise `Malformed` unless `public_key` is a sound key."""
        ...

    def load(self, private_key: bytes) -> Signer:
        """Parse a private key once for many signatures; raise `Malformed`."""
        ...

    def verify(self, public_key: bytes, content: bytes, signature: bytes) -> None:
        """Raise `DecryptFailed` unless `signature` fits."""
        ...
