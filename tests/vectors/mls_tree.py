"""Checkers of the MLS working group's vectors about trees; each takes one case and raises where it fails."""

from collections.abc import Callable
from typing import Any

from skvoz.codec import Reader, opaque, uint16, uint64
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls import tree_math
from skvoz.mls.nodes import KeyPackage, LeafNode
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_kem import (
    LeafTemplate,
    PrivateTree,
    UpdatePath,
    apply_path,
    create_path,
    decrypt_path,
    encrypt_path,
    join_path,
)
from skvoz.mls.tree_validation import check_members, check_parent_hashes, check_tree, check_unmerged_leaves

Case = dict[str, Any]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def _same(ours: object, theirs: object, what: str) -> None:
    if ours != theirs:
        raise AssertionError(f"{what} differs")


def check_tree_math(case: Case) -> None:
    leaf_count: int = case["n_leaves"]
    _same(tree_math.node_width(leaf_count), case["n_nodes"], "the number of nodes")
    top = tree_math.root(leaf_count)
    _same(top, case["root"], "the root")
    for node in range(tree_math.node_width(leaf_count)):
        is_leaf = tree_math.level(node) == 0
        _same(None if is_leaf else tree_math.left(node), case["left"][node], "a left child")
        _same(None if is_leaf else tree_math.right(node), case["right"][node], "a right child")
        _same(None if node == top else tree_math.parent(node), case["parent"][node], "a parent")
        _same(None if node == top else tree_math.sibling(node), case["sibling"][node], "a sibling")


def check_tree_operations(case: Case) -> None:
    tree = RatchetTree.parse(suite(case["cipher_suite"]), _bytes(case["tree_before"]))
    _same(tree.encode().hex(), case["tree_before"], "the first tree encoded again")
    _same(tree.root_hash().hex(), case["tree_hash_before"], "the first tree's hash")
    reader = Reader(_bytes(case["proposal"]))
    kind = reader.uint16()
    if kind == 1:
        after, _ = tree.with_leaf_added(KeyPackage.parse(reader).leaf_node)
    elif kind == 2:
        after = tree.with_leaf_updated(case["proposal_sender"], LeafNode.parse(reader))
    else:
        after = tree.with_leaf_removed(reader.uint32())
    reader.finish()
    _same(after.encode().hex(), case["tree_after"], "the second tree")
    _same(after.root_hash().hex(), case["tree_hash_after"], "the second tree's hash")
    _same(tree.encode().hex(), case["tree_before"], "the first tree after the change")


def check_tree_validation(case: Case) -> None:
    tree = RatchetTree.parse(suite(case["cipher_suite"]), _bytes(case["tree"]))
    nodes = range(tree_math.node_width(tree.leaf_count))
    _same([tree.tree_hash(node).hex() for node in nodes], case["tree_hashes"], "a tree hash")
    _same([tree.resolution(node) for node in nodes], case["resolutions"], "a resolution")
    _same(tree.encode().hex(), case["tree"], "the tree encoded again")
    check_tree(tree, group_id=_bytes(case["group_id"]), group_extensions=())


def _context(case: Case, chosen: CipherSuite, tree_hash: bytes) -> bytes:
    return b"".join(
        (
            uint16(1),
            uint16(chosen.number),
            opaque(_bytes(case["group_id"])),
            uint64(case["epoch"]),
            opaque(tree_hash),
            opaque(_bytes(case["confirmed_transcript_hash"])),
            b"\x00",
        )
    )


def _private_trees(case: Case, tree: RatchetTree) -> dict[int, PrivateTree]:
    """Build each member's keys from its path secrets, each of which must lead to a public key in the tree."""
    found: dict[int, PrivateTree] = {}
    for leaf in case["leaves_private"]:
        leaf_index: int = leaf["index"]
        own = tree.member(leaf_index)
        private = PrivateTree.of_leaf(leaf_index, _bytes(leaf["encryption_priv"]))
        _same(tree.suite.kem.public_key_of(private.keys[2 * leaf_index]), own.encryption_key, "a leaf's key")
        signature = tree.suite.sign_with_label(_bytes(leaf["signature_priv"]), "probe", b"")
        tree.suite.verify_with_label(own.signature_key, "probe", b"", signature)
        keys = dict(private.keys)
        for entry in leaf["path_secrets"]:
            secret = tree.suite.derive_secret(_bytes(entry["path_secret"]), "node")
            pair = tree.suite.derive_key_pair(secret)
            _same(pair.public_key, tree.encryption_key(entry["node"]), "a node's key")
            keys[entry["node"]] = pair.private_key
        found[leaf_index] = PrivateTree(leaf_index=leaf_index, keys=keys)
    return found


