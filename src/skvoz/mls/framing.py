"""What is signed: the content of a message, its sender, and how it is authenticated (RFC 9420 § 6, 6.1)."""

from enum import IntEnum
from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8, uint16, uint32, uint64
from skvoz.crypto.ports import Signer
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.nodes import VERSION_MLS10
from skvoz.mls.proposals import Commit, Proposal, parse_proposal

_TBS_LABEL: Final = "FramedContentTBS"


class WireFormat(IntEnum):
    """What an `MLSMessage` holds (RFC 9420 §17.2)."""

    PUBLIC_MESSAGE = 1
    PRIVATE_MESSAGE = 2
    WELCOME = 3
    GROUP_INFO = 4
    KEY_PACKAGE = 5


class ContentType(IntEnum):
    """What a framed content is."""

    APPLICATION = 1
    PROPOSAL = 2
    COMMIT = 3


class SenderType(IntEnum):
    """Who may speak to a group."""

    MEMBER = 1
    EXTERNAL = 2
    NEW_MEMBER_PROPOSAL = 3
    NEW_MEMBER_COMMIT = 4


CONTENT_TYPES: Final = {int(kind): kind for kind in ContentType}
_SENDER_TYPES: Final = {int(kind): kind for kind in SenderType}
_ENCODED: Final = {kind: uint8(kind) for kind in SenderType}
_INDEXED: Final = (SenderType.MEMBER, SenderType.EXTERNAL)


class Sender(Value, frozen=True):
    """A sender; `index` is a leaf index for a member, a place in external_senders for an external one."""

    kind: SenderType
    index: int = 0

    @staticmethod
    def member(leaf_index: int) -> "Sender":
        """Return a member as sender."""
        return Sender(SenderType.MEMBER, leaf_index)

    @staticmethod
    def parse(reader: Reader) -> "Sender":
        """Parse `Sender`."""
        kind = _SENDER_TYPES.get(reader.uint8())
        if kind is None:
            raise Malformed("a sender of an unknown type")
        return Sender(kind, reader.uint32() if kind in _INDEXED else 0)

    def encode(self) -> bytes:
        """Encode `Sender`."""
        return _ENCODED[self.kind] + uint32(self.index) if self.kind in _INDEXED else _ENCODED[self.kind]

    @property
    def leaf_index(self) -> int | None:
        """The sender's leaf, if it is a member."""
        return self.index if self.kind is SenderType.MEMBER else None


Body = bytes | Proposal | Commit


def parse_body(reader: Reader, content_type: ContentType) -> Body:
    """Parse what follows the content type: application data, a proposal or a commit."""
    if content_type is ContentType.APPLICATION:
        return reader.opaque()
    if content_type is ContentType.PROPOSAL:
        return parse_proposal(reader)
    return Commit.parse(reader)


def encode_body(body: Body) -> bytes:
    """Encode application data, a proposal or a commit."""
    return opaque(body) if isinstance(body, bytes) else body.encode()


def content_type_of(body: Body) -> ContentType:
    """Return the content type under which a body travels."""
    if isinstance(body, bytes):
        return ContentType.APPLICATION
    return ContentType.COMMIT if isinstance(body, Commit) else ContentType.PROPOSAL


class FramedContent(Value, frozen=True, kw_only=True):
    """A message's content; `encoded` is `FramedContent` as it was sent, `body` is parsed from it."""

    group_id: bytes
    epoch: int
    sender: Sender
    authenticated_data: bytes
    content_type: ContentType
    body: Body
    encoded: bytes

    @staticmethod
    def of(
        *, group_id: bytes, epoch: int, sender: Sender, authenticated_data: bytes, body: Body
    ) -> "FramedContent":
        """Frame a body of our own."""
        content_type = content_type_of(body)
        return FramedContent(
            group_id=group_id,
            epoch=epoch,
            sender=sender,
            authenticated_data=authenticated_data,
            content_type=content_type,
            body=body,
            encoded=encode_framed(
                group_id=group_id,
                epoch=epoch,
                sender=sender,
                authenticated_data=authenticated_data,
                content_type=content_type,
                body=encode_body(body),
            ),
        )

    @staticmethod
    def parse(reader: Reader) -> "FramedContent":
        """Parse `FramedContent`."""
        start = reader.position
        group_id, epoch = reader.opaque(), reader.uint64()
        sender, authenticated_data = Sender.parse(reader), reader.opaque()
        content_type = parse_content_type(reader)
        body = parse_body(reader, content_type)
        return FramedContent(
            group_id=group_id,
            epoch=epoch,
            sender=sender,
            authenticated_data=authenticated_data,
            content_type=content_type,
            body=body,
            encoded=reader.data[start : reader.position],
        )


