"""Valid ratchet trees of any size whose private keys are all known, made in order n instead of n²."""

import hashlib
from dataclasses import dataclass, field

from skvoz.codec import opaque, uint16, uint64
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import CipherSuite
from skvoz.mls import tree_math
from skvoz.mls.nodes import (
    Capabilities,
    Credential,
    Extensions,
    LeafNode,
    LeafNodeSource,
    Lifetime,
    sign_leaf,
)
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_kem import LeafTemplate, PrivateTree, StagedPath, create_path

GROUP_ID = b"a group for tests"
NOW_MS = 1_800_000_000_000
LIFETIME = Lifetime(not_before=1_799_000_000, not_after=1_801_000_000)


class Counter:
    """Bytes that never repeat, the same in every run."""

    def __init__(self, seed: str = "seed") -> None:
        self._stream = hashlib.sha256(seed.encode()).digest()

    def __call__(self, length: int, /) -> bytes:
        self._stream = hashlib.sha256(self._stream).digest()
        return hashlib.shake_256(self._stream).digest(length)


def capabilities(suite: CipherSuite, **changes: tuple[int, ...]) -> Capabilities:
    """Return what the synthetic members support."""
    lists = {"extensions": (), "proposals": (), "credentials": (1,)} | changes
    return Capabilities(
        versions=(1,),
        cipher_suites=(suite.number,),
        extensions=lists["extensions"],
        proposals=lists["proposals"],
        credentials=lists["credentials"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Somebody with a signature key and a leaf of a KeyPackage."""

    leaf: LeafNode
    signature: KeyPair
    encryption: KeyPair


def client(
    suite: CipherSuite,
    name: str,
    *,
    supports: Capabilities | None = None,
    extensions: Extensions = (),
    credential: Credential | None = None,
    lifetime: Lifetime = LIFETIME,
    signature: KeyPair | None = None,
    encryption: KeyPair | None = None,
) -> Client:
    """Make a client; its keys depend on the suite and the name only."""
    randomness = Counter(f"{suite.number} {name}")
    signature = signature or suite.generate_signature_key_pair(randomness)
    encryption = encryption or suite.generate_key_pair(randomness)
    leaf = sign_leaf(
        suite,
        signature.private_key,
        encryption_key=encryption.public_key,
        signature_key=signature.public_key,
        credential=credential or Credential.basic(name.encode()),
        capabilities=supports or capabilities(suite),
        source=LeafNodeSource.KEY_PACKAGE,
        lifetime=lifetime,
        extensions=extensions,
    )
    return Client(leaf=leaf, signature=signature, encryption=encryption)


@dataclass(slots=True, kw_only=True)
class World:
    """A tree, who sits where, and every private key that belongs to it."""

    tree: RatchetTree
    clients: dict[int, Client]
    keys: dict[int, bytes] = field(default_factory=dict[int, bytes])
    randomness: Counter = field(default_factory=Counter)

    @property
    def suite(self) -> CipherSuite:
        return self.tree.suite

    def private(self, leaf_index: int) -> PrivateTree:
        """Return what the member at a leaf index knows: what its path has, but where it is unmerged."""
        keys = {2 * leaf_index: self.keys[2 * leaf_index]}
        for node in tree_math.direct_path(leaf_index, self.tree.leaf_count):
            parent = self.tree.parent(node)
            if parent is not None and leaf_index not in parent.unmerged_leaves:
                keys[node] = self.keys[node]
        return PrivateTree(leaf_index=leaf_index, keys=keys)

    def stage(self, leaf_index: int) -> StagedPath:
        """Make a fresh path of a member without keeping it."""
        member = self.clients[leaf_index]
        return create_path(
            self.tree,
            leaf_index=leaf_index,
            template=LeafTemplate.of(self.tree.member(leaf_index)),
            signature_private_key=member.signature.private_key,
            group_id=GROUP_ID,
            randomness=self.randomness,
        )

    def keep(self, staged: StagedPath) -> None:
        """Take a path as if everybody had processed it."""
        self.tree = staged.tree
        self.keys.update(staged.private.keys)

    def add(self, *clients: Client) -> tuple[int, ...]:
        """Add clients, return their leaf indexes."""
        self.tree, added = self.tree.with_changes(additions=[member.leaf for member in clients])
        for leaf_index, member in zip(added, clients, strict=True):
            self.clients[leaf_index] = member
            self.keys[2 * leaf_index] = member.encryption.private_key
        return added

    def remove(self, leaf_index: int) -> None:
        """Remove a member."""
        self.tree = self.tree.with_leaf_removed(leaf_index)
        del self.clients[leaf_index]


def new_world(suite: CipherSuite, member_count: int) -> World:
    """Return a tree that nobody has committed in yet."""
    first = client(suite, "member 0")
    world = World(tree=RatchetTree.of_leaf(suite, first.leaf), clients={0: first})
    world.keys[0] = first.encryption.private_key
    world.add(*[client(suite, f"member {index}") for index in range(1, member_count)])
    return world


def fresh_world(suite: CipherSuite, member_count: int) -> World:
    """Return a tree whose creator added everybody, and committed once."""
    world = new_world(suite, member_count)
    world.keep(world.stage(0))
    return world


def full_world(suite: CipherSuite, member_count: int) -> World:
    """Return a tree in which every member has committed once."""
    world = new_world(suite, member_count)
    for leaf_index in range(member_count):
        world.keep(world.stage(leaf_index))
    return world


def context_of(tree: RatchetTree) -> bytes:
    """Return an encoded GroupContext for epoch 1 of a tree."""
    head = uint16(1) + uint16(tree.suite.number) + opaque(GROUP_ID) + uint64(1)
    return head + opaque(tree.root_hash()) + opaque(b"") + b"\x00"
