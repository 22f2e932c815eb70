"""Conversations as a whole: made here, joined by a Welcome, left, taken up again after a start.

CREATING --log opened--> ACTIVE --self-remove sent--> LEAVING --followed commit--> LEFT
                           |--followed commit removes us--> REMOVED
                           |--can't follow--> LOST    --new Welcome--> ACTIVE
                           `--a copy of us writes--> FROZEN --new Welcome--> ACTIVE
Who was FROZEN and then LOST is FROZEN again where it is found without a new Welcome.
HELD --accepted--> ACTIVE, for the request of a stranger at a relay that we don't use
"""

from collections.abc import Sequence
from typing import Final

from skvoz.base.errors import Conflict, Invalid
from skvoz.base.ids import AccountId, GroupId, LogId, RelayId
from skvoz.client import (
    attachments,
    carrying,
    commits,
    epochs,
    gaps,
    leaving,
    notices,
    outbox,
    policy,
    recovery,
    relays,
)
from skvoz.client.conversation_info import ConversationInfo, RoomPlace
from skvoz.client.effects import Channel, OpenLog
from skvoz.client.envelope import segment_hash
from skvoz.client.events import ChatCreated, RequestFailed
from skvoz.client.inputs import RequestRefused
from skvoz.client.records import (
    Conversation,
    ConversationKind,
    ConversationState,
    Intent,
    IntentKind,
    KeptCloser,
    KeyPackageSecret,
    OwnKnock,
    Relay,
    StagedCommit,
)
from skvoz.client.step import Reading, Step
from skvoz.client.wishes import Invitee
from skvoz.crypto import KeyPair, sha256
from skvoz.mls import Group, Lifetime, StagedJoin

LEAF_LIFETIME_S: Final = 90 * 24 * 3600
"""Of the leaf that starts a group; nobody looks at it after that."""
CLOCK_SKEW_S: Final = 24 * 3600
OPEN_ALARM: Final = "room.open"
_OPEN_RETRY_MS: Final = 60_000
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)
_REJOINABLE: Final = (*_OVER, ConversationState.LOST, ConversationState.FROZEN)


def create(
    step: Step,
    *,
    kind: ConversationKind,
    relay_id: RelayId,
    title: str = "",
    peer: AccountId | None = None,
    invitees: Sequence[Invitee] = (),
) -> Conversation:
    """Make a conversation in a new room at a known relay, and queue adding `invitees`.

    `peer` is the other account of a direct one. Writing is possible at once. Raises `NotFound`, `Invalid`.
    """
    account = step.account()
    relay = step.transaction.get(Relay, relay_id)
    if relay is None or (kind is ConversationKind.DIRECT) != (peer is not None):
        raise Conflict("a conversation can't be made like this")
    group_id, log_id = GroupId(step.randomness(16)), LogId(step.randomness(16))
    owners = {account.account_id} if peer is None else {account.account_id, peer}
    info = ConversationInfo(
        kind=kind,
        title=title,
        admins=tuple(sorted(owners)),
        door_secret=step.randomness(32),
        places=(RoomPlace(relay_id=relay_id, addresses=relay.for_others, log_id=log_id),),
        message_expiry_s=0,
    )
    group = _group_of_one(step, group_id, info)
    key = epochs.access_key(group)
    conversation = Conversation(
        group_id=group_id,
        chat_id=peer or group_id,
        kind=kind,
        state=ConversationState.CREATING,
        relay_id=relay_id,
        log_id=log_id,
        owner_key=step.randomness(32),
        title=title,
        epoch=0,
        segment_key=key,
        segment=0,
        own_leaf=group.own_leaf_index,
        last_update_ms=step.now_ms,
        created_ms=step.now_ms,
        last_activity_ms=step.now_ms,
        key_hash=segment_hash(key),
        door_hash=sha256(info.door_key),
    )
    step.transaction.put(conversation)
    step.save_group(group, None)
    carrying.keep_key(step, group)
    epochs.write_participants(step, conversation, group, actor=None)
    if invitees:
        commits.add(step, group_id, invitees)
    step.connect(relay_id, Channel.ROOMS)
    step.emit(open_log(conversation, relay))
    step.tell(ChatCreated(chat_id=conversation.chat_id, group_id=group_id, is_request=False))
    return conversation


def _group_of_one(step: Step, group_id: GroupId, info: ConversationInfo) -> Group:
    account, now_s = step.account(), step.now_ms // 1000
    return Group.create(
        step.environment.suite,
        group_id,
        account.device_certificate,
        KeyPair(private_key=account.device_private_key, public_key=account.device_public_key),
        lifetime=Lifetime(not_before=max(0, now_s - CLOCK_SKEW_S), not_after=now_s + LEAF_LIFETIME_S),
        randomness=step.randomness,
        extensions=policy.extensions_of(info),
        capabilities=policy.capabilities(step.environment.suite),
    )


