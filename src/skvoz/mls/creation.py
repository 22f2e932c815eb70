"""The first epoch of a new group, whose only member is its creator (RFC 9420 §11)."""

from skvoz.base.ports import Randomness
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import KeySchedule, confirmation_tag, epoch_from_secret
from skvoz.mls.members import Members
from skvoz.mls.nodes import Capabilities, Credential, Extensions, LeafNodeSource, Lifetime, sign_leaf
from skvoz.mls.proposal_list import check_group_extensions
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.transcript import interim_transcript_hash
from skvoz.mls.tree_kem import PrivateTree
from skvoz.mls.tree_validation import check_leaf, check_members


def create_epoch(
    suite: CipherSuite,
    group_id: bytes,
    signature_key: OwnSignatureKey,
    *,
    credential: Credential,
    capabilities: Capabilities,
    lifetime: Lifetime,
    extensions: Extensions,
    leaf_extensions: Extensions,
    randomness: Randomness,
) -> tuple[EpochState, KeySchedule]:
    """Return epoch 0; raise `Invalid` where the creator's leaf breaks a rule of the group."""
    pair = suite.generate_key_pair(randomness)
    leaf = sign_leaf(
        suite,
        signature_key.private_key,
        encryption_key=pair.public_key,
        signature_key=signature_key.public_key,
        credential=credential,
        capabilities=capabilities,
        source=LeafNodeSource.KEY_PACKAGE,
        lifetime=lifetime,
        extensions=leaf_extensions,
    )
    check_leaf(leaf, suite)
    check_group_extensions(extensions)
    tree = RatchetTree.of_leaf(suite, leaf)
    check_members(tree, extensions)
    context = GroupContext(
        cipher_suite=suite.number,
        group_id=group_id,
        epoch=0,
        tree_hash=tree.root_hash(),
        confirmed_transcript_hash=b"",
        extensions=extensions,
    )
    schedule = epoch_from_secret(suite, randomness(suite.hash_size))
    tag = confirmation_tag(suite, schedule.confirmation_key, b"")
    state = EpochState(
        suite=suite,
        context=context,
        context_bytes=context.encode(),
        secrets=schedule.secrets,
        interim_transcript_hash=interim_transcript_hash(suite, b"", tag),
        confirmation_tag=tag,
        members=Members.of(tree),
        private=PrivateTree.of_leaf(0, pair.private_key),
        signature_key=signature_key,
    )
    return state, schedule
