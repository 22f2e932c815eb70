"""What a commit does to a group, for a policy to judge and for people to see."""

from skvoz.base.value import Value
from skvoz.mls.framing import Sender
from skvoz.mls.nodes import Extensions, KeyPackage, LeafNode
from skvoz.mls.pre_shared_keys import PreSharedKeyId
from skvoz.mls.proposals import Proposal, ReInit


class AddedMember(Value, frozen=True):
    """Somebody new, and where."""

    leaf_index: int
    key_package: KeyPackage


class ChangedLeaf(Value, frozen=True):
    """A member's leaf before and after; `old` is None for who joins by an external commit."""

    leaf_index: int
    old: LeafNode | None
    new: LeafNode


class RemovedMember(Value, frozen=True):
    """Somebody who is gone; `by_itself` if the leaver proposed it with SelfRemove."""

    leaf_index: int
    leaf_node: LeafNode
    by_itself: bool


class CommitEffects(Value, frozen=True, kw_only=True):
    """All changes of a commit; `proposals` says who made which proposal, in the commit's order."""

    proposals: tuple[tuple[Proposal, Sender], ...] = ()
    added: tuple[AddedMember, ...] = ()
    updated: tuple[ChangedLeaf, ...] = ()
    removed: tuple[RemovedMember, ...] = ()
    psks: tuple[PreSharedKeyId, ...] = ()
    extensions: Extensions | None = None
    """The group's new extensions, if the commit sets them."""
    reinit: ReInit | None = None
    external_join: bool = False
    path_leaf: ChangedLeaf | None = None
    """The committer's own leaf, if the commit has a path."""
    omitted_self_removes: tuple[int, ...] = ()
    """Leaves that asked to leave and that the committer did not remove: it may not have seen them."""
