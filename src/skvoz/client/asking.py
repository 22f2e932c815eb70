"""Requests to be let into a group, as they travel: mail of kind 2 in the inbox of the group's link.

    request = content ‖ signature (64)
    content = version ‖ when (8, ms) ‖ the asker's card<V> ‖ inbox address<V> ‖ KeyPackage<V>
    signed  = inbox id (16) ‖ admin's account id (32) ‖ content, by the KeyPackage's leaf;
              label "join request"

The inbox is one that the asker made for this alone: the Welcome comes into it.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId, LogId
from skvoz.base.value import Value
from skvoz.client.cards import CLOCK_SKEW_MS_MAX, LIFETIME_MS_MAX, Card, verify_card
from skvoz.client.inbox_mail import InboxAddress, parse_inbox_address
from skvoz.client.offers import Offer, check_offer
from skvoz.codec import Reader, opaque, uint8, uint64
from skvoz.crypto import CipherSuite, sign_labeled, verify_labeled
from skvoz.mls import parse_key_package

VERSION: Final = 1
LABEL: Final = "join request"
ASKED_MS_MAX: Final = LIFETIME_MS_MAX
"""How old a request may be: it lives as long as its card, and is remembered a little longer."""
_SIGNATURE_SIZE: Final = 64


class Asking(Value, frozen=True, kw_only=True):
    """Somebody asks to be let in; the card is verified, the rest is for `check_asking`."""

    asked_ms: int
    card: Card
    address: InboxAddress
    key_package: bytes
    content: bytes
    signature: bytes


def signed_asking(inbox_id: LogId, admin: AccountId, content: bytes) -> bytes:
    """Return what the signature of a request covers."""
    return inbox_id + admin + content


def encode_asking(
    *,
    inbox_id: LogId,
    admin: AccountId,
    asked_ms: int,
    card: Card,
    address: InboxAddress,
    key_package: bytes,
    device_private_key: bytes,
) -> bytes:
    """Write and sign a request to an admin; `inbox_id` is that of the group's link."""
    content = b"".join(
        (
            uint8(VERSION),
            uint64(asked_ms),
            opaque(card.encoded),
            opaque(address.encode()),
            opaque(key_package),
        )
    )
    return content + sign_labeled(device_private_key, LABEL, signed_asking(inbox_id, admin, content))


def parse_asking(data: bytes) -> Asking:
    """Parse a request; raise a `PeerError`."""
    reader = Reader(data)
    if reader.uint8() != VERSION:
        raise Malformed("a request to join has an unknown version")
    asked_ms = reader.uint64()
    card = verify_card(reader.opaque())
    address = parse_inbox_address(reader.opaque())
    key_package = reader.opaque()
    content = data[: reader.position]
    signature = reader.take(_SIGNATURE_SIZE)
    reader.finish()
    return Asking(
        asked_ms=asked_ms,
        card=card,
        address=address,
        key_package=key_package,
        content=content,
        signature=signature,
    )


def check_asking(
    asking: Asking, suite: CipherSuite, *, inbox_id: LogId, admin: AccountId, now_ms: int
) -> None:
    """Raise a `PeerError` unless a request is of now, for this inbox, and by whom its card is of."""
    if not now_ms - ASKED_MS_MAX - CLOCK_SKEW_MS_MAX <= asking.asked_ms <= now_ms + CLOCK_SKEW_MS_MAX:
        raise Invalid("a request to join is too old, or of the future")
    check_offer(Offer(card=asking.card, key_packages=(asking.key_package,)), suite, now_ms)
    leaf = parse_key_package(asking.key_package).leaf_node
    try:
        signed = signed_asking(inbox_id, admin, asking.content)
        verify_labeled(leaf.signature_key, LABEL, signed, asking.signature)
    except DecryptFailed:
        raise Invalid("a request to join is not signed by its device") from None
