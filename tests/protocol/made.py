"""The people and things of the protocol's vectors: everything that takes no chance."""

import hashlib
from typing import Final, TypeAlias

from skvoz.base.ids import AccountId, EntryId, GroupId, LogId, MessageId, RelayId
from skvoz.client import invitations, policy
from skvoz.client.cards import Card, issue_card
from skvoz.client.certificates import AccountKey, account_id_of, issue_account_key, issue_certificate
from skvoz.client.conversation_info import ConversationInfo, RoomPlace
from skvoz.client.envelope import APPLICATION, CLOSER, open_entry, seal_entry
from skvoz.client.inbox_mail import INVITATION_LABEL, INVITATION_VERSION, InboxAddress, signed_invitation
from skvoz.client.links import Link
from skvoz.client.offers import Offer, seal_offer
from skvoz.client.records import ConversationKind
from skvoz.client.recovery_phrase import phrase_of
from skvoz.client.safety_numbers import comparing_code, safety_number
from skvoz.codec import cbor, opaque, pad, uint8, vector
from skvoz.content import (
    Action,
    ClosePoll,
    Complaint,
    Delete,
    Edit,
    Location,
    Mention,
    Pin,
    Poll,
    Reaction,
    Report,
    Text,
    Vote,
    account_uri,
    encode,
    encode_complaint,
    message_id,
    room_uri,
    to_content,
)
from skvoz.content.complaints import SPAM
from skvoz.crypto import (
    DEFAULT_SUITE,
    ED25519,
    KEY_SIZE,
    SUITES,
    ZERO_NONCE,
    KeyPair,
    hkdf_sha256,
    seal,
    sha256,
    sign_labeled,
)
from skvoz.logs import find_contest_proof

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int"
Vector: TypeAlias = dict[str, Json]
SUITE: Final = SUITES[DEFAULT_SUITE]
NOW_MS: Final = 1_790_000_000_000
GROUP_ID: Final = GroupId(bytes.fromhex("67000102030405060708090a0b0c0d0e"))
ROOM_ID: Final = LogId(bytes.fromhex("72000102030405060708090a0b0c0d0e"))
INBOX_ID: Final = LogId(bytes.fromhex("69000102030405060708090a0b0c0d0e"))
ENTRY_ID: Final = EntryId(bytes.fromhex("65000102030405060708090a0b0c0d0e"))


def fixed(name: str, size: int = 32) -> bytes:
    """Return bytes that stand for chance: SHAKE256 of a name."""
    return hashlib.shake_256(name.encode()).digest(size)


