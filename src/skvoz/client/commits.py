"""Commits of our own: wishes become a staged commit, which is merged when it is the followed closer.

A commit is staged from the wishes at the head of the outbox, saved with the state that it leads to and the
Welcome, and sent as a rekey. Its intents stay in the outbox until it is merged; when another closer is
followed instead, they are staged again if they still make sense. Welcomes go out only after the merge.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, PeerError
from skvoz.base.ids import GroupId
from skvoz.base.limits import ADDS_PER_COMMIT_MAX, REKEY_SIZE_MAX
from skvoz.client import closers, epochs, invitations, outbox, policy
from skvoz.client.envelope import CLOSER, seal_entry, segment_hash
from skvoz.client.events import RequestFailed
from skvoz.client.records import (
    Conversation,
    ConversationState,
    Intent,
    IntentKind,
    KnockHeard,
    StagedCommit,
)
from skvoz.client.step import Step
from skvoz.client.wishes import Adding, AddWish, InfoWish, Invitee, RemoveWish, Wish
from skvoz.crypto import sha256
from skvoz.mls import (
    Add,
    Group,
    GroupContextExtensions,
    PendingCommit,
    Proposal,
    Remove,
    parse_key_package,
)

UPDATE_AFTER_MS: Final = 7 * 24 * 3600 * 1000
UPDATE_AFTER_ENTRIES: Final = 1000
"""How much a stolen key may read at most: an update comes before the next message of ours."""
PATH_WITH_ADDS_MAX: Final = 64
"""In larger groups a commit that only adds goes without fresh keys, which cost one encryption a leaf."""
PACKAGES_WAIT_MS: Final = 20_000
"""How long messages wait for somebody's KeyPackage, so that they reach all who were asked for."""
_BUSY_RETRY_MS: Final = 10_000
"""What is under way may take days where a relay is away: each try wakes the device."""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(AddWish | RemoveWish | InfoWish)


def wish(step: Step, group_id: GroupId, wished: Wish) -> int:
    """Queue a change of a conversation behind what was said before; return the intent's id."""
    intent_id = step.transaction.next_number("intent")
    step.transaction.put(
        Intent(
            intent_id=intent_id,
            group_id=group_id,
            kind=IntentKind.COMMIT,
            body=_encode(wished),
            created_ms=step.now_ms,
        )
    )
    outbox.pump(step, group_id)
    return intent_id


def add(step: Step, group_id: GroupId, invitees: Sequence[Invitee]) -> int:
    """Queue adding people whose KeyPackages are at hand."""
    adding = tuple(Adding(one.account_id, one.key_package, one.recipient) for one in invitees)
    return wish(step, group_id, AddWish(adding, 0))


def read_wish(intent: Intent) -> Wish:
    """Return the wish in a stored intent."""
    return _decoder.decode(intent.body)


def change_wish(step: Step, intent: Intent, wished: Wish) -> None:
    """Put another wish in the same place of the outbox."""
    step.transaction.put(msgspec.structs.replace(intent, body=_encode(wished)))
    outbox.pump(step, intent.group_id)


# What is due by itself


def due_first(step: Step, conversation: Conversation) -> bool:
    """Tell whether a commit has to go before the next message: an update, or somebody's leaving."""
    if conversation.state is not ConversationState.ACTIVE:
        return False
    if conversation.entries_since_update >= UPDATE_AFTER_ENTRIES:
        return True
    if step.now_ms - conversation.last_update_ms >= UPDATE_AFTER_MS:
        return True
    return bool(step.group(conversation.group_id).proposals)


def stage_housekeeping(step: Step, conversation: Conversation, *, is_update: bool = True) -> bool:
    """Stage fresh keys for our leaf, with whatever others wait for: leaving, or coming back."""
    group = step.group(conversation.group_id)
    knocks = [
        knock
        for knock in step.transaction.select(KnockHeard, group_id=conversation.group_id)
        if _may_answer(step, group, knock)
    ][:ADDS_PER_COMMIT_MAX]
    # One that can't be added must not keep the others out.
    alone = [[knock] for knock in knocks] if len(knocks) > 1 else []
    for answered in (knocks, *alone):
        if _stage_answers(step, conversation, answered, is_update=is_update):
            return True
    for knock in knocks:
        step.transaction.delete(KnockHeard, *knock.key_values())
    return False


def _stage_answers(
    step: Step, conversation: Conversation, knocks: list[KnockHeard], *, is_update: bool
) -> bool:
    proposals: list[Proposal] = [Remove(knock.leaf) for knock in knocks]
    proposals += [Add(parse_key_package(knock.key_package)) for knock in knocks]
    return _stage(
        step,
        conversation,
        proposals,
        recipients=tuple(knock.recipient for knock in knocks),
        answered_knocks=tuple(knock.knock for knock in knocks),
        fresh_keys=True,
        is_update=is_update,
    )


