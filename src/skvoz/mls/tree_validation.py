"""The rules for leaves, KeyPackages and whole trees (RFC 9420 §§ 7.1, 7.2, 7.3, 7.9.2, 10.1, 12.4.3.1).

Each function raises `Invalid` (a rule is broken) or `DecryptFailed` (a signature doesn't fit).
Whether a credential belongs to whom it names is for the application to say.
"""

from bisect import bisect_left

from skvoz.base.errors import Invalid
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint16
from skvoz.crypto.suites import CipherSuite
from skvoz.mls import tree_math
from skvoz.mls.nodes import (
    VERSION_MLS10,
    Extensions,
    ExtensionType,
    KeyPackage,
    LeafNode,
    LeafNodeSource,
    find_extension,
    parse_numbers,
    verify_leaf,
)
from skvoz.mls.ratchet_tree import RatchetTree

_DEFAULT_EXTENSIONS = frozenset(int(kind) for kind in ExtensionType)
_DEFAULT_PROPOSALS = frozenset(range(1, 8))


class RequiredCapabilities(Value, frozen=True, kw_only=True):
    """The required_capabilities extension: what every member must support (RFC 9420 §11.1)."""

    extensions: tuple[int, ...] = ()
    proposals: tuple[int, ...] = ()
    credentials: tuple[int, ...] = ()

    @staticmethod
    def parse(data: bytes) -> "RequiredCapabilities":
        """Parse the extension's content, and nothing after it."""
        reader = Reader(data)
        required = RequiredCapabilities(
            extensions=parse_numbers(reader),
            proposals=parse_numbers(reader),
            credentials=parse_numbers(reader),
        )
        reader.finish()
        return required

    @staticmethod
    def of_group(extensions: Extensions) -> "RequiredCapabilities":
        """Return what a GroupContext's extensions require, by naming it and by being there."""
        data = find_extension(extensions, ExtensionType.REQUIRED_CAPABILITIES)
        required = RequiredCapabilities() if data is None else RequiredCapabilities.parse(data)
        present = tuple([extension.kind for extension in extensions])
        return RequiredCapabilities(
            extensions=required.extensions + present,
            proposals=required.proposals,
            credentials=required.credentials,
        )

    def encode(self) -> bytes:
        """Encode the extension's content."""
        lists = (self.extensions, self.proposals, self.credentials)
        return b"".join([opaque(b"".join([uint16(number) for number in numbers])) for numbers in lists])


def check_leaf(
    leaf: LeafNode,
    suite: CipherSuite,
    *,
    source: LeafNodeSource | None = None,
    group_id: bytes = b"",
    leaf_index: int = 0,
    now_ms: int | None = None,
) -> None:
    """Check a leaf by itself: source (None: any), extensions, its own credential type, lifetime, signature.

    `now_ms` is given by who adds; others leave it out, so that no clock decides what is valid.
    """
    if source is not None and leaf.source is not source:
        raise Invalid("a leaf has a wrong source")
    capabilities = leaf.capabilities
    if VERSION_MLS10 not in capabilities.versions:
        raise Invalid("a leaf does not support this version of MLS")
    if leaf.credential.kind not in capabilities.credentials:
        raise Invalid("a leaf does not support its own credential's type")
    for extension in leaf.extensions:
        if extension.kind not in capabilities.extensions and extension.kind not in _DEFAULT_EXTENSIONS:
            raise Invalid("a leaf does not support its own extension")
    if now_ms is not None and leaf.lifetime is not None:
        now = now_ms // 1000
        if not leaf.lifetime.not_before <= now <= leaf.lifetime.not_after:
            raise Invalid("a leaf is outside of its lifetime")
    verify_leaf(leaf, suite, group_id, leaf_index)


def check_key_package(key_package: KeyPackage, suite: CipherSuite, *, now_ms: int | None = None) -> None:
    """Check a KeyPackage (RFC 9420 §10.1); give `now_ms` where this side is about to add it."""
    if key_package.version != VERSION_MLS10 or key_package.cipher_suite != suite.number:
        raise Invalid("a key package is for another version or cipher suite")
    leaf = key_package.leaf_node
    if key_package.init_key == leaf.encryption_key:
        raise Invalid("a key package uses one key for two purposes")
    check_leaf(leaf, suite, source=LeafNodeSource.KEY_PACKAGE, now_ms=now_ms)
    suite.verify_with_label(
        leaf.signature_key, "KeyPackageTBS", key_package.signed_content(), key_package.signature
    )
    suite.check_public_key(leaf.encryption_key)
    suite.check_public_key(key_package.init_key)


