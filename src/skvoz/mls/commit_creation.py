"""Making a commit, and the Welcome for those whom it adds (RFC 9420 §§ 12.4.1, 12.4.3)."""

from collections.abc import Sequence

from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import opaque
from skvoz.mls.commit_processing import NO_PSKS, OwnUpdate
from skvoz.mls.effects import ChangedLeaf, CommitEffects
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.framing import (
    AuthenticatedContent,
    FramedContent,
    Sender,
    SenderType,
    WireFormat,
    sign_content,
)
from skvoz.mls.key_schedule import KeySchedule, external_public_key
from skvoz.mls.nodes import Extension, Extensions, ExtensionType, LeafNode, LeafNodeSource, sign_leaf
from skvoz.mls.policy import Policy
from skvoz.mls.pre_shared_keys import PreSharedKeys
from skvoz.mls.proposal_list import Applied, SentProposal, apply_proposals, check_proposal
from skvoz.mls.proposals import Commit, Proposal, ProposalRef
from skvoz.mls.transition import Step, enter_epoch, provisional_context
from skvoz.mls.tree_kem import LeafTemplate, StagedPath, UpdatePath, create_path, encrypt_path
from skvoz.mls.tree_validation import check_members
from skvoz.mls.welcome import GroupInfo, Joiner, Welcome, seal_welcome


class CommitWishes(Value, frozen=True, kw_only=True):
    """What a commit should hold, and how it should travel."""

    by_value: Sequence[Proposal] = ()
    stored: Sequence[SentProposal] = ()
    """Proposals by reference."""
    path: bool | None = None
    """Whether to bring fresh keys; None: only where the proposals need it."""
    template: LeafTemplate | None = None
    """The committer's new leaf, if the path should change more than its keys."""
    signature_key: OwnSignatureKey | None = None
    """The signature key of `template`, if it is a new one."""
    psks: PreSharedKeys = NO_PSKS
    tree_in_welcome: bool = True
    group_info_extensions: Extensions = ()
    authenticated_data: bytes = b""
    wire_format: WireFormat = WireFormat.PRIVATE_MESSAGE
    policy: Policy
    now_ms: int | None = None


class CreatedCommit(Value, frozen=True, kw_only=True):
    """A commit that is signed and not yet protected, and the epoch that it leads to."""

    authenticated: AuthenticatedContent
    effects: CommitEffects
    state: EpochState
    schedule: KeySchedule
    welcome: Welcome | None


class ExternalStart(Value, NeverPickled, frozen=True, kw_only=True):
    """What an external joiner has in place of a member's state."""

    init_secret: bytes
    template: LeafTemplate
    signature_key: OwnSignatureKey


def create_commit(
    state: EpochState,
    wishes: CommitWishes,
    randomness: Randomness,
    *,
    external: ExternalStart | None = None,
) -> CreatedCommit:
    """Make a commit. Raises `Invalid` for a proposal that breaks a rule, `Conflict` after the group's end."""
    if state.reinit is not None:
        raise Conflict("this group has ended")
    sender = Sender(SenderType.NEW_MEMBER_COMMIT) if external else Sender.member(state.own_leaf_index)
    by_value = [SentProposal(proposal=proposal, sender=sender) for proposal in wishes.by_value]
    proposals = [*by_value, *wishes.stored]
    for sent in proposals:
        check_proposal(state, sent, wishes.policy, now_ms=wishes.now_ms)
    applied = apply_proposals(state, proposals, sender.leaf_index)
    staged = _stage_path(state, wishes, applied, external, randomness)
    path: UpdatePath | None = None
    if staged is not None:
        path = encrypt_path(
            staged,
            group_context=provisional_context(state, staged.tree, applied.extensions).encode(),
            excluded_leaves=applied.added_leaves,
            randomness=randomness,
        )
    items = (*wishes.by_value, *(ProposalRef(sent.reference or b"") for sent in wishes.stored))
    signing = external.signature_key if external else state.signature_key
    signed = _sign(state, wishes, sender, signing, Commit(proposals=items, path=path))
    entered, schedule = enter_epoch(
        state,
        _step(state, wishes, applied, staged, external),
        content=signed.content,
        wire_format=signed.wire_format,
        signature=signed.signature,
        known_psks=wishes.psks,
    )
    return CreatedCommit(
        authenticated=replace(signed, confirmation_tag=entered.confirmation_tag),
        effects=applied.effects
        if staged is None
        else replace(applied.effects, path_leaf=_path_leaf(state, staged, external)),
        state=entered,
        schedule=schedule,
        welcome=_welcome(
            entered, schedule, wishes=wishes, applied=applied, staged=staged, randomness=randomness
        ),
    )


def _sign(
    state: EpochState, wishes: CommitWishes, sender: Sender, signing: OwnSignatureKey, commit: Commit
) -> AuthenticatedContent:
    content = FramedContent.of(
        group_id=state.context.group_id,
        epoch=state.context.epoch,
        sender=sender,
        authenticated_data=wishes.authenticated_data,
        body=commit,
    )
    signature = sign_content(
        state.suite,
        signing.signer(state.suite),
        content,
        wire_format=wishes.wire_format,
        group_context=state.context_bytes,
    )
    return AuthenticatedContent(wire_format=wishes.wire_format, content=content, signature=signature)


