"""Closers: which one a segment's members follow, and what they do where none holds.

Members follow the first valid closer in log order. It opens under the epoch's envelope, its commit verifies,
it obeys `policy`, and the segment that it opens is that of the epoch it leads to. A closer of our own is
followed when it is met as such, whatever the relay answered. One that does not hold is noted; when nothing
else comes, the member with the lowest leaf contests it with a closer of its own, after a pause.

    content of a closer's envelope = vector of opaque MLSMessage<V>: SelfRemove proposals, and last the commit

The proposals that a commit takes up come again beside it, so that a closer is complete in itself: entries
expire after 30 days, closers after 400.
"""

from typing import Final

from skvoz.base.errors import Invalid, PeerError
from skvoz.base.ids import AccountId
from skvoz.client import commits, epochs, leaving, outbox, policy, recovery
from skvoz.client.envelope import CLOSER, open_entry
from skvoz.client.inputs import Entry
from skvoz.client.records import (
    Account,
    Alarm,
    Conversation,
    ConversationState,
    GroupPart,
    KeyPackageSecret,
    StagedCommit,
)
from skvoz.client.step import Step
from skvoz.codec import Reader, opaque, vector
from skvoz.crypto import sha256
from skvoz.mls import (
    Duplicate,
    Group,
    KeyPackage,
    OwnEcho,
    ProposalStored,
    SelfRemove,
)
from skvoz.mls import StagedCommit as MlsStagedCommit
from skvoz.mls.commit_processing import PathUnreadable
from skvoz.mls.framing import ContentType

DROPPED_COUNTER: Final = "closers_dropped"
PROPOSALS_MAX: Final = 64
"""Members who leave in one commit."""
_CONTEST_PAUSE_MS: Final = 5_000
"""A valid closer that is on its way anyway comes before this."""
_CONTEST_AGAIN_MS: Final = 60_000
_ECHO_MS: Final = 60_000
"""How long others may take to contest what only they can tell from a commit of a copy of this device."""


class _GivenUp(PeerError):
    """A closer is ours, and the epoch that it leads to was given up here: others may follow it."""


class _PerhapsOurs(PeerError):
    """A closer names this leaf and a key that it has used: any member made it, or a copy of this device."""


def pack(proposals: list[bytes], commit: bytes) -> bytes:
    """Return the content of a closer's envelope."""
    return vector(opaque(message) for message in [*proposals, commit])