def check_treekem(case: Case) -> None:
    chosen = suite(case["cipher_suite"])
    group_id = _bytes(case["group_id"])
    tree = RatchetTree.parse(chosen, _bytes(case["ratchet_tree"]))
    check_tree(tree, group_id=group_id, group_extensions=())
    privates = _private_trees(case, tree)
    for update in case["update_paths"]:
        _check_update(case, tree, privates, update)
    for sender, private in privates.items():
        entry = next(leaf for leaf in case["leaves_private"] if leaf["index"] == sender)
        _check_own_path(case, tree, privates, private, _bytes(entry["signature_priv"]))


def _check_update(case: Case, tree: RatchetTree, privates: dict[int, PrivateTree], update: Case) -> None:
    sender: int = update["sender"]
    reader = Reader(_bytes(update["update_path"]))
    path = UpdatePath.parse(reader)
    reader.finish()
    _same(path.encode().hex(), update["update_path"], "an update path encoded again")
    after = apply_path(tree, sender=sender, path=path, group_id=_bytes(case["group_id"]))
    _same(after.root_hash().hex(), update["tree_hash_after"], "the tree hash after a path")
    check_members(after, ())
    check_unmerged_leaves(after)
    check_parent_hashes(after)
    context = _context(case, tree.suite, after.root_hash())
    for leaf_index, private in privates.items():
        if leaf_index == sender:
            continue
        known, commit_secret = decrypt_path(after, private, sender=sender, path=path, group_context=context)
        _same(commit_secret.hex(), update["commit_secret"], "a commit secret")
        joined = join_path(
            after,
            leaf_index=leaf_index,
            leaf_private_key=private.keys[2 * leaf_index],
            sender=sender,
            path_secret=_bytes(update["path_secrets"][leaf_index]),
        )
        ancestor = tree_math.common_ancestor(leaf_index, sender)
        _same(joined.keys[ancestor], known.keys[ancestor], "the key at the common ancestor")


def _check_own_path(
    case: Case, tree: RatchetTree, privates: dict[int, PrivateTree], private: PrivateTree, signing_key: bytes
) -> None:
    """Make a path of our own as this member, and let all others read it back."""
    sender = private.leaf_index
    group_id = _bytes(case["group_id"])
    staged = create_path(
        tree,
        leaf_index=sender,
        template=LeafTemplate.of(tree.member(sender)),
        signature_private_key=signing_key,
        group_id=group_id,
        randomness=_Counter(sender),
    )
    context = _context(case, tree.suite, staged.tree.root_hash())
    path = encrypt_path(staged, group_context=context, randomness=_Counter(sender + 1000))
    after = apply_path(tree, sender=sender, path=path, group_id=group_id)
    _same(after.encode(), staged.tree.encode(), "the committer's tree")
    for leaf_index, other in privates.items():
        if leaf_index != sender:
            _, commit_secret = decrypt_path(after, other, sender=sender, path=path, group_context=context)
            _same(commit_secret, staged.commit_secret, "the receiver's commit secret")


class _Counter:
    """Bytes that are fresh at every call and the same in every run."""

    def __init__(self, seed: int) -> None:
        self.state = seed.to_bytes(8, "big")

    def __call__(self, length: int, /) -> bytes:
        out = b""
        while len(out) < length:
            self.state = suite(1).hash(self.state)
            out += self.state
        return out[:length]


KINDS: dict[str, Callable[[Any], None]] = {
    "tree-math": check_tree_math,
    "tree-operations": check_tree_operations,
    "tree-validation": check_tree_validation,
    "treekem": check_treekem,
}
