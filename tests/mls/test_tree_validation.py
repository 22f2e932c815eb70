"""Every rule for leaves, KeyPackages and trees, each broken by itself (RFC 9420 §§ 7.3, 7.9.2, 10.1)."""

from typing import Any

import pytest

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.codec import Reader, opaque, uint16
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import suite
from skvoz.mls import tree_math
from skvoz.mls.nodes import (
    Capabilities,
    Credential,
    Extension,
    ExtensionType,
    KeyPackage,
    LeafNode,
    LeafNodeSource,
    Lifetime,
    ParentNode,
    sign_key_package,
    sign_leaf,
)
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_validation import (
    RequiredCapabilities,
    check_key_package,
    check_leaf,
    check_members,
    check_parent_hashes,
    check_tree,
    check_unmerged_leaves,
)
from tests.mls.synthetic_tree import (
    GROUP_ID,
    LIFETIME,
    NOW_MS,
    Client,
    Counter,
    World,
    capabilities,
    client,
    fresh_world,
    full_world,
    new_world,
)

SUITE = suite(1)
SECOND_MS = 1000


def check(tree: RatchetTree) -> None:
    check_tree(tree, group_id=GROUP_ID, group_extensions=())


def with_parent(tree: RatchetTree, node: int, parent: ParentNode | None) -> RatchetTree:
    changed = tree._copy()
    changed._set_parent(node >> 1, parent)
    return changed


def with_leaf(tree: RatchetTree, leaf_index: int, leaf: LeafNode | None) -> RatchetTree:
    """Set a leaf and nothing else, as no proposal does."""
    changed = tree._copy()
    changed._set_leaf(leaf_index, leaf)
    return changed


def parent_at(tree: RatchetTree, node: int) -> ParentNode:
    found = tree.parent(node)
    assert found is not None
    return found


def group_needs(**lists: tuple[int, ...]) -> tuple[Extension, ...]:
    data = RequiredCapabilities(**lists).encode()
    return (Extension(kind=ExtensionType.REQUIRED_CAPABILITIES, data=data),)


@pytest.mark.parametrize("number", [1, 2, 0xF0A2])
def test_honest_trees_hold(number: int) -> None:
    for world in (full_world(suite(number), 6), fresh_world(suite(number), 7), new_world(suite(number), 5)):
        check(world.tree)
        world.remove(2)
        check(world.tree)
        world.add(client(world.suite, "x"), client(world.suite, "y"))
        check(world.tree)
        world.keep(world.stage(4))
        check(world.tree)


# Leaves by themselves


def test_a_leaf_has_the_source_of_where_it_stands() -> None:
    leaf = client(SUITE, "a").leaf
    check_leaf(leaf, SUITE, source=LeafNodeSource.KEY_PACKAGE)
    check_leaf(leaf, SUITE)
    for source in (LeafNodeSource.UPDATE, LeafNodeSource.COMMIT):
        with pytest.raises(Invalid, match="source"):
            check_leaf(leaf, SUITE, source=source)


@pytest.mark.parametrize(
    ("supports", "text"),
    [
        (Capabilities(versions=(2,), cipher_suites=(1,)), "version"),
        (Capabilities(versions=(1,), cipher_suites=(1,), credentials=(2,)), "credential"),
        (Capabilities(versions=(1,), cipher_suites=(1,), extensions=(0xF001,)), "own extension"),
    ],
)
def test_a_leaf_supports_what_it_uses(supports: Capabilities, text: str) -> None:
    leaf = client(SUITE, "a", supports=supports, extensions=(Extension(kind=0xF000, data=b""),)).leaf
    with pytest.raises(Invalid, match=text):
        check_leaf(leaf, SUITE)


def test_a_leaf_may_use_what_it_lists() -> None:
    supports = capabilities(SUITE, extensions=(0xF000,))
    check_leaf(
        client(SUITE, "a", supports=supports, extensions=(Extension(kind=0xF000, data=b""),)).leaf, SUITE
    )


def test_extensions_of_the_rfc_need_not_be_listed() -> None:
    check_leaf(client(SUITE, "a", extensions=(Extension(kind=1, data=b"id"),)).leaf, SUITE)


