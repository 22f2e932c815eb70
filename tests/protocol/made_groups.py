"""The vectors of links into groups: the link, what lies beside its inbox, and a request to be let in."""

from skvoz.client import asking, group_offers
from skvoz.client.group_offers import GroupOffer, seal_group_offer, signed_group_offer
from skvoz.client.links import Link
from skvoz.codec import opaque, uint8, uint32
from skvoz.crypto import KEY_SIZE, hkdf_sha256, sign_labeled
from tests.protocol.made import (
    ADDRESS,
    ADDRESSES,
    ANNA,
    BORIS,
    INBOX_ID,
    INFO,
    NOW_MS,
    RELAY_ID,
    Vector,
    fixed,
)


def group_link() -> Vector:
    link = Link(
        relay_id=RELAY_ID,
        inbox_id=INBOX_ID,
        post_key=ADDRESS.post_key,
        secret=ADDRESS.link_secret,
        account_id=ANNA.account_id,
        addresses=ADDRESSES,
        is_group=True,
    )
    offer = GroupOffer(card=ANNA.card(), title=INFO.title, members=17)
    salt = fixed("group offer salt", 16)
    content = (
        uint8(group_offers.VERSION) + opaque(offer.card.encoded) + opaque(offer.title.encode()) + uint32(17)
    )
    signed = signed_group_offer(INBOX_ID, content)
    request = asking.encode_asking(
        inbox_id=INBOX_ID,
        admin=ANNA.account_id,
        asked_ms=NOW_MS,
        card=BORIS.card(),
        address=ADDRESS,
        key_package=b"an MLSMessage with a KeyPackage",
        device_private_key=BORIS.device.private_key,
    )
    return {
        "link": link.encode(),
        "inbox_id": INBOX_ID.hex(),
        "link_secret": ADDRESS.link_secret.hex(),
        "account_private_key": ANNA.account_private_key.hex(),
        "offer_title": offer.title,
        "offer_members": offer.members,
        "offer_content": content.hex(),
        "offer_signed": signed.hex(),
        "offer_signature": sign_labeled(ANNA.account_private_key, group_offers.LABEL, signed).hex(),
        "offer_salt": salt.hex(),
        "offer_key": hkdf_sha256(
            ADDRESS.link_secret, salt=salt, info=b"skvoz group offer 1" + INBOX_ID, length=KEY_SIZE
        ).hex(),
        "offer": seal_group_offer(
            ADDRESS.link_secret, INBOX_ID, offer, ANNA.account_private_key, lambda _: salt
        ).hex(),
        "request_asked_ms": NOW_MS,
        "request_card": BORIS.card().encoded.hex(),
        "request_inbox_address": ADDRESS.encode().hex(),
        "request_signature_private_key": BORIS.device.private_key.hex(),
        "request_signed": asking.signed_asking(INBOX_ID, ANNA.account_id, request[:-64]).hex(),
        "request": request.hex(),
    }