def _may_answer(step: Step, group: Group, knock: KnockHeard) -> bool:
    if knock.leaf != group.own_leaf_index and any(
        member.leaf_index == knock.leaf for member in group.members()
    ):
        return True
    step.transaction.delete(KnockHeard, *knock.key_values())
    return False


def tidy(step: Step, group_id: GroupId) -> None:
    """Do what others wait for, if nobody has done it yet: leaving, or coming back."""
    conversation = step.conversation(group_id)
    if conversation.state is ConversationState.ACTIVE and _somebody_waits(step, group_id):
        _unless_busy(step, conversation, epochs.TIDY_ALARM, is_update=False)


def update(step: Step, group_id: GroupId) -> None:
    """Bring fresh keys into the group."""
    conversation = step.conversation(group_id)
    if conversation.state is ConversationState.ACTIVE:
        _unless_busy(step, conversation, epochs.UPDATE_ALARM, is_update=True)


def _somebody_waits(step: Step, group_id: GroupId) -> bool:
    return bool(step.group(group_id).proposals) or bool(
        step.transaction.select(KnockHeard, group_id=group_id)
    )


def _unless_busy(step: Step, conversation: Conversation, alarm: str, *, is_update: bool) -> None:
    """Stage what is due, or come back to it when what is on its way has arrived."""
    group_id = conversation.group_id
    reading = step.caches.readings.get(group_id)
    busy = (
        reading is None
        or not reading.caught_up
        or conversation.unfollowed_closers > 0
        or step.transaction.get(StagedCommit, group_id) is not None
        or any(intent.entry_id for intent in step.transaction.select(Intent, group_id=group_id))
    )
    if busy:
        step.hasten_alarm(alarm, group_id, step.now_ms + _BUSY_RETRY_MS)
    else:
        stage_housekeeping(step, conversation, is_update=is_update)


def stage_contest(step: Step, conversation: Conversation) -> None:
    """Send a closer against those that did not hold: the one that is staged, or fresh keys."""
    group_id = conversation.group_id
    staged = step.transaction.get(StagedCommit, group_id)
    if staged is None:
        if not _stage(step, conversation, [], fresh_keys=True, is_contest=True):
            return
    else:
        contesting = msgspec.structs.replace(staged, is_contest=True)
        step.transaction.put(contesting)
        step.emit(outbox.rekey_effect(conversation, contesting))


# From wishes to a staged commit


def stage_intents(step: Step, conversation: Conversation, waiting: Sequence[Intent]) -> bool:
    """Stage the first wish of `waiting`; return False where it needs nothing any more.

    True: something is staged, or the wish waits for KeyPackages.
    """
    first = read_wish(waiting[0])
    if isinstance(first, AddWish):
        return _stage_adds(step, conversation, waiting)
    group = step.group(conversation.group_id)
    proposals: list[Proposal]
    match first:
        case RemoveWish():
            leaves = policy.accounts_of(group).get(first.account_id, ())
            proposals = [Remove(leaf) for leaf in leaves]
        case InfoWish():
            info = policy.info_of(group)
            changed = replace(
                info,
                title=info.title if first.title is None else first.title,
                message_expiry_s=(info.message_expiry_s if first.expiry_s is None else first.expiry_s),
            )
            if first.member is not None:
                changed = changed.with_admin(first.member, admin=first.admin)
            proposals = [] if changed == info else [GroupContextExtensions(policy.extensions_of(changed))]
    if proposals and _stage(step, conversation, proposals, intents=waiting[:1], fresh_keys=True):
        return True
    if proposals:
        step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_allowed"))
    step.transaction.delete(Intent, waiting[0].intent_id)
    return False


def _stage_adds(step: Step, conversation: Conversation, waiting: Sequence[Intent]) -> bool:
    """Stage adding everybody whom consecutive wishes name, as many as one commit takes."""
    group = step.group(conversation.group_id)
    present = {member.signature_key for member in group.members()}
    proposals: list[Proposal] = []
    recipients: list[bytes] = []
    intents: list[Intent] = []
    for intent in waiting:
        if intent.kind is not IntentKind.COMMIT:
            break
        wished = read_wish(intent)
        if not isinstance(wished, AddWish):
            break
        missing = [one for one in wished.adding if not one.key_package]
        if missing and step.now_ms < wished.until_ms:
            step.hasten_alarm(outbox.RESEND_ALARM, conversation.group_id, wished.until_ms)
            if not intents:
                return True
            break
        if len(proposals) + len(wished.adding) > ADDS_PER_COMMIT_MAX and intents:
            break
        for one in wished.adding:
            proposal = _adding(step, conversation, one) if one.key_package else None
            if proposal is None or proposal.key_package.leaf_node.signature_key in present:
                continue
            present.add(proposal.key_package.leaf_node.signature_key)
            proposals.append(proposal)
            recipients.append(one.recipient)
        intents.append(intent)
    if proposals and _stage(step, conversation, proposals, intents=intents, recipients=tuple(recipients)):
        return True
    for intent in intents:
        step.transaction.delete(Intent, intent.intent_id)
    if proposals:
        step.tell(RequestFailed(chat_id=conversation.chat_id, reason="not_allowed"))
    return False


