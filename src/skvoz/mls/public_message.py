"""Signed but unencrypted handshake messages (RFC 9420 §6.2)."""

from skvoz.base.errors import DecryptFailed, Invalid
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    SenderType,
    WireFormat,
    check_sender,
    parse_auth,
    signed_bytes,
)


class PublicMessage(Value, frozen=True, kw_only=True):
    """A `PublicMessage`; the membership tag is there for members only."""

    authenticated: AuthenticatedContent
    membership_tag: bytes | None

    @staticmethod
    def parse(reader: Reader) -> "PublicMessage":
        """Parse `PublicMessage`; who may send what is checked by `open_public`."""
        content = FramedContent.parse(reader)
        signature, confirmation_tag = parse_auth(reader, content.content_type)
        tag = reader.opaque() if content.sender.kind is SenderType.MEMBER else None
        return PublicMessage(
            authenticated=AuthenticatedContent(
                wire_format=WireFormat.PUBLIC_MESSAGE,
                content=content,
                signature=signature,
                confirmation_tag=confirmation_tag,
            ),
            membership_tag=tag,
        )

    def encode(self) -> bytes:
        """Encode `PublicMessage`."""
        tag = b"" if self.membership_tag is None else opaque(self.membership_tag)
        return self.authenticated.content.encoded + self.authenticated.encode_auth() + tag


def _membership_tagged(authenticated: AuthenticatedContent, group_context: bytes) -> bytes:
    """Return `AuthenticatedContentTBM`."""
    content = authenticated.content
    signed = signed_bytes(authenticated.wire_format, content.sender, content.encoded, group_context)
    return signed + authenticated.encode_auth()


def seal_public(
    suite: CipherSuite, authenticated: AuthenticatedContent, membership_key: bytes, group_context: bytes
) -> PublicMessage:
    """Put a signed handshake message into a PublicMessage; only a member's gets a tag."""
    tag = None
    if authenticated.content.sender.kind is SenderType.MEMBER:
        tag = suite.mac(membership_key, _membership_tagged(authenticated, group_context))
    return PublicMessage(authenticated=authenticated, membership_tag=tag)


def open_public(
    suite: CipherSuite, message: PublicMessage, membership_key: bytes, group_context: bytes
) -> AuthenticatedContent:
    """Check what needs no leaf: sender type, content type and membership tag. The signature comes next.

    Raises `Invalid` for application data or a sender that may not send this, else `DecryptFailed`.
    """
    authenticated = message.authenticated
    content = authenticated.content
    if content.content_type is ContentType.APPLICATION:
        raise Invalid("application data came unencrypted")
    check_sender(content)
    if content.sender.kind is SenderType.MEMBER:
        tagged = _membership_tagged(authenticated, group_context)
        if not suite.verify_mac(membership_key, tagged, message.membership_tag or b""):
            raise DecryptFailed
    return authenticated
