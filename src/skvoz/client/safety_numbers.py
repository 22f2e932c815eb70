"""The safety number of two people: 60 digits over both root keys, the same on both sides."""

from typing import Final

from skvoz.crypto import sha256

DIGITS: Final = 60
_GROUP: Final = 5
_ROUNDS: Final = 5200
"""Makes a search for a root key with the same digits 5,200 times dearer."""
_LABEL: Final = b"skvoz safety number 1\x00"


def _half(root_public_key: bytes) -> str:
    digest = _LABEL + root_public_key
    for _ in range(_ROUNDS):
        digest = sha256(digest + root_public_key)
    # Six groups of five digits, each from five bytes of the digest: the bias of the rest is below 2**-23.
    return "".join(
        f"{int.from_bytes(digest[start : start + 5]) % 10**_GROUP:0{_GROUP}}" for start in range(0, 30, 5)
    )


def safety_number(root_public_key: bytes, other_root_public_key: bytes) -> str:
    """Return 60 digits; the order of the two keys doesn't matter."""
    return "".join(sorted((_half(root_public_key), _half(other_root_public_key))))


def grouped(digits: str) -> str:
    """Return the digits in groups of five, to be read aloud."""
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))
