"""One-time keys of an epoch: a tree of secrets, and two ratchets a member (RFC 9420 §§ 9, 9.1).

Everything here is immutable: drawing a key returns the key and the successor without it. A leaf's
secrets are drawn out of the tree at its first message, which erases them (and the path to them)
there. So an advance replaces one small object, and what must be stored again is either one leaf's
row (`ratchet_part`), or, at a leaf's first message, also the rest of the tree (`tree_part`).
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from skvoz.base.errors import BadRequest, Invalid, Malformed
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8, uint16, uint32, uint64
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.tree_math import direct_path, left, right, root

GENERATIONS_AHEAD_MAX: Final = 2048
"""How far a sender may jump ahead: bounds the work that one forged message can cause."""
SKIPPED_KEYS_MAX: Final = 256
"""Keys of skipped messages kept for one ratchet: the oldest go first."""
_GENERATION_LAST: Final = 0xFFFF_FFFF
_STORAGE_VERSION: Final = 1


class KeyUsed(Exception):
    """The key of this generation was used, or was skipped too long ago."""


class SkippedKey(Value, NeverPickled, frozen=True):
    """The key of a message that has not arrived yet."""

    generation: int
    key: bytes
    nonce: bytes


class Ratchet(Value, NeverPickled, frozen=True):
    """A chain of one-time keys: `generation` is the next one, `secret` what it is derived from."""

    secret: bytes
    generation: int = 0
    skipped: tuple[SkippedKey, ...] = ()

    def draw(self, suite: CipherSuite) -> tuple[bytes, bytes, "Ratchet"]:
        """Return the next key and nonce, and the ratchet after them."""
        if self.generation > _GENERATION_LAST:
            raise BadRequest("this epoch's keys are used up")
        key, nonce, secret = _step(suite, self.secret, self.generation)
        return key, nonce, Ratchet(secret, self.generation + 1, self.skipped)

    def take(self, suite: CipherSuite, generation: int) -> tuple[bytes, bytes, "Ratchet"]:
        """Return the key and nonce of `generation`, and the ratchet without them.

        Raises `KeyUsed` where they are gone, `Invalid` where they are too far ahead.
        """
        if generation < self.generation:
            for index, kept in enumerate(self.skipped):
                if kept.generation == generation:
                    rest = self.skipped[:index] + self.skipped[index + 1 :]
                    return kept.key, kept.nonce, Ratchet(self.secret, self.generation, rest)
            raise KeyUsed
        if generation == self.generation:
            return self.draw(suite)
        if generation - self.generation > GENERATIONS_AHEAD_MAX:
            raise Invalid("a message is too far ahead of its sender's last one")
        secret = self.secret
        skipped: list[SkippedKey] = []
        for passed in range(self.generation, generation):
            key, nonce, secret = _step(suite, secret, passed)
            skipped.append(SkippedKey(passed, key, nonce))
        key, nonce, secret = _step(suite, secret, generation)
        return key, nonce, Ratchet(secret, generation + 1, (*self.skipped, *skipped)[-SKIPPED_KEYS_MAX:])

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        skipped = [uint32(kept.generation) + opaque(kept.key) + opaque(kept.nonce) for kept in self.skipped]
        return b"".join((opaque(self.secret), uint64(self.generation), opaque(b"".join(skipped))))

    @staticmethod
    def parse(reader: Reader) -> "Ratchet":
        """Parse what `encode` wrote."""
        secret, generation = reader.opaque(), reader.uint64()
        return Ratchet(secret, generation, reader.vector(_parse_skipped))


def _parse_skipped(reader: Reader) -> SkippedKey:
    return SkippedKey(reader.uint32(), reader.opaque(), reader.opaque())


@lru_cache(maxsize=64)
def _step_labels(suite: CipherSuite) -> tuple[bytes, bytes, bytes]:
    """Return the three labels of a step, encoded up to the generation: ExpandWithLabel with less work."""
    sizes = (("key", suite.aead_key_size), ("nonce", suite.aead_nonce_size), ("secret", suite.hash_size))
    key, nonce, secret = (
        uint16(size) + opaque(b"MLS 1.0 " + label.encode()) + b"\x04" for label, size in sizes
    )
    return key, nonce, secret


def _step(suite: CipherSuite, secret: bytes, generation: int) -> tuple[bytes, bytes, bytes]:
    """Return key, nonce and the next secret (DeriveTreeSecret, RFC 9420 §9.1)."""
    key, nonce, following = _step_labels(suite)
    expand, context = suite.kdf.expand, uint32(generation)
    return (
        expand(secret, key + context, suite.aead.key_size),
        expand(secret, nonce + context, suite.aead.nonce_size),
        expand(secret, following + context, suite.kdf.hash_size),
    )


class LeafRatchets(Value, frozen=True):
    """A member's two ratchets: handshake and application messages never share a key."""

    handshake: Ratchet
    application: Ratchet

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return uint8(_STORAGE_VERSION) + self.handshake.encode() + self.application.encode()

    @staticmethod
    def parse(stored: bytes) -> "LeafRatchets":
        """Parse what `encode` wrote."""
        reader = Reader(stored)
        if reader.uint8() != _STORAGE_VERSION:
            raise Malformed("a stored ratchet has an unknown version")
        ratchets = LeafRatchets(Ratchet.parse(reader), Ratchet.parse(reader))
        reader.finish()
        return ratchets


