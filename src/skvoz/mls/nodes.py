"""What stands at the nodes of a ratchet tree, and the KeyPackage with its leaf (RFC 9420 §§ 5.3, 7, 10).

Every struct keeps the bytes it was parsed from (`encoded`): signatures and hashes are taken over
those, never over a re-encoding. Parsing checks the form; `tree_validation` checks the rules.
"""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from struct import unpack
from typing import Final, TypeVar

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint16, uint32, uint64
from skvoz.crypto.ports import Signer
from skvoz.crypto.suites import CipherSuite

T = TypeVar("T")

VERSION_MLS10: Final = 1


class ExtensionType(IntEnum):
    """The extension types that every client knows (RFC 9420 §17.3)."""

    APPLICATION_ID = 1
    RATCHET_TREE = 2
    REQUIRED_CAPABILITIES = 3
    EXTERNAL_PUB = 4
    EXTERNAL_SENDERS = 5


class CredentialType(IntEnum):
    """Credential types (RFC 9420 §17.5)."""

    BASIC = 1
    X509 = 2


class LeafNodeSource(IntEnum):
    """How a leaf came into the tree (RFC 9420 §7.2)."""

    KEY_PACKAGE = 1
    UPDATE = 2
    COMMIT = 3


class NodeType(IntEnum):
    """What a `Node` of the ratchet_tree extension is (RFC 9420 §12.4.3.3)."""

    LEAF = 1
    PARENT = 2


REMEMBERED_SIZE_MAX: Final = 1024
"""Longer lists are parsed anew each time, bytes: a GroupInfo's holds the whole tree."""
_REMEMBERED_COUNT: Final = 256


