"""The ratchet tree: an immutable value with cached tree hashes (RFC 9420 §§ 4.1, 7.5 to 7.8, 12.4.3.3).

A change copies two lists of references and forgets the hashes on the paths that it touched, so the
next tree hash costs O(log n) hashes while the old tree stays as it was. Nodes are named by node
index (leaf *i* is node *2i*), members by leaf index.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.codec import Reader, opaque, uint32
from skvoz.crypto.suites import CipherSuite
from skvoz.mls import tree_math
from skvoz.mls.census import Census
from skvoz.mls.nodes import LeafNode, NodeType, ParentNode

LEAVES_MAX: Final = 1 << 16
"""The widest tree, blank leaves counted: a blank costs its sender one byte, and us a hash and 60 bytes."""
_LEAF = b"\x01"
_PARENT = b"\x02"
_PRESENT_LEAF = b"\x01\x01"
_PRESENT_PARENT = b"\x01\x02"
_BLANK = b"\x00"
_PRESENT = b"\x01"


class RatchetTree:
    """A ratchet tree of one cipher suite; `leaf_count` is its width in leaves, a power of two."""

    __slots__ = ("_census", "_hashes", "_leaves", "_parents", "suite")

    def __init__(
        self,
        suite: CipherSuite,
        leaves: list[LeafNode | None],
        parents: list[ParentNode | None],
        hashes: list[bytes | None],
        census: Census | None = None,
    ) -> None:
        self.suite = suite
        self._census = census
        self._leaves = leaves
        self._parents = parents
        self._hashes = hashes

    @staticmethod
    def of_leaf(suite: CipherSuite, leaf: LeafNode) -> "RatchetTree":
        """Return the tree of a group with one member, at leaf index 0."""
        return RatchetTree(suite, [leaf], [], [None])

    @staticmethod
    def parse(suite: CipherSuite, data: bytes) -> "RatchetTree":
        """Parse the content of a ratchet_tree extension, `optional<Node> ratchet_tree<V>`, and nothing after.

        Raises `Malformed`. `tree_validation.check_tree` checks what the tree claims.
        """
        outer = Reader(data)
        reader = outer.section()
        outer.finish()
        leaves: list[LeafNode | None] = []
        parents: list[ParentNode | None] = []
        while reader.remaining:
            present = reader.flag()
            kind = reader.uint8() if present else 0
            if len(leaves) == len(parents):
                if present and kind != NodeType.LEAF:
                    raise Malformed("a parent node stands in a leaf's place")
                leaves.append(LeafNode.parse(reader) if present else None)
            else:
                if present and kind != NodeType.PARENT:
                    raise Malformed("a leaf stands in a parent node's place")
                parents.append(ParentNode.parse(reader) if present else None)
        if len(leaves) == len(parents) or leaves[-1] is None:
            raise Malformed("a ratchet tree is empty or ends in a blank node")
        width = 1 << (len(leaves) - 1).bit_length()
        if width > LEAVES_MAX:
            raise Malformed("a ratchet tree is too wide")
        leaves.extend([None] * (width - len(leaves)))
        parents.extend([None] * (width - 1 - len(parents)))
        return RatchetTree(suite, leaves, parents, [None] * (2 * width - 1))

    def encode(self) -> bytes:
        """Encode the content of a ratchet_tree extension, without the blanks at its right end."""
        parts: list[bytes] = []
        last = self._last_leaf()
        for index in range(last + 1):
            leaf = self._leaves[index]
            parts.append(_BLANK if leaf is None else _PRESENT_LEAF + leaf.encoded)
            if index < last:
                parent = self._parents[index]
                parts.append(_BLANK if parent is None else _PRESENT_PARENT + parent.encoded)
        return opaque(b"".join(parts))

    def _last_leaf(self) -> int:
        last = len(self._leaves) - 1
        while last > 0 and self._leaves[last] is None:
            last -= 1
        return last

    @property
    def leaf_count(self) -> int:
        """The width of the tree in leaves, blank ones counted: a power of two."""
        return len(self._leaves)

    def leaf(self, leaf_index: int) -> LeafNode | None:
        """Return the leaf at a leaf index; None where it is blank or outside of the tree."""
        return self._leaves[leaf_index] if 0 <= leaf_index < len(self._leaves) else None

    def member(self, leaf_index: int) -> LeafNode:
        """Return the leaf at a leaf index; raise `Invalid` where nobody is."""
        leaf = self.leaf(leaf_index)
        if leaf is None:
            raise Invalid("a leaf index names no member")
        return leaf

    def leaves(self) -> Iterator[tuple[int, LeafNode]]:
        """Return (leaf index, leaf) of every member, from the left."""
        return ((index, leaf) for index, leaf in enumerate(self._leaves) if leaf is not None)

    def parents(self) -> Iterator[tuple[int, ParentNode]]:
        """Return (node index, parent node) of every parent that is not blank, from the left."""
        return ((2 * index + 1, parent) for index, parent in enumerate(self._parents) if parent is not None)

    def parent(self, node: int) -> ParentNode | None:
        """Return the parent node at a node index, an odd number below the tree's width."""
        return self._parents[node >> 1]

    def encryption_key(self, node: int) -> bytes | None:
        """Return the public key at a node index, leaf or parent; None where it is blank."""
        found = self._parents[node >> 1] if node & 1 else self._leaves[node >> 1]
        return None if found is None else found.encryption_key

    def census(self) -> Census:
        """Return what the tree's nodes have in common, counted; nobody changes it."""
        if self._census is None:
            self._census = Census.of(self._leaves, self._parents)
        return self._census

    def is_blank(self, node: int) -> bool:
        """Whether nothing stands at a node index."""
        return (self._parents[node >> 1] if node & 1 else self._leaves[node >> 1]) is None

    def with_changes(
        self,
        *,
        updates: Mapping[int, LeafNode] | None = None,
        removals: Iterable[int] = (),
        additions: Iterable[LeafNode] = (),
    ) -> tuple["RatchetTree", tuple[int, ...]]:
        """Update, remove and add leaves, in this order (RFC 9420 §12.4.2); return the leaf indexes added.

        Raises `Invalid` if an update or a removal names a leaf that is blank or outside of the tree.
        """
        tree = self._copy()
        for leaf_index, leaf in (updates or {}).items():
            tree.member(leaf_index)
            tree._replace(leaf_index, leaf)
        removed = tuple(removals)
        for leaf_index in removed:
            tree.member(leaf_index)
            tree._replace(leaf_index, None)
        if removed:
            tree._truncate()  # noqa: SLF001 - a tree that nobody else has seen yet
        return tree, tree._add_all(additions)  # noqa: SLF001 - the same

    def with_leaf_added(self, leaf: LeafNode) -> tuple["RatchetTree", int]:
        """Add a leaf at the leftmost blank place, which is returned (RFC 9420 §12.1.1)."""
        tree, added = self.with_changes(additions=(leaf,))
        return tree, added[0]

    def with_leaf_updated(self, leaf_index: int, leaf: LeafNode) -> "RatchetTree":
        """Replace a leaf and blank its direct path (RFC 9420 §12.1.2)."""
        return self.with_changes(updates={leaf_index: leaf})[0]

    def with_leaf_removed(self, leaf_index: int) -> "RatchetTree":
        """Blank a leaf and its direct path, and cut blank halves off the right end (RFC 9420 §12.1.3)."""
        return self.with_changes(removals=(leaf_index,))[0]

    def with_room(self) -> tuple["RatchetTree", int]:
        """Return a tree wide enough for one more leaf, and the leaf index where an external joiner goes."""
        tree = self._copy()
        return tree, tree._leftmost_blank()  # noqa: SLF001 - a tree that nobody else has seen yet

    def with_path(self, leaf_index: int, leaf: LeafNode, parents: Sequence[ParentNode]) -> "RatchetTree":
        """Set a leaf and its filtered direct path, and blank the rest of the direct path (RFC 9420 §7.5)."""
        tree = self._copy()
        filtered = self.filtered_direct_path(leaf_index)
        tree._replace(leaf_index, leaf)
        for node, parent in zip(filtered, parents, strict=True):
            tree._set_parent(node >> 1, parent)  # noqa: SLF001 - a tree that nobody else has seen yet
        return tree

    def root_hash(self) -> bytes:
        """Return the tree hash (RFC 9420 §7.8), `suite.hash_size` bytes."""
        return self.tree_hash(tree_math.root(len(self._leaves)))

    def tree_hash(self, node: int) -> bytes:
        """Return the tree hash of the subtree under a node."""
        found = self._hashes[node]
        if found is not None:
            return found
        if node & 1:
            step = 1 << (tree_math.level(node) - 1)
            found = self._hash_parent(
                self._parents[node >> 1], self.tree_hash(node - step), self.tree_hash(node + step)
            )
        else:
            found = self._hash_leaf(node >> 1, self._leaves[node >> 1])
        self._hashes[node] = found
        return found

    def tree_hash_without(self, node: int, leaves: Sequence[int]) -> bytes:
        """Return the tree hash of a subtree as if some leaves (rising leaf indexes) had never been added.

        This is the "original sibling tree hash" of RFC 9420 §7.9; untouched subtrees cost nothing.
        """
        reach = 1 << tree_math.level(node)
        first = (node + 1 - reach) >> 1
        start = bisect_left(leaves, first)
        if start == bisect_left(leaves, first + reach):
            return self.tree_hash(node)
        if not node & 1:
            return self._hash_leaf(node >> 1, None)
        parent = self._parents[node >> 1]
        if parent is not None and parent.unmerged_leaves:
            kept = tuple([leaf for leaf in parent.unmerged_leaves if not _contains(leaves, leaf)])
            parent = ParentNode.of(parent.encryption_key, parent.parent_hash, kept)
        step = reach >> 1
        return self._hash_parent(
            parent, self.tree_hash_without(node - step, leaves), self.tree_hash_without(node + step, leaves)
        )

    def parent_hash(self, node: int, copath_child: int) -> bytes:
        """Return the parent hash of a parent node that isn't blank, with its given child as the sibling."""
        parent = self._parents[node >> 1]
        if parent is None:
            raise Invalid("a blank node has no parent hash")
        sibling_hash = self.tree_hash_without(copath_child, parent.unmerged_leaves)
        return self.hash_of_parent(parent.encryption_key, parent.parent_hash, sibling_hash)

    def hash_of_parent(self, encryption_key: bytes, parent_hash: bytes, sibling_hash: bytes) -> bytes:
        """Hash a `ParentHashInput` (RFC 9420 §7.9)."""
        return self.suite.hash(opaque(encryption_key) + opaque(parent_hash) + opaque(sibling_hash))

    def resolution(self, node: int) -> list[int]:
        """Return the nodes that cover all members under a node (RFC 9420 §4.1.1)."""
        found: list[int] = []
        self._resolve(node, found)
        return found

    def filtered_direct_path(self, leaf_index: int) -> tuple[int, ...]:
        """Return the direct path without nodes whose copath child resolves to nothing (RFC 9420 §4.1.2)."""
        path = tree_math.direct_path(leaf_index, len(self._leaves))
        copath = tree_math.copath(leaf_index, len(self._leaves))
        return tuple([node for node, child in zip(path, copath, strict=True) if not self._is_empty(child)])

    def filtered_copath(self, leaf_index: int) -> tuple[int, ...]:
        """Return the copath child of each node of the filtered direct path, in the same order."""
        copath = tree_math.copath(leaf_index, len(self._leaves))
        return tuple([child for child in copath if not self._is_empty(child)])

    def _is_empty(self, node: int) -> bool:
        reach = 1 << tree_math.level(node)
        first = (node + 1 - reach) >> 1
        if any(self._leaves[first : first + reach]):
            return False
        return not any(self._parents[first : first + reach - 1])

    def _resolve(self, node: int, found: list[int]) -> None:
        if not node & 1:
            if self._leaves[node >> 1] is not None:
                found.append(node)
            return
        parent = self._parents[node >> 1]
        if parent is not None:
            found.append(node)
            found.extend([2 * leaf for leaf in parent.unmerged_leaves])
            return
        step = 1 << (tree_math.level(node) - 1)
        self._resolve(node - step, found)
        self._resolve(node + step, found)

    def _hash_leaf(self, leaf_index: int, leaf: LeafNode | None) -> bytes:
        encoded = _BLANK if leaf is None else _PRESENT + leaf.encoded
        return self.suite.hash(_LEAF + uint32(leaf_index) + encoded)

    def _hash_parent(self, parent: ParentNode | None, left: bytes, right: bytes) -> bytes:
        encoded = _BLANK if parent is None else _PRESENT + parent.encoded
        return self.suite.hash(_PARENT + encoded + opaque(left) + opaque(right))

    def _copy(self) -> "RatchetTree":
        # Taken before the copy, so that several trees made from this one don't each count anew.
        census = self.census().copy()
        return RatchetTree(self.suite, self._leaves.copy(), self._parents.copy(), self._hashes.copy(), census)

    def _set_leaf(self, leaf_index: int, leaf: LeafNode | None) -> None:
        if self._census is not None:
            old = self._leaves[leaf_index]
            if old is not None:
                self._census.count_leaf(old, -1)
            if leaf is not None:
                self._census.count_leaf(leaf, 1)
        self._leaves[leaf_index] = leaf
        self._hashes[2 * leaf_index] = None

    def _set_parent(self, index: int, parent: ParentNode | None) -> None:
        if self._census is not None:
            old = self._parents[index]
            if old is not None:
                self._census.count_parent(old, -1)
            if parent is not None:
                self._census.count_parent(parent, 1)
        self._parents[index] = parent
        self._hashes[2 * index + 1] = None

    def _replace(self, leaf_index: int, leaf: LeafNode | None) -> None:
        self._set_leaf(leaf_index, leaf)
        for node in tree_math.direct_path(leaf_index, len(self._leaves)):
            self._set_parent(node >> 1, None)

    def _truncate(self) -> None:
        width = 1 << self._last_leaf().bit_length()
        # Nothing but blanks goes: each removal has blanked the parents above its leaf.
        del self._leaves[width:], self._parents[width - 1 :], self._hashes[2 * width - 1 :]

    def _leftmost_blank(self, start: int = 0) -> int:
        """Return the first blank leaf index from `start` on, widening the tree where there is none."""
        width = len(self._leaves)
        try:
            return self._leaves.index(None, start)
        except ValueError:
            if width == LEAVES_MAX:
                raise Invalid("a tree has no room for another leaf") from None
        self._leaves.extend([None] * width)
        self._parents.extend([None] * width)
        self._hashes.extend([None] * (2 * width))
        return width

    def _add_all(self, leaves: Iterable[LeafNode]) -> tuple[int, ...]:
        """Add leaves from the left, then note all of them as unmerged: each parent is made anew only once."""
        added: list[int] = []
        for leaf in leaves:
            added.append(self._leftmost_blank(added[-1] + 1 if added else 0))
            self._set_leaf(added[-1], leaf)
        unmerged: dict[int, list[int]] = {}
        for leaf_index in added:
            for node in tree_math.direct_path(leaf_index, len(self._leaves)):
                unmerged.setdefault(node, []).append(leaf_index)
        for node, below in unmerged.items():
            self._hashes[node] = None
            parent = self._parents[node >> 1]
            if parent is not None:
                everybody = tuple(sorted((*parent.unmerged_leaves, *below)))
                self._parents[node >> 1] = ParentNode.of(parent.encryption_key, parent.parent_hash, everybody)
        return tuple(added)


def _contains(rising: Sequence[int], value: int) -> bool:
    place = bisect_left(rising, value)
    return place < len(rising) and rising[place] == value