def unpack(content: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Return proposals and commit; raise `Malformed` or `Invalid`."""
    reader = Reader(content)
    messages = reader.vector(Reader.opaque)
    reader.finish()
    if not 1 <= len(messages) <= 1 + PROPOSALS_MAX:
        raise Invalid("a closer holds no commit, or too many proposals")
    return messages[:-1], messages[-1]


def take(step: Step, conversation: Conversation, entry: Entry) -> None:
    """Read a closer of the current segment."""
    staged = step.transaction.get(StagedCommit, conversation.group_id)
    if staged is not None and _is_ours(staged, entry):
        _merge(step, conversation, staged, entry)
        return
    try:
        received = _verify(step, conversation, entry)
    except (PathUnreadable, _GivenUp):
        recovery.suspect(step, conversation, entry)
        return
    except _PerhapsOurs:
        _note(step, conversation, entry)
        due_ms = step.now_ms + _ECHO_MS + epochs.pause_ms(conversation)
        step.hasten_alarm(epochs.ECHO_ALARM, conversation.group_id, due_ms)
        return
    except PeerError:
        _note(step, conversation, entry)
        return
    if received is not None:
        _follow(step, conversation, entry, received)


def _is_ours(staged: StagedCommit, entry: Entry) -> bool:
    same = (entry.entry_id, entry.next_hash) == (staged.entry_id, staged.next_hash)
    return same and entry.body in {None, staged.body}


def _verify(step: Step, conversation: Conversation, entry: Entry) -> MlsStagedCommit | None:
    """Return a valid closer's commit; None where it shows that a copy of this leaf is at work."""
    if _is_given_up(conversation, entry):
        raise _GivenUp
    if entry.body is None:
        raise Invalid("a closer has no body, and is not ours")
    group = step.group(conversation.group_id)
    content = open_entry(group.suite, step.envelope_secret(group), entry.entry_id, CLOSER, entry.body)
    proposals, commit = unpack(content)
    for proposal in proposals:
        group = _with_proposal(group, proposal)
    try:
        received = group.receive(commit, policy=policy.MEMBERS)
    except PathUnreadable as unreadable:
        policy.check_commit(group, unreadable.sender, unreadable.effects)
        raise
    if isinstance(received, OwnEcho):
        if not received.unknown and received.content_type is ContentType.COMMIT:
            raise _PerhapsOurs
        if not received.unknown:
            raise Invalid("a closer holds an old message of ours")
        recovery.freeze(step, conversation)
        return None
    if not isinstance(received, MlsStagedCommit):
        raise Invalid("a closer holds no commit of this epoch")
    policy.check_commit(group, received.sender, received.effects)
    if received.next is not None:
        epochs.check_next_hash(received.next, entry.next_hash)
    return received


def _is_given_up(conversation: Conversation, entry: Entry) -> bool:
    """Tell a closer of ours by what was sent: that a message names our leaf proves nothing."""
    return any(
        (entry.entry_id, entry.next_hash) == (entry_id, next_hash)
        and (entry.body is None or sha256(entry.body) == body_hash)
        for entry_id, next_hash, body_hash in conversation.given_up_closers
    )


def _with_proposal(group: Group, message: bytes) -> Group:
    received = group.receive(message, policy=policy.MEMBERS)
    if isinstance(received, ProposalStored) and isinstance(received.proposal, SelfRemove):
        return received.group
    own_or_known = isinstance(received, Duplicate | OwnEcho)
    if not own_or_known:
        raise Invalid("a closer brings something else than members' wishes to leave")
    return group


def _follow(step: Step, conversation: Conversation, entry: Entry, received: MlsStagedCommit) -> None:
    group_id = conversation.group_id
    actor = policy.account_of(received.group.credential(received.sender))
    if received.next is None:
        back = _taken_back(received, step.account())
        if back is not None:
            if step.transaction.get(KeyPackageSecret, back.reference(received.group.suite)) is None:
                # By a knock that was answered before: its Welcome can't be opened again.
                recovery.lose(step, conversation)
            else:
                recovery.await_welcome(step, conversation)
            return
        asked = conversation.state is ConversationState.LEAVING
        leaving.forget(step, group_id, ConversationState.LEFT if asked else ConversationState.REMOVED)
        return
    staged = step.transaction.get(StagedCommit, group_id)
    removed = received.effects.removed
    closer = _met(entry, entry.body or b"", removes=bool(removed))
    left = frozenset(policy.account_of(one.leaf_node.credential) for one in removed if one.by_itself)
    epochs.enter(step, conversation, received.next, closer, actor=actor, left=left, fresh_keys=False)
    if staged is not None:
        commits.discarded(step, group_id, staged)
    outbox.pump(step, group_id)


def _taken_back(received: MlsStagedCommit, account: Account) -> KeyPackage | None:
    """Return by what the commit that removes this device adds it again: the Welcome will bring us in."""
    for added in received.effects.added:
        if added.key_package.leaf_node.signature_key == account.device_public_key:
            return added.key_package
    return None


def _merge(step: Step, conversation: Conversation, staged: StagedCommit, entry: Entry) -> None:
    """Our own commit is the followed closer: go on with what was staged, and let the Welcome go out."""
    group_id = conversation.group_id
    parts = staged.next_parts
    group = Group.restore(
        members=parts["members"],
        epoch=parts["epoch"],
        secrets=parts["secrets"],
        ratchets={},
        load_tree=lambda: parts["tree"],
        suite=step.environment.suite,
    )
    closer = _met(entry, staged.body, removes=not staged.carry, staged=staged)
    own = step.account().account_id
    fresh_keys = staged.brings_keys
    left = _asked_to_leave(step.group(group_id))
    changed = epochs.enter(step, conversation, group, closer, actor=own, left=left, fresh_keys=fresh_keys)
    commits.merged(step, changed, staged)
    outbox.pump(step, group_id)


def _asked_to_leave(group: Group) -> frozenset[AccountId]:
    """Return those whose wish to leave waits in an epoch: a commit of ours takes them out."""
    senders = [sent.sender.leaf_index for sent in group.proposals if isinstance(sent.proposal, SelfRemove)]
    return frozenset(policy.account_of(group.credential(leaf)) for leaf in senders if leaf is not None)


def _met(
    entry: Entry, body: bytes, *, removes: bool, staged: StagedCommit | None = None
) -> "epochs.FollowedCloser":
    return epochs.FollowedCloser(
        position=entry.position,
        entry_id=entry.entry_id,
        body=body,
        next_hash=entry.next_hash or b"",
        carry=entry.carry,
        removes=removes,
        door_hash=None if staged is None else staged.door_hash,
    )


def _note(step: Step, conversation: Conversation, entry: Entry) -> None:
    """Note a closer that does not hold: another one is waited for, and made if none comes."""
    group_id = conversation.group_id
    step.transaction.next_number(DROPPED_COUNTER)
    epochs.pass_over(step, conversation, entry)
    due_ms = step.now_ms + _CONTEST_PAUSE_MS + epochs.pause_ms(conversation)
    step.hasten_alarm(epochs.CONTEST_ALARM, group_id, due_ms)


def contest(step: Step, conversation: Conversation) -> None:
    """Offer a closer of our own for a segment that was closed by nothing that holds."""
    group_id = conversation.group_id
    going_on = conversation.state in {ConversationState.ACTIVE, ConversationState.LEAVING}
    if not conversation.unfollowed_closers or not going_on:
        return
    step.set_alarm(epochs.CONTEST_ALARM, group_id, step.now_ms + _CONTEST_AGAIN_MS)
    if step.transaction.get(Alarm, epochs.ECHO_ALARM, group_id) is not None:
        return  # it may be a commit of a copy of us, which others follow: they contest it if it is none
    reading = step.caches.readings.get(group_id)
    if reading is None or not reading.caught_up:
        return
    commits.stage_contest(step, conversation)


def not_contested(step: Step, conversation: Conversation) -> None:
    """Ask for the way back where a closer may be that of a copy of this device, and nobody contested it."""
    going_on = conversation.state in {ConversationState.ACTIVE, ConversationState.LEAVING}
    if going_on and conversation.unfollowed_closers:
        recovery.ask_the_way(step, conversation)


def stored_proposals(step: Step, conversation: Conversation) -> list[bytes]:
    """Return the messages of the proposals that wait in this epoch."""
    parts = step.transaction.select(GroupPart, group_id=conversation.group_id, part="proposal")
    return [part.body for part in parts]
