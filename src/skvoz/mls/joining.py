"""Becoming a member: by a Welcome, or by an external commit (RFC 9420 §§ 12.4.3.1, 12.4.3.2, 11.2, 11.3)."""

from collections.abc import Sequence

from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import Reader
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.commit_creation import CommitWishes, CreatedCommit, ExternalStart, create_commit
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.key_packages import KeyPackageBundle
from skvoz.mls.key_schedule import KeySchedule, derive_epoch, epoch_from_secret, external_init_sender
from skvoz.mls.members import Members
from skvoz.mls.nodes import ExtensionType
from skvoz.mls.policy import Policy
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeys, ResumptionUsage, psk_secret
from skvoz.mls.proposals import ExternalInit, PreSharedKey, Proposal
from skvoz.mls.public_message import PublicMessage
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.transcript import interim_transcript_hash
from skvoz.mls.tree_kem import LeafTemplate, PrivateTree, join_path
from skvoz.mls.tree_validation import check_tree
from skvoz.mls.welcome import GroupInfo, Welcome


class Joined(Value, frozen=True, kw_only=True):
    """A group that a Welcome led into."""

    state: EpochState
    schedule: KeySchedule
    group_info: GroupInfo
    reference: bytes
    psks: tuple[PreSharedKeyId, ...]


def open_welcome(
    welcome: Welcome,
    bundle: KeyPackageBundle,
    *,
    ratchet_tree: bytes | None,
    psks: PreSharedKeys,
    policy: Policy,
    predecessor: EpochState | None,
) -> Joined:
    """Join by a Welcome, with every check of RFC 9420 §12.4.3.1.

    `ratchet_tree` is the encoded tree if it comes apart; `predecessor` the group that this one continues.
    Raises `Invalid`, `Malformed` or `DecryptFailed`.
    """
    suite = bundle.suite
    if welcome.cipher_suite != suite.number:
        raise Invalid("a welcome is for another cipher suite")
    reference = bundle.reference
    secrets = welcome.open_secrets(suite, reference, bundle.init_private_key)
    if len({psk.encode() for psk in secrets.psks}) != len(secrets.psks):
        raise Invalid("a welcome uses a pre-shared key twice")
    for psk in secrets.psks:
        psk.check(suite)
    if predecessor is not None:
        psks = PreSharedKeys(resumption=predecessor.resumption_psks()).with_more(psks)
    mixed = psk_secret(suite, [(psk, psks.find(psk)) for psk in secrets.psks])
    group_info = welcome.open_group_info(suite, secrets.joiner_secret, mixed)
    tree = checked_tree(suite, group_info, ratchet_tree, policy)
    own = bundle.key_package.leaf_node
    leaf_index = next((index for index, leaf in tree.leaves() if leaf.encoded == own.encoded), None)
    if leaf_index is None or leaf_index == group_info.signer:
        raise Invalid("a welcome leads into a group that this key package is not in")
    _check_continuation(secrets.psks, group_info, tree, predecessor, policy)
    private = join_path(
        tree,
        leaf_index=leaf_index,
        leaf_private_key=bundle.leaf_private_key,
        sender=group_info.signer,
        path_secret=secrets.path_secret,
    )
    context = group_info.group_context
    context_bytes = context.encode()
    schedule = derive_epoch(suite, secrets.joiner_secret, mixed, context_bytes)
    confirmed = context.confirmed_transcript_hash
    if not suite.verify_mac(schedule.confirmation_key, confirmed, group_info.confirmation_tag):
        raise DecryptFailed
    state = EpochState(
        suite=suite,
        context=context,
        context_bytes=context_bytes,
        secrets=schedule.secrets,
        interim_transcript_hash=interim_transcript_hash(suite, confirmed, group_info.confirmation_tag),
        confirmation_tag=group_info.confirmation_tag,
        members=Members.of(tree),
        private=private,
        signature_key=OwnSignatureKey(bundle.signature_private_key, own.signature_key),
    )
    return Joined(
        state=state, schedule=schedule, group_info=group_info, reference=reference, psks=secrets.psks
    )


