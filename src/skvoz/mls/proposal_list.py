"""Which proposals make a valid list, and what the list does to the tree (RFC 9420 §§ 12.1, 12.2, 12.3)."""

from collections.abc import Mapping, Sequence

from skvoz.base.errors import Invalid
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque
from skvoz.mls.effects import AddedMember, ChangedLeaf, CommitEffects, RemovedMember
from skvoz.mls.epoch import EpochState
from skvoz.mls.framing import Sender, SenderType
from skvoz.mls.members import parse_external_senders
from skvoz.mls.nodes import VERSION_MLS10, Extensions, ExtensionType, LeafNode, LeafNodeSource, find_extension
from skvoz.mls.policy import Policy
from skvoz.mls.pre_shared_keys import PreSharedKeyId, ResumptionUsage
from skvoz.mls.proposals import (
    DEFAULT_PROPOSAL_TYPES,
    PATH_REQUIRED,
    Add,
    Commit,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ProposalRef,
    ProposalType,
    ReInit,
    Remove,
    SelfRemove,
    Update,
    parse_proposal,
)
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_validation import RequiredCapabilities, check_key_package, check_leaf


class SentProposal(Value, frozen=True, kw_only=True):
    """A proposal, who made it, and its reference if it came in a message of its own."""

    proposal: Proposal
    sender: Sender
    reference: bytes | None = None

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return self.sender.encode() + opaque(self.reference or b"") + self.proposal.encode()

    @staticmethod
    def parse(reader: Reader) -> "SentProposal":
        """Parse what `encode` wrote."""
        sender, reference = Sender.parse(reader), reader.opaque()
        return SentProposal(proposal=parse_proposal(reader), sender=sender, reference=reference or None)


class Applied(Value, frozen=True, kw_only=True):
    """A group after a list of proposals, before the committer's path."""

    tree: RatchetTree
    extensions: Extensions
    sender_leaf_index: int
    """The committer's leaf, or where an external joiner goes."""
    effects: CommitEffects
    path_required: bool
    external_init: bytes | None = None

    @property
    def added_leaves(self) -> tuple[int, ...]:
        """Leaves that the list adds: they learn the path from their Welcome."""
        return tuple(added.leaf_index for added in self.effects.added)


def resolve(commit: Commit, stored: Mapping[bytes, SentProposal], sender: Sender) -> tuple[SentProposal, ...]:
    """Look references up; raise `Invalid` for one that is not known, or that appears twice."""
    resolved: list[SentProposal] = []
    seen: set[bytes] = set()
    for item in commit.proposals:
        if not isinstance(item, ProposalRef):
            resolved.append(SentProposal(proposal=item, sender=sender))
            continue
        found = stored.get(item.reference)
        if found is None or item.reference in seen:
            raise Invalid("a commit refers to a proposal that is not known, or twice to one")
        seen.add(item.reference)
        resolved.append(found)
    return tuple(resolved)


def check_proposal(
    state: EpochState, sent: SentProposal, policy: Policy, *, now_ms: int | None = None
) -> None:
    """Check one proposal by itself (RFC 9420 §12.1); raise `Invalid`, `Malformed` or `DecryptFailed`.

    `now_ms` is given by who is about to propose or commit: it decides whether a KeyPackage has expired.
    """
    proposal, sender = sent.proposal, sent.sender
    _check_proposer(proposal, sent)
    match proposal:
        case Add():
            check_key_package(proposal.key_package, state.suite, now_ms=now_ms)
            leaf = proposal.key_package.leaf_node
            policy.validate_credential(leaf.credential, leaf.signature_key)
        case Update():
            _check_update(state, proposal.leaf_node, sender.index, policy)
        case Remove():
            state.members.signatory(proposal.removed)
        case PreSharedKey():
            _check_psk(state, proposal.psk)
        case ReInit():
            if proposal.version < VERSION_MLS10:
                raise Invalid("a reinit goes back to an older version of MLS")
        case GroupContextExtensions():
            check_group_extensions(proposal.extensions)
        case ExternalInit() | SelfRemove():
            pass


def _check_proposer(proposal: Proposal, sent: SentProposal) -> None:
    """Check who may make which proposal, and whether by value or by reference (RFC 9420 §12.1.8).

    Types not named here may come from everybody whose signature fits; that somebody outside proposes no more
    than to be added is checked where its signature is (`receiving.find_signatory`).
    """
    kind = sent.sender.kind
    by_reference = sent.reference is not None
    match proposal:
        case Update() | SelfRemove():
            allowed = by_reference and kind is SenderType.MEMBER
        case ExternalInit():
            allowed = not by_reference and kind is SenderType.NEW_MEMBER_COMMIT
        case _:
            return
    if not allowed:
        raise Invalid("a proposal of this type may not come from this sender, or not this way")


def _check_update(state: EpochState, leaf: LeafNode, leaf_index: int, policy: Policy) -> None:
    old = state.members.tree.member(leaf_index)
    check_leaf(
        leaf,
        state.suite,
        source=LeafNodeSource.UPDATE,
        group_id=state.context.group_id,
        leaf_index=leaf_index,
    )
    if leaf.encryption_key == old.encryption_key:
        raise Invalid("an update keeps its encryption key")
    state.suite.check_public_key(leaf.encryption_key)
    policy.validate_credential(leaf.credential, leaf.signature_key)
    policy.validate_replacement(old, leaf)


def _check_psk(state: EpochState, psk: PreSharedKeyId) -> None:
    psk.check(state.suite)
    # Only the first commit of a new group may continue an old one: §§ 11.2, 11.3, 12.1.4.
    first = state.context.epoch == 0
    if psk.usage in (ResumptionUsage.REINIT, ResumptionUsage.BRANCH) and not first:
        raise Invalid("a pre-shared key of this usage belongs into the first commit of a group")


