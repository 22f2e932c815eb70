"""What all members of a conversation agree on, in the GroupContext extension 0xF0A3.

Every change of it is a commit. The first relay orders the commits. Encoding is canonical: admins sorted,
nothing optional left to taste, so that equal values have equal bytes.
"""

from typing import Final

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.base.value import Value
from skvoz.client.records import ConversationKind
from skvoz.codec import Reader, opaque, uint8, uint32, vector
from skvoz.crypto import KEY_SIZE, hkdf_sha256

CONVERSATION_EXTENSION: Final = 0xF0A3
"""Of RFC 9420's private-use range."""
VERSION: Final = 1
TITLE_SIZE_MAX: Final = 512
"""Bytes of UTF-8: 128 characters of any script."""
ADMINS_MAX: Final = 64
RELAYS_MAX: Final = 4
ADDRESSES_MAX: Final = 8
EXPIRY_S_MAX: Final = 366 * 24 * 3600
SIZE_MAX: Final = 16 * 1024
_KINDS: Final = {int(kind): kind for kind in ConversationKind}
_ADMINS_OF_KIND: Final = {
    ConversationKind.SELF: (1, 1),
    ConversationKind.DIRECT: (2, 2),
    ConversationKind.GROUP: (1, ADMINS_MAX),
}


class RoomPlace(Value, frozen=True, kw_only=True):
    """A relay and the conversation's log there."""

    relay_id: RelayId
    addresses: tuple[str, ...]
    log_id: LogId

    def encode(self) -> bytes:
        """Encode relay id, log id and addresses."""
        addresses = vector(opaque(address.encode()) for address in self.addresses)
        return self.relay_id + self.log_id + addresses

    @staticmethod
    def parse(reader: Reader) -> "RoomPlace":
        """Parse what `encode` writes."""
        relay_id = RelayId(reader.take(32))
        log_id = LogId(reader.take(16))
        addresses = reader.vector(_address)
        if not 1 <= len(addresses) <= ADDRESSES_MAX:
            raise Malformed("a relay has no address, or too many")
        return RoomPlace(relay_id=relay_id, addresses=addresses, log_id=log_id)


class ConversationInfo(Value, frozen=True, kw_only=True):
    """The extension's content."""

    kind: ConversationKind
    title: str
    admins: tuple[AccountId, ...]
    """Sorted. In a direct conversation its two accounts, in the self conversation one's own: for good."""
    door_secret: bytes
    """32 bytes: who holds it may knock, and reads knocks."""
    places: tuple[RoomPlace, ...]
    message_expiry_s: int
    """0: messages stay."""

    def encode(self) -> bytes:
        """Encode canonically."""
        return b"".join(
            (
                uint8(VERSION),
                uint8(self.kind),
                opaque(self.title.encode()),
                vector(sorted(self.admins)),
                self.door_secret,
                vector(place.encode() for place in self.places),
                uint32(self.message_expiry_s),
            )
        )

    @property
    def door_key(self) -> bytes:
        """What the relay is shown by who knocks: it says nothing of `door_secret`."""
        return hkdf_sha256(self.door_secret, info=b"skvoz door access", length=KEY_SIZE)

    @property
    def knock_key(self) -> bytes:
        """Seals knocks, so that a relay does not see who is lost."""
        return hkdf_sha256(self.door_secret, info=b"skvoz door knock", length=KEY_SIZE)

    def with_admin(self, account_id: AccountId, *, admin: bool) -> "ConversationInfo":
        """Return the info with one member's role changed."""
        others = {other for other in self.admins if other != account_id}
        return replace(self, admins=tuple(sorted(others | {account_id} if admin else others)))


def parse_conversation_info(data: bytes) -> ConversationInfo:
    """Parse the extension's content; raise `Malformed` for anything that `encode` doesn't write."""
    if len(data) > SIZE_MAX:
        raise Malformed("a conversation's description is too long")
    reader = Reader(data)
    if reader.uint8() != VERSION:
        raise Malformed("a conversation's description has an unknown version")
    kind = _KINDS.get(reader.uint8())
    title = _text(reader.opaque(), TITLE_SIZE_MAX)
    admins = reader.vector(lambda item: AccountId(item.take(32)))
    door_secret = reader.take(32)
    places = reader.vector(RoomPlace.parse)
    message_expiry_s = reader.uint32()
    reader.finish()
    if kind is None or (title and kind is not ConversationKind.GROUP):
        raise Malformed("a conversation's description makes no sense")
    fewest, most = _ADMINS_OF_KIND[kind]
    if not fewest <= len(admins) <= most:
        raise Malformed("a conversation has too few admins, or too many")
    if not 1 <= len(places) <= RELAYS_MAX or message_expiry_s > EXPIRY_S_MAX:
        raise Malformed("a conversation's description exceeds a limit")
    info = ConversationInfo(
        kind=kind,
        title=title,
        admins=admins,
        door_secret=door_secret,
        places=places,
        message_expiry_s=message_expiry_s,
    )
    if info.encode() != data or len(set(admins)) != len(admins):
        raise Malformed("a conversation's description is not in its one form")
    return info


def check_title(title: str) -> str:
    """Return a title that a person typed, on one line and without blanks around; raise `BadRequest`."""
    title = " ".join(title.split())
    try:
        size = len(title.encode())
    except UnicodeEncodeError:
        raise BadRequest("the title has characters that can't be sent") from None
    if not 0 < size <= TITLE_SIZE_MAX:
        raise BadRequest("a title has 1 to 512 bytes")
    return title


def _text(data: bytes, size_max: int) -> str:
    if len(data) > size_max:
        raise Malformed("a text exceeds its limit")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a text is not UTF-8") from None


def _address(reader: Reader) -> str:
    address = _text(reader.opaque(), ADDRESS_SIZE_MAX)
    if not address:
        raise Malformed("an address is empty")
    return address
