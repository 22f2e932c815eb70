"""One-time keys: used ones are gone, skipped ones are bounded, subtrees are erased."""

import pytest

from skvoz.base.errors import BadRequest, Invalid, Malformed
from skvoz.crypto.suites import suite
from skvoz.mls.secret_tree import (
    GENERATIONS_AHEAD_MAX,
    SKIPPED_KEYS_MAX,
    KeyUsed,
    LeafRatchets,
    Ratchet,
    SecretTree,
)

SUITE = suite(1)


def test_used_keys_are_gone() -> None:
    ratchet = Ratchet(b"s" * 32)
    key, nonce, after = ratchet.take(SUITE, 0)
    assert (len(key), len(nonce)) == (16, 12)
    with pytest.raises(KeyUsed):
        after.take(SUITE, 0)
    assert key not in after.encode()
    assert ratchet.secret != after.secret


def test_skipped_keys_are_kept_once_and_the_oldest_go_first() -> None:
    ratchet = Ratchet(b"s" * 32)
    _, _, jumped = ratchet.take(SUITE, SKIPPED_KEYS_MAX + 5)
    assert len(jumped.skipped) == SKIPPED_KEYS_MAX
    with pytest.raises(KeyUsed):
        jumped.take(SUITE, 4)
    key, _, after = jumped.take(SUITE, 5)
    assert key == Ratchet(b"s" * 32).take(SUITE, 5)[0]
    with pytest.raises(KeyUsed):
        after.take(SUITE, 5)


def test_nobody_can_make_us_derive_for_ever() -> None:
    with pytest.raises(Invalid, match="too far ahead"):
        Ratchet(b"s" * 32).take(SUITE, GENERATIONS_AHEAD_MAX + 1)
    assert Ratchet(b"s" * 32).take(SUITE, GENERATIONS_AHEAD_MAX)[2].generation == GENERATIONS_AHEAD_MAX + 1


def test_a_ratchet_ends() -> None:
    ratchet = Ratchet(b"s" * 32, 0xFFFF_FFFF)
    _, _, after = ratchet.draw(SUITE)
    with pytest.raises(BadRequest):
        after.draw(SUITE)


def test_drawing_erases_the_path_and_leaves_the_rest() -> None:
    tree = SecretTree.start(SUITE, b"e" * 32, 8)
    ratchets, drawn = tree.leaf(5)
    assert set(tree.inner) == {7}
    assert set(drawn.inner) == {3, 13, 8}
    assert drawn.leaf(5) == (ratchets, drawn)
    fresh = tree.leaf(0)[0]
    assert drawn.leaf(0)[0] == fresh
    with pytest.raises(Invalid):
        tree.leaf(8)


def test_parts_are_stored_apart_and_parsed_when_needed() -> None:
    tree = SecretTree.start(SUITE, b"e" * 32, 64)
    _, tree = tree.leaf(40)
    ratchets, tree = tree.leaf(3)
    _, _, moved = ratchets.application.take(SUITE, 2)
    advanced = tree.with_leaf(3, LeafRatchets(ratchets.handshake, moved))
    assert advanced.moved_since(tree) == (3,)
    assert advanced.moved_since(None) == (3, 40)
    parts = {leaf: advanced.ratchet_part(leaf) for leaf in (3, 40)}
    restored = SecretTree.restore(SUITE, advanced.tree_part(), parts)
    assert restored.ratchet_part(3) == parts[3]
    for leaf in (3, 40, 63):
        assert restored.leaf(leaf)[0] == advanced.leaf(leaf)[0]
    with pytest.raises(Malformed):
        SecretTree.restore(SUITE, b"\x09" + advanced.tree_part()[1:], parts)
    broken = SecretTree.restore(SUITE, advanced.tree_part(), {3: b"\x09"})
    with pytest.raises(Malformed):
        broken.leaf(3)


def test_a_leaf_whose_row_is_lost_is_not_drawn_again() -> None:
    _, tree = SecretTree.start(SUITE, b"e" * 32, 4).leaf(1)
    restored = SecretTree.restore(SUITE, tree.tree_part(), {})
    with pytest.raises(KeyUsed):
        restored.leaf(1)
