"""Indexes of complete binary trees; the official vectors check more."""

import pytest

from skvoz.mls import tree_math

SIZES = pytest.mark.parametrize("leaf_count", [1, 2, 4, 8, 16, 64])


@SIZES
def test_children_know_their_parent_and_each_other(leaf_count: int) -> None:
    for node in range(1, tree_math.node_width(leaf_count), 2):
        left, right = tree_math.left(node), tree_math.right(node)
        assert tree_math.parent(left) == tree_math.parent(right) == node
        assert tree_math.sibling(left) == right
        assert tree_math.sibling(right) == left
        assert tree_math.level(left) == tree_math.level(right) == tree_math.level(node) - 1


@SIZES
def test_a_direct_path_ends_at_the_root_and_the_copath_covers_everybody_else(leaf_count: int) -> None:
    for leaf in range(leaf_count):
        path = tree_math.direct_path(leaf, leaf_count)
        copath = tree_math.copath(leaf, leaf_count)
        assert len(path) == len(copath) == leaf_count.bit_length() - 1
        assert not path or path[-1] == tree_math.root(leaf_count)
        covered = [
            other for child in copath for other in range(leaf_count) if tree_math.is_below(2 * other, child)
        ]
        assert sorted(covered) == [other for other in range(leaf_count) if other != leaf]


def test_the_common_ancestor_is_the_lowest_node_on_both_paths() -> None:
    for one in range(16):
        for other in range(16):
            if one != other:
                shared = set(tree_math.direct_path(one, 16)) & set(tree_math.direct_path(other, 16))
                assert tree_math.common_ancestor(one, other) == min(shared, key=tree_math.level)