def encode_framed(
    *,
    group_id: bytes,
    epoch: int,
    sender: Sender,
    authenticated_data: bytes,
    content_type: ContentType,
    body: bytes,
) -> bytes:
    """Encode `FramedContent` around an encoded body."""
    return b"".join(
        (
            opaque(group_id),
            uint64(epoch),
            sender.encode(),
            opaque(authenticated_data),
            uint8(content_type),
            body,
        )
    )


def parse_content_type(reader: Reader) -> ContentType:
    """Parse `ContentType`."""
    content_type = CONTENT_TYPES.get(reader.uint8())
    if content_type is None:
        raise Malformed("content of an unknown type")
    return content_type


class AuthenticatedContent(Value, frozen=True, kw_only=True):
    """A framed content with its signature and, for a commit, its confirmation tag."""

    wire_format: WireFormat
    content: FramedContent
    signature: bytes
    confirmation_tag: bytes | None = None

    @staticmethod
    def parse(reader: Reader) -> "AuthenticatedContent":
        """Parse `AuthenticatedContent`."""
        try:
            wire_format = WireFormat(reader.uint16())
        except ValueError:
            raise Malformed("a message of an unknown kind") from None
        content = FramedContent.parse(reader)
        signature, tag = parse_auth(reader, content.content_type)
        return AuthenticatedContent(
            wire_format=wire_format, content=content, signature=signature, confirmation_tag=tag
        )

    def encode(self) -> bytes:
        """Encode `AuthenticatedContent`, as it is hashed for a proposal's reference."""
        return uint16(self.wire_format) + self.content.encoded + self.encode_auth()

    def encode_auth(self) -> bytes:
        """Encode `FramedContentAuthData`."""
        return encode_auth(self.signature, self.confirmation_tag)

    def reference(self, suite: CipherSuite) -> bytes:
        """Return the `ProposalRef` of a proposal (RFC 9420 §5.2)."""
        return suite.ref_hash("MLS 1.0 Proposal Reference", self.encode())


def parse_auth(reader: Reader, content_type: ContentType) -> tuple[bytes, bytes | None]:
    """Parse `FramedContentAuthData`: the signature, and the confirmation tag that only a commit has."""
    signature = reader.opaque()
    return signature, reader.opaque() if content_type is ContentType.COMMIT else None


def encode_auth(signature: bytes, confirmation_tag: bytes | None) -> bytes:
    """Encode `FramedContentAuthData`."""
    return opaque(signature) + (b"" if confirmation_tag is None else opaque(confirmation_tag))


def signed_bytes(wire_format: int, sender: Sender, content: bytes, group_context: bytes) -> bytes:
    """Return `FramedContentTBS`: members and joiners sign the group's context too."""
    inside = sender.kind in (SenderType.MEMBER, SenderType.NEW_MEMBER_COMMIT)
    head = uint16(VERSION_MLS10) + uint16(wire_format) + content
    return head + group_context if inside else head


def sign_encoded(
    suite: CipherSuite,
    signer: bytes | Signer,
    content: bytes,
    *,
    sender: Sender,
    wire_format: WireFormat,
    group_context: bytes,
) -> bytes:
    """Sign an encoded `FramedContent` with a private key, or with what `suite.signer` made of it."""
    return suite.sign_with_label(
        signer, _TBS_LABEL, signed_bytes(wire_format, sender, content, group_context)
    )


def sign_content(
    suite: CipherSuite,
    signer: bytes | Signer,
    content: FramedContent,
    *,
    wire_format: WireFormat,
    group_context: bytes,
) -> bytes:
    """Sign a framed content."""
    return sign_encoded(
        suite,
        signer,
        content.encoded,
        sender=content.sender,
        wire_format=wire_format,
        group_context=group_context,
    )


def verify_content(
    suite: CipherSuite, public_key: bytes, authenticated: AuthenticatedContent, group_context: bytes
) -> None:
    """Raise `DecryptFailed` unless the sender's key signed exactly what was received."""
    content = authenticated.content
    signed = signed_bytes(authenticated.wire_format, content.sender, content.encoded, group_context)
    suite.verify_with_label(public_key, _TBS_LABEL, signed, authenticated.signature)


def check_sender(content: FramedContent) -> None:
    """Raise `Invalid` unless this kind of sender may send this kind of content (RFC 9420 §6)."""
    match content.sender.kind:
        case SenderType.MEMBER:
            allowed = True
        case SenderType.EXTERNAL | SenderType.NEW_MEMBER_PROPOSAL:
            allowed = content.content_type is ContentType.PROPOSAL
        case SenderType.NEW_MEMBER_COMMIT:
            allowed = content.content_type is ContentType.COMMIT
    if not allowed:
        raise Invalid("a sender of this kind may not send this")
