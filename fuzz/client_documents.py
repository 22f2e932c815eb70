"""Fuzz what people and devices hand each other: links, phrases, cards, certificates, descriptions.

What a signature would hide is signed anew after it was changed, so that the checks behind it are reached too.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import cache
from typing import Final

from fuzz.target import Part, Target, one_of
from skvoz.base.errors import BadRequest, PeerError
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.client import closers
from skvoz.client.account import check_name
from skvoz.client.asking import encode_asking, parse_asking
from skvoz.client.cards import Card, issue_card, verify_card
from skvoz.client.certificates import (
    AccountKey,
    account_id_of,
    issue_account_key,
    issue_certificate,
    read_account_key,
    read_certificate,
    verify_certificate,
)
from skvoz.client.conversation_info import (
    ConversationInfo,
    RoomPlace,
    check_title,
    parse_conversation_info,
)
from skvoz.client.inbox_mail import InboxAddress, parse_inbox_address
from skvoz.client.introductions import CARD_TYPE, introduction_in
from skvoz.client.invitations import parse_recipient, recipient
from skvoz.client.links import SCHEME, Link, parse_link
from skvoz.client.records import ConversationKind
from skvoz.client.recovery_phrase import phrase_of, root_key_of
from skvoz.client.relay_addresses import parse_relay_address, relay_address_text
from skvoz.client.safety_numbers import grouped
from skvoz.client.welcomes import parse_invitation
from skvoz.codec import Reader, cbor, opaque, uint8, vector
from skvoz.content import Disposition, MimiContent, SinglePart
from skvoz.crypto import ED25519, KeyPair, sign_labeled
from tests.mls.synthetic_tree import Counter

_RANDOM: Final = Counter("fuzz documents")
_NOW_MS: Final = 1_800_000_000_000


class Person:
    """Somebody with a root key, an account key, a device and a card."""

    def __init__(self) -> None:
        self.root: KeyPair = ED25519.generate(_RANDOM)
        self.key: AccountKey
        self.key, self.private_key = issue_account_key(self.root, 1, _RANDOM)
        self.device = ED25519.generate(_RANDOM)
        self.certificate = issue_certificate(self.key, self.private_key, self.device.public_key)
        self.card: Card = issue_card(
            self.key, self.private_key, name="Аня", sequence=3, inbox_public_key=b"k" * 1216, now_ms=_NOW_MS
        )
        self.address = InboxAddress(
            relay_id=RelayId(bytes(32)),
            addresses=("wss://relay.invalid/a", "ws://127.0.0.1:1/"),
            inbox_id=LogId(bytes(16)),
            post_key=bytes(32),
            link_secret=bytes(32),
        )


@cache
def person() -> Person:
    """Return the one person whose documents are changed here."""
    return Person()


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def try_link(data: bytes) -> None:
    """Paste something as a link."""
    link = parse_link(_text(data))
    if parse_link(link.encode()) != link:
        raise AssertionError("a link has another content once it is written again")


def try_link_content(data: bytes) -> None:
    """Paste a link whose text is right, over any content."""
    text = SCHEME + urlsafe_b64encode(data).rstrip(b"=").decode()
    if parse_link(text).encode() != text:
        raise AssertionError("a link has two forms")


def try_relay_address(data: bytes) -> None:
    """Type something as a relay's address."""
    [address] = parse_relay_address(_text(data)).addresses
    if parse_relay_address(relay_address_text(address, bytes(32))).addresses != (address,):
        raise AssertionError("an address is another once it is written again")
    address.encode()


def try_phrase(data: bytes) -> None:
    """Type something as a recovery phrase."""
    pair = root_key_of(_text(data))
    if root_key_of(phrase_of(pair.private_key)) != pair:
        raise AssertionError("a phrase leads to two keys")


def try_names(data: bytes) -> None:
    """Type something as a name and as a title."""
    text = _text(data)
    check_name(text).encode()
    check_title(text).encode()
    grouped(text)


def try_card(data: bytes) -> None:
    """Read a card as it came."""
    if verify_card(data).encoded != data:
        raise AssertionError("a card is not what it was parsed from")


def try_signed_card(data: bytes) -> None:
    """Read a card that its owner signed, whatever is in it."""
    card = verify_card(data + sign_labeled(person().private_key, "card", data))
    card.is_valid_at(_NOW_MS)
    card.name.encode()


def _signed_account_key(data: bytes) -> bytes:
    return data[:68] + sign_labeled(person().root.private_key, "account key", data[32:68])


def try_account_key(data: bytes) -> None:
    """Read an account key as it came, and one that the root key signed, whatever is in it."""
    for encoded in (data, _signed_account_key(data)):
        reader = Reader(encoded)
        key = read_account_key(reader)
        if key.encode() != encoded[: reader.position] or key.account_id != account_id_of(encoded[:32]):
            raise AssertionError("an account key does not encode back")


def try_certificate(data: bytes) -> None:
    """Read a certificate as it came, and one whose keys signed it, whatever is in it."""
    someone = person()
    signature = sign_labeled(someone.private_key, "device", someone.device.public_key)
    for encoded in (data, data[:1] + _signed_account_key(data[1:]) + signature):
        certificate = verify_certificate(encoded, someone.device.public_key)
        if read_certificate(encoded) != certificate.account_key:
            raise AssertionError("a certificate names two keys")


def try_read_certificate(data: bytes) -> None:
    """Read the account key in a certificate alone."""
    read_certificate(data)