def _stage_path(
    state: EpochState,
    wishes: CommitWishes,
    applied: Applied,
    external: ExternalStart | None,
    randomness: Randomness,
) -> StagedPath | None:
    """Draw fresh keys if the commit needs or wants them, and check what the tree becomes."""
    new_leaf = wishes.template is not None or wishes.signature_key is not None
    wanted = applied.path_required or new_leaf if wishes.path is None else wishes.path
    if not wanted:
        if applied.path_required or new_leaf:
            raise BadRequest("this commit needs a path")
        check_members(applied.tree, applied.extensions)
        return None
    if external:
        template, signing = external.template, external.signature_key
    else:
        template = wishes.template or LeafTemplate.of(state.members.tree.member(state.own_leaf_index))
        signing = wishes.signature_key or state.signature_key
    if template.signature_key != signing.public_key:
        raise BadRequest("the new leaf names another signature key than the one given")
    staged = create_path(
        applied.tree,
        leaf_index=applied.sender_leaf_index,
        template=template,
        signature_private_key=signing.signer(state.suite),
        group_id=state.context.group_id,
        randomness=randomness,
    )
    check_members(staged.tree, applied.extensions)
    return staged


def _step(
    state: EpochState,
    wishes: CommitWishes,
    applied: Applied,
    staged: StagedPath | None,
    external: ExternalStart | None,
) -> Step:
    signature_key = external.signature_key if external else wishes.signature_key or state.signature_key
    return Step(
        tree=applied.tree if staged is None else staged.tree,
        extensions=applied.extensions,
        private=state.private.kept_for(applied.tree) if staged is None else staged.private,
        signature_key=signature_key,
        init_secret=external.init_secret if external else state.secrets.init_secret,
        commit_secret=bytes(state.suite.hash_size) if staged is None else staged.commit_secret,
        psks=applied.effects.psks,
        reinit=applied.effects.reinit,
    )


def _path_leaf(state: EpochState, staged: StagedPath, external: ExternalStart | None) -> ChangedLeaf:
    leaf_index = staged.private.leaf_index
    old: LeafNode | None = None if external else state.members.tree.member(leaf_index)
    return ChangedLeaf(leaf_index, old, staged.leaf)


def _welcome(
    entered: EpochState,
    schedule: KeySchedule,
    *,
    wishes: CommitWishes,
    applied: Applied,
    staged: StagedPath | None,
    randomness: Randomness,
) -> Welcome | None:
    added = applied.effects.added
    if not added:
        return None
    joiners = [
        Joiner(
            key_package=member.key_package,
            path_secret=None if staged is None else staged.path_secret_for(member.leaf_index),
        )
        for member in added
    ]
    group_info = create_group_info(
        entered, with_tree=wishes.tree_in_welcome, more_extensions=wishes.group_info_extensions
    )
    return seal_welcome(
        entered.suite,
        schedule,
        group_info,
        joiners,
        psks=applied.effects.psks,
        randomness=randomness,
    )


def create_group_info(
    state: EpochState,
    *,
    with_tree: bool,
    with_external_key: bool = False,
    more_extensions: Extensions = (),
) -> GroupInfo:
    """Describe the group as it is in this epoch, signed by this client (RFC 9420 §12.4.3)."""
    extensions = list(more_extensions)
    if with_tree:
        extensions.append(Extension(kind=ExtensionType.RATCHET_TREE, data=state.members.tree.encode()))
    if with_external_key:
        key = opaque(external_public_key(state.suite, state.secrets.external_secret))
        extensions.append(Extension(kind=ExtensionType.EXTERNAL_PUB, data=key))
    return GroupInfo.sign(
        state.suite,
        state.signature_key.signer(state.suite),
        group_context=state.context,
        extensions=tuple(extensions),
        confirmation_tag=state.confirmation_tag,
        signer=state.own_leaf_index,
    )


def create_own_update(
    state: EpochState,
    randomness: Randomness,
    *,
    template: LeafTemplate | None = None,
    signature_key: OwnSignatureKey | None = None,
) -> tuple[LeafNode, OwnUpdate]:
    """Make a fresh leaf for an Update proposal, and the keys to keep until somebody commits it."""
    from_leaf = template or LeafTemplate.of(state.members.tree.member(state.own_leaf_index))
    signing = signature_key or state.signature_key
    pair = state.suite.generate_key_pair(randomness)
    leaf = sign_leaf(
        state.suite,
        signing.signer(state.suite),
        encryption_key=pair.public_key,
        signature_key=signing.public_key,
        credential=from_leaf.credential,
        capabilities=from_leaf.capabilities,
        source=LeafNodeSource.UPDATE,
        extensions=from_leaf.extensions,
        group_id=state.context.group_id,
        leaf_index=state.own_leaf_index,
    )
    return leaf, OwnUpdate(
        encryption_key=pair.public_key, private_key=pair.private_key, signature_key=signing
    )
