"""TreeKEM: fresh secrets along a member's path, and how the others learn them (RFC 9420 §§ 7.4 to 7.6).

Who commits: `create_path`, then `encrypt_path` once the new GroupContext is known. Who receives:
`apply_path`, then `decrypt_path` likewise. Who joins: `join_path`. Everything returns new values.
"""

from collections.abc import Collection, Mapping

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint32
from skvoz.crypto.ports import Signer
from skvoz.mls import tree_math
from skvoz.mls.nodes import (
    Capabilities,
    Credential,
    Extensions,
    LeafNode,
    LeafNodeSource,
    ParentNode,
    sign_leaf,
)
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_validation import check_leaf

_LABEL = "UpdatePathNode"


class PathCiphertext(Value, frozen=True, kw_only=True):
    """`HPKECiphertext`: a path secret encrypted to one node of a resolution."""

    kem_output: bytes
    ciphertext: bytes

    @staticmethod
    def parse(reader: Reader) -> "PathCiphertext":
        """Parse `HPKECiphertext`."""
        return PathCiphertext(kem_output=reader.opaque(), ciphertext=reader.opaque())

    def encode(self) -> bytes:
        """Encode `HPKECiphertext`."""
        return opaque(self.kem_output) + opaque(self.ciphertext)


class UpdatePathNode(Value, frozen=True, kw_only=True):
    """A node's new public key, and its path secret for each node of the copath child's resolution."""

    encryption_key: bytes
    encrypted_path_secret: tuple[PathCiphertext, ...]

    @staticmethod
    def parse(reader: Reader) -> "UpdatePathNode":
        """Parse `UpdatePathNode`."""
        return UpdatePathNode(
            encryption_key=reader.opaque(), encrypted_path_secret=reader.vector(PathCiphertext.parse)
        )

    def encode(self) -> bytes:
        """Encode `UpdatePathNode`."""
        secrets = b"".join([ciphertext.encode() for ciphertext in self.encrypted_path_secret])
        return opaque(self.encryption_key) + opaque(secrets)


class UpdatePath(Value, frozen=True, kw_only=True):
    """A committer's new leaf and filtered direct path, from the bottom (RFC 9420 §7.6)."""

    leaf_node: LeafNode
    nodes: tuple[UpdatePathNode, ...]

    @staticmethod
    def parse(reader: Reader) -> "UpdatePath":
        """Parse `UpdatePath`."""
        return UpdatePath(leaf_node=LeafNode.parse(reader), nodes=reader.vector(UpdatePathNode.parse))

    def encode(self) -> bytes:
        """Encode `UpdatePath`."""
        return self.leaf_node.encoded + opaque(b"".join([node.encode() for node in self.nodes]))


class PrivateTree(Value, NeverPickled, frozen=True, kw_only=True):
    """A member's own private keys: node index → private key, for its leaf and nodes of its direct path."""

    leaf_index: int
    keys: Mapping[int, bytes]

    @staticmethod
    def of_leaf(leaf_index: int, private_key: bytes) -> "PrivateTree":
        """Return the keys of a member that knows its leaf's private key only."""
        return PrivateTree(leaf_index=leaf_index, keys={2 * leaf_index: private_key})

    @staticmethod
    def parse(reader: Reader) -> "PrivateTree":
        """Parse what `encode` made."""
        leaf_index = reader.uint32()
        pairs = reader.vector(lambda item: (item.uint32(), item.opaque()))
        return PrivateTree(leaf_index=leaf_index, keys=dict(pairs))

    def encode(self) -> bytes:
        """Encode for this side's own store."""
        pairs = b"".join([uint32(node) + opaque(key) for node, key in sorted(self.keys.items())])
        return uint32(self.leaf_index) + opaque(pairs)

    def kept_for(self, tree: RatchetTree) -> "PrivateTree":
        """Drop the keys of nodes that proposals blanked or cut off: call it after `with_changes`."""
        width = tree_math.node_width(tree.leaf_count)
        keys = {node: key for node, key in self.keys.items() if node < width and not tree.is_blank(node)}
        return PrivateTree(leaf_index=self.leaf_index, keys=keys)

    def with_leaf_key(self, private_key: bytes) -> "PrivateTree":
        """Replace the leaf's private key: for a committed update of one's own."""
        return PrivateTree(leaf_index=self.leaf_index, keys={**self.keys, 2 * self.leaf_index: private_key})


class LeafTemplate(Value, frozen=True, kw_only=True):
    """What a committer's new leaf says, apart from its place and its encryption key."""

    signature_key: bytes
    credential: Credential
    capabilities: Capabilities
    extensions: Extensions = ()

    @staticmethod
    def of(leaf: LeafNode) -> "LeafTemplate":
        """Say what an existing leaf says."""
        return LeafTemplate(
            signature_key=leaf.signature_key,
            credential=leaf.credential,
            capabilities=leaf.capabilities,
            extensions=leaf.extensions,
        )


