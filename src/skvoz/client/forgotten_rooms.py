"""Rooms that a relay forgot: put back by those who were in them.

A relay that was restored from a backup has forgotten the last entries, and with them perhaps segments, or
whole rooms. Every member puts back the closers that it followed last, in order, under their old ids, and
looks back before it goes on (`lookback`): others may have gone on without it.
"""

from typing import Final

import msgspec

from skvoz.client import attachments, conversations, lookback, recovery
from skvoz.client.effects import Channel, Rekey
from skvoz.client.envelope import segment_hash
from skvoz.client.inputs import EntryRefused, RelayConnected
from skvoz.client.records import (
    Alarm,
    Conversation,
    ConversationState,
    Intent,
    KeptCloser,
    Relay,
    SentEntry,
    StagedCommit,
)
from skvoz.client.step import Step
from skvoz.crypto import KEY_SIZE

_DENIED_RETRIES_MS: Final = (5_000, 30_000, 120_000)
"""Other members may put back what we can't."""
_ALIVE: Final = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.FROZEN)


def relay_connected(step: Step, fact: RelayConnected) -> None:
    """Notice that a relay has another store than before, and put back what we know of it."""
    relay = step.transaction.get(Relay, fact.relay_id)
    if relay is None or relay.store_id == fact.store_id:
        return
    step.transaction.put(msgspec.structs.replace(relay, store_id=fact.store_id))
    if not relay.store_id:
        return
    for conversation in step.transaction.select(Conversation):
        if conversation.relay_id != fact.relay_id:
            continue
        step.caches.denials[conversation.group_id] = 1
        changed = step.change(conversation.group_id, store_changed=True)
        if conversation.state in _ALIVE or conversation.denied:
            restore(step, changed)
        elif conversation.state is ConversationState.LOST:
            recovery.doubt_in_a_week(step, changed)
        elif conversation.state is ConversationState.CREATING:
            step.emit(conversations.open_log(conversation, relay))


def denied(step: Step, conversation: Conversation) -> None:
    """Put back what a relay that knows no such segment may have lost, and try again; in the end, be lost."""
    group_id = conversation.group_id
    if conversation.state not in _ALIVE:
        return
    denials = step.caches.denials.get(group_id, 0)
    step.caches.denials[group_id] = denials + 1
    if denials == 0:
        restore(step, conversation)
    elif denials <= len(_DENIED_RETRIES_MS):
        due_ms = step.now_ms + _DENIED_RETRIES_MS[denials - 1]
        step.hasten_alarm(attachments.RETRY_ALARM, group_id, due_ms)
    else:
        step.caches.denials.pop(group_id)
        recovery.lose_denied(step, conversation)


def restore(step: Step, conversation: Conversation) -> None:
    """Send the closers that were followed last, oldest first, and read the room from its beginning."""
    group_id = conversation.group_id
    changed = step.change(group_id, cursor=0, segment=-1, unsure=True)
    step.caches.looks.pop(group_id, None)
    for intent in step.transaction.select(Intent, group_id=group_id):
        if intent.since:
            step.transaction.put(msgspec.structs.replace(intent, since=0))
    for sent in step.transaction.select(SentEntry, group_id=group_id):
        step.transaction.put(msgspec.structs.replace(sent, position=0))
    staged = step.transaction.get(StagedCommit, group_id)
    if staged is not None:
        step.transaction.put(msgspec.structs.replace(staged, since=0))
    leading = lookback.chain(step, changed)
    _open_again(step, changed, leading[0].segment_key if leading else changed.segment_key)
    for one in step.transaction.select(KeptCloser, group_id=group_id):
        step.caches.contested.discard(one.entry_id)
        _put_back(step, changed, one)
    attachments.attach(step, changed)


def _open_again(step: Step, conversation: Conversation, first_key: bytes) -> None:
    """Make the log anew where the relay has none, from the oldest segment on that we can go on from.

    Where it has one, any other beginning than the true one is refused. Whoever made it may have left, so
    others do it where it stays lost; but a room that its last member dropped stays so.
    """
    relay = step.transaction.get(Relay, conversation.relay_id)
    if relay is None:
        return
    if not conversation.owner_key:
        if not (conversation.denied and conversation.store_changed):
            return
        conversation = step.change(conversation.group_id, owner_key=step.randomness(KEY_SIZE))
    changed = step.change(conversation.group_id, key_hash=segment_hash(first_key))
    step.emit(conversations.open_log(changed, relay))


def _put_back(step: Step, conversation: Conversation, kept: KeptCloser, *, contest: bool = False) -> None:
    step.emit(
        Rekey(
            relay_id=conversation.relay_id,
            channel=Channel.ROOMS,
            log_id=conversation.log_id,
            key=kept.segment_key,
            entry_id=kept.entry_id,
            body=kept.body,
            since=0,
            next_hash=kept.next_hash,
            carry=kept.carry,
            contest=contest,
            door_hash=kept.door_hash,
        )
    )


def put_back_refused(step: Step, conversation: Conversation, fact: EntryRefused) -> None:
    """Contest what stands in the place of a closer that we followed, where nobody who follows it let us in.

    It is junk then, or a commit that even its author has given up.
    """
    group_id = conversation.group_id
    is_denied = conversation.state is ConversationState.LOST and conversation.denied
    waits = step.transaction.get(Alarm, recovery.DOUBT_ALARM, group_id) is not None
    if fact.code != "superseded" or not is_denied or waits or fact.entry_id in step.caches.contested:
        return
    kept = step.transaction.select(KeptCloser, group_id=group_id)
    places = [place for place, one in enumerate(kept) if one.entry_id == fact.entry_id]
    for place in places:
        step.caches.contested.add(fact.entry_id)
        _put_back(step, conversation, kept[place], contest=True)
        for later in kept[place + 1 :]:
            _put_back(step, conversation, later)
        attachments.attach(step, conversation)


def overtaken(step: Step, conversation: Conversation) -> None:
    """Go on only after a week where another closer stands before one of ours: others may follow that one.

    They let us in, unless they have removed us. Who goes on in the end may be alone.
    """
    group_id = conversation.group_id
    if conversation.state in _ALIVE:
        step.caches.denials.pop(group_id, None)
        recovery.lose_denied(step, conversation)
    elif step.transaction.get(Alarm, recovery.DOUBT_ALARM, group_id) is not None:
        attachments.detach(step, conversation)
    else:
        attachments.attach(step, step.change(group_id, unsure=False, parted=True, alone=True))