@pytest.mark.parametrize(
    "now_ms", [(LIFETIME.not_before - 1) * SECOND_MS, (LIFETIME.not_after + 1) * SECOND_MS]
)
def test_a_leaf_outside_of_its_lifetime_is_not_added(now_ms: int) -> None:
    leaf = client(SUITE, "a").leaf
    with pytest.raises(Invalid, match="lifetime"):
        check_leaf(leaf, SUITE, now_ms=now_ms)
    check_leaf(leaf, SUITE)


@pytest.mark.parametrize("second", [LIFETIME.not_before, NOW_MS // SECOND_MS, LIFETIME.not_after])
def test_both_ends_of_a_lifetime_count(second: int) -> None:
    check_leaf(client(SUITE, "a").leaf, SUITE, now_ms=second * SECOND_MS)


def test_a_lifetime_that_ends_before_it_begins_never_holds() -> None:
    leaf = client(SUITE, "a", lifetime=Lifetime(not_before=LIFETIME.not_after, not_after=0)).leaf
    with pytest.raises(Invalid, match="lifetime"):
        check_leaf(leaf, SUITE, now_ms=NOW_MS)


def test_a_leaf_under_a_bad_signature_key_is_refused() -> None:
    who = client(SUITE, "a")
    leaf = sign_leaf(
        SUITE,
        who.signature.private_key,
        encryption_key=who.encryption.public_key,
        signature_key=b"\x01" + bytes(31),
        credential=who.leaf.credential,
        capabilities=who.leaf.capabilities,
        source=LeafNodeSource.KEY_PACKAGE,
        lifetime=LIFETIME,
    )
    with pytest.raises(DecryptFailed):
        check_leaf(leaf, SUITE)


# KeyPackages


def package_of(who: Client, **changes: Any) -> KeyPackage:
    init = SUITE.generate_key_pair(Counter("init"))
    fields: dict[str, Any] = {"init_key": init.public_key, "leaf_node": who.leaf} | changes
    return sign_key_package(SUITE, who.signature.private_key, **fields)


def test_an_honest_key_package_holds() -> None:
    check_key_package(package_of(client(SUITE, "a")), SUITE, now_ms=NOW_MS)


@pytest.mark.parametrize("place", [0, 2])
def test_a_key_package_is_for_this_version_and_suite(place: int) -> None:
    encoded = package_of(client(SUITE, "a")).encoded
    changed = KeyPackage.parse(Reader(encoded[:place] + uint16(7) + encoded[place + 2 :]))
    with pytest.raises(Invalid, match="version or cipher suite"):
        check_key_package(changed, SUITE)


def test_a_key_package_has_two_keys() -> None:
    who = client(SUITE, "a")
    with pytest.raises(Invalid, match="two purposes"):
        check_key_package(package_of(who, init_key=who.encryption.public_key), SUITE)


def test_a_key_package_holds_a_leaf_made_for_it() -> None:
    world = full_world(SUITE, 2)
    who = world.clients[1]
    with pytest.raises(Invalid, match="source"):
        check_key_package(package_of(who, leaf_node=world.tree.member(1)), SUITE)


def test_an_expired_key_package_is_not_added() -> None:
    expired = (LIFETIME.not_after + 1) * SECOND_MS
    with pytest.raises(Invalid, match="lifetime"):
        check_key_package(package_of(client(SUITE, "a")), SUITE, now_ms=expired)


def test_a_key_package_is_signed_by_its_leaf() -> None:
    who, other = client(SUITE, "a"), client(SUITE, "b")
    package = package_of(who)
    foreign = SUITE.sign_with_label(other.signature.private_key, "KeyPackageTBS", package.signed_content())
    for signature in (b"", bytes(64), foreign):
        changed = KeyPackage.parse(Reader(package.signed_content() + opaque(signature)))
        with pytest.raises(DecryptFailed):
            check_key_package(changed, SUITE)


@pytest.mark.parametrize("bad", [b"", b"short", bytes(32), bytes(33)])
def test_a_key_package_has_keys_that_can_be_encrypted_to(bad: bytes) -> None:
    with pytest.raises(Malformed):
        check_key_package(package_of(client(SUITE, "a"), init_key=bad), SUITE)
    with pytest.raises(Malformed):
        check_key_package(
            package_of(client(SUITE, "a", encryption=KeyPair(private_key=b"", public_key=bad))), SUITE
        )


def test_a_key_package_with_a_changed_leaf_is_refused() -> None:
    who = client(SUITE, "a")
    stranger = client(SUITE, "a", signature=who.signature, credential=Credential.basic(b"somebody else"))
    package = package_of(who)
    changed = package.encoded.replace(who.leaf.encoded, stranger.leaf.encoded)
    with pytest.raises(DecryptFailed):
        check_key_package(KeyPackage.parse(Reader(changed)), SUITE)


# Leaves among each other


def test_signature_keys_are_unique() -> None:
    world = new_world(SUITE, 3)
    world.add(client(SUITE, "twin", signature=world.clients[1].signature))
    with pytest.raises(Invalid, match="signature key"):
        check_members(world.tree, ())
    with pytest.raises(Invalid, match="signature key"):
        check(world.tree)


def test_encryption_keys_are_unique_among_all_nodes() -> None:
    world = full_world(SUITE, 3)
    taken = [world.clients[1].encryption, SUITE.derive_key_pair(b"x")]
    twin = client(SUITE, "twin", encryption=taken[0])
    tree, _ = new_world(SUITE, 3).tree.with_leaf_added(twin.leaf)
    with pytest.raises(Invalid, match="encryption key"):
        check_members(tree, ())
    parent = world.tree.encryption_key(3) or b""
    twin = client(SUITE, "twin", encryption=type(taken[1])(private_key=b"", public_key=parent))
    tree, _ = world.tree.with_leaf_added(twin.leaf)
    with pytest.raises(Invalid, match="encryption key"):
        check(tree)


def test_two_parents_do_not_share_a_key() -> None:
    tree = full_world(SUITE, 4).tree
    changed = with_parent(tree, 1, ParentNode.of(parent_at(tree, 5).encryption_key, b""))
    with pytest.raises(Invalid, match="encryption key"):
        check(changed)


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_a_parents_key_has_the_right_length(key: bytes) -> None:
    with pytest.raises(Invalid, match="length"):
        check(with_parent(full_world(SUITE, 4).tree, 1, ParentNode.of(key, b"")))


def test_members_support_each_others_credentials() -> None:
    credential = Credential(kind=0xF001, content=b"a new kind")
    both = capabilities(SUITE, credentials=(1, 0xF001))
    world = new_world(SUITE, 2)
    world.add(client(SUITE, "x", credential=credential, supports=both))
    with pytest.raises(Invalid, match="credential type in use"):
        check_members(world.tree, ())
    alone = World(tree=RatchetTree.of_leaf(SUITE, client(SUITE, "y", supports=both).leaf), clients={})
    alone.add(client(SUITE, "x", credential=credential, supports=both))
    check_members(alone.tree, ())


@pytest.mark.parametrize(
    ("lists", "text"),
    [
        ({"extensions": (0xF000,)}, "extension that"),
        ({"proposals": (0xF000,)}, "proposal type that"),
        ({"credentials": (1, 2)}, "credential type that"),
    ],
)
def test_members_support_what_the_group_requires(lists: dict[str, tuple[int, ...]], text: str) -> None:
    able = capabilities(SUITE, **{"credentials": (1,)} | lists)
    tree = RatchetTree.of_leaf(SUITE, client(SUITE, "able", supports=able).leaf)
    check_members(tree, group_needs(**lists))
    tree, _ = tree.with_leaf_added(client(SUITE, "unable").leaf)
    with pytest.raises(Invalid, match=text):
        check_members(tree, group_needs(**lists))


def test_members_support_the_groups_extensions() -> None:
    tree = RatchetTree.of_leaf(SUITE, client(SUITE, "a").leaf)
    with pytest.raises(Invalid, match="extension that"):
        check_members(tree, (Extension(kind=0xF0A3, data=b""),))
    check_members(tree, (Extension(kind=ExtensionType.EXTERNAL_SENDERS, data=b"\x00"),))


def test_what_the_rfc_brings_is_required_of_nobody_by_number() -> None:
    check_members(new_world(SUITE, 2).tree, group_needs(extensions=(1, 2, 5), proposals=(1, 7)))


def test_required_capabilities_end_where_they_end() -> None:
    data = RequiredCapabilities(extensions=(1,), proposals=(2, 3), credentials=(4,)).encode()
    assert RequiredCapabilities.parse(data).proposals == (2, 3)
    for changed in (data + b"\x00", data[:-1], b"\x01\x00" + data):
        with pytest.raises(Malformed):
            RequiredCapabilities.parse(changed)


# Trees


def test_every_leafs_signature_is_checked_for_its_place_and_group() -> None:
    world = full_world(SUITE, 4)
    with pytest.raises(DecryptFailed):
        check_tree(world.tree, group_id=b"another group", group_extensions=())
    tree = new_world(SUITE, 4).tree
    leaf = tree.member(2)
    changed = LeafNode.parse(Reader(leaf.encoded[: -len(opaque(leaf.signature))] + opaque(bytes(64))))
    with pytest.raises(DecryptFailed):
        check(with_leaf(tree, 2, changed))


def test_a_leaf_that_another_epoch_signed_does_not_vouch() -> None:
    world = full_world(SUITE, 4)
    stale = world.tree.member(3)
    world.keep(world.stage(3))
    with pytest.raises(Invalid, match="parent node's hash"):
        check(with_leaf(world.tree, 3, stale))


def test_a_changed_parent_hash_is_refused_at_every_node() -> None:
    for world in (full_world(SUITE, 8), fresh_world(SUITE, 6)):
        for node, parent in world.tree.parents():
            changed = ParentNode.of(parent.encryption_key, b"\x01" * 32, parent.unmerged_leaves)
            with pytest.raises(Invalid, match="parent node's hash"):
                check_parent_hashes(with_parent(world.tree, node, changed))


def test_a_parent_from_nowhere_is_refused() -> None:
    key = SUITE.derive_key_pair(b"evil").public_key
    for world in (new_world(SUITE, 4), fresh_world(SUITE, 8)):
        blanks = [node for node in range(1, 2 * world.tree.leaf_count - 1, 2) if world.tree.is_blank(node)]
        assert blanks
        for node in blanks:
            with pytest.raises(Invalid, match="parent node's hash"):
                check(with_parent(world.tree, node, ParentNode.of(key, b"")))


def test_a_member_cannot_hide_beside_unmerged_leaves() -> None:
    """Everybody under a node either knows its key or is listed as not knowing it."""
    world = full_world(SUITE, 7)
    world.add(client(SUITE, "new"))
    check(world.tree)
    assert world.tree.resolution(11) == [11, 14]
    # Without node 11 the root would cover two nodes there, of which it can list only one as unmerged.
    with pytest.raises(Invalid, match="parent node's hash"):
        check_parent_hashes(with_parent(world.tree, 11, None))


@pytest.mark.parametrize("unmerged", [(3,), (0, 3), (7,), (1000,)])
def test_unmerged_leaves_are_members_below(unmerged: tuple[int, ...]) -> None:
    tree = full_world(SUITE, 7).tree
    parent = parent_at(tree, 1)
    changed = ParentNode.of(parent.encryption_key, parent.parent_hash, unmerged)
    with pytest.raises(Invalid, match="unmerged leaf is blank, or elsewhere"):
        check_unmerged_leaves(with_parent(tree, 1, changed))
    root = tree_math.root(tree.leaf_count)
    top = parent_at(tree, root)
    with pytest.raises(Invalid, match="unmerged leaf is blank, or elsewhere"):
        check_unmerged_leaves(
            with_parent(tree, root, ParentNode.of(top.encryption_key, top.parent_hash, (7,)))
        )


def test_unmerged_leaves_are_unmerged_at_every_node_between() -> None:
    world = full_world(SUITE, 7)
    world.remove(1)
    world.keep(world.stage(0))
    world.add(client(SUITE, "new"))
    check(world.tree)
    for node in (3, 7):
        parent = parent_at(world.tree, node)
        assert parent.unmerged_leaves == (1,)
    lower = parent_at(world.tree, 3)
    changed = with_parent(world.tree, 3, ParentNode.of(lower.encryption_key, lower.parent_hash))
    with pytest.raises(Invalid, match="missing from a node between"):
        check_unmerged_leaves(changed)


def test_whoever_is_missing_from_unmerged_leaves_is_noticed() -> None:
    world = full_world(SUITE, 7)
    world.add(client(SUITE, "new"))
    root = tree_math.root(8)
    parent = parent_at(world.tree, root)
    changed = ParentNode.of(parent.encryption_key, parent.parent_hash)
    with pytest.raises(Invalid):
        check(with_parent(world.tree, root, changed))


def test_a_leaf_swapped_in_from_elsewhere_is_refused() -> None:
    world = full_world(SUITE, 4)
    tree = with_leaf(with_leaf(world.tree, 1, world.tree.member(2)), 2, world.tree.member(1))
    with pytest.raises((Invalid, DecryptFailed)):
        check(tree)
