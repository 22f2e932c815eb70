"""Which of the proposals that came by themselves a committer takes up (RFC 9420 §§ 12.2, 12.4)."""

from collections.abc import Sequence

from skvoz.base.errors import PeerError
from skvoz.mls.epoch import EpochState
from skvoz.mls.policy import Policy
from skvoz.mls.proposal_list import SentProposal, check_proposal
from skvoz.mls.proposals import (
    Add,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    SelfRemove,
    Update,
)


def choose_stored(
    state: EpochState,
    stored: Sequence[SentProposal],
    by_value: Sequence[Proposal],
    *,
    all_kinds: bool,
    policy: Policy,
    now_ms: int | None,
) -> tuple[SentProposal, ...]:
    """Return the stored proposals that fit together and beside `by_value`.

    Members who ask to leave always come first; `all_kinds` False takes only those. A remove wins over
    an update, the latest update and the latest extensions win, a reinit goes only alone.
    """
    if any(isinstance(proposal, ReInit) for proposal in by_value):
        return ()
    leaving = [sent for sent in stored if isinstance(sent.proposal, SelfRemove)]
    others = [sent for sent in stored if not isinstance(sent.proposal, SelfRemove | ReInit)]
    removes = [sent for sent in others if isinstance(sent.proposal, Remove)]
    updates = [sent for sent in reversed(others) if isinstance(sent.proposal, Update)]
    rest = [sent for sent in reversed(others) if not isinstance(sent.proposal, Remove | Update)]
    ranked = [*leaving, *removes, *updates, *rest] if all_kinds else leaving
    taken = {slot for proposal in by_value if (slot := _slot(proposal, None)) is not None}
    taken.add(("leaf", state.own_leaf_index))
    chosen: set[bytes] = set()
    for sent in ranked:
        slot = _slot(sent.proposal, sent.sender.leaf_index)
        if slot in taken or sent.reference is None or not _holds(state, sent, policy, now_ms):
            continue
        if slot is not None:
            taken.add(slot)
        chosen.add(sent.reference)
    if not chosen and not by_value and all_kinds:
        reinits = [sent for sent in stored if isinstance(sent.proposal, ReInit)]
        return tuple(reinits[-1:])
    return tuple(sent for sent in stored if sent.reference in chosen)


def _holds(state: EpochState, sent: SentProposal, policy: Policy, now_ms: int | None) -> bool:
    """Whether a proposal is (still) valid for who commits it: a KeyPackage may have expired meanwhile."""
    try:
        check_proposal(state, sent, policy, now_ms=now_ms)
    except PeerError:
        return False
    return True


def _slot(proposal: Proposal, sender_leaf: int | None) -> tuple[str, int | bytes] | None:
    """Name what only one proposal of a list may touch."""
    match proposal:
        case Remove():
            return "leaf", proposal.removed
        case Update() | SelfRemove():
            return None if sender_leaf is None else ("leaf", sender_leaf)
        case Add():
            return "client", proposal.key_package.leaf_node.signature_key
        case PreSharedKey():
            return "psk", proposal.psk.encode()
        case GroupContextExtensions():
            return "extensions", 0
        case _:
            return None