def checked_tree(
    suite: CipherSuite, group_info: GroupInfo, ratchet_tree: bytes | None, policy: Policy
) -> RatchetTree:
    """Return a GroupInfo's tree once the signer, the tree hash and every node are found right."""
    context = group_info.group_context
    if context.cipher_suite != suite.number:
        raise Invalid("a group info is for another cipher suite")
    inside = group_info.extension(ExtensionType.RATCHET_TREE)
    encoded = ratchet_tree if inside is None else inside
    if encoded is None:
        raise Invalid("a group info comes without the ratchet tree")
    tree = RatchetTree.parse(suite, encoded)
    signer = tree.leaf(group_info.signer)
    if signer is None:
        raise Invalid("a group info is signed by nobody in the group")
    group_info.verify(suite, signer.signature_key)
    if tree.root_hash() != context.tree_hash:
        raise Invalid("a ratchet tree is not that of the group")
    check_tree(tree, group_id=context.group_id, group_extensions=context.extensions)
    for _, leaf in tree.leaves():
        policy.validate_credential(leaf.credential, leaf.signature_key)
    return tree


def _check_continuation(
    psks: Sequence[PreSharedKeyId],
    group_info: GroupInfo,
    tree: RatchetTree,
    predecessor: EpochState | None,
    policy: Policy,
) -> None:
    """Check a group that says that it continues another one (RFC 9420 §§ 11.2, 11.3, 12.4.3.1)."""
    continuing = [psk for psk in psks if psk.usage in (ResumptionUsage.REINIT, ResumptionUsage.BRANCH)]
    if not continuing:
        if predecessor is not None:
            raise Invalid("a group does not continue the one that it should")
        return
    context = group_info.group_context
    if len(continuing) > 1 or predecessor is None or context.epoch != 1:
        raise Invalid("a group continues another one in a way that it may not")
    psk, before = continuing[0], predecessor.context
    if (psk.group_id, psk.epoch) != (before.group_id, before.epoch):
        raise Invalid("a group continues another one than it should")
    if psk.usage is ResumptionUsage.REINIT:
        reinit = predecessor.reinit
        if reinit is None or (context.group_id, context.cipher_suite, context.extensions) != (
            reinit.group_id,
            reinit.cipher_suite,
            reinit.extensions,
        ):
            raise Invalid("a group is not the one that its predecessor ended for")
        return
    if context.cipher_suite != before.cipher_suite:
        raise Invalid("a branch changes the cipher suite")
    known = {policy.identity_of(leaf) for _, leaf in predecessor.members.tree.leaves()}
    if not known.issuperset({policy.identity_of(leaf) for _, leaf in tree.leaves()}):
        raise Invalid("a branch holds somebody who was not in the group before")


def join_externally(
    suite: CipherSuite,
    group_info: GroupInfo,
    wishes: CommitWishes,
    template: LeafTemplate,
    signature_key: OwnSignatureKey,
    *,
    ratchet_tree: bytes | None,
    randomness: Randomness,
) -> tuple[CreatedCommit, PublicMessage]:
    """Make the commit by which a client adds itself.

    `wishes.by_value` may remove its old leaf and name pre-shared keys. Raises `Invalid`, `DecryptFailed`.
    """
    tree = checked_tree(suite, group_info, ratchet_tree, wishes.policy)
    external_key = group_info.extension(ExtensionType.EXTERNAL_PUB)
    if external_key is None:
        raise Invalid("a group info does not invite external commits")
    reader = Reader(external_key)
    public_key = reader.opaque()
    reader.finish()
    kem_output, init_secret = external_init_sender(suite, public_key, randomness)
    context = group_info.group_context
    # A joiner knows the group's public side only: its secrets are stand-ins that no step below uses.
    stranger = EpochState(
        suite=suite,
        context=context,
        context_bytes=context.encode(),
        secrets=epoch_from_secret(suite, randomness(suite.hash_size)).secrets,
        interim_transcript_hash=interim_transcript_hash(
            suite, context.confirmed_transcript_hash, group_info.confirmation_tag
        ),
        confirmation_tag=group_info.confirmation_tag,
        members=Members.of(tree),
        private=PrivateTree.of_leaf(0, b""),
        signature_key=signature_key,
    )
    for proposal in wishes.by_value:
        if isinstance(proposal, PreSharedKey):
            wishes.psks.find(proposal.psk)
    proposals: tuple[Proposal, ...] = (ExternalInit(kem_output), *wishes.by_value)
    created = create_commit(
        stranger,
        replace(wishes, by_value=proposals),
        randomness,
        external=ExternalStart(init_secret=init_secret, template=template, signature_key=signature_key),
    )
    joined = replace(created, state=replace(created.state, past_resumption_psks=()))
    return joined, PublicMessage(authenticated=created.authenticated, membership_tag=None)