class StagedPath(Value, NeverPickled, frozen=True, kw_only=True):
    """A path not yet encrypted: the tree with it, and the secrets that belong to it."""

    tree: RatchetTree
    leaf: LeafNode
    nodes: tuple[int, ...]
    path_secrets: tuple[bytes, ...]
    private: PrivateTree
    commit_secret: bytes

    def path_secret_for(self, new_leaf_index: int) -> bytes:
        """Return the path secret that a Welcome gives the member at a new leaf index."""
        ancestor = tree_math.common_ancestor(self.private.leaf_index, new_leaf_index)
        return self.path_secrets[self.nodes.index(ancestor)]


def create_path(
    tree: RatchetTree,
    *,
    leaf_index: int,
    template: LeafTemplate,
    signature_private_key: bytes | Signer,
    group_id: bytes,
    randomness: Randomness,
) -> StagedPath:
    """Draw a fresh leaf key and path for a committer in the tree after its proposals.

    `signature_private_key` fits `template.signature_key`. Who joins from outside calls
    `tree.with_room()` first.
    """
    suite = tree.suite
    nodes = tree.filtered_direct_path(leaf_index)
    leaf_pair = suite.generate_key_pair(randomness)
    keys = {2 * leaf_index: leaf_pair.private_key}
    public_keys: list[bytes] = []
    secrets: list[bytes] = []
    secret = randomness(suite.hash_size)
    for node in nodes:
        pair = suite.derive_key_pair(suite.derive_secret(secret, "node"))
        keys[node] = pair.private_key
        public_keys.append(pair.public_key)
        secrets.append(secret)
        secret = suite.derive_secret(secret, "path")
    parents, leaf_parent_hash = _plan_parents(tree, leaf_index, public_keys)
    leaf = sign_leaf(
        suite,
        signature_private_key,
        encryption_key=leaf_pair.public_key,
        signature_key=template.signature_key,
        credential=template.credential,
        capabilities=template.capabilities,
        source=LeafNodeSource.COMMIT,
        parent_hash=leaf_parent_hash,
        extensions=template.extensions,
        group_id=group_id,
        leaf_index=leaf_index,
    )
    return StagedPath(
        tree=tree.with_path(leaf_index, leaf, parents),
        leaf=leaf,
        nodes=nodes,
        path_secrets=tuple(secrets),
        private=PrivateTree(leaf_index=leaf_index, keys=keys),
        commit_secret=secret,
    )


def encrypt_path(
    staged: StagedPath,
    *,
    group_context: bytes,
    excluded_leaves: Collection[int] = (),
    randomness: Randomness,
) -> UpdatePath:
    """Encrypt a staged path to everybody but the leaves just added, who learn it from their Welcome.

    `group_context` is the encoded provisional GroupContext: the new epoch and the staged tree's hash.
    """
    tree = staged.tree
    suite = tree.suite
    excluded = {2 * leaf for leaf in excluded_leaves}
    path: list[UpdatePathNode] = []
    copath = tree.filtered_copath(staged.private.leaf_index)
    for node, child, secret in zip(staged.nodes, copath, staged.path_secrets, strict=True):
        recipients = [node for node in tree.resolution(child) if node not in excluded]
        keys = [_present(tree.encryption_key(recipient)) for recipient in recipients]
        sealed = suite.encrypt_to_all_with_label(keys, _LABEL, group_context, secret, randomness)
        ciphertexts = [PathCiphertext(kem_output=one.kem_output, ciphertext=one.ciphertext) for one in sealed]
        path.append(
            UpdatePathNode(
                encryption_key=_present(tree.encryption_key(node)),
                encrypted_path_secret=tuple(ciphertexts),
            )
        )
    return UpdatePath(leaf_node=staged.leaf, nodes=tuple(path))


