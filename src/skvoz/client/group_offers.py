"""What lies beside the inbox of a group's link: what the group is called, its size, and whom to ask.

    sealed  = salt (16) ‖ AES-256-GCM(key, zero nonce, "", pad(content ‖ signature))
    key     = HKDF-SHA-256(link secret, salt, "skvoz group offer 1" ‖ inbox id)
    content = version ‖ card<V> ‖ title<V> ‖ number of members (4)
    signed  = inbox id ‖ content, by the account key, label "group offer"

Without the signature, another holder of the link could, with the relay's help, give the group another name.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId, LogId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.client.cards import Card, verify_card
from skvoz.client.conversation_info import TITLE_SIZE_MAX
from skvoz.codec import Reader, opaque, pad, uint8, uint32, unpad
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, sign_labeled, unseal, verify_labeled

VERSION: Final = 1
GROUP_OFFER_SIZE_MAX: Final = 16 * 1024
LABEL: Final = "group offer"
_SALT_SIZE: Final = 16
_SIGNATURE_SIZE: Final = 64
_INFO: Final = b"skvoz group offer 1"


class GroupOffer(Value, frozen=True, kw_only=True):
    """A verified card of an admin, and what they say of their group."""

    card: Card
    title: str
    members: int


def signed_group_offer(inbox_id: LogId, content: bytes) -> bytes:
    """Return what the signature of a group offer covers."""
    return inbox_id + content


def _key(link_secret: bytes, salt: bytes, inbox_id: LogId) -> bytes:
    return hkdf_sha256(link_secret, salt=salt, info=_INFO + inbox_id, length=KEY_SIZE)


def seal_group_offer(
    link_secret: bytes,
    inbox_id: LogId,
    offer: GroupOffer,
    account_private_key: bytes,
    randomness: Randomness,
) -> bytes:
    """Sign and seal an offer for the holders of a group's link."""
    salt = randomness(_SALT_SIZE)
    content = b"".join(
        (uint8(VERSION), opaque(offer.card.encoded), opaque(offer.title.encode()), uint32(offer.members))
    )
    signature = sign_labeled(account_private_key, LABEL, signed_group_offer(inbox_id, content))
    plain = pad(content + signature)
    return salt + seal(_key(link_secret, salt, inbox_id), ZERO_NONCE, b"", plain)


def open_group_offer(link_secret: bytes, inbox_id: LogId, account_id: AccountId, data: bytes) -> GroupOffer:
    """Open a group offer; raise `DecryptFailed`, `Malformed`, or `Invalid` where it is not of this account.

    The card's dates are not looked at.
    """
    if not _SALT_SIZE < len(data) <= GROUP_OFFER_SIZE_MAX:
        raise DecryptFailed
    salt, sealed = data[:_SALT_SIZE], data[_SALT_SIZE:]
    plain = unpad(unseal(_key(link_secret, salt, inbox_id), ZERO_NONCE, b"", sealed))
    reader = Reader(plain)
    if reader.uint8() != VERSION:
        raise Malformed("a group offer has an unknown version")
    card = verify_card(reader.opaque())
    title = reader.opaque()
    members = reader.uint32()
    content = plain[: reader.position]
    signature = reader.take(_SIGNATURE_SIZE)
    reader.finish()
    if card.account_id != account_id:
        raise Invalid("the card does not match the link's fingerprint")
    if len(title) > TITLE_SIZE_MAX:
        raise Malformed("a group offer has a title that is too long")
    try:
        verify_labeled(card.account_key.public_key, LABEL, signed_group_offer(inbox_id, content), signature)
        shown = title.decode()
    except DecryptFailed:
        raise Invalid("a group offer is not signed by its account") from None
    except UnicodeDecodeError:
        raise Malformed("a group offer has a title that is not UTF-8") from None
    return GroupOffer(card=card, title=shown, members=members)
