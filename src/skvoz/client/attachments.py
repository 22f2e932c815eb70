"""Reading rooms: with which key, from where, and when the head has been reached."""

from skvoz.client import forgotten_rooms, lookback, outbox, recovery
from skvoz.client.effects import Attach, Channel, Detach
from skvoz.client.inputs import Attached, BaseMoved, RequestRefused
from skvoz.client.records import Conversation, ConversationState, Intent, SentEntry
from skvoz.client.step import Reading, Step

RETRY_ALARM = "room.attach"
_RETRY_MS = 30_000


def attach(step: Step, conversation: Conversation) -> None:
    """Read a room with the key of the current segment, on from the cursor; first look back if need be."""
    if conversation.unsure:
        lookback.begin(step, conversation)
        return
    reading = Reading(key=conversation.segment_key, through=conversation.cursor)
    step.caches.looks.pop(conversation.group_id, None)
    step.caches.readings[conversation.group_id] = reading
    request(step, conversation, reading)


def request(step: Step, conversation: Conversation, reading: Reading) -> None:
    """Ask the relay for what comes after that which was read."""
    step.emit(
        Attach(
            relay_id=conversation.relay_id,
            channel=Channel.ROOMS,
            log_id=conversation.log_id,
            key=reading.key,
            after=reading.through,
        )
    )


def detach(step: Step, conversation: Conversation) -> None:
    """Read a room no further."""
    step.caches.readings.pop(conversation.group_id, None)
    step.caches.looks.pop(conversation.group_id, None)
    step.emit(Detach(relay_id=conversation.relay_id, channel=Channel.ROOMS, log_id=conversation.log_id))


def attached(step: Step, conversation: Conversation, fact: Attached) -> None:
    """Note that the relay reads the room to us; an answer to an older attachment says nothing."""
    look = step.caches.looks.get(conversation.group_id)
    if look is not None:
        lookback.attached(step, conversation, look, fact)
        return
    reading = step.caches.readings.get(conversation.group_id)
    if reading is None or reading.key != fact.key or fact.after > reading.through:
        return  # what a session took up again by itself would leave a hole before what it reads
    step.caches.denials.pop(conversation.group_id, None)
    if conversation.store_changed:
        conversation = step.change(conversation.group_id, store_changed=False)
    if conversation.denied:
        recovery.let_in(step, conversation)
    was_caught_up = reading.caught_up
    reading.attached = True
    reading.head = fact.head
    if reading.caught_up and not was_caught_up:
        outbox.resume(step, conversation.group_id)


def refused(step: Step, conversation: Conversation, fact: RequestRefused) -> None:
    """Take a refusal: the room or its segment is not there, or only not now."""
    look = step.caches.looks.get(conversation.group_id)
    if look is not None and fact.code in {"denied", "gone"}:
        lookback.refused(step, conversation, look, fact)
        return
    step.caches.readings.pop(conversation.group_id, None)
    if fact.code in {"denied", "gone"}:
        forgotten_rooms.denied(step, conversation)
    else:
        try_later(step, conversation, max(fact.retry_after_ms, _RETRY_MS))


def try_later(step: Step, conversation: Conversation, pause_ms: int) -> None:
    """Attach anew after a pause; nothing is appended before that."""
    step.caches.readings.pop(conversation.group_id, None)
    step.caches.looks.pop(conversation.group_id, None)
    step.hasten_alarm(RETRY_ALARM, conversation.group_id, step.now_ms + pause_ms)


def base_moved(step: Step, conversation: Conversation, fact: BaseMoved) -> None:
    """Be done with what the relay acknowledged before the base: it will never be read.

    What was not met where it should have stood was never there, and is sent again.
    """
    for sent in step.transaction.select(SentEntry, group_id=conversation.group_id):
        if conversation.cursor < sent.position <= fact.position:
            step.transaction.delete(SentEntry, *sent.key_values())
            for intent in step.transaction.select(Intent, entry_id=sent.entry_id):
                step.transaction.delete(Intent, intent.intent_id)


def retry(step: Step, conversation: Conversation) -> None:
    """Attach again after a refusal."""
    if conversation.state in {
        ConversationState.ACTIVE,
        ConversationState.LEAVING,
        ConversationState.FROZEN,
    }:
        if step.caches.denials.get(conversation.group_id):
            # What was put back may have been refused too: for a full disk, or because others came first.
            forgotten_rooms.restore(step, conversation)
        else:
            attach(step, conversation)
