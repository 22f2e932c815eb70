"""The parts of a MIMI content as values (draft-ietf-mimi-content-08 §4), and their limits."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, TypeAlias

import msgspec

from skvoz.base.ids import MessageId
from skvoz.base.value import Value
from skvoz.codec import cbor

CONTENT_SIZE_MAX: Final = 64 * 1024
"""An encoded content, bytes: an entry of a log holds no more (and the framing around it takes some)."""
SALT_SIZE: Final = 16
MESSAGE_ID_SIZE: Final = 32
TOPIC_SIZE_MAX: Final = 4096
"""Longer ones are nonsense by §9.1 of the draft."""
TEXT_SIZE_MAX: Final = 4 * 4096
"""A text part, bytes of UTF-8: 4,096 characters of the longest kind."""
PARTS_MAX: Final = 64
"""Nested parts of one content, containers included: the draft's 1,024 serve nobody in 64 KiB."""
PARTS_DEPTH_MAX: Final = 4
"""§6.3 of the draft."""
EXTENSIONS_DEPTH_MAX: Final = 4
"""§6.3 of the draft; the map of extensions is the first level."""
EXTENSION_SIZE_MAX: Final = 4096
"""The encoded value of one extension, bytes (appendix A.1 of the draft)."""
LAST_SEEN_MAX: Final = 16
"""Ids in `last_seen`: as many as may be written at once without knowing of each other."""
EXPIRY_RELATIVE_MAX_S: Final = 366 * 24 * 3600
"""A year: longer is nonsense by §9.1 of the draft."""

SENDER_URI: Final = 1
ROOM_URI: Final = 2
SENT_AT: Final = "skvoz.sentAt"
LAST_SEEN: Final = "skvoz.lastSeen"
FORWARDED: Final = "skvoz.forwarded"

ExtensionKey: TypeAlias = int | str


class Disposition(IntEnum):
    """What a part is for (§8.2.2); numbers that we don't know mean `RENDER`."""

    UNSPECIFIED = 0
    RENDER = 1
    REACTION = 2
    PROFILE = 3
    INLINE = 4
    ICON = 5
    ATTACHMENT = 6
    SESSION = 7
    PREVIEW = 8


class PartSemantics(IntEnum):
    """How the parts of a `MultiPart` belong together (§4.4)."""

    CHOOSE_ONE = 0
    SINGLE_UNIT = 1
    PROCESS_ALL = 2


class Expiration(Value, frozen=True, kw_only=True):
    """When a message should vanish: seconds after it is read, or seconds since 1970 UTC (§4.1)."""

    relative: bool
    time_s: int


class NullPart(Value, frozen=True, kw_only=True):
    """A body without anything: what deletes a message or takes a reaction back."""

    disposition: int
    language: str = ""


class SinglePart(Value, frozen=True, kw_only=True):
    """A body that is here as a whole; `content_type` is a media type."""

    disposition: int
    language: str = ""
    content_type: str
    content: bytes


class ExternalPart(Value, frozen=True, kw_only=True):
    """A body to be fetched elsewhere, usually encrypted under the key that stands here (§4.5).

    `size` is in bytes, `expires_s` in seconds since 1970 UTC; zero says nothing in both.
    `encryption` is an IANA AEAD number, `hash_algorithm` a named-information one; zero is none.
    """

    disposition: int
    language: str = ""
    content_type: str
    url: str
    expires_s: int = 0
    size: int = 0
    encryption: int = 0
    key: bytes = b""
    nonce: bytes = b""
    aad: bytes = b""
    hash_algorithm: int = 0
    content_hash: bytes = b""
    description: str = ""
    filename: str = ""


class MultiPart(Value, frozen=True, kw_only=True):
    """Two or more parts that belong together as `semantics` says."""

    disposition: int
    language: str = ""
    semantics: PartSemantics
    parts: "tuple[NestedPart, ...]"


NestedPart: TypeAlias = NullPart | SinglePart | ExternalPart | MultiPart


class MimiContent(Value, frozen=True, kw_only=True):
    """One message: how it relates to others, and its body (§4.1).

    `salt` is 16 random bytes, fresh for each message. `last_seen` names the newest messages that
    the author had read; it travels as an extension and is kept apart from `extensions` here.
    """

    salt: bytes
    replaces: MessageId | None = None
    topic_id: bytes = b""
    expires: Expiration | None = None
    in_reply_to: MessageId | None = None
    last_seen: tuple[MessageId, ...] = ()
    extensions: Mapping[ExtensionKey, cbor.Value] = msgspec.field(
        default_factory=dict[ExtensionKey, cbor.Value]
    )
    body: NestedPart

    @property
    def sent_at_ms(self) -> int | None:
        """When the author's device says that it was written, milliseconds since 1970 UTC."""
        value = self.extensions.get(SENT_AT)
        return value if isinstance(value, int) else None

    @property
    def forwarded(self) -> bool:
        """Whether its author passes on what somebody else said, without saying who."""
        return self.extensions.get(FORWARDED) is True
