"""What members propose to change, and the commit that changes it (RFC 9420 §§ 12.1, 12.4).

SelfRemove is that of draft-ietf-mls-extensions: only by reference, only from the leaver.
"""

from enum import IntEnum
from typing import ClassVar, Final

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, optional, uint8, uint16, uint32, vector
from skvoz.mls.nodes import Extensions, KeyPackage, LeafNode, encode_extensions, parse_extensions
from skvoz.mls.pre_shared_keys import PreSharedKeyId
from skvoz.mls.tree_kem import UpdatePath


class ProposalType(IntEnum):
    """Proposal types (RFC 9420 §17.4; SelfRemove: draft-ietf-mls-extensions)."""

    ADD = 1
    UPDATE = 2
    REMOVE = 3
    PSK = 4
    REINIT = 5
    EXTERNAL_INIT = 6
    GROUP_CONTEXT_EXTENSIONS = 7
    SELF_REMOVE = 0x000A


DEFAULT_PROPOSAL_TYPES: Final = frozenset(range(ProposalType.ADD, ProposalType.GROUP_CONTEXT_EXTENSIONS + 1))
"""Types that every client supports, and so never lists in its capabilities."""
PATH_REQUIRED: Final = frozenset(
    (
        ProposalType.UPDATE,
        ProposalType.REMOVE,
        ProposalType.EXTERNAL_INIT,
        ProposalType.GROUP_CONTEXT_EXTENSIONS,
        ProposalType.SELF_REMOVE,
    )
)
"""Types after which a commit must bring fresh keys (RFC 9420 §17.4)."""
FROM_EXTERNAL_SENDERS: Final = frozenset(
    (
        ProposalType.ADD,
        ProposalType.REMOVE,
        ProposalType.PSK,
        ProposalType.REINIT,
        ProposalType.GROUP_CONTEXT_EXTENSIONS,
    )
)
"""Types that somebody outside of the group may propose (RFC 9420 §12.1.8)."""


class Add(Value, frozen=True):
    """Add the client that made a KeyPackage."""

    kind: ClassVar = ProposalType.ADD
    key_package: KeyPackage

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + self.key_package.encoded


class Update(Value, frozen=True):
    """Replace the sender's own leaf."""

    kind: ClassVar = ProposalType.UPDATE
    leaf_node: LeafNode

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + self.leaf_node.encoded


class Remove(Value, frozen=True):
    """Remove the member at a leaf index."""

    kind: ClassVar = ProposalType.REMOVE
    removed: int

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + uint32(self.removed)


class PreSharedKey(Value, frozen=True):
    """Mix a pre-shared key into the next epoch."""

    kind: ClassVar = ProposalType.PSK
    psk: PreSharedKeyId

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + self.psk.encode()


class ReInit(Value, frozen=True, kw_only=True):
    """End this group, and go on in a new one with these parameters."""

    kind: ClassVar = ProposalType.REINIT
    group_id: bytes
    version: int
    cipher_suite: int
    extensions: Extensions = ()

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        head = uint16(self.kind) + opaque(self.group_id) + uint16(self.version) + uint16(self.cipher_suite)
        return head + encode_extensions(self.extensions)


class ExternalInit(Value, frozen=True):
    """Replace the init secret by one encapsulated to the group's external key."""

    kind: ClassVar = ProposalType.EXTERNAL_INIT
    kem_output: bytes

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + opaque(self.kem_output)


class GroupContextExtensions(Value, frozen=True):
    """Replace all extensions of the group context."""

    kind: ClassVar = ProposalType.GROUP_CONTEXT_EXTENSIONS
    extensions: Extensions

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind) + encode_extensions(self.extensions)


class SelfRemove(Value, frozen=True):
    """Remove the sender."""

    kind: ClassVar = ProposalType.SELF_REMOVE

    def encode(self) -> bytes:
        """Encode `Proposal`."""
        return uint16(self.kind)


Proposal = Add | Update | Remove | PreSharedKey | ReInit | ExternalInit | GroupContextExtensions | SelfRemove


def parse_proposal(reader: Reader) -> Proposal:
    """Parse `Proposal`; an unknown type is `Malformed`, for its length can't be known."""
    match reader.uint16():
        case ProposalType.ADD:
            return Add(KeyPackage.parse(reader))
        case ProposalType.UPDATE:
            return Update(LeafNode.parse(reader))
        case ProposalType.REMOVE:
            return Remove(reader.uint32())
        case ProposalType.PSK:
            return PreSharedKey(PreSharedKeyId.parse(reader))
        case ProposalType.REINIT:
            return ReInit(
                group_id=reader.opaque(),
                version=reader.uint16(),
                cipher_suite=reader.uint16(),
                extensions=parse_extensions(reader),
            )
        case ProposalType.EXTERNAL_INIT:
            return ExternalInit(reader.opaque())
        case ProposalType.GROUP_CONTEXT_EXTENSIONS:
            return GroupContextExtensions(parse_extensions(reader))
        case ProposalType.SELF_REMOVE:
            return SelfRemove()
        case _:
            raise Malformed("a proposal of an unknown type")


_BY_VALUE: Final = 1
_BY_REFERENCE: Final = 2


class ProposalRef(Value, frozen=True):
    """Stands in a commit for a proposal that was sent before: the hash of its message."""

    reference: bytes


class Commit(Value, frozen=True, kw_only=True):
    """A commit: proposals by value or by reference, in order, and fresh keys along the sender's path."""

    proposals: tuple[Proposal | ProposalRef, ...]
    path: UpdatePath | None

    @staticmethod
    def parse(reader: Reader) -> "Commit":
        """Parse `Commit`."""
        return Commit(proposals=reader.vector(_parse_item), path=reader.optional(UpdatePath.parse))

    def encode(self) -> bytes:
        """Encode `Commit`."""
        path = None if self.path is None else self.path.encode()
        return vector(_encode_item(item) for item in self.proposals) + optional(path)


def _parse_item(reader: Reader) -> Proposal | ProposalRef:
    form = reader.uint8()
    if form == _BY_VALUE:
        return parse_proposal(reader)
    if form == _BY_REFERENCE:
        return ProposalRef(reader.opaque())
    raise Malformed("a commit holds neither a proposal nor a reference")


def _encode_item(item: Proposal | ProposalRef) -> bytes:
    if isinstance(item, ProposalRef):
        return uint8(_BY_REFERENCE) + opaque(item.reference)
    return uint8(_BY_VALUE) + item.encode()
