"""Who is in a group, readable without the ratchet tree.

Opening a conversation to read or send application messages needs the signature keys of senders and
nothing else of the tree. So the tree is loaded only when something asks for it, and a small table
(`members` part) answers the rest.
"""

from collections.abc import Callable

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8, uint32, vector
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.nodes import Credential, LeafNode
from skvoz.mls.ratchet_tree import RatchetTree

_STORAGE_VERSION = 1
_HEADER_SIZE = 1 + 4
_OFFSET_SIZE = 4


class Member(Value, frozen=True, kw_only=True):
    """A member as others see it."""

    leaf_index: int
    credential: Credential
    signature_key: bytes
    leaf_node: LeafNode


class Signatory(Value, frozen=True):
    """Whose signature is on a message."""

    signature_key: bytes
    credential: Credential


class ExternalSender(Value, frozen=True):
    """Somebody outside of the group who may send proposals (RFC 9420 §12.1.8.1)."""

    signature_key: bytes
    credential: Credential

    @staticmethod
    def parse(reader: Reader) -> "ExternalSender":
        """Parse `ExternalSender`."""
        return ExternalSender(reader.opaque(), Credential.parse(reader))

    def encode(self) -> bytes:
        """Encode `ExternalSender`."""
        return opaque(self.signature_key) + self.credential.encode()


def parse_external_senders(data: bytes) -> tuple[ExternalSender, ...]:
    """Parse the content of an external_senders extension, and nothing after it."""
    reader = Reader(data)
    senders = reader.vector(ExternalSender.parse)
    reader.finish()
    return senders


def encode_external_senders(senders: tuple[ExternalSender, ...]) -> bytes:
    """Encode the content of an external_senders extension."""
    return vector(sender.encode() for sender in senders)


class Members:
    """The ratchet tree of an epoch, or what is stored of it until needed; as a value it never changes."""

    __slots__ = ("_load", "_table", "_tree")

    def __init__(
        self, tree: RatchetTree | None, load: Callable[[], RatchetTree], table: bytes | None
    ) -> None:
        self._tree = tree
        self._load = load
        self._table = table

    @staticmethod
    def of(tree: RatchetTree) -> "Members":
        """Return the members in a tree that is in memory."""
        return Members(tree, lambda: tree, None)

    @staticmethod
    def stored(suite: CipherSuite, table: bytes, load_tree: Callable[[], bytes]) -> "Members":
        """Return members by the table that `encode` made; `load_tree` gives the encoded tree when needed."""
        if len(table) < _HEADER_SIZE or table[0] != _STORAGE_VERSION:
            raise Malformed("a stored table of members has an unknown version")
        return Members(None, lambda: RatchetTree.parse(suite, load_tree()), table)

    @property
    def tree(self) -> RatchetTree:
        """The ratchet tree, loaded now if it was not."""
        if self._tree is None:
            self._tree = self._load()
        return self._tree

    def signatory(self, leaf_index: int) -> Signatory:
        """Return whose leaf this is; raise `Invalid` if it is nobody's."""
        if self._tree is not None:
            leaf = self._tree.member(leaf_index)
            return Signatory(leaf.signature_key, leaf.credential)
        table = self._table or b""
        count = int.from_bytes(table[1:_HEADER_SIZE], "big")
        if not 0 <= leaf_index < count:
            raise Invalid("a leaf index names no member")
        place = _HEADER_SIZE + _OFFSET_SIZE * leaf_index
        start = int.from_bytes(table[place : place + _OFFSET_SIZE], "big")
        if start == 0:
            raise Invalid("a leaf index names no member")
        reader = Reader(table, start)
        return Signatory(reader.opaque(), Credential.parse(reader))

    def encode(self) -> bytes:
        """Encode the table: a version, a count, an offset (0: nobody) for each leaf index, and the rows."""
        if self._table is not None:
            return self._table
        leaves = dict(self.tree.leaves())
        count = max(leaves) + 1
        position = _HEADER_SIZE + _OFFSET_SIZE * count
        offsets: list[bytes] = []
        rows: list[bytes] = []
        for leaf_index in range(count):
            leaf = leaves.get(leaf_index)
            if leaf is None:
                offsets.append(bytes(_OFFSET_SIZE))
                continue
            row = opaque(leaf.signature_key) + leaf.credential.encode()
            offsets.append(uint32(position))
            rows.append(row)
            position += len(row)
        return b"".join((uint8(_STORAGE_VERSION), uint32(count), *offsets, *rows))