def open_log(conversation: Conversation, relay: Relay) -> OpenLog:
    """Return the request that makes a conversation's log; repeating it does no harm."""
    return OpenLog(
        relay_id=conversation.relay_id,
        channel=Channel.ROOMS,
        log_id=conversation.log_id,
        is_inbox=False,
        key_hash=conversation.key_hash,
        owner_hash=sha256(conversation.owner_key),
        door_hash=conversation.door_hash,
        ticket=relay.ticket,
    )


def opened(step: Step, conversation: Conversation) -> None:
    """Begin to write into a log that the relay holds now."""
    if conversation.state is not ConversationState.CREATING:
        return
    changed = step.change(conversation.group_id, state=ConversationState.ACTIVE)
    attachments.attach(step, changed)
    if changed.epoch == 0 and step.transaction.get(StagedCommit, changed.group_id) is None:
        # Nobody else has key_0, so there is nothing to read before the first closer.
        step.caches.readings[changed.group_id] = Reading(key=changed.segment_key, attached=True)
        outbox.pump(step, changed.group_id)


def open_refused(step: Step, conversation: Conversation, fact: RequestRefused) -> None:
    """Ask again later for a log that the relay refused, and say so where it won't make one."""
    if conversation.state is not ConversationState.CREATING:
        return
    if fact.code in {"denied", "bad"}:
        step.tell(RequestFailed(chat_id=conversation.chat_id, reason="relay_refused"))
    pause_ms = max(fact.retry_after_ms, _OPEN_RETRY_MS)
    step.set_alarm(OPEN_ALARM, conversation.group_id, step.now_ms + pause_ms)


def open_again(step: Step, conversation: Conversation) -> None:
    """Ask once more for the log of a conversation."""
    relay = step.transaction.get(Relay, conversation.relay_id)
    if conversation.state is ConversationState.CREATING and relay is not None:
        step.emit(open_log(conversation, relay))


def join(step: Step, staged: StagedJoin, *, chat_id: bytes, is_request: bool) -> Conversation:
    """Join what a Welcome leads into, where its relays and logs are those of the GroupContext.

    Raises `Invalid` or `Malformed` for a group that breaks our rules, or that we are in already.
    """
    group = staged.group
    group_id = GroupId(group.group_id)
    policy.check_member_kinds(group)
    info = policy.info_of(group)
    known = step.transaction.get(Conversation, group_id)
    if known is not None:
        _check_rejoining(step, known, staged, info)
    if group.suite.number != step.environment.suite.number:
        raise Invalid("a welcome leads into a group of another cipher suite")
    place = info.places[0]
    other = step.conversation_of_log(place.log_id)
    if other is not None and other.group_id != group_id and not _gives_way(other):
        raise Invalid("a welcome names a log of another conversation")
    # Who connects to a relay tells it where they are: not for somebody who only asks.
    held = is_request and not relays.is_used(step, place.relay_id)
    if held:
        relays.check_named(step, place.relay_id, place.addresses)
    else:
        relays.name(step, place.relay_id, place.addresses)
    if other is not None and other.group_id != group_id:
        _give_way(step, other)
    if known is None:
        step.transaction.put(_newcomer(step, group, chat_id=chat_id, is_request=is_request))
    else:
        _begin_anew(step, known, group.epoch)
    conversation = step.change(
        group_id,
        state=ConversationState.HELD if held else state_of_members(step, group_id),
        denied=False,
        unsure=False,
        parted=False,
        alone=False,
        knocks_denied=0,
        relay_id=place.relay_id,
        log_id=place.log_id,
        epoch=group.epoch,
        segment_key=epochs.access_key(group),
        segment=-1,
        cursor=0,
        own_leaf=group.own_leaf_index,
        title=info.title,
        message_expiry_s=info.message_expiry_s or None,
        last_update_ms=step.now_ms,
        entries_since_update=0,
        door_hash=sha256(info.door_key),
    )
    step.save_group(group, None)
    carrying.keep_key(step, group)
    epochs.write_participants(step, conversation, group, actor=None)
    if not held:
        _enter_room(step, conversation)
    if known is None:
        own = step.account().account_id
        notices.keep(step, conversation, "member_added", policy.account_of(staged.sender_credential), own)
        step.tell(ChatCreated(chat_id=chat_id, group_id=group_id, is_request=is_request))
    else:
        epochs.tell_state(step, conversation, "found")
    return conversation