class Person:
    """A person with one device, all of whose keys come of a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root = ED25519.generate(lambda size: fixed(f"{name} root", size))
        self.account_key: AccountKey
        self.account_key, self.account_private_key = issue_account_key(
            self.root, 1, lambda size: fixed(f"{name} account key", size)
        )
        self.device: KeyPair = ED25519.generate(lambda size: fixed(f"{name} device", size))
        self.certificate = issue_certificate(
            self.account_key, self.account_private_key, self.device.public_key
        )
        self.inbox: KeyPair = SUITE.generate_key_pair(lambda size: fixed(f"{name} inbox", size))

    @property
    def account_id(self) -> AccountId:
        return account_id_of(self.root.public_key)

    def card(self) -> Card:
        return issue_card(
            self.account_key,
            self.account_private_key,
            name=self.name,
            sequence=7,
            inbox_public_key=self.inbox.public_key,
            now_ms=NOW_MS,
        )


ANNA: Final = Person("Анна")
BORIS: Final = Person("Boris")


def identity() -> Vector:
    card = ANNA.card()
    return {
        "root_private_key": ANNA.root.private_key.hex(),
        "root_public_key": ANNA.root.public_key.hex(),
        "account_id": ANNA.account_id.hex(),
        "recovery_phrase": phrase_of(ANNA.root.private_key),
        "account_key_number": ANNA.account_key.number,
        "account_private_key": ANNA.account_private_key.hex(),
        "account_public_key": ANNA.account_key.public_key.hex(),
        "account_key_statement": ANNA.account_key.statement.hex(),
        "device_private_key": ANNA.device.private_key.hex(),
        "device_public_key": ANNA.device.public_key.hex(),
        "certificate": ANNA.certificate.hex(),
        "name": card.name,
        "card_sequence": card.sequence,
        "card_valid_from_ms": card.valid_from_ms,
        "card_valid_until_ms": card.valid_until_ms,
        "inbox_private_key": ANNA.inbox.private_key.hex(),
        "inbox_public_key": ANNA.inbox.public_key.hex(),
        "card": card.encoded.hex(),
        "other_root_public_key": BORIS.root.public_key.hex(),
        "safety_number": safety_number(ANNA.root.public_key, BORIS.root.public_key),
        "code_shown_to_the_other": comparing_code(ANNA.root.public_key, BORIS.root.public_key),
        "code_expected_of_the_other": comparing_code(BORIS.root.public_key, ANNA.root.public_key),
    }


RELAY_ID: Final = RelayId(fixed("relay id"))
ADDRESSES: Final = ("wss://relay.example/a", "wss://192.0.2.1:8443/b")
ADDRESS: Final = InboxAddress(
    relay_id=RELAY_ID,
    addresses=ADDRESSES,
    inbox_id=INBOX_ID,
    post_key=fixed("post key"),
    link_secret=fixed("link secret"),
)


def first_contact() -> Vector:
    link = Link(
        relay_id=RELAY_ID,
        inbox_id=INBOX_ID,
        post_key=ADDRESS.post_key,
        secret=ADDRESS.link_secret,
        account_id=ANNA.account_id,
        addresses=ADDRESSES,
        ticket=b"ticket",
    )
    offer = Offer(card=ANNA.card(), key_packages=(b"an MLSMessage with a KeyPackage",))
    salt = fixed("offer salt", 16)
    content = b"".join(
        (
            uint8(INVITATION_VERSION),
            opaque(BORIS.card().encoded),
            opaque(b""),
            opaque(b"an MLSMessage with a Welcome"),
            vector([]),
        )
    )
    signed = signed_invitation(INBOX_ID, ANNA.account_id, content)
    return {
        "relay_id": RELAY_ID.hex(),
        "addresses": list(ADDRESSES),
        "inbox_id": INBOX_ID.hex(),
        "post_key": ADDRESS.post_key.hex(),
        "link_secret": ADDRESS.link_secret.hex(),
        "account_id": ANNA.account_id.hex(),
        "ticket": b"ticket".hex(),
        "link": link.encode(),
        "inbox_address": ADDRESS.encode().hex(),
        "recipient": invitations.recipient(ADDRESS.encode(), ANNA.card()).hex(),
        "offer_card": ANNA.card().encoded.hex(),
        "offer_key_package": offer.key_packages[0].hex(),
        "offer_salt": salt.hex(),
        "offer_key": hkdf_sha256(
            ADDRESS.link_secret, salt=salt, info=b"skvoz offer 1" + INBOX_ID, length=KEY_SIZE
        ).hex(),
        "offer": seal_offer(ADDRESS.link_secret, INBOX_ID, offer, lambda _: salt).hex(),
        "invitation_signature_private_key": BORIS.device.private_key.hex(),
        "invitation_content": content.hex(),
        "invitation_signed": signed.hex(),
        "invitation_signature": sign_labeled(BORIS.device.private_key, INVITATION_LABEL, signed).hex(),
    }


INFO: Final = ConversationInfo(
    kind=ConversationKind.GROUP,
    title="Дача",
    admins=tuple(sorted((ANNA.account_id, BORIS.account_id))),
    door_secret=fixed("door secret"),
    places=(RoomPlace(relay_id=RELAY_ID, addresses=ADDRESSES, log_id=ROOM_ID),),
    message_expiry_s=86_400,
)


def _entry(secret: bytes, kind: int, message: bytes) -> Vector:
    body = seal_entry(SUITE, secret, ENTRY_ID, kind, message)
    assert open_entry(SUITE, secret, ENTRY_ID, kind, body) == message
    key = SUITE.expand_with_label(secret, "skvoz entry", ENTRY_ID + bytes([kind]), 32)
    return {
        "kind": kind,
        "entry_id": ENTRY_ID.hex(),
        "key": key.hex(),
        "message": message.hex(),
        "body": body.hex(),
    }


def _knock() -> Vector:
    key_package, to = b"an MLSMessage with a KeyPackage", invitations.recipient(ADDRESS.encode(), ANNA.card())
    signed = opaque(GROUP_ID) + opaque(key_package) + opaque(to)
    signature = sign_labeled(ANNA.device.private_key, "knock", signed)
    plain = uint8(1) + opaque(key_package) + opaque(to) + signature
    salt = fixed("knock salt", 16)
    key = hkdf_sha256(INFO.knock_key, salt=salt, info=b"skvoz knock 1" + GROUP_ID, length=KEY_SIZE)
    return {
        "group_id": GROUP_ID.hex(),
        "signature_private_key": ANNA.device.private_key.hex(),
        "signed": signed.hex(),
        "plain": plain.hex(),
        "salt": salt.hex(),
        "key": key.hex(),
        "body": (salt + seal(key, ZERO_NONCE, b"", pad(plain))).hex(),
    }


def conversation() -> Vector:
    secret = fixed("envelope secret")
    required, described = policy.extensions_of(INFO)
    [back] = policy.return_extensions(GROUP_ID)
    key_hash, next_hash = sha256(fixed("access key")), sha256(fixed("next access key"))
    entries: list[Json] = [_entry(secret, APPLICATION, b"an MLSMessage"), _entry(secret, CLOSER, b"x" * 511)]
    return {
        "kind": int(INFO.kind),
        "title": INFO.title,
        "admins": [admin.hex() for admin in INFO.admins],
        "door_secret": INFO.door_secret.hex(),
        "relay_id": RELAY_ID.hex(),
        "log_id": ROOM_ID.hex(),
        "addresses": list(ADDRESSES),
        "message_expiry_s": INFO.message_expiry_s,
        "description": INFO.encode().hex(),
        "description_extension": described.encode().hex(),
        "required_capabilities_extension": required.encode().hex(),
        "return_extension": back.encode().hex(),
        "capabilities": policy.capabilities(SUITE).encode().hex(),
        "door_key": INFO.door_key.hex(),
        "door_hash": sha256(INFO.door_key).hex(),
        "knock_key": INFO.knock_key.hex(),
        "envelope_secret": secret.hex(),
        "entries": entries,
        "knock": _knock(),
        "contest_key_hash": key_hash.hex(),
        "contest_next_hash": next_hash.hex(),
        "contest_proof": find_contest_proof(ROOM_ID, key_hash, next_hash).hex(),
    }


def text_of_anna() -> bytes:
    """Return the content of a message that Anna wrote."""
    action = Text(
        text="Привет, @Boris!",
        mentions=(Mention(account_id=BORIS.account_id, start=8, length=6),),
    )
    seen = (MessageId(b"\x01" + fixed("seen", 31)),)
    return encode(to_content(action, salt=fixed("salt", 16), sent_at_ms=NOW_MS, last_seen=seen))


WHEN: Final = Poll(question="Когда?", options=("в шесть", "в семь", "никогда"), several=True)
LAKE: Final = Location(latitude_e7=557_539_000, longitude_e7=-376_208_000, label="Озеро")


def content() -> Vector:
    sender, room = account_uri(ANNA.account_id), room_uri(GROUP_ID)
    text = text_of_anna()
    identity_of_text = message_id(sender, room, text)
    actions: dict[str, Action] = {
        "edit": Edit(replaces=identity_of_text, text="Привет!"),
        "delete": Delete(replaces=identity_of_text),
        "reaction": Reaction(target=identity_of_text, emoji="👍"),
        "forwarded": Text(text="passed on", forwarded=True),
        "location": Text(text="", location=LAKE),
        "poll": Text(text="", poll=WHEN),
        "vote": Vote(target=identity_of_text, choices=(0, 2)),
        "poll_closed": ClosePoll(target=identity_of_text),
        "pin": Pin(target=identity_of_text),
        "unpin": Pin(target=identity_of_text, pinned=False),
        "report": Report(delivered=(identity_of_text,), read=(identity_of_text,)),
    }
    made: Vector = {
        "account_id": ANNA.account_id.hex(),
        "mentioned": BORIS.account_id.hex(),
        "group_id": GROUP_ID.hex(),
        "sender_uri": sender,
        "room_uri": room,
        "text": text.hex(),
        "text_id": identity_of_text.hex(),
    }
    for name, action in actions.items():
        data = encode(to_content(action, salt=fixed(f"{name} salt", 16), sent_at_ms=NOW_MS))
        made |= {name: data.hex(), f"{name}_id": message_id(sender, room, data).hex()}
    complaint = Complaint(
        group_id=GROUP_ID,
        message_id=identity_of_text,
        author=ANNA.account_id,
        reason=SPAM,
        note="не впервые",
        quote="Привет, @Boris!",
    )
    made["complaint_part"] = encode_complaint(complaint).hex()
    made["introduction_part"] = cbor.encode((ANNA.card().encoded, ADDRESS.encode())).hex()
    return made
