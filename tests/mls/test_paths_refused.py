"""Commits whose path or confirmation a receiver must refuse (RFC 9420 §§7.5, 12.4.2)."""

import pytest
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, PeerError
from skvoz.mls import (
    Extension,
    Group,
    PathUnreadable,
    StagedCommit,
    default_capabilities,
)
from skvoz.mls.commit_creation import CommitWishes, create_commit
from skvoz.mls.nodes import LeafNodeSource, sign_leaf
from skvoz.mls.policy import OPEN
from skvoz.mls.proposals import Commit
from skvoz.mls.tree_kem import UpdatePath
from tests.mls.people import (
    SUITE,
    commit,
    group_of,
    protect,
    say,
)
from tests.mls.test_commits_refused import RANDOM, _refused


def _path_of(alice: Group) -> UpdatePath:
    created = create_commit(alice.state, CommitWishes(path=True, policy=OPEN), RANDOM)
    body = created.authenticated.content.body
    assert isinstance(body, Commit)
    assert body.path is not None
    return body.path


def test_a_bad_confirmation_tag_leaves_the_group_untouched() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    created = create_commit(alice.state, CommitWishes(path=True, policy=OPEN), RANDOM)
    for tag in (bytes(32), b"", bytes(31)):
        forged = replace(created.authenticated, confirmation_tag=tag)
        _refused(bob, protect(alice, forged), DecryptFailed)
    assert isinstance(bob.receive(protect(alice, created.authenticated)), StagedCommit)


def test_a_path_with_a_stale_leaf_is_refused() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    current = alice.state.members.tree.member(0)
    _refused(bob, say(alice, commit(path=replace(path, leaf_node=current))), PeerError)
    unsigned = replace(path.leaf_node, signature=bytes(64), encoded=path.leaf_node.encoded[:-64] + bytes(64))
    _refused(bob, say(alice, commit(path=replace(path, leaf_node=unsigned))), DecryptFailed)


def _signed_leaf(alice: Group, path: UpdatePath, **changes: object) -> UpdatePath:
    leaf = path.leaf_node
    made = {
        "encryption_key": leaf.encryption_key,
        "signature_key": leaf.signature_key,
        "credential": leaf.credential,
        "capabilities": leaf.capabilities,
        "source": LeafNodeSource.COMMIT,
        "parent_hash": leaf.parent_hash,
        "group_id": alice.group_id,
        "leaf_index": 0,
    } | changes
    signed = sign_leaf(SUITE, alice.state.signature_key.private_key, **made)  # type: ignore[arg-type] - the keywords vary
    return replace(path, leaf_node=signed)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"parent_hash": bytes(32)}, "parent hash"),
        ({"source": LeafNodeSource.UPDATE}, "source"),
        ({"capabilities": replace(default_capabilities(SUITE), versions=())}, "version"),
        ({"capabilities": replace(default_capabilities(SUITE), credentials=())}, "credential"),
        ({"extensions": (Extension(kind=0xF0F0, data=b""),)}, "extension"),
    ],
)
def test_a_path_with_a_bad_leaf_is_refused(changes: dict[str, object], text: str) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    _refused(bob, say(alice, commit(path=_signed_leaf(alice, path, **changes))), Invalid, text)


def test_a_leaf_signed_for_another_place_or_group_is_refused() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    for changes in ({"leaf_index": 1}, {"group_id": b"elsewhere"}):
        _refused(bob, say(alice, commit(path=_signed_leaf(alice, path, **changes))), DecryptFailed)


def test_a_path_keeps_no_key() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    current = alice.state.members.tree.member(0).encryption_key
    kept = _signed_leaf(alice, path, encryption_key=current)
    _refused(bob, say(alice, commit(path=kept)), Invalid, "keeps")
    taken = bob.state.members.tree.member(2).encryption_key
    _refused(bob, say(alice, commit(path=_signed_leaf(alice, path, encryption_key=taken))), Invalid)
    repeated = replace(path.nodes[0], encryption_key=path.nodes[-1].encryption_key)
    _refused(bob, say(alice, commit(path=replace(path, nodes=(repeated, *path.nodes[1:])))), PeerError)


def test_a_path_of_a_wrong_shape_is_refused() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    for nodes in ((), path.nodes[:-1], (*path.nodes, path.nodes[0])):
        _refused(bob, say(alice, commit(path=replace(path, nodes=nodes))), PeerError)
    poor = replace(path.nodes[0], encrypted_path_secret=())
    _refused(bob, say(alice, commit(path=replace(path, nodes=(poor, *path.nodes[1:])))), PeerError)


def test_a_path_that_only_this_client_cannot_read_says_so() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    path = _path_of(alice)
    secret = path.nodes[0].encrypted_path_secret[0]
    spoilt = replace(path.nodes[0], encrypted_path_secret=(replace(secret, ciphertext=bytes(48)),))
    message = say(alice, commit(path=replace(path, nodes=(spoilt, *path.nodes[1:]))))
    with pytest.raises(PathUnreadable) as unreadable:
        bob.receive(message)
    assert unreadable.value.sender == 0
    assert str(unreadable.value) == "decryption failed"
    assert unreadable.value.effects.path_leaf is not None
