"""The recovery phrase: the root key's seed as 24 English words (BIP-39 with 256 bits)."""

from functools import cache
from typing import TYPE_CHECKING, Final

from skvoz.base.errors import BadRequest
from skvoz.crypto import ED25519, KeyPair

if TYPE_CHECKING:
    from mnemonic import Mnemonic

WORDS: Final = 24


@cache
def _words() -> "Mnemonic":
    # The package reads its word list when it is made, so it is made when somebody needs it.
    from mnemonic import Mnemonic  # noqa: PLC0415  # see above

    return Mnemonic("english")


def phrase_of(root_private_key: bytes) -> str:
    """Return the 24 words of a root key (32 bytes), with one blank between."""
    return _words().to_mnemonic(root_private_key)


def root_key_of(phrase: str) -> KeyPair:
    """Return the root key of a phrase, however it is spaced or capitalised; raise `BadRequest`."""
    words = phrase.lower().split()
    if len(words) != WORDS:
        raise BadRequest("a recovery phrase has 24 words")
    try:
        seed = bytes(_words().to_entropy(words))
    except (LookupError, ValueError):
        raise BadRequest("these are not the words of a recovery phrase") from None
    return KeyPair(private_key=seed, public_key=ED25519.public_key_of(seed))
