"""The safety number of two people: 60 digits over both root keys, the same on both sides; and as a QR code.

Each shows a code of their own, which the other's device expects: who scans their own by mistake is told so.
"""

from base64 import urlsafe_b64encode
from typing import Final, Literal

from skvoz.crypto import sha256

DIGITS: Final = 60
_GROUP: Final = 5
_ROUNDS: Final = 5200
"""Makes a search for a root key with the same digits 5,200 times dearer."""
_LABEL: Final = b"skvoz safety number 1\x00"
CODE_PREFIX: Final = "skvoz-verify:1:"
"""What a code begins with: a link begins otherwise, so neither is taken for the other."""
_CODE_LABEL: Final = b"skvoz verify 1\x00"

Compared = Literal["same", "own", "different", "unknown"]
"""`own`: the code that this side shows itself; `unknown`: no code for comparing, or of a later version."""


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


def comparing_code(shows: bytes, scans: bytes) -> str:
    """Return what the one with the root key `shows` lets the one with the root key `scans` scan."""
    digest = sha256(_CODE_LABEL + shows + scans)
    return CODE_PREFIX + urlsafe_b64encode(digest).decode().rstrip("=")


def compared(text: str, own_root_public_key: bytes, other_root_public_key: bytes) -> Compared:
    """Tell what a scanned text says about another person's root key."""
    if not text.startswith(CODE_PREFIX):
        return "unknown"
    if text == comparing_code(other_root_public_key, own_root_public_key):
        return "same"
    return "own" if text == comparing_code(own_root_public_key, other_root_public_key) else "different"
