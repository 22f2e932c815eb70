"""A card: who an account is and how to reach its inbox, signed by the account key.

    card = version ‖ account key (132) ‖ name<V> ‖ sequence (4) ‖ valid from, until (8 + 8, ms)
           ‖ inbox HPKE key<V> ‖ signature (64)

A card is valid for 30 days at most, and of two cards the one with the higher sequence counts. Whoever adds
somebody checks the dates; they are no part of what makes a commit valid.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId
from skvoz.base.value import Value
from skvoz.client.certificates import AccountKey, read_account_key
from skvoz.codec import Reader, opaque, uint8, uint32, uint64
from skvoz.crypto import sign_labeled, verify_labeled

VERSION: Final = 1
NAME_SIZE_MAX: Final = 256
"""Bytes of UTF-8: 64 characters of any script."""
INBOX_KEY_SIZE_MAX: Final = 2048
"""X-Wing has 1,216 bytes."""
CARD_SIZE_MAX: Final = 4096
LIFETIME_MS_MAX: Final = 30 * 24 * 3600 * 1000
CLOCK_SKEW_MS_MAX: Final = 24 * 3600 * 1000
"""Clocks of people's devices are wrong by up to a day now and then."""
_LABEL: Final = "card"
_SIGNATURE_SIZE: Final = 64


class Card(Value, frozen=True, kw_only=True):
    """A card whose signature was verified; only `verify_card` and `issue_card` make one."""

    account_key: AccountKey
    name: str
    sequence: int
    valid_from_ms: int
    valid_until_ms: int
    inbox_public_key: bytes
    encoded: bytes

    @property
    def account_id(self) -> AccountId:
        """Whose card it is."""
        return self.account_key.account_id

    def is_valid_at(self, now_ms: int) -> bool:
        """Tell whether the card is valid at a time, give or take a day of wrong clocks."""
        return self.valid_from_ms - CLOCK_SKEW_MS_MAX <= now_ms <= self.valid_until_ms + CLOCK_SKEW_MS_MAX

    def check_dates(self, now_ms: int) -> None:
        """Raise `Invalid` unless the card is valid now."""
        if not self.is_valid_at(now_ms):
            raise Invalid("a card is not valid any more, or not yet")


def issue_card(
    account_key: AccountKey,
    account_private_key: bytes,
    *,
    name: str,
    sequence: int,
    inbox_public_key: bytes,
    now_ms: int,
) -> Card:
    """Make and sign a card that is valid for 30 days from now."""
    content = b"".join(
        (
            uint8(VERSION),
            account_key.encode(),
            opaque(name.encode()),
            uint32(sequence),
            uint64(now_ms),
            uint64(now_ms + LIFETIME_MS_MAX),
            opaque(inbox_public_key),
        )
    )
    return Card(
        account_key=account_key,
        name=name,
        sequence=sequence,
        valid_from_ms=now_ms,
        valid_until_ms=now_ms + LIFETIME_MS_MAX,
        inbox_public_key=inbox_public_key,
        encoded=content + sign_labeled(account_private_key, _LABEL, content),
    )


def verify_card(data: bytes) -> Card:
    """Return the card that `data` is; raise `Malformed` or `Invalid`. The dates are not looked at."""
    if len(data) > CARD_SIZE_MAX:
        raise Malformed("a card is too long")
    reader = Reader(data)
    if reader.uint8() != VERSION:
        raise Malformed("a card has an unknown version")
    account_key = read_account_key(reader)
    name = _name(reader.opaque())
    sequence = reader.uint32()
    valid_from_ms = reader.uint64()
    valid_until_ms = reader.uint64()
    inbox_public_key = reader.opaque()
    content = data[: reader.position]
    signature = reader.take(_SIGNATURE_SIZE)
    reader.finish()
    if not 0 <= valid_until_ms - valid_from_ms <= LIFETIME_MS_MAX:
        raise Malformed("a card is valid for too long")
    if not 0 < len(inbox_public_key) <= INBOX_KEY_SIZE_MAX:
        raise Malformed("a card's inbox key has a wrong size")
    try:
        verify_labeled(account_key.public_key, _LABEL, content, signature)
    except DecryptFailed:
        raise Invalid("a card is not signed by its account") from None
    return Card(
        account_key=account_key,
        name=name,
        sequence=sequence,
        valid_from_ms=valid_from_ms,
        valid_until_ms=valid_until_ms,
        inbox_public_key=inbox_public_key,
        encoded=data,
    )


def _name(data: bytes) -> str:
    if not 0 < len(data) <= NAME_SIZE_MAX:
        raise Malformed("a name is empty or too long")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a name is not UTF-8") from None
