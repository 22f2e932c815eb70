"""The tree as a value: its changes, its hashes, its bytes."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skvoz.base.errors import Invalid, Malformed
from skvoz.codec import Reader, opaque
from skvoz.crypto.suites import suite
from skvoz.mls import tree_math
from skvoz.mls.census import Census
from skvoz.mls.nodes import ParentNode
from skvoz.mls.ratchet_tree import RatchetTree
from tests.mls.synthetic_tree import World, client, fresh_world, full_world, new_world

SUITE = suite(1)


def census_values(census: Census) -> dict[str, object]:
    return {name: getattr(census, name) for name in Census.__slots__}


def assert_sound(tree: RatchetTree) -> None:
    """Whatever a tree remembers equals what a fresh copy of it finds out."""
    again = RatchetTree.parse(tree.suite, tree.encode())
    assert again.root_hash() == tree.root_hash()
    assert again.encode() == tree.encode()
    assert census_values(again.census()) == census_values(tree.census())
    assert again.leaf_count == tree.leaf_count


def test_a_leaf_goes_to_the_leftmost_blank_place_and_the_tree_doubles() -> None:
    world = new_world(SUITE, 3)
    assert world.tree.leaf_count == 4
    assert world.add(client(SUITE, "d")) == (3,)
    assert world.add(client(SUITE, "e")) == (4,)
    assert world.tree.leaf_count == 8
    world.remove(1)
    assert world.add(client(SUITE, "f")) == (1,)
    assert world.tree.census().members == 5


def test_removing_cuts_blank_halves_off() -> None:
    world = new_world(SUITE, 5)
    world.remove(3)
    assert world.tree.leaf_count == 8
    world.remove(4)
    assert world.tree.leaf_count == 4
    world.remove(1)
    world.remove(2)
    assert world.tree.leaf_count == 1
    assert_sound(world.tree)


def test_nobody_can_be_removed_or_updated_where_nobody_is() -> None:
    tree = new_world(SUITE, 3).tree
    for leaf_index in (3, 4, 100, -1):
        with pytest.raises(Invalid):
            tree.with_leaf_removed(leaf_index)
        with pytest.raises(Invalid):
            tree.with_leaf_updated(leaf_index, client(SUITE, "x").leaf)
    with pytest.raises(Invalid):
        tree.with_changes(removals=(1, 1))


def test_an_added_leaf_is_unmerged_all_the_way_up() -> None:
    world = full_world(SUITE, 7)
    world.add(client(SUITE, "new"))
    for node in tree_math.direct_path(7, 8):
        parent = world.tree.parent(node)
        assert parent is None or parent.unmerged_leaves == (7,)
    assert 14 in world.tree.resolution(tree_math.root(8))


def test_an_update_and_a_removal_blank_the_path() -> None:
    world = full_world(SUITE, 8)
    for tree in (world.tree.with_leaf_updated(5, client(SUITE, "x").leaf), world.tree.with_leaf_removed(5)):
        assert all(tree.is_blank(node) for node in tree_math.direct_path(5, 8))
        assert tree.resolution(7) == ([3, 8, 10, 13] if tree.leaf(5) else [3, 8, 13])


def test_a_filtered_path_leaves_out_what_nobody_would_hear() -> None:
    world = new_world(SUITE, 5)
    assert world.tree.filtered_direct_path(4) == (7,)
    assert world.tree.filtered_copath(4) == (3,)
    assert world.tree.filtered_direct_path(0) == (1, 3, 7)


def test_a_change_leaves_the_old_tree_alone() -> None:
    world = full_world(SUITE, 6)
    tree = world.tree
    before, root = tree.encode(), tree.root_hash()
    tree.with_leaf_added(client(SUITE, "x").leaf)[0].root_hash()
    tree.with_leaf_removed(5).root_hash()
    tree.with_leaf_updated(2, client(SUITE, "y").leaf).root_hash()
    world.stage(3).tree.root_hash()
    tree.with_room()
    assert (tree.encode(), tree.root_hash()) == (before, root)
    assert_sound(tree)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "remove", "update", "path"]), st.integers(0, 100)), max_size=14
    )
)
def test_any_history_gives_the_tree_that_its_bytes_say(steps: list[tuple[str, int]]) -> None:
    world = new_world(SUITE, 2)
    for number, (step, chosen) in enumerate(steps):
        members = sorted(world.clients)
        who = members[chosen % len(members)]
        if step == "add":
            world.add(client(SUITE, f"added {number}"))
        elif step == "remove" and len(members) > 1:
            world.remove(who)
        elif step == "update":
            fresh = client(SUITE, f"updated {number}", signature=world.clients[who].signature)
            world.tree = world.tree.with_leaf_updated(who, fresh.leaf)
            world.keys[2 * who] = fresh.encryption.private_key
        elif step == "path":
            world.keep(world.stage(who))
        assert_sound(world.tree)


def test_an_original_sibling_hash_is_that_of_the_tree_before_the_add() -> None:
    world = full_world(SUITE, 6)
    before = world.tree
    root = tree_math.root(8)
    old = before.tree_hash(root)
    after, added = before.with_changes(additions=[client(SUITE, "x").leaf, client(SUITE, "y").leaf])
    assert after.tree_hash(root) != old
    assert after.tree_hash_without(root, added) == old
    assert after.tree_hash_without(3, added) == before.tree_hash(3)
    assert after.tree_hash_without(root, ()) == after.tree_hash(root)


def test_a_blank_node_has_no_parent_hash() -> None:
    with pytest.raises(Invalid):
        new_world(SUITE, 2).tree.parent_hash(1, 0)


def pieces(world: World) -> list[bytes]:
    """Return the optional nodes of a tree, encoded one by one."""
    nodes: list[bytes] = []
    for node in range(2 * 5 - 1):
        found = world.tree.parent(node) if node & 1 else world.tree.leaf(node >> 1)
        kind = b"\x02" if isinstance(found, ParentNode) else b"\x01"
        nodes.append(b"\x00" if found is None else b"\x01" + kind + found.encoded)
    return nodes


def test_pieces_make_the_tree() -> None:
    world = full_world(SUITE, 5)
    assert opaque(b"".join(pieces(world))) == world.tree.encode()


BAD_FORMS: tuple[tuple[Callable[[list[bytes]], list[bytes]], str], ...] = (
    (lambda nodes: nodes[:0], "empty"),
    (lambda nodes: [*nodes, b"\x00"], "blank"),
    (lambda nodes: [*nodes, b"\x00", b"\x00"], "blank"),
    (lambda nodes: nodes[:-1], "blank"),
    (lambda _: [b"\x00"], "blank"),
    (lambda nodes: [nodes[1], *nodes[1:]], "leaf's place"),
    (lambda nodes: [nodes[0], nodes[0], *nodes[2:]], "parent node's place"),
    (lambda nodes: [b"\x02" + nodes[0][1:], *nodes[1:]], "presence"),
    (lambda nodes: [b"\x01\x03" + nodes[0][2:], *nodes[1:]], "leaf's place"),
)


@pytest.mark.parametrize(("change", "text"), BAD_FORMS)
def test_a_tree_of_a_wrong_form_is_malformed(change: Callable[[list[bytes]], list[bytes]], text: str) -> None:
    with pytest.raises(Malformed, match=text):
        RatchetTree.parse(SUITE, opaque(b"".join(change(pieces(full_world(SUITE, 5))))))


def test_bytes_after_a_tree_are_malformed() -> None:
    encoded = full_world(SUITE, 3).tree.encode()
    with pytest.raises(Malformed):
        RatchetTree.parse(SUITE, encoded + b"\x00")
    for length in range(0, len(encoded), 7):
        with pytest.raises(Malformed):
            RatchetTree.parse(SUITE, encoded[:length])


def test_hashes_and_joins_cost_in_proportion_to_the_members() -> None:
    """Count hashed bytes instead of seconds, so that the machine's mood has no say."""
    counts: list[int] = []
    for size in (32, 128):
        tree = RatchetTree.parse(SUITE, fresh_world(SUITE, size).tree.encode())
        tree.root_hash()
        visited = 0
        for node, parent in tree.parents():
            visited += len(parent.unmerged_leaves) + len(tree.resolution(node))
        counts.append(visited)
    assert counts[1] < 8 * counts[0]


def test_a_reader_may_stand_before_more() -> None:
    parent = ParentNode.of(b"key", b"hash")
    reader = Reader(parent.encoded + b"more")
    assert ParentNode.parse(reader) == parent
    assert reader.take(4) == b"more"
