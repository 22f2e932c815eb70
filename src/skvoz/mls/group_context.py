"""What a group has agreed on at an epoch (RFC 9420 §8.1)."""

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint16, uint64
from skvoz.mls.nodes import VERSION_MLS10, Extensions, encode_extensions, find_extension, parse_extensions


class GroupContext(Value, frozen=True, kw_only=True):
    """The group's shared facts; every secret of the epoch depends on their encoding."""

    cipher_suite: int
    group_id: bytes
    epoch: int
    tree_hash: bytes
    confirmed_transcript_hash: bytes
    extensions: Extensions = ()

    @staticmethod
    def parse(reader: Reader) -> "GroupContext":
        """Parse `GroupContext`; another version than MLS 1.0 is `Malformed`."""
        if reader.uint16() != VERSION_MLS10:
            raise Malformed("a group of an unknown protocol version")
        return GroupContext(
            cipher_suite=reader.uint16(),
            group_id=reader.opaque(),
            epoch=reader.uint64(),
            tree_hash=reader.opaque(),
            confirmed_transcript_hash=reader.opaque(),
            extensions=parse_extensions(reader),
        )

    def encode(self) -> bytes:
        """Encode `GroupContext`."""
        return b"".join(
            (
                uint16(VERSION_MLS10),
                uint16(self.cipher_suite),
                opaque(self.group_id),
                uint64(self.epoch),
                opaque(self.tree_hash),
                opaque(self.confirmed_transcript_hash),
                encode_extensions(self.extensions),
            )
        )

    def extension(self, kind: int) -> bytes | None:
        """Return the content of the group's extension of type `kind`, or None."""
        return find_extension(self.extensions, kind)
