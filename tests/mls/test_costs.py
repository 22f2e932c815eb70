"""What a stranger's or a member's bytes can cost: counted in hashes and nodes, not in seconds."""

import dataclasses
import hashlib

import pytest
from msgspec.structs import replace

from skvoz.crypto.kdf import HKDF_SHA256
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls import ratchet_tree
from skvoz.mls.nodes import ParentNode
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.secret_tree import GENERATIONS_AHEAD_MAX, Ratchet
from skvoz.mls.tree_kem import apply_path, encrypt_path
from skvoz.mls.tree_validation import check_tree
from tests.mls.synthetic_tree import GROUP_ID, World, client, full_world, new_world


class Meter:
    """A suite that counts its hashes."""

    def __init__(self) -> None:
        self.hashes = 0
        self.suite: CipherSuite = replace(suite(1), kdf=dataclasses.replace(HKDF_SHA256, digest=self._digest))

    def _digest(self, data: bytes) -> "hashlib._Hash":
        self.hashes += 1
        return hashlib.sha256(data)

    def since(self, before: int) -> int:
        return self.hashes - before


def crowded(used: CipherSuite, leaf_count: int) -> World:
    """Return a tree whose odd leaves are unmerged at every node above them: as many as there can be."""
    world = new_world(used, leaf_count)
    odd = range(1, leaf_count, 2)
    world.tree = world.tree.with_changes(removals=odd[:-1])[0]
    for leaf_index in odd[:-1]:
        del world.clients[leaf_index]
    for leaf_index in sorted(world.clients):
        world.keep(world.stage(leaf_index))
    world.add(*[client(used, f"late {number}") for number in odd[:-1]])
    return world


@pytest.mark.parametrize("leaf_count", [64, 512])
def test_many_who_join_at_once_change_each_parent_once(
    leaf_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = new_world(suite(1), leaf_count)
    gone = range(1, leaf_count - 1, 2)
    world.tree = world.tree.with_changes(removals=gone)[0]
    for leaf_index in gone:
        del world.clients[leaf_index]
    world.keep(world.stage(0))
    world.keep(world.stage(leaf_count // 2))
    made: list[int] = []

    class Counted(ParentNode, frozen=True):
        """Counts the nodes made."""

        @staticmethod
        def of(
            encryption_key: bytes, parent_hash: bytes, unmerged_leaves: tuple[int, ...] = ()
        ) -> ParentNode:
            made.append(len(unmerged_leaves))
            return ParentNode.of(encryption_key, parent_hash, unmerged_leaves)

    monkeypatch.setattr(ratchet_tree, "ParentNode", Counted)
    world.add(*[client(suite(1), f"late {number}") for number in gone])
    parents = len(list(world.tree.parents()))
    assert 0 < len(made) <= parents


def test_checking_the_most_crowded_tree_grows_hardly_faster_than_the_tree() -> None:
    hashes: list[int] = []
    for leaf_count in (64, 256):
        meter = Meter()
        encoded = crowded(meter.suite, leaf_count).tree.encode()
        before = meter.hashes
        tree = RatchetTree.parse(meter.suite, encoded)
        tree.root_hash()
        check_tree(tree, group_id=GROUP_ID, group_extensions=())
        hashes.append(meter.since(before))
    small, large = hashes
    assert large <= 6 * small  # four times the leaves, and a quarter more levels
    assert large <= 256 * 8 * 3


@pytest.mark.slow
def test_a_path_in_a_large_tree_costs_its_depth() -> None:
    meter = Meter()
    world = full_world(meter.suite, 800)
    world.tree.root_hash()
    staged = world.stage(5)
    path = encrypt_path(staged, group_context=b"context", randomness=world.randomness)
    before = meter.hashes
    apply_path(world.tree, sender=5, path=path, group_id=GROUP_ID).root_hash()
    assert meter.since(before) <= 4 * 11


def test_how_far_a_message_may_be_ahead_bounds_its_cost() -> None:
    meter = Meter()
    Ratchet(bytes(32)).take(meter.suite, GENERATIONS_AHEAD_MAX)
    assert meter.hashes <= 3 * 2 * (GENERATIONS_AHEAD_MAX + 1)


def test_a_removal_in_a_large_tree_costs_its_depth() -> None:
    meter = Meter()
    world = full_world(meter.suite, 800)
    world.tree.root_hash()
    before = meter.hashes
    changed, _ = world.tree.with_changes(removals=range(100, 116))
    changed.root_hash()
    assert meter.since(before) <= 16 * 11
