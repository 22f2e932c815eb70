"""From one epoch to the next: the part that who commits and who receives have in common (RFC 9420 §12.4)."""

from collections.abc import Sequence

from msgspec.structs import replace

from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.framing import FramedContent, WireFormat
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import KeySchedule, confirmation_tag, derive_epoch, derive_joiner_secret
from skvoz.mls.members import Members
from skvoz.mls.nodes import Extensions
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeys, psk_secret
from skvoz.mls.proposals import ReInit
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.transcript import confirmed_transcript_hash, interim_transcript_hash
from skvoz.mls.tree_kem import PrivateTree


class Step(Value, NeverPickled, frozen=True, kw_only=True):
    """What a commit brings into the key schedule."""

    tree: RatchetTree
    extensions: Extensions
    private: PrivateTree
    signature_key: OwnSignatureKey
    init_secret: bytes
    commit_secret: bytes
    psks: tuple[PreSharedKeyId, ...]
    reinit: ReInit | None


def provisional_context(state: EpochState, tree: RatchetTree, extensions: Extensions) -> GroupContext:
    """Return the context that path secrets are encrypted under: the next epoch's, with the old transcript."""
    return replace(
        state.context, epoch=state.context.epoch + 1, tree_hash=tree.root_hash(), extensions=extensions
    )


def enter_epoch(
    state: EpochState,
    step: Step,
    *,
    content: FramedContent,
    wire_format: WireFormat,
    signature: bytes,
    known_psks: PreSharedKeys,
) -> tuple[EpochState, KeySchedule]:
    """Run the key schedule over a commit. Who received it then compares the confirmation tags.

    Raises `Invalid` where a pre-shared key is not known.
    """
    suite = state.suite
    confirmed = confirmed_transcript_hash(
        suite, state.interim_transcript_hash, wire_format, content.encoded, signature
    )
    provisional = provisional_context(state, step.tree, step.extensions)
    context = replace(provisional, confirmed_transcript_hash=confirmed)
    context_bytes = context.encode()
    joiner_secret = derive_joiner_secret(suite, step.init_secret, step.commit_secret, context_bytes)
    known = PreSharedKeys(resumption=state.resumption_psks()).with_more(known_psks)
    schedule = derive_epoch(suite, joiner_secret, combine_psks(state, step.psks, known), context_bytes)
    tag = confirmation_tag(suite, schedule.confirmation_key, confirmed)
    entered = EpochState(
        suite=suite,
        context=context,
        context_bytes=context_bytes,
        secrets=schedule.secrets,
        interim_transcript_hash=interim_transcript_hash(suite, confirmed, tag),
        confirmation_tag=tag,
        members=Members.of(step.tree),
        private=step.private,
        signature_key=step.signature_key,
        past_resumption_psks=state.resumption_history(),
        reinit=step.reinit,
    )
    return entered, schedule


def combine_psks(state: EpochState, ids: Sequence[PreSharedKeyId], known: PreSharedKeys) -> bytes:
    """Look pre-shared keys up and combine them; raise `Invalid` where one is not known."""
    return psk_secret(state.suite, [(psk_id, known.find(psk_id)) for psk_id in ids])