def apply_path(
    tree: RatchetTree,
    *,
    sender: int,
    path: UpdatePath,
    group_id: bytes,
    excluded_leaves: Collection[int] = (),
) -> RatchetTree:
    """Check a received path against the tree after the commit's proposals, and merge its public part.

    `sender` is the committer's leaf index (for an external commit, from `tree.with_room()`). Raises
    `Invalid`, `Malformed` or `DecryptFailed` (the leaf's signature). Rules for leaves that need
    the whole group are in `tree_validation.check_members`, which is called on the result.
    """
    leaf = path.leaf_node
    check_leaf(leaf, tree.suite, source=LeafNodeSource.COMMIT, group_id=group_id, leaf_index=sender)
    nodes = tree.filtered_direct_path(sender)
    if len(path.nodes) != len(nodes):
        raise Malformed("a path has a wrong number of nodes")
    excluded = {2 * index for index in excluded_leaves}
    for child, path_node in zip(tree.filtered_copath(sender), path.nodes, strict=True):
        recipients = [node for node in tree.resolution(child) if node not in excluded]
        if len(recipients) != len(path_node.encrypted_path_secret):
            raise Malformed("a path node has a wrong number of ciphertexts")
    public_keys = [node.encryption_key for node in path.nodes]
    fresh = {leaf.encryption_key, *public_keys}
    if len(fresh) != len(public_keys) + 1 or not fresh.isdisjoint(tree.census().encryption_keys):
        raise Invalid("a path repeats a public key")
    for key in fresh:
        tree.suite.check_public_key(key)
    parents, leaf_parent_hash = _plan_parents(tree, sender, public_keys)
    if leaf.parent_hash != leaf_parent_hash:
        raise Invalid("a path's leaf has a wrong parent hash")
    return tree.with_path(sender, leaf, parents)


def decrypt_path(
    tree: RatchetTree,
    private: PrivateTree,
    *,
    sender: int,
    path: UpdatePath,
    group_context: bytes,
    excluded_leaves: Collection[int] = (),
) -> tuple[PrivateTree, bytes]:
    """Learn the path secrets in a path that `apply_path` merged into `tree`; return keys and commit secret.

    `private` is the receiver's, after `kept_for`. Raises `DecryptFailed`, `Invalid`.
    """
    if sender == private.leaf_index:
        raise Invalid("a member's own path is not decrypted")
    nodes = tree.filtered_direct_path(sender)
    ancestor = tree_math.common_ancestor(sender, private.leaf_index)
    if ancestor not in nodes:
        raise Invalid("a path does not meet this member's")
    position = nodes.index(ancestor)
    excluded = {2 * index for index in excluded_leaves}
    recipients = [
        node for node in tree.resolution(tree.filtered_copath(sender)[position]) if node not in excluded
    ]
    ciphertexts = path.nodes[position].encrypted_path_secret
    for recipient, ciphertext in zip(recipients, ciphertexts, strict=True):
        private_key = private.keys.get(recipient)
        if private_key is not None:
            secret = tree.suite.decrypt_with_label(
                private_key, _LABEL, group_context, ciphertext.kem_output, ciphertext.ciphertext
            )
            return _climb(tree, private, nodes[position:], secret)
    raise DecryptFailed


def join_path(
    tree: RatchetTree,
    *,
    leaf_index: int,
    leaf_private_key: bytes,
    sender: int,
    path_secret: bytes | None,
) -> PrivateTree:
    """Return a joiner's private keys; the path secret, if any, is of the lowest common node.

    `sender` is the leaf index of the GroupInfo's signer. Raises `Invalid` where the secret doesn't
    fit the tree.
    """
    private = PrivateTree.of_leaf(leaf_index, leaf_private_key)
    if path_secret is None:
        return private
    ancestor = tree_math.common_ancestor(sender, leaf_index)
    nodes = tree.filtered_direct_path(sender)
    if ancestor not in nodes:
        raise Invalid("a path secret belongs to no node of this member's path")
    return _climb(tree, private, nodes[nodes.index(ancestor) :], path_secret)[0]


def _climb(
    tree: RatchetTree, private: PrivateTree, nodes: tuple[int, ...], secret: bytes
) -> tuple[PrivateTree, bytes]:
    """Derive the keys of `nodes` upwards from the first one's path secret, and the commit secret."""
    suite = tree.suite
    height = tree_math.level(nodes[0])
    keys = {node: key for node, key in private.keys.items() if tree_math.level(node) < height}
    for node in nodes:
        pair = suite.derive_key_pair(suite.derive_secret(secret, "node"))
        if pair.public_key != tree.encryption_key(node):
            raise Invalid("a path secret does not lead to the public keys in the tree")
        keys[node] = pair.private_key
        secret = suite.derive_secret(secret, "path")
    return PrivateTree(leaf_index=private.leaf_index, keys=keys), secret


def _plan_parents(
    tree: RatchetTree, leaf_index: int, public_keys: list[bytes]
) -> tuple[list[ParentNode], bytes]:
    """Return a fresh path's parent nodes, from the bottom, and its leaf's parent hash (RFC 9420 §7.9)."""
    parents: list[ParentNode] = []
    parent_hash = b""
    copath = tree.filtered_copath(leaf_index)
    for public_key, child in zip(reversed(public_keys), reversed(copath), strict=True):
        parents.append(ParentNode.of(public_key, parent_hash))
        parent_hash = tree.hash_of_parent(public_key, parent_hash, tree.tree_hash(child))
    parents.reverse()
    return parents, parent_hash


def _present(key: bytes | None) -> bytes:
    if key is None:
        raise Invalid("a node of a path is blank")
    return key