def check_members(tree: RatchetTree, group_extensions: Extensions) -> None:
    """Check what leaves owe each other (RFC 9420 §7.3): unique keys, and support for all that is in use."""
    census = tree.census()
    if len(census.signature_keys) != census.members:
        raise Invalid("two members share a signature key")
    if len(census.encryption_keys) != census.nodes:
        raise Invalid("two nodes share an encryption key")
    in_use = set(census.credential_types)
    if not all(in_use.issubset(supported) for supported in census.supported_credentials):
        raise Invalid("a member does not support a credential type in use")
    required = RequiredCapabilities.of_group(group_extensions)
    extensions = set(required.extensions) - _DEFAULT_EXTENSIONS
    if not all(extensions.issubset(supported) for supported in census.supported_extensions):
        raise Invalid("a member does not support an extension that the group needs")
    proposals = set(required.proposals) - _DEFAULT_PROPOSALS
    if not all(proposals.issubset(supported) for supported in census.supported_proposals):
        raise Invalid("a member does not support a proposal type that the group needs")
    credentials = set(required.credentials)
    if not all(credentials.issubset(supported) for supported in census.supported_credentials):
        raise Invalid("a member does not support a credential type that the group needs")


def check_tree(tree: RatchetTree, *, group_id: bytes, group_extensions: Extensions) -> None:
    """Check a whole tree, as who joins must (RFC 9420 §12.4.3.1); its cost is linear in the members.

    That the tree hash is the one of the signed GroupInfo is for the caller to check.
    """
    check_members(tree, group_extensions)
    key_size = tree.suite.kem.public_key_size
    if any(len(key) != key_size for key in tree.census().encryption_keys):
        raise Invalid("a node's encryption key has a wrong length")
    check_unmerged_leaves(tree)
    check_parent_hashes(tree)
    for leaf_index, leaf in tree.leaves():
        check_leaf(leaf, tree.suite, group_id=group_id, leaf_index=leaf_index)


def check_unmerged_leaves(tree: RatchetTree) -> None:
    """Check that unmerged leaves are members below their node, and unmerged at the nodes between too."""
    top = tree_math.root(tree.leaf_count)
    for node, parent in tree.parents():
        for leaf_index in parent.unmerged_leaves:
            if tree.leaf(leaf_index) is None or not tree_math.is_below(2 * leaf_index, node):
                raise Invalid("an unmerged leaf is blank, or elsewhere in the tree")
        # Looking at the closest parent above is enough: it is itself compared with the next one.
        above = node
        while above != top:
            above = tree_math.parent(above)
            higher = tree.parent(above)
            if higher is not None:
                start, stop = _below(higher.unmerged_leaves, node)
                if not set(parent.unmerged_leaves).issuperset(higher.unmerged_leaves[start:stop]):
                    raise Invalid("an unmerged leaf is missing from a node between")
                break


def check_parent_hashes(tree: RatchetTree) -> None:
    """Check that each parent is vouched for by a node below it, and so by a leaf (RFC 9420 §7.9.2)."""
    for node, _ in tree.parents():
        left = tree_math.left(node)
        right = tree_math.right(node)
        if not (_vouches(tree, node, left, right) or _vouches(tree, node, right, left)):
            raise Invalid("a parent node's hash is in no node below it")


def _vouches(tree: RatchetTree, node: int, child: int, sibling: int) -> bool:
    """Whether the one node of `child`'s resolution that isn't unmerged holds the parent hash of `node`."""
    parent = tree.parent(node)
    if parent is None:
        return False
    start, stop = _below(parent.unmerged_leaves, child)
    unmerged = {2 * leaf_index for leaf_index in parent.unmerged_leaves[start:stop]}
    resolution = tree.resolution(child)
    rest = [below for below in resolution if below not in unmerged]
    # Node and unmerged leaves must be exactly the resolution, so that nothing hides beside them.
    if len(rest) != 1 or len(resolution) != len(unmerged) + 1:
        return False
    below = tree.parent(rest[0]) if rest[0] & 1 else tree.leaf(rest[0] >> 1)
    if below is None or (isinstance(below, LeafNode) and below.source is not LeafNodeSource.COMMIT):
        return False
    return below.parent_hash == tree.parent_hash(node, sibling)


def _below(leaves: tuple[int, ...], node: int) -> tuple[int, int]:
    """Return the range of rising leaf indexes that lies under a node."""
    reach = 1 << tree_math.level(node)
    first = (node + 1 - reach) >> 1
    return bisect_left(leaves, first), bisect_left(leaves, first + reach)