def try_conversation_info(data: bytes) -> None:
    """Read what a conversation says of itself."""
    info = parse_conversation_info(data)
    if info.encode() != data:
        raise AssertionError("a description has two encodings")
    if any(len(key) != 32 for key in (info.door_key, info.knock_key)):
        raise AssertionError("a door has a key of another size")


def try_place(data: bytes) -> None:
    """Read where a room is."""
    reader = Reader(data)
    if RoomPlace.parse(reader).encode() != data[: reader.position]:
        raise AssertionError("a place has two encodings")


def try_inbox_address(data: bytes) -> None:
    """Read where somebody's inbox is."""
    if parse_inbox_address(data).encode() != data:
        raise AssertionError("an inbox address has two encodings")


def try_recipient(data: bytes) -> None:
    """Read where a Welcome goes."""
    parse_recipient(data)


def try_invitation(data: bytes) -> None:
    """Read an invitation with its cards; the Welcome in it is opened elsewhere."""
    parse_invitation(data)


def try_asking(data: bytes) -> None:
    """Read a request to be let into a group; its KeyPackage is checked elsewhere."""
    asking = parse_asking(data)
    if asking.content + asking.signature != data:
        raise AssertionError("a request is not what it was parsed from")


def try_introduction(data: bytes) -> None:
    """Read a card inside of a conversation."""
    body = SinglePart(disposition=Disposition.PROFILE, content_type=CARD_TYPE, content=data)
    found = introduction_in(MimiContent(salt=bytes(16), body=body), person().key.account_id)
    if found is None:
        raise AssertionError("an introduction was taken for something else")


def try_closer(data: bytes) -> None:
    """Take a closer's envelope apart."""
    proposals, commit = closers.unpack(data)
    if closers.pack(list(proposals), commit) != data:
        raise AssertionError("a closer has two encodings")


def _quiet_about_texts(run: Callable[[bytes], object]) -> Callable[[bytes], None]:
    """Hold errors to saying nothing of what they refuse."""

    def target(data: bytes) -> None:
        try:
            run(data)
        except (PeerError, BadRequest) as error:
            shown = str(error)
            if len(_text(data).strip()) > 24 and _text(data).strip() in shown:
                raise AssertionError("an error repeats what it refuses") from None
            raise

    return target


def _place() -> RoomPlace:
    addresses = ("wss://a.invalid", "wss://b.invalid/x")
    return RoomPlace(relay_id=RelayId(bytes(32)), addresses=addresses, log_id=LogId(bytes(16)))


def _descriptions() -> list[bytes]:
    kinds = ((ConversationKind.SELF, 1), (ConversationKind.DIRECT, 2), (ConversationKind.GROUP, 4))
    ids = [AccountId(bytes([number]) * 32) for number in range(3)]
    return [
        ConversationInfo(
            kind=kind,
            title="Двор" if kind is ConversationKind.GROUP else "",
            admins=tuple(ids[: int(kind) + 1]),
            door_secret=bytes(32),
            places=(_place(),) * count,
            message_expiry_s=60 * count,
        ).encode()
        for kind, count in kinds
    ]


def _links() -> list[Link]:
    address = person().address
    return [
        Link(
            relay_id=address.relay_id,
            inbox_id=address.inbox_id,
            post_key=address.post_key,
            secret=address.link_secret,
            account_id=person().key.account_id,
            addresses=address.addresses[:count],
            ticket=b"ticket" * (count - 1),
        )
        for count in (1, 2)
    ]


def _content_of(text: str) -> bytes:
    encoded = text.removeprefix(SCHEME)
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def make() -> Target:
    """Return the target."""
    someone = person()
    card, address = someone.card.encoded, someone.address.encode()
    links = [link.encode() for link in _links()]
    request = encode_asking(
        inbox_id=LogId(bytes(16)),
        admin=someone.key.account_id,
        asked_ms=_NOW_MS,
        card=someone.card,
        address=someone.address,
        key_package=b"KeyPackage",
        device_private_key=someone.device.private_key,
    )
    invitation = b"".join(
        (uint8(1), opaque(card), opaque(address), opaque(b"welcome"), vector([opaque(card)] * 2))
    )
    parts = [
        Part(try_link, [link.encode() for link in links]),
        Part(try_link_content, [_content_of(link) for link in links]),
        Part(try_relay_address, [relay_address_text("wss://relay.invalid/x", bytes(32)).encode()]),
        Part(try_phrase, [phrase_of(bytes(32)).encode(), phrase_of(b"\xa5" * 32).upper().encode()]),
        Part(try_names, ["Аня".encode(), b"  \xff\xfe ", b" " * 300, b"a" * 257]),
        Part(try_card, [card]),
        Part(try_signed_card, [card[:-64]]),
        Part(try_account_key, [someone.key.encode()]),
        Part(try_certificate, [someone.certificate]),
        Part(try_read_certificate, [someone.certificate]),
        Part(try_conversation_info, _descriptions()),
        Part(try_place, [_place().encode()]),
        Part(try_inbox_address, [address]),
        Part(try_recipient, [recipient(address, someone.card)]),
        Part(try_invitation, [invitation]),
        Part(try_asking, [request]),
        Part(try_introduction, [cbor.encode((card, address)), cbor.encode((card, b""))]),
        Part(try_closer, [closers.pack([b"proposal"], b"commit"), closers.pack([], b"commit")]),
    ]
    quiet = [Part(_quiet_about_texts(part.run), part.seeds) for part in parts]
    return one_of(quiet, refusals=(PeerError, BadRequest))
