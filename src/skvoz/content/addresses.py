"""URIs of accounts and rooms, and the ids of messages, which are hashed over them.

MIMI names people and rooms by `mimi:` URIs with a provider's host. Here nobody has a provider, so
the host is the reserved `skvoz.invalid` for all, and the rest is the id itself in base64url.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

from skvoz.base.errors import BadRequest, Invalid, Malformed
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.content.model import ROOM_URI, SALT_SIZE, SENDER_URI, MimiContent

ACCOUNT_URI_PREFIX: Final = "mimi://skvoz.invalid/u/"
ROOM_URI_PREFIX: Final = "mimi://skvoz.invalid/r/"
ACCOUNT_ID_SIZE: Final = 32

_SHA256: Final = b"\x01"  # its number among IANA's named-information hashes
_CONTENT_START: Final = b"\x87\x50"  # an array of seven that begins with 16 bytes, the salt
_ACCOUNT_URI: Final = re.compile(re.escape(ACCOUNT_URI_PREFIX) + r"([A-Za-z0-9_-]{43})")


def account_uri(account_id: AccountId) -> str:
    """Return the URI of an account (id: 32 bytes)."""
    if len(account_id) != ACCOUNT_ID_SIZE:
        raise BadRequest("an account id is not 32 bytes")
    return ACCOUNT_URI_PREFIX + _base64url(account_id)


def room_uri(group_id: GroupId) -> str:
    """Return the URI of a conversation (the id of its MLS group)."""
    return ROOM_URI_PREFIX + _base64url(group_id)


def account_in(uri: str) -> AccountId | None:
    """Return the account that a URI names, if it is exactly what `account_uri` writes."""
    found = _ACCOUNT_URI.fullmatch(uri)
    if found is None:
        return None
    account_id = AccountId(urlsafe_b64decode(found[1] + "="))
    return account_id if account_uri(account_id) == uri else None


def message_id(sender_uri: str, room_uri: str, content_bytes: bytes) -> MessageId:
    """Return the id of a message: a hash over its exact bytes, 32 bytes (§3.3).

    Raises `Malformed` where the bytes are not the beginning of a content. What was received is
    hashed as it came, never a re-encoding.
    """
    salt = content_bytes[2 : 2 + SALT_SIZE]
    if not content_bytes.startswith(_CONTENT_START) or len(salt) != SALT_SIZE:
        raise Malformed("a content doesn't begin with its salt")
    sender, room = sender_uri.encode(), room_uri.encode()
    digest = sha256(
        len(sender).to_bytes(2, "big") + sender + len(room).to_bytes(2, "big") + room + content_bytes + salt
    ).digest()
    return MessageId(_SHA256 + digest[:31])


def check_addresses(content: MimiContent, sender_uri: str, room_uri: str) -> None:
    """Raise `Invalid` if the content says that it is from or for somebody else than MLS says."""
    extensions = content.extensions
    if extensions.get(SENDER_URI, sender_uri) != sender_uri:
        raise Invalid("a message names another sender than its own")
    if extensions.get(ROOM_URI, room_uri) != room_uri:
        raise Invalid("a message names another room than its own")


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