def _adding(step: Step, conversation: Conversation, one: Adding) -> Add | None:
    """Return the proposal if the KeyPackage can be used by itself, so that a bad one spoils nothing else."""
    try:
        proposal = Add(parse_key_package(one.key_package))
        step.writable_group(conversation.group_id).propose(
            proposal, randomness=step.randomness, policy=policy.MEMBERS, now_ms=step.now_ms
        )
        if policy.account_of(proposal.key_package.leaf_node.credential) == one.account_id:
            return proposal
    except PeerError:
        pass
    step.tell(RequestFailed(chat_id=conversation.chat_id, reason="bad_package"))
    return None


def _stage(
    step: Step,
    conversation: Conversation,
    proposals: list[Proposal],
    *,
    intents: Sequence[Intent] = (),
    recipients: tuple[bytes, ...] = (),
    answered_knocks: tuple[int, ...] = (),
    fresh_keys: bool = False,
    is_contest: bool = False,
    is_update: bool = False,
) -> bool:
    """Make the commit, save it with the next state, and send it; False where a rule forbids it."""
    group = step.group(conversation.group_id)
    fresh_keys = fresh_keys or len(group.members()) <= PATH_WITH_ADDS_MAX
    removes = bool(group.proposals) or any(isinstance(proposal, Remove) for proposal in proposals)
    try:
        pending = step.writable_group(conversation.group_id).stage_commit(
            proposals=proposals,
            path=True if fresh_keys or removes else None,
            randomness=step.randomness,
            policy=policy.MEMBERS,
            now_ms=step.now_ms,
        )
        policy.check_commit(group, group.own_leaf_index, pending.effects)
    except (PeerError, Conflict, BadRequest):
        return False
    return _send(
        step,
        conversation,
        group,
        pending,
        intents=tuple(intent.intent_id for intent in intents),
        recipients=recipients,
        answered_knocks=answered_knocks,
        is_contest=is_contest,
        is_update=is_update,
    )


def _send(
    step: Step,
    conversation: Conversation,
    group: Group,
    pending: PendingCommit,
    *,
    intents: tuple[int, ...],
    recipients: tuple[bytes, ...],
    answered_knocks: tuple[int, ...],
    is_contest: bool,
    is_update: bool,
) -> bool:
    entry_id = step.fresh_entry_id()
    content = closers.pack(
        closers.stored_proposals(step, conversation) if group.proposals else [], pending.commit
    )
    body = seal_entry(group.suite, step.envelope_secret(group), entry_id, CLOSER, content)
    if len(body) > REKEY_SIZE_MAX:
        return False
    following = pending.next
    parts = following.snapshot()
    staged = StagedCommit(
        group_id=conversation.group_id,
        entry_id=entry_id,
        body=body,
        since=conversation.cursor,
        next_hash=segment_hash(epochs.access_key(following)),
        next_parts={
            "tree": parts.tree or b"",
            "members": parts.members or b"",
            "epoch": parts.epoch or b"",
            "secrets": parts.secrets or b"",
        },
        carry=not pending.effects.removed,
        is_contest=is_contest,
        # Always: whoever closed the segment before may have registered another door than the group's.
        door_hash=sha256(policy.info_of(following).door_key),
        answered_knocks=answered_knocks,
        welcome=pending.welcome or b"",
        recipients=recipients,
        intent_ids=intents,
        is_update=is_update,
        brings_keys=pending.effects.path_leaf is not None,
    )
    step.save_group(pending.group, group)
    step.transaction.put(staged)
    step.emit(outbox.rekey_effect(conversation, staged))
    return True


# What becomes of it


def merged(step: Step, conversation: Conversation, staged: StagedCommit) -> None:
    """Our commit is followed: its wishes are fulfilled, and those whom it added may know."""
    for intent_id in staged.intent_ids:
        step.transaction.delete(Intent, intent_id)
    if staged.welcome:
        invitations.deliver(step, conversation, staged.welcome, staged.recipients)


def discarded(step: Step, group_id: GroupId, staged: StagedCommit) -> None:
    """Another closer is followed: wishes are still queued, and an update is made up for."""
    if staged.is_update:
        conversation = step.conversation(group_id)
        step.hasten_alarm(epochs.UPDATE_ALARM, group_id, step.now_ms + epochs.pause_ms(conversation))


def refuse(step: Step, conversation: Conversation, reason: str) -> None:
    """Give the staged commit and its wishes up: the relay will never take it."""
    staged = step.transaction.get(StagedCommit, conversation.group_id)
    if staged is None:
        return
    outbox.give_up(step, staged)
    for intent_id in staged.intent_ids:
        step.transaction.delete(Intent, intent_id)
    step.tell(RequestFailed(chat_id=conversation.chat_id, reason=reason))
