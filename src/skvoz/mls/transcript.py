"""The running hashes over all commits of a group (RFC 9420 §8.2)."""

from skvoz.codec import opaque, uint16
from skvoz.crypto.suites import CipherSuite


def confirmed_transcript_hash(
    suite: CipherSuite, interim_hash: bytes, wire_format: int, content: bytes, signature: bytes
) -> bytes:
    """Add a commit: `content` is its `FramedContent` as it was sent, `interim_hash` of the epoch before."""
    return suite.hash(interim_hash + uint16(wire_format) + content + opaque(signature))


def interim_transcript_hash(suite: CipherSuite, confirmed_hash: bytes, confirmation_tag: bytes) -> bytes:
    """Add the commit's confirmation tag, which its own confirmed hash cannot contain."""
    return suite.hash(confirmed_hash + opaque(confirmation_tag))
