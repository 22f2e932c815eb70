"""Paths: everybody but the removed learns the commit secret, and nothing changed is taken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, Malformed, PeerError
from skvoz.codec import Reader
from skvoz.crypto.suites import suite
from skvoz.mls import tree_math
from skvoz.mls.nodes import LeafNodeSource, sign_leaf
from skvoz.mls.tree_kem import (
    LeafTemplate,
    PathCiphertext,
    PrivateTree,
    StagedPath,
    UpdatePath,
    UpdatePathNode,
    apply_path,
    create_path,
    decrypt_path,
    encrypt_path,
    join_path,
)
from tests.mls.synthetic_tree import GROUP_ID, World, client, context_of, fresh_world, full_world, new_world

SUITE = suite(1)


def sealed(world: World, staged: StagedPath, excluded: tuple[int, ...] = ()) -> UpdatePath:
    return encrypt_path(
        staged,
        group_context=context_of(staged.tree),
        excluded_leaves=excluded,
        randomness=world.randomness,
    )


def learn(
    world: World, staged: StagedPath, path: UpdatePath, who: int, excluded: tuple[int, ...] = ()
) -> tuple[PrivateTree, bytes]:
    sender = staged.private.leaf_index
    after = apply_path(world.tree, sender=sender, path=path, group_id=GROUP_ID, excluded_leaves=excluded)
    assert after.root_hash() == staged.tree.root_hash()
    return decrypt_path(
        after,
        world.private(who),
        sender=sender,
        path=path,
        group_context=context_of(after),
        excluded_leaves=excluded,
    )


@pytest.mark.parametrize("number", [1, 2, 4, 0xF0A2])
def test_everybody_learns_what_the_committer_drew(number: int) -> None:
    for world in (full_world(suite(number), 5), fresh_world(suite(number), 6)):
        staged = world.stage(2)
        path = UpdatePath.parse(Reader(sealed(world, staged).encode()))
        for who in world.clients:
            if who == 2:
                continue
            known, secret = learn(world, staged, path, who)
            assert secret == staged.commit_secret
            for node in tree_math.direct_path(who, world.tree.leaf_count):
                if node in staged.private.keys:
                    assert known.keys[node] == staged.private.keys[node]


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["add", "remove", "path", "path"]), st.integers(0, 99)), max_size=12)
)
def test_members_agree_through_any_history(steps: list[tuple[str, int]]) -> None:
    world = new_world(SUITE, 3)
    known = {who: PrivateTree.of_leaf(who, world.keys[2 * who]) for who in world.clients}
    for number, (step, chosen) in enumerate(steps):
        members = sorted(world.clients)
        who = members[chosen % len(members)]
        if step == "add":
            (added,) = world.add(client(SUITE, f"added {number}"))
            known[added] = PrivateTree.of_leaf(added, world.keys[2 * added])
        elif step == "remove" and len(members) > 1:
            world.remove(who)
            del known[who]
        if step != "path":
            known = {other: private.kept_for(world.tree) for other, private in known.items()}
            continue
        staged = world.stage(who)
        path = sealed(world, staged)
        after = apply_path(world.tree, sender=who, path=path, group_id=GROUP_ID)
        context = context_of(after)
        for other in known:
            if other != who:
                known[other], secret = decrypt_path(
                    after, known[other], sender=who, path=path, group_context=context
                )
                assert secret == staged.commit_secret
        known[who] = staged.private
        world.keep(staged)
        for other, private in known.items():
            for node, key in private.keys.items():
                assert SUITE.kem.public_key_of(key) == after.encryption_key(node), other


def test_who_is_added_learns_the_path_from_its_welcome_and_not_from_the_commit() -> None:
    world = full_world(SUITE, 6)
    added = world.add(client(SUITE, "x"), client(SUITE, "y"))
    staged = world.stage(1)
    path = sealed(world, staged, added)
    recipients = sum(len(node.encrypted_path_secret) for node in path.nodes)
    whole = sum(len(node.encrypted_path_secret) for node in sealed(world, staged).nodes)
    assert recipients < whole
    assert learn(world, staged, path, 4, added)[1] == staged.commit_secret
    for who in added:
        private = join_path(
            staged.tree,
            leaf_index=who,
            leaf_private_key=world.keys[2 * who],
            sender=1,
            path_secret=staged.path_secret_for(who),
        )
        assert set(private.keys) == {2 * who, *(set(tree_math.direct_path(who, 8)) & set(staged.nodes))}
        with pytest.raises(DecryptFailed):
            learn(world, staged, path, who, added)


def test_a_removed_member_learns_nothing() -> None:
    world = full_world(SUITE, 4)
    old = world.private(3)
    world.remove(3)
    staged = world.stage(0)
    path = sealed(world, staged)
    after = apply_path(world.tree, sender=0, path=path, group_id=GROUP_ID)
    with pytest.raises(PeerError):
        decrypt_path(after, old.kept_for(world.tree), sender=0, path=path, group_context=context_of(after))


def test_who_is_cut_off_the_tree_meets_no_path() -> None:
    world = full_world(SUITE, 4)
    old = world.private(3)
    world.remove(3)
    world.remove(2)
    staged = world.stage(0)
    path = sealed(world, staged)
    with pytest.raises(Invalid, match="does not meet"):
        decrypt_path(staged.tree, old, sender=0, path=path, group_context=context_of(staged.tree))


def test_nothing_is_encrypted_to_a_blank_node() -> None:
    world = new_world(SUITE, 4)
    with pytest.raises(Invalid, match="blank"):
        sealed(world, replace(world.stage(0), tree=world.tree))


def test_keys_of_blanked_nodes_are_dropped() -> None:
    world = full_world(SUITE, 8)
    private = world.private(0)
    world.remove(7)
    kept = private.kept_for(world.tree)
    assert set(private.keys) == {0, 1, 3, 7}
    assert set(kept.keys) == {0, 1, 3}


def test_private_keys_are_stored_and_not_shown() -> None:
    private = full_world(SUITE, 4).private(2)
    reader = Reader(private.encode())
    assert PrivateTree.parse(reader) == private
    reader.finish()
    assert private.keys[4].hex() not in repr(private)
    assert "keys" not in repr(private)


def test_staged_secrets_are_not_shown() -> None:
    shown = repr(full_world(SUITE, 4).stage(1))
    assert "secret" not in shown
    assert "private" not in shown


def test_a_committer_may_change_what_its_leaf_says() -> None:
    world = full_world(SUITE, 3)
    fresh = client(SUITE, "renamed")
    staged = create_path(
        world.tree,
        leaf_index=1,
        template=LeafTemplate.of(fresh.leaf),
        signature_private_key=fresh.signature.private_key,
        group_id=GROUP_ID,
        randomness=world.randomness,
    )
    path = sealed(world, staged)
    after = apply_path(world.tree, sender=1, path=path, group_id=GROUP_ID)
    assert after.member(1).credential == fresh.leaf.credential


def test_who_is_alone_has_an_empty_path() -> None:
    world = new_world(SUITE, 1)
    staged = world.stage(0)
    path = sealed(world, staged)
    assert path.nodes == ()
    assert (
        apply_path(world.tree, sender=0, path=path, group_id=GROUP_ID).root_hash() == staged.tree.root_hash()
    )


def test_somebody_from_outside_takes_the_leftmost_blank_place() -> None:
    world = full_world(SUITE, 4)
    fresh = client(SUITE, "outside")
    room, place = world.tree.with_room()
    staged = create_path(
        room,
        leaf_index=place,
        template=LeafTemplate.of(fresh.leaf),
        signature_private_key=fresh.signature.private_key,
        group_id=GROUP_ID,
        randomness=world.randomness,
    )
    path = sealed(world, staged)
    world.tree = room
    assert place == 4
    assert learn(world, staged, path, 1)[1] == staged.commit_secret


# What is refused


class Commit:
    """A path of member 0 in a full tree of eight, to be changed."""

    def __init__(self) -> None:
        self.world = full_world(SUITE, 8)
        self.staged = self.world.stage(0)
        self.path = sealed(self.world, self.staged)

    def take(self, path: UpdatePath, who: int = 5) -> bytes:
        return learn(self.world, self.staged, path, who)[1]

    def with_node(self, position: int, node: UpdatePathNode) -> UpdatePath:
        nodes = list(self.path.nodes)
        nodes[position] = node
        return replace(self.path, nodes=tuple(nodes))


@pytest.fixture
def commit() -> Commit:
    return Commit()


def test_a_path_has_as_many_nodes_as_the_filtered_path(commit: Commit) -> None:
    nodes = commit.path.nodes
    for wrong in (nodes[:-1], (*nodes, nodes[0]), ()):
        with pytest.raises(Malformed, match="number of nodes"):
            commit.take(replace(commit.path, nodes=wrong))


def test_a_node_has_a_ciphertext_for_each_recipient(commit: Commit) -> None:
    node = commit.path.nodes[1]
    one = node.encrypted_path_secret[0]
    for wrong in ((), (one, one)):
        with pytest.raises(Malformed, match="number of ciphertexts"):
            commit.take(commit.with_node(1, replace(node, encrypted_path_secret=wrong)))


def test_a_path_brings_fresh_keys_only(commit: Commit) -> None:
    tree = commit.world.tree
    repeated = [commit.path.nodes[1].encryption_key, commit.path.leaf_node.encryption_key]
    taken = [tree.encryption_key(node) or b"" for node in (0, 1, 7, 9, 14)]
    for key in (*repeated, *taken):
        changed = commit.with_node(0, replace(commit.path.nodes[0], encryption_key=key))
        with pytest.raises(Invalid, match="repeats a public key"):
            commit.take(changed)


@pytest.mark.parametrize("key", [b"", b"short", bytes(32)])
def test_a_path_brings_keys_that_can_be_encrypted_to(commit: Commit, key: bytes) -> None:
    with pytest.raises(Malformed):
        commit.take(commit.with_node(0, replace(commit.path.nodes[0], encryption_key=key)))


def test_other_keys_than_the_leaf_vouches_for_are_refused(commit: Commit) -> None:
    other = SUITE.derive_key_pair(b"evil").public_key
    with pytest.raises(Invalid, match="parent hash"):
        commit.take(commit.with_node(2, replace(commit.path.nodes[2], encryption_key=other)))


def test_a_leaf_of_an_earlier_path_is_refused(commit: Commit) -> None:
    stale = commit.world.stage(0).leaf
    with pytest.raises(Invalid, match="parent hash"):
        commit.take(replace(commit.path, leaf_node=stale))


@pytest.mark.parametrize("source", [LeafNodeSource.UPDATE, LeafNodeSource.KEY_PACKAGE])
def test_a_paths_leaf_is_made_for_it(commit: Commit, source: LeafNodeSource) -> None:
    who, leaf = commit.world.clients[0], commit.staged.leaf
    wrong = sign_leaf(
        SUITE,
        who.signature.private_key,
        encryption_key=leaf.encryption_key,
        signature_key=leaf.signature_key,
        credential=leaf.credential,
        capabilities=leaf.capabilities,
        source=source,
        lifetime=who.leaf.lifetime if source is LeafNodeSource.KEY_PACKAGE else None,
        group_id=GROUP_ID,
    )
    with pytest.raises(Invalid, match="source"):
        commit.take(replace(commit.path, leaf_node=wrong))


def test_a_path_of_another_sender_or_group_is_refused(commit: Commit) -> None:
    tree = commit.world.tree
    with pytest.raises(DecryptFailed):
        apply_path(tree, sender=0, path=commit.path, group_id=b"another")
    with pytest.raises(PeerError):
        apply_path(tree, sender=1, path=commit.path, group_id=GROUP_ID)


def test_a_changed_ciphertext_or_context_is_refused(commit: Commit) -> None:
    node = commit.path.nodes[2]
    (one,) = node.encrypted_path_secret
    for changed in (
        PathCiphertext(kem_output=one.kem_output, ciphertext=bytes(len(one.ciphertext))),
        PathCiphertext(kem_output=one.kem_output[:-1], ciphertext=one.ciphertext),
        PathCiphertext(kem_output=bytes(32), ciphertext=one.ciphertext),
        PathCiphertext(kem_output=one.kem_output, ciphertext=b""),
    ):
        with pytest.raises(DecryptFailed):
            commit.take(commit.with_node(2, replace(node, encrypted_path_secret=(changed,))))
    after = apply_path(commit.world.tree, sender=0, path=commit.path, group_id=GROUP_ID)
    with pytest.raises(DecryptFailed):
        decrypt_path(
            after, commit.world.private(5), sender=0, path=commit.path, group_context=b"another epoch"
        )


def test_a_secret_that_leads_elsewhere_is_refused(commit: Commit) -> None:
    """A committer who encrypts another secret than the one behind its public keys."""
    secrets = list(commit.staged.path_secrets)
    secrets[2] = bytes(32)
    wrong = sealed(commit.world, replace(commit.staged, path_secrets=tuple(secrets)))
    with pytest.raises(Invalid, match="does not lead"):
        commit.take(wrong)
    assert commit.take(wrong, 1) == commit.staged.commit_secret


def test_a_welcomes_path_secret_must_lead_to_the_tree() -> None:
    world = full_world(SUITE, 4)
    world.add(client(SUITE, "x"))
    staged = world.stage(1)
    for secret in (bytes(32), b""):
        with pytest.raises(Invalid, match="does not lead"):
            join_path(staged.tree, leaf_index=4, leaf_private_key=world.keys[8], sender=1, path_secret=secret)
    with pytest.raises(Invalid, match="belongs to no node"):
        join_path(staged.tree, leaf_index=1, leaf_private_key=b"", sender=1, path_secret=bytes(32))


def test_who_joins_without_a_path_knows_its_leaf() -> None:
    tree = full_world(SUITE, 4).tree
    private = join_path(tree, leaf_index=2, leaf_private_key=b"key", sender=0, path_secret=None)
    assert private.keys == {4: b"key"}


def test_nobody_decrypts_a_path_of_their_own(commit: Commit) -> None:
    with pytest.raises(Invalid, match="own path"):
        commit.take(commit.path, 0)
