"""What the nodes of a ratchet tree have in common, counted, so that rules about all members cost little.

A tree takes its census once, when first asked; each tree made from it carries a copy onwards and counts
only what changes.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

from skvoz.mls.nodes import LeafNode, ParentNode

Counted = TypeVar("Counted", bound=Hashable)
Numbers = tuple[int, ...]


class Census:
    """Counts over a tree; `nodes` and `members` are how many nodes and leaves are not blank."""

    __slots__ = (
        "credential_types",
        "encryption_keys",
        "members",
        "nodes",
        "signature_keys",
        "supported_credentials",
        "supported_extensions",
        "supported_proposals",
    )

    def __init__(self) -> None:
        self.nodes = 0
        self.members = 0
        self.encryption_keys: dict[bytes, int] = {}
        self.signature_keys: dict[bytes, int] = {}
        self.credential_types: dict[int, int] = {}
        self.supported_credentials: dict[Numbers, int] = {}
        self.supported_extensions: dict[Numbers, int] = {}
        self.supported_proposals: dict[Numbers, int] = {}

    @staticmethod
    def of(leaves: Iterable[LeafNode | None], parents: Iterable[ParentNode | None]) -> "Census":
        """Count a whole tree."""
        members = [leaf for leaf in leaves if leaf is not None]
        inner = [parent for parent in parents if parent is not None]
        supported = [leaf.capabilities for leaf in members]
        census = Census()
        census.nodes = len(members) + len(inner)
        census.members = len(members)
        keys = Counter([leaf.encryption_key for leaf in members])
        keys.update([parent.encryption_key for parent in inner])
        census.encryption_keys = dict(keys)
        census.signature_keys = dict(Counter([leaf.signature_key for leaf in members]))
        census.credential_types = dict(Counter([leaf.credential.kind for leaf in members]))
        census.supported_credentials = dict(Counter([found.credentials for found in supported]))
        census.supported_extensions = dict(Counter([found.extensions for found in supported]))
        census.supported_proposals = dict(Counter([found.proposals for found in supported]))
        return census

    def copy(self) -> "Census":
        """Return a census that can be changed apart from this one."""
        copied = Census()
        copied.nodes = self.nodes
        copied.members = self.members
        copied.encryption_keys = self.encryption_keys.copy()
        copied.signature_keys = self.signature_keys.copy()
        copied.credential_types = self.credential_types.copy()
        copied.supported_credentials = self.supported_credentials.copy()
        copied.supported_extensions = self.supported_extensions.copy()
        copied.supported_proposals = self.supported_proposals.copy()
        return copied

    def count_leaf(self, leaf: LeafNode, by: int) -> None:
        """Count a leaf that came (1) or went (-1)."""
        self.nodes += by
        self.members += by
        _count(self.encryption_keys, leaf.encryption_key, by)
        _count(self.signature_keys, leaf.signature_key, by)
        _count(self.credential_types, leaf.credential.kind, by)
        capabilities = leaf.capabilities
        _count(self.supported_credentials, capabilities.credentials, by)
        _count(self.supported_extensions, capabilities.extensions, by)
        _count(self.supported_proposals, capabilities.proposals, by)

    def count_parent(self, parent: ParentNode, by: int) -> None:
        """Count a parent node that came (1) or went (-1)."""
        self.nodes += by
        _count(self.encryption_keys, parent.encryption_key, by)


def _count(counts: dict[Counted, int], key: Counted, by: int) -> None:
    count = counts.get(key, 0) + by
    if count:
        counts[key] = count
    else:
        del counts[key]