def check_group_extensions(extensions: Extensions) -> None:
    """Raise `Malformed` unless the extensions of a group that this room understands parse."""
    RequiredCapabilities.of_group(extensions)
    senders = find_extension(extensions, ExtensionType.EXTERNAL_SENDERS)
    if senders is not None:
        parse_external_senders(senders)


def apply_proposals(state: EpochState, proposals: Sequence[SentProposal], committer: int | None) -> Applied:
    """Check the list as a whole, and apply it in the order of RFC 9420 §12.3; `committer` None: a joiner.

    That the members then support each other is for `check_members` to say, once the path is in too.
    Raises `Invalid`.
    """
    _check_list(proposals, committer)
    tree = state.members.tree
    updates: dict[int, LeafNode] = {}
    removed: list[RemovedMember] = []
    adds: list[Add] = []
    psks: list[PreSharedKeyId] = []
    extensions: Extensions | None = None
    reinit: ReInit | None = None
    external_init: bytes | None = None
    for sent in proposals:
        match sent.proposal:
            case Add():
                adds.append(sent.proposal)
            case Update():
                updates[sent.sender.index] = sent.proposal.leaf_node
            case Remove():
                leaf = tree.member(sent.proposal.removed)
                removed.append(RemovedMember(sent.proposal.removed, leaf, by_itself=False))
            case SelfRemove():
                leaf = tree.member(sent.sender.index)
                removed.append(RemovedMember(sent.sender.index, leaf, by_itself=True))
            case PreSharedKey():
                psks.append(sent.proposal.psk)
            case GroupContextExtensions():
                extensions = sent.proposal.extensions
            case ReInit():
                reinit = sent.proposal
            case ExternalInit():
                external_init = sent.proposal.kem_output
    changed, indexes = tree.with_changes(
        updates=updates,
        removals=[leaf.leaf_index for leaf in removed],
        additions=[add.key_package.leaf_node for add in adds],
    )
    changed, sender = changed.with_room() if committer is None else (changed, committer)
    _check_support(changed, proposals, indexes)
    added = [AddedMember(index, add.key_package) for index, add in zip(indexes, adds, strict=True)]
    return Applied(
        tree=changed,
        extensions=state.context.extensions if extensions is None else extensions,
        sender_leaf_index=sender,
        external_init=external_init,
        path_required=not proposals or any(sent.proposal.kind in PATH_REQUIRED for sent in proposals),
        effects=CommitEffects(
            proposals=tuple((sent.proposal, sent.sender) for sent in proposals),
            added=tuple(added),
            updated=tuple(ChangedLeaf(index, tree.member(index), leaf) for index, leaf in updates.items()),
            removed=tuple(removed),
            psks=tuple(psks),
            extensions=extensions,
            reinit=reinit,
            external_join=committer is None,
        ),
    )


def _check_list(proposals: Sequence[SentProposal], committer: int | None) -> None:
    kinds = [sent.proposal.kind for sent in proposals]
    if kinds.count(ProposalType.GROUP_CONTEXT_EXTENSIONS) > 1:
        raise Invalid("a commit sets the group's extensions twice")
    psks = [sent.proposal.psk.encode() for sent in proposals if isinstance(sent.proposal, PreSharedKey)]
    if len(set(psks)) != len(psks):
        raise Invalid("a commit uses a pre-shared key twice")
    touched = [leaf for sent in proposals if (leaf := _touched_leaf(sent)) is not None]
    if len(set(touched)) != len(touched):
        raise Invalid("a commit changes a leaf twice")
    if committer is None:
        _check_external_list(proposals, kinds)
        return
    if ProposalType.REINIT in kinds and len(kinds) > 1:
        raise Invalid("a reinit stands beside other proposals")
    if committer in touched:
        raise Invalid("a committer updates or removes its own leaf by a proposal")


def _check_external_list(proposals: Sequence[SentProposal], kinds: Sequence[ProposalType]) -> None:
    """Check the list of an external commit (RFC 9420 §12.2; self-removes: draft-ietf-mls-extensions)."""
    if kinds.count(ProposalType.EXTERNAL_INIT) != 1:
        raise Invalid("an external commit needs exactly one external init")
    if kinds.count(ProposalType.REMOVE) > 1:
        raise Invalid("an external commit removes more than the joiner's old leaf")
    for sent in proposals:
        by_reference = isinstance(sent.proposal, SelfRemove)
        by_value = isinstance(sent.proposal, ExternalInit | Remove | PreSharedKey)
        if not (by_reference if sent.reference is not None else by_value):
            raise Invalid("an external commit holds a proposal that it may not")


def _touched_leaf(sent: SentProposal) -> int | None:
    match sent.proposal:
        case Remove():
            return sent.proposal.removed
        case Update() | SelfRemove():
            return sent.sender.index
        case _:
            return None


def _check_support(tree: RatchetTree, proposals: Sequence[SentProposal], added: Sequence[int]) -> None:
    """Check that everybody who processes the commit supports every proposal type in it (RFC 9420 §12.2).

    Who is removed or added doesn't process it, and need not.
    """
    extra = {int(sent.proposal.kind) for sent in proposals} - DEFAULT_PROPOSAL_TYPES
    if not extra:
        return
    new = frozenset(added)
    for supported in {leaf.capabilities.proposals for index, leaf in tree.leaves() if index not in new}:
        if not extra.issubset(supported):
            raise Invalid("a member does not support a proposal's type")