def _remembered(parse: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Parse each short encoding once, for leaves of one group have few different ones."""
    known = lru_cache(maxsize=_REMEMBERED_COUNT)(parse)
    return lambda encoded: known(encoded) if len(encoded) <= REMEMBERED_SIZE_MAX else parse(encoded)


_SOURCES: Final = {int(source): source for source in LeafNodeSource}


class Extension(Value, frozen=True, kw_only=True):
    """An extension: its type, and content that only who knows the type can read."""

    kind: int
    data: bytes

    def encode(self) -> bytes:
        """Encode `Extension`."""
        return uint16(self.kind) + opaque(self.data)


Extensions = tuple[Extension, ...]


def find_extension(extensions: Extensions, kind: int) -> bytes | None:
    """Return the content of the extension of type `kind`, or None."""
    for extension in extensions:
        if extension.kind == kind:
            return extension.data
    return None


def encode_extensions(extensions: Extensions) -> bytes:
    """Encode `Extension extensions<V>`."""
    return opaque(b"".join([extension.encode() for extension in extensions]))


@_remembered
def _extensions(content: bytes) -> Extensions:
    reader = Reader(content)
    extensions: list[Extension] = []
    seen: set[int] = set()
    while reader.remaining:
        kind = reader.uint16()
        if kind in seen:
            raise Malformed("an extension type appears twice in one list")
        seen.add(kind)
        extensions.append(Extension(kind=kind, data=reader.opaque()))
    return tuple(extensions)


def parse_extensions(reader: Reader) -> Extensions:
    """Parse `Extension extensions<V>`; a type that appears twice is `Malformed` (RFC 9420 §13.4)."""
    return _extensions(reader.opaque())


class Credential(Value, frozen=True, kw_only=True):
    """A credential: for a basic one `content` is the identity; for any other type it stays opaque."""

    kind: int
    content: bytes

    @staticmethod
    def basic(identity: bytes) -> "Credential":
        """Return a basic credential around an identity that the application understands."""
        return Credential(kind=CredentialType.BASIC, content=identity)

    @staticmethod
    def parse(reader: Reader) -> "Credential":
        """Parse `Credential`; basic and X.509 ones, and those of unknown types, are all one vector."""
        return Credential(kind=reader.uint16(), content=reader.opaque())

    def encode(self) -> bytes:
        """Encode `Credential`."""
        return uint16(self.kind) + opaque(self.content)


class Capabilities(Value, frozen=True, kw_only=True):
    """What a client supports, by number; what every client supports need not be listed (RFC 9420 §7.2)."""

    versions: tuple[int, ...]
    cipher_suites: tuple[int, ...]
    extensions: tuple[int, ...] = ()
    proposals: tuple[int, ...] = ()
    credentials: tuple[int, ...] = (CredentialType.BASIC,)

    @staticmethod
    def parse(reader: Reader) -> "Capabilities":
        """Parse `Capabilities`."""
        start = reader.position
        for _ in range(5):
            reader.opaque()
        return _capabilities(reader.data[start : reader.position])

    def encode(self) -> bytes:
        """Encode `Capabilities`."""
        lists = (self.versions, self.cipher_suites, self.extensions, self.proposals, self.credentials)
        return b"".join([_encode_numbers(numbers) for numbers in lists])


def _encode_numbers(numbers: tuple[int, ...]) -> bytes:
    return opaque(b"".join([uint16(number) for number in numbers]))


def parse_numbers(reader: Reader) -> tuple[int, ...]:
    """Parse a vector of 16-bit numbers, such as `ExtensionType extension_types<V>`."""
    content = reader.opaque()
    if len(content) % 2:
        raise Malformed("a list of 16-bit numbers has an odd length")
    return unpack(f">{len(content) // 2}H", content)


@_remembered
def _capabilities(encoded: bytes) -> Capabilities:
    reader = Reader(encoded)
    return Capabilities(
        versions=parse_numbers(reader),
        cipher_suites=parse_numbers(reader),
        extensions=parse_numbers(reader),
        proposals=parse_numbers(reader),
        credentials=parse_numbers(reader),
    )


class Lifetime(Value, frozen=True, kw_only=True):
    """When a KeyPackage's leaf may be added, both ends included: seconds since 1970 UTC."""

    not_before: int
    not_after: int

    @staticmethod
    def parse(reader: Reader) -> "Lifetime":
        """Parse `Lifetime`."""
        return Lifetime(not_before=reader.uint64(), not_after=reader.uint64())

    def encode(self) -> bytes:
        """Encode `Lifetime`."""
        return uint64(self.not_before) + uint64(self.not_after)


class LeafNode(Value, frozen=True, kw_only=True):
    """A member's leaf. `lifetime` is there for source KEY_PACKAGE only, `parent_hash` for COMMIT only."""

    encryption_key: bytes
    signature_key: bytes
    credential: Credential
    capabilities: Capabilities
    source: LeafNodeSource
    lifetime: Lifetime | None
    parent_hash: bytes
    extensions: Extensions
    signature: bytes
    encoded: bytes

    @staticmethod
    def parse(reader: Reader) -> "LeafNode":
        """Parse `LeafNode`; its signature is checked by `verify_leaf`."""
        start = reader.position
        encryption_key = reader.opaque()
        signature_key = reader.opaque()
        credential = Credential(kind=reader.uint16(), content=reader.opaque())
        capabilities = Capabilities.parse(reader)
        source = _SOURCES.get(reader.uint8())
        if source is None:
            raise Malformed("a leaf has an unknown source")
        lifetime = Lifetime.parse(reader) if source is LeafNodeSource.KEY_PACKAGE else None
        parent_hash = reader.opaque() if source is LeafNodeSource.COMMIT else b""
        extensions = _extensions(reader.opaque())
        signature = reader.opaque()
        return LeafNode(
            encryption_key=encryption_key,
            signature_key=signature_key,
            credential=credential,
            capabilities=capabilities,
            source=source,
            lifetime=lifetime,
            parent_hash=parent_hash,
            extensions=extensions,
            signature=signature,
            encoded=reader.data[start : reader.position],
        )

    def signed_content(self, group_id: bytes, leaf_index: int) -> bytes:
        """Return `LeafNodeTBS`: the received bytes without the signature, then the place in a group."""
        content = self.encoded[: -len(opaque(self.signature))]
        if self.source is LeafNodeSource.KEY_PACKAGE:
            return content
        return content + opaque(group_id) + uint32(leaf_index)


def verify_leaf(leaf: LeafNode, suite: CipherSuite, group_id: bytes, leaf_index: int) -> None:
    """Raise `DecryptFailed` unless the leaf's own key signed it (unless KEY_PACKAGE, for this place)."""
    suite.verify_with_label(
        leaf.signature_key, "LeafNodeTBS", leaf.signed_content(group_id, leaf_index), leaf.signature
    )


def sign_leaf(
    suite: CipherSuite,
    signature_private_key: bytes | Signer,
    *,
    encryption_key: bytes,
    signature_key: bytes,
    credential: Credential,
    capabilities: Capabilities,
    source: LeafNodeSource,
    lifetime: Lifetime | None = None,
    parent_hash: bytes = b"",
    extensions: Extensions = (),
    group_id: bytes = b"",
    leaf_index: int = 0,
) -> LeafNode:
    """Make a leaf. KEY_PACKAGE needs `lifetime`; UPDATE needs the group; COMMIT also `parent_hash`."""
    if (source is LeafNodeSource.KEY_PACKAGE) != (lifetime is not None):
        raise ValueError("a lifetime belongs to leaves of KeyPackages, and only to those")
    content = b"".join(
        (
            opaque(encryption_key),
            opaque(signature_key),
            credential.encode(),
            capabilities.encode(),
            source.to_bytes(1, "big"),
            b"" if lifetime is None else lifetime.encode(),
            opaque(parent_hash) if source is LeafNodeSource.COMMIT else b"",
            encode_extensions(extensions),
        )
    )
    place = b"" if source is LeafNodeSource.KEY_PACKAGE else opaque(group_id) + uint32(leaf_index)
    signature = suite.sign_with_label(signature_private_key, "LeafNodeTBS", content + place)
    return LeafNode(
        encryption_key=encryption_key,
        signature_key=signature_key,
        credential=credential,
        capabilities=capabilities,
        source=source,
        lifetime=lifetime,
        parent_hash=parent_hash if source is LeafNodeSource.COMMIT else b"",
        extensions=extensions,
        signature=signature,
        encoded=content + opaque(signature),
    )


class ParentNode(Value, frozen=True, kw_only=True):
    """A node that isn't a leaf; `unmerged_leaves` are the leaf indexes below that lack its private key."""

    encryption_key: bytes
    parent_hash: bytes
    unmerged_leaves: tuple[int, ...] = ()
    encoded: bytes

    @staticmethod
    def of(encryption_key: bytes, parent_hash: bytes, unmerged_leaves: tuple[int, ...] = ()) -> "ParentNode":
        """Make a parent node; `unmerged_leaves` in rising order."""
        leaves = b"".join([uint32(leaf) for leaf in unmerged_leaves])
        return ParentNode(
            encryption_key=encryption_key,
            parent_hash=parent_hash,
            unmerged_leaves=unmerged_leaves,
            encoded=opaque(encryption_key) + opaque(parent_hash) + opaque(leaves),
        )

    @staticmethod
    def parse(reader: Reader) -> "ParentNode":
        """Parse `ParentNode`; unmerged leaves that don't rise strictly are `Malformed` (RFC 9420 §7.1)."""
        start = reader.position
        encryption_key = reader.opaque()
        parent_hash = reader.opaque()
        content = reader.opaque()
        if len(content) % 4:
            raise Malformed("a list of leaf indexes has an odd length")
        leaves: tuple[int, ...] = unpack(f">{len(content) // 4}I", content)
        for index in range(1, len(leaves)):
            if leaves[index - 1] >= leaves[index]:
                raise Malformed("unmerged leaves are not in rising order")
        return ParentNode(
            encryption_key=encryption_key,
            parent_hash=parent_hash,
            unmerged_leaves=leaves,
            encoded=reader.data[start : reader.position],
        )


class KeyPackage(Value, frozen=True, kw_only=True):
    """A signed offer to be added to a group: a leaf, and an HPKE key for the Welcome (RFC 9420 §10)."""

    version: int
    cipher_suite: int
    init_key: bytes
    leaf_node: LeafNode
    extensions: Extensions
    signature: bytes
    encoded: bytes

    @staticmethod
    def parse(reader: Reader) -> "KeyPackage":
        """Parse `KeyPackage`; its rules are checked by `tree_validation.check_key_package`."""
        start = reader.position
        version = reader.uint16()
        cipher_suite = reader.uint16()
        init_key = reader.opaque()
        leaf_node = LeafNode.parse(reader)
        extensions = _extensions(reader.opaque())
        signature = reader.opaque()
        return KeyPackage(
            version=version,
            cipher_suite=cipher_suite,
            init_key=init_key,
            leaf_node=leaf_node,
            extensions=extensions,
            signature=signature,
            encoded=reader.data[start : reader.position],
        )

    def signed_content(self) -> bytes:
        """Return `KeyPackageTBS`: the received bytes without the signature."""
        return self.encoded[: -len(opaque(self.signature))]

    def reference(self, suite: CipherSuite) -> bytes:
        """Return `KeyPackageRef` (RFC 9420 §5.2), `suite.hash_size` bytes."""
        return suite.ref_hash("MLS 1.0 KeyPackage Reference", self.encoded)


def sign_key_package(
    suite: CipherSuite,
    signature_private_key: bytes,
    *,
    init_key: bytes,
    leaf_node: LeafNode,
    extensions: Extensions = (),
) -> KeyPackage:
    """Make a KeyPackage around a leaf of source KEY_PACKAGE, signed by the leaf's key."""
    content = b"".join(
        (
            uint16(VERSION_MLS10),
            uint16(suite.number),
            opaque(init_key),
            leaf_node.encoded,
            encode_extensions(extensions),
        )
    )
    signature = suite.sign_with_label(signature_private_key, "KeyPackageTBS", content)
    return KeyPackage(
        version=VERSION_MLS10,
        cipher_suite=suite.number,
        init_key=init_key,
        leaf_node=leaf_node,
        extensions=extensions,
        signature=signature,
        encoded=content + opaque(signature),
    )
