"""What a received commit does, and whether it may (RFC 9420 §12.4.2)."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, PeerError
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque
from skvoz.mls.effects import ChangedLeaf, CommitEffects
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.framing import AuthenticatedContent
from skvoz.mls.key_schedule import KeySchedule, external_init_receiver
from skvoz.mls.policy import Policy
from skvoz.mls.pre_shared_keys import PreSharedKeys
from skvoz.mls.proposal_list import (
    Applied,
    SentProposal,
    apply_proposals,
    check_proposal,
    resolve,
)
from skvoz.mls.proposals import Commit, SelfRemove
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.transition import Step, enter_epoch, provisional_context
from skvoz.mls.tree_kem import PrivateTree, UpdatePath, apply_path, decrypt_path
from skvoz.mls.tree_validation import check_members

NO_PSKS: Final = PreSharedKeys()


class PathUnreadable(DecryptFailed):
    """A commit holds so far as everybody can check, and the path secret meant for this client is unusable.

    Others may well follow it: only this client can tell.
    """

    def __init__(self, sender: int, effects: CommitEffects) -> None:
        super().__init__()
        self.sender = sender
        self.effects = effects


class OwnUpdate(Value, NeverPickled, frozen=True, kw_only=True):
    """The keys of an Update proposal of our own, kept until somebody commits it or the epoch ends."""

    encryption_key: bytes
    private_key: bytes
    signature_key: OwnSignatureKey

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return opaque(self.encryption_key) + opaque(self.private_key) + self.signature_key.encode()

    @staticmethod
    def parse(reader: Reader) -> "OwnUpdate":
        """Parse what `encode` wrote."""
        return OwnUpdate(
            encryption_key=reader.opaque(),
            private_key=reader.opaque(),
            signature_key=OwnSignatureKey.parse(reader),
        )


class ProcessedCommit(Value, frozen=True, kw_only=True):
    """A valid commit: `state` and `schedule` are None where it removes this client."""

    sender: int
    effects: CommitEffects
    state: EpochState | None
    schedule: KeySchedule | None


def process_commit(
    state: EpochState,
    authenticated: AuthenticatedContent,
    commit: Commit,
    *,
    stored: Sequence[SentProposal] = (),
    own_updates: Sequence[OwnUpdate] = (),
    policy: Policy,
    psks: PreSharedKeys = NO_PSKS,
) -> ProcessedCommit:
    """Check `commit`, out of a message whose signature is verified, and return the epoch that it leads to.

    Raises `Invalid`, `Malformed` or `DecryptFailed` (`PathUnreadable`); the state given is never changed.
    """
    content = authenticated.content
    if state.reinit is not None:
        raise Invalid("a commit came after the group's end")
    committer = content.sender.leaf_index
    by_reference = {sent.reference: sent for sent in stored if sent.reference is not None}
    proposals = resolve(commit, by_reference, content.sender)
    for sent in proposals:
        if sent.reference is None:
            check_proposal(state, sent, policy)
    applied = apply_proposals(state, proposals, committer)
    sender = applied.sender_leaf_index
    tree, effects = _merge_path(state, commit.path, applied, committer=committer, policy=policy)
    effects = replace(effects, omitted_self_removes=_omitted(stored, effects))
    applied = replace(applied, effects=effects)
    if any(removed.leaf_index == state.own_leaf_index for removed in effects.removed):
        return ProcessedCommit(sender=sender, effects=effects, state=None, schedule=None)
    step = _step(state, commit.path, applied, tree=tree, own_updates=own_updates)
    entered, schedule = enter_epoch(
        state,
        step,
        content=content,
        wire_format=authenticated.wire_format,
        signature=authenticated.signature,
        known_psks=psks,
    )
    confirmed, tag = entered.context.confirmed_transcript_hash, authenticated.confirmation_tag
    if not state.suite.verify_mac(schedule.confirmation_key, confirmed, tag or b""):
        raise DecryptFailed
    return ProcessedCommit(sender=sender, effects=effects, state=entered, schedule=schedule)


def _step(
    state: EpochState,
    path: UpdatePath | None,
    applied: Applied,
    *,
    tree: RatchetTree,
    own_updates: Sequence[OwnUpdate],
) -> Step:
    """Learn what the commit brings into the key schedule."""
    private, signature_key = _own_keys(state, applied, own_updates)
    commit_secret = bytes(state.suite.hash_size)
    if path is not None:
        context = provisional_context(state, tree, applied.extensions)
        try:
            private, commit_secret = decrypt_path(
                tree,
                private,
                sender=applied.sender_leaf_index,
                path=path,
                group_context=context.encode(),
                excluded_leaves=applied.added_leaves,
            )
        except PeerError:
            raise PathUnreadable(applied.sender_leaf_index, applied.effects) from None
    init_secret = state.secrets.init_secret
    if applied.external_init is not None:
        init_secret = external_init_receiver(
            state.suite, state.secrets.external_secret, applied.external_init
        )
    return Step(
        tree=tree,
        extensions=applied.extensions,
        private=private,
        signature_key=signature_key,
        init_secret=init_secret,
        commit_secret=commit_secret,
        psks=applied.effects.psks,
        reinit=applied.effects.reinit,
    )


def _merge_path(
    state: EpochState,
    path: UpdatePath | None,
    applied: Applied,
    *,
    committer: int | None,
    policy: Policy,
) -> tuple[RatchetTree, CommitEffects]:
    """Check the path and the leaf in it, and merge it; then check that all members support each other."""
    if path is None:
        if applied.path_required:
            raise Invalid("a commit lacks the path that its proposals need")
        check_members(applied.tree, applied.extensions)
        return applied.tree, applied.effects
    leaf, sender = path.leaf_node, applied.sender_leaf_index
    group_id = state.context.group_id
    old = None if committer is None else state.members.tree.member(committer)
    replaced = [removed.leaf_node for removed in applied.effects.removed if not removed.by_itself]
    if committer is None and replaced:
        old = replaced[0]
    if old is not None and leaf.encryption_key == old.encryption_key:
        raise Invalid("a path keeps its leaf's encryption key")
    tree = apply_path(
        applied.tree, sender=sender, path=path, group_id=group_id, excluded_leaves=applied.added_leaves
    )
    policy.validate_credential(leaf.credential, leaf.signature_key)
    if old is not None:
        policy.validate_replacement(old, leaf)
    changed = ChangedLeaf(sender, None if committer is None else old, leaf)
    check_members(tree, applied.extensions)
    return tree, replace(applied.effects, path_leaf=changed)


def _own_keys(
    state: EpochState, applied: Applied, own_updates: Sequence[OwnUpdate]
) -> tuple[PrivateTree, OwnSignatureKey]:
    """Return this client's keys after the proposals: an update of its own may be among them."""
    private, signature_key = state.private, state.signature_key
    for changed in applied.effects.updated:
        if changed.leaf_index == state.own_leaf_index:
            keys: Mapping[bytes, OwnUpdate] = {update.encryption_key: update for update in own_updates}
            update = keys.get(changed.new.encryption_key)
            if update is None:
                raise Invalid("a commit holds an update of this client that it does not know")
            private, signature_key = private.with_leaf_key(update.private_key), update.signature_key
    return private.kept_for(applied.tree), signature_key


def _omitted(stored: Sequence[SentProposal], effects: CommitEffects) -> tuple[int, ...]:
    asked = {sent.sender.index for sent in stored if isinstance(sent.proposal, SelfRemove)}
    return tuple(sorted(asked - {removed.leaf_index for removed in effects.removed}))
