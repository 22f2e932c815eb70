"""Indexes in a complete binary tree kept in an array (RFC 9420 §4.1, appendix C).

Leaf *i* is node *2i*; a parent of level *k* has *k* ones at the low end of its index. The number
of leaves is always a power of two.
"""

from functools import lru_cache


def node_width(leaf_count: int) -> int:
    """Return how many nodes a tree of `leaf_count` leaves has."""
    return 2 * leaf_count - 1


def level(node: int) -> int:
    """Return a node's height: 0 for a leaf."""
    return (node ^ (node + 1)).bit_length() - 1


def root(leaf_count: int) -> int:
    """Return the root of a tree of `leaf_count` leaves, a power of two."""
    return leaf_count - 1


def left(node: int) -> int:
    """Return the left child of a parent node."""
    return node ^ (1 << (level(node) - 1))


def right(node: int) -> int:
    """Return the right child of a parent node."""
    return node ^ (3 << (level(node) - 1))


def parent(node: int) -> int:
    """Return the parent of a node, in a tree where it is not the root."""
    height = level(node)
    return (node | (1 << height)) & ~(1 << (height + 1))


def sibling(node: int) -> int:
    """Return the other child of the node's parent."""
    return node ^ (2 << level(node))


def is_below(node: int, ancestor: int) -> bool:
    """Whether `node` is `ancestor` or lies in the subtree under it."""
    reach = (1 << level(ancestor)) - 1
    return ancestor - reach <= node <= ancestor + reach


@lru_cache(maxsize=4096)
def direct_path(leaf_index: int, leaf_count: int) -> tuple[int, ...]:
    """Return the ancestors of a leaf from its parent to the root."""
    top = root(leaf_count)
    path: list[int] = []
    node = 2 * leaf_index
    while node != top:
        node = parent(node)
        path.append(node)
    return tuple(path)


@lru_cache(maxsize=4096)
def copath(leaf_index: int, leaf_count: int) -> tuple[int, ...]:
    """Return the siblings of the leaf and of its ancestors below the root, from the bottom."""
    return tuple(sibling(node) for node in (2 * leaf_index, *direct_path(leaf_index, leaf_count))[:-1])


def common_ancestor(leaf_index: int, other_leaf_index: int) -> int:
    """Return the lowest node above both leaves."""
    height = (leaf_index ^ other_leaf_index).bit_length()
    return ((leaf_index >> height) << (height + 1)) + (1 << height) - 1