def _gives_way(other: Conversation) -> bool:
    """Tell whether a conversation's claim to a log is only somebody's word, or past."""
    return other.is_request or other.state in (*_OVER, ConversationState.HELD)


def _give_way(step: Step, other: Conversation) -> None:
    """Leave a log's name to the conversation whose Welcome names it too: anybody can name any in a group."""
    if other.state not in _OVER:
        leaving.forget(step, other.group_id)
    step.change(other.group_id, log_id=LogId(b""))
    step.caches.routes.pop(other.log_id, None)


def _begin_anew(step: Step, known: Conversation, epoch: int) -> None:
    """Forget what was of the time before we were taken in again, at this epoch of the group."""
    group_id = known.group_id
    epochs.clear(step, known)
    if known.state in _OVER:
        gaps.begin_anew(step, group_id)
    carrying.begin_anew(step, group_id, epoch)
    for closer in step.transaction.select(KeptCloser, group_id=group_id):
        # Who was in another branch than those who take them back keeps nothing of it: put back, it would
        # overtake theirs. Who was only taken out and in may be the only one who has what was before.
        if known.denied or known.parted or closer.epoch >= epoch:
            step.transaction.delete(KeptCloser, *closer.key_values())
    step.change(group_id, frozen=False)
    step.transaction.delete(OwnKnock, group_id)
    step.clear_alarm(recovery.KNOCK_ALARM, group_id)
    step.clear_alarm(recovery.DOUBT_ALARM, group_id)


def let_in(step: Step, conversation: Conversation) -> Conversation:
    """Read the room of a request that was accepted, where nobody did yet; return the conversation."""
    if conversation.state is not ConversationState.HELD:
        return conversation
    group_id = conversation.group_id
    place = policy.info_of(step.group(group_id)).places[0]
    relays.name(step, place.relay_id, place.addresses)
    conversation = step.change(group_id, state=state_of_members(step, group_id))
    _enter_room(step, conversation)
    return conversation


def _enter_room(step: Step, conversation: Conversation) -> None:
    step.connect(conversation.relay_id, Channel.ROOMS)
    attachments.attach(step, conversation)
    epochs.update_after_joining(step, conversation)


def _newcomer(step: Step, group: Group, *, chat_id: bytes, is_request: bool) -> Conversation:
    info = policy.info_of(group)
    return Conversation(
        group_id=GroupId(group.group_id),
        chat_id=chat_id,
        kind=info.kind,
        state=ConversationState.ACTIVE,
        relay_id=info.places[0].relay_id,
        log_id=info.places[0].log_id,
        epoch=group.epoch,
        segment_key=b"",
        own_leaf=group.own_leaf_index,
        last_update_ms=step.now_ms,
        is_request=is_request,
        created_ms=step.now_ms,
        last_activity_ms=step.now_ms,
    )


def state_of_members(step: Step, group_id: GroupId) -> ConversationState:
    """Return the state of somebody who is in: whether to stay, or still to leave, or only to read."""
    if step.conversation(group_id).frozen:
        return ConversationState.FROZEN
    intents = step.transaction.select(Intent, group_id=group_id)
    leaving = any(intent.kind is IntentKind.LEAVE for intent in intents)
    return ConversationState.LEAVING if leaving else ConversationState.ACTIVE


def _check_rejoining(step: Step, known: Conversation, staged: StagedJoin, info: ConversationInfo) -> None:
    """Raise `Invalid` unless a Welcome brings us back, and not into an epoch whose keys we may have used."""
    secret = step.transaction.get(KeyPackageSecret, staged.key_package_ref)
    used_once = secret is not None and not secret.is_last_resort
    back = known.state in _REJOINABLE or known.parted
    if not back or not (used_once or staged.group.epoch > known.epoch):
        raise Invalid("a welcome leads into a conversation that we are in")
    # Whoever knows a group's id can make another group of that id.
    direct = info.kind is ConversationKind.DIRECT
    if info.kind is not known.kind or (direct and known.chat_id not in info.admins):
        raise Invalid("a welcome leads into another conversation of a known id")


def started(step: Step) -> None:
    """Take all conversations up again, the most recently used first."""
    going_on = [
        conversation
        for conversation in step.transaction.select(Conversation)
        if conversation.state not in (*_OVER, ConversationState.HELD)
    ]
    going_on.sort(key=lambda conversation: (-conversation.last_activity_ms, conversation.group_id))
    for relay_id in dict.fromkeys(conversation.relay_id for conversation in going_on):
        step.connect(relay_id, Channel.ROOMS)
    for conversation in going_on:
        if conversation.state is ConversationState.CREATING:
            open_again(step, conversation)
        elif conversation.state is ConversationState.LOST:
            recovery.knock(step, conversation)
        else:
            attachments.attach(step, conversation)
