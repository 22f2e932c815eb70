"""Entries of rooms, one after another; each is taken up whole or not at all.

Only entries of the current segment count: they alone were encrypted in the current epoch. Those of a segment
that a junk closer opened, or late closers of one that was left, are passed over, and never move the cursor.
"""

from skvoz.base.errors import PeerError
from skvoz.base.ids import GroupId
from skvoz.client import (
    attachments,
    closers,
    epochs,
    leaving,
    lookback,
    messages,
    outbox,
    policy,
    recovery,
)
from skvoz.client.envelope import APPLICATION, open_entry
from skvoz.client.inputs import EntriesRead, Entry
from skvoz.client.records import Conversation, ConversationState, GroupPart, Intent, SentEntry
from skvoz.client.step import Step
from skvoz.mls import ApplicationMessage, OwnEcho, ProposalStored, SelfRemove

DROPPED_COUNTER = "entries_dropped"
_READING = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.FROZEN)


def read(step: Step, conversation: Conversation, fact: EntriesRead) -> None:
    """Take what was read of a room; entries that were taken before are passed over."""
    group_id = conversation.group_id
    look = step.caches.looks.get(group_id)
    if look is not None:
        lookback.read(step, conversation, look, fact)
        return
    reading = step.caches.readings.get(group_id)
    if reading is None:
        attachments.retry(step, conversation)
        return
    if not reading.attached:
        return  # they come of an attachment that was replaced; the new one brings what counts
    was_caught_up = reading.caught_up
    for entry in fact.entries:
        _take(step, step.conversation(group_id), entry)
    if step.caches.readings.get(group_id) is not reading:
        return
    last = fact.entries[-1].position if fact.entries else 0
    reading.through = max(reading.through, fact.through, last)
    outbox.missed(step, step.conversation(group_id))
    if reading.caught_up and not was_caught_up:
        outbox.resume(step, group_id)
    else:
        outbox.pump(step, group_id)


def _take(step: Step, conversation: Conversation, entry: Entry) -> None:
    if entry.position <= conversation.cursor or conversation.state not in _READING:
        return
    if conversation.segment < 0:
        conversation = step.change(conversation.group_id, segment=entry.segment)
    if entry.segment != conversation.segment:
        return
    conversation = step.change(
        conversation.group_id,
        cursor=entry.position,
        entries_since_update=conversation.entries_since_update + (not entry.is_closer),
    )
    try:
        if entry.is_closer:
            closers.take(step, conversation, entry)
        else:
            _application(step, conversation, entry)
    except PeerError:
        step.transaction.next_number(DROPPED_COUNTER)


def _application(step: Step, conversation: Conversation, entry: Entry) -> None:
    group_id = conversation.group_id
    sent = step.transaction.get(SentEntry, group_id, entry.entry_id)
    if sent is not None and _is_ours(step, entry):
        outbox.met(step, sent)
        _go_where_nobody_stays(step, group_id)
        return
    if entry.body is None:
        return
    group = step.group(group_id)
    secret = step.envelope_secret(group)
    message = open_entry(group.suite, secret, entry.entry_id, APPLICATION, entry.body)
    received = group.receive(message, policy=policy.MEMBERS)
    match received:
        case ApplicationMessage():
            step.save_group(received.group, group)
            author = policy.account_of(received.credential)
            messages.receive(step, conversation, author, received.data, entry.position)
        case ProposalStored(proposal=SelfRemove()) if received.sender.leaf_index is not None:
            step.save_group(received.group, group)
            leaf = received.sender.leaf_index
            step.transaction.put(GroupPart(group_id=group_id, part="proposal", leaf=leaf, body=message))
            step.hasten_alarm(epochs.TIDY_ALARM, group_id, step.now_ms + epochs.pause_ms(conversation))
            _go_where_nobody_stays(step, group_id)
        case OwnEcho(unknown=True):
            recovery.freeze(step, conversation)
        case _:
            step.transaction.next_number(DROPPED_COUNTER)


def _is_ours(step: Step, entry: Entry) -> bool:
    """Tell an entry of ours by its bytes: once a relay forgot it, a reader may write another under its id."""
    intents = step.transaction.select(Intent, entry_id=entry.entry_id)
    return entry.body is None or any(intent.ciphertext == entry.body for intent in intents)


def _go_where_nobody_stays(step: Step, group_id: GroupId) -> None:
    """Wait for no commit where all who could make it leave too; but first let them read that we do."""
    if step.conversation(group_id).state is not ConversationState.LEAVING:
        return
    if step.transaction.select(SentEntry, group_id=group_id):
        return
    going = {one.leaf for one in step.transaction.select(GroupPart, group_id=group_id, part="proposal")}
    if all(member.leaf_index in going for member in step.group(group_id).members()):
        leaving.forget(step, group_id)