class SecretTree(Value, NeverPickled, frozen=True):
    """All one-time keys of an epoch that have not been used yet.

    `inner` maps node indexes to the secrets of subtrees from which nobody has drawn; `ratchets` maps
    leaf index // 32 to the ratchets of those 32 leaves (parsed, or as stored), so that a copy stays small.
    """

    suite: CipherSuite
    leaf_count: int
    inner: Mapping[int, bytes]
    ratchets: Mapping[int, Mapping[int, LeafRatchets | bytes]]

    @staticmethod
    def start(suite: CipherSuite, encryption_secret: bytes, leaf_count: int) -> "SecretTree":
        """Return the tree of a fresh epoch; `leaf_count` is the width of the ratchet tree."""
        return SecretTree(suite, leaf_count, {root(leaf_count): encryption_secret}, {})

    def leaf(self, leaf_index: int) -> tuple[LeafRatchets, "SecretTree"]:
        """Return a leaf's ratchets, and the tree in which they have been drawn."""
        block = self.ratchets.get(leaf_index >> 5)
        found = None if block is None else block.get(leaf_index)
        if isinstance(found, LeafRatchets):
            return found, self
        if found is not None:
            return LeafRatchets.parse(found), self
        return self._draw(leaf_index)

    def with_leaf(self, leaf_index: int, ratchets: LeafRatchets) -> "SecretTree":
        """Return the tree with a leaf's advanced ratchets."""
        number = leaf_index >> 5
        block = {**self.ratchets.get(number, {}), leaf_index: ratchets}
        return SecretTree(self.suite, self.leaf_count, self.inner, {**self.ratchets, number: block})

    def _draw(self, leaf_index: int) -> tuple[LeafRatchets, "SecretTree"]:
        if not 0 <= leaf_index < self.leaf_count:
            raise Invalid("a sender is outside of the tree")
        suite = self.suite
        expand, size = suite.expand_with_label, suite.hash_size
        inner = dict(self.inner)
        path = [2 * leaf_index, *direct_path(leaf_index, self.leaf_count)]
        depth = next((step for step, node in enumerate(path) if node in inner), None)
        if depth is None:
            raise KeyUsed
        secret = inner.pop(path[depth])
        for step in range(depth, 0, -1):
            left_secret = expand(secret, "tree", b"left", size)
            right_secret = expand(secret, "tree", b"right", size)
            if path[step - 1] == left(path[step]):
                inner[right(path[step])], secret = right_secret, left_secret
            else:
                inner[left(path[step])], secret = left_secret, right_secret
        ratchets = LeafRatchets(
            Ratchet(expand(secret, "handshake", b"", size)), Ratchet(expand(secret, "application", b"", size))
        )
        drawn = SecretTree(suite, self.leaf_count, inner, self.ratchets)
        return ratchets, drawn.with_leaf(leaf_index, ratchets)

    def tree_part(self) -> bytes:
        """Encode the subtrees that nobody has drawn from, for storage on this device."""
        nodes = [uint32(node) + opaque(self.inner[node]) for node in sorted(self.inner)]
        return uint8(_STORAGE_VERSION) + uint32(self.leaf_count) + b"".join(nodes)

    def ratchet_part(self, leaf_index: int) -> bytes:
        """Encode one leaf's ratchets, for storage on this device; it must have been drawn."""
        found = self.ratchets[leaf_index >> 5][leaf_index]
        return found if isinstance(found, bytes) else found.encode()

    def moved_since(self, before: "SecretTree | None") -> tuple[int, ...]:
        """Return the leaves whose ratchets differ from an earlier tree's (None: all), in rising order."""
        moved: list[int] = []
        for number, block in self.ratchets.items():
            old = None if before is None else before.ratchets.get(number)
            if old is None:
                moved += block
            elif old is not block:
                moved += [leaf for leaf, ratchets in block.items() if old.get(leaf) is not ratchets]
        return tuple(sorted(moved))

    @staticmethod
    def restore(suite: CipherSuite, tree_part: bytes, ratchet_parts: Mapping[int, bytes]) -> "SecretTree":
        """Put together what `tree_part` and `ratchet_part` wrote; ratchets are parsed when needed."""
        reader = Reader(tree_part)
        if reader.uint8() != _STORAGE_VERSION:
            raise Malformed("a stored secret tree has an unknown version")
        leaf_count = reader.uint32()
        inner: dict[int, bytes] = {}
        while reader.remaining:
            node = reader.uint32()
            inner[node] = reader.opaque()
        blocks: dict[int, dict[int, LeafRatchets | bytes]] = {}
        for leaf_index, stored in ratchet_parts.items():
            blocks.setdefault(leaf_index >> 5, {})[leaf_index] = stored
        return SecretTree(suite, leaf_count, inner, blocks)
