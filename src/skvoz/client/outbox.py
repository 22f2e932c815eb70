"""The outbox: what the user wrote is saved as an intent before anything else, and leaves in order.

An intent is encrypted in the current epoch; the advanced ratchet and the ciphertext with its entry id are
saved in one transaction, and only then the frame goes out. After a crash the same bytes go out. An intent is
done when its entry is met in the log. When a closer is followed without that, the entry was not accepted,
and the intent is encrypted anew under a fresh id: the content, and so the message id, stays the same.
"""

from typing import Final

import msgspec

from skvoz.base.errors import BadRequest
from skvoz.base.ids import EntryId, GroupId, MessageId
from skvoz.base.limits import ADDS_PER_COMMIT_MAX
from skvoz.client import attachments, carrying, commits, forgotten_rooms, gaps, messages, policy
from skvoz.client.effects import Append, Channel, Rekey, SayAgain, Withdraw
from skvoz.client.envelope import APPLICATION, seal_entry
from skvoz.client.inputs import EntryRefused, EntryStored
from skvoz.client.records import (
    Conversation,
    ConversationState,
    GroupPart,
    Intent,
    IntentKind,
    SentEntry,
    StagedCommit,
)
from skvoz.client.step import Step
from skvoz.crypto import sha256
from skvoz.mls import Group, SelfRemove

IN_FLIGHT_MAX: Final = 16
"""Entries of one conversation under way at a time: a relay on the other side of the world, 200 ms away, then
takes 80 a second."""
_LOOKED_AT: Final = IN_FLIGHT_MAX + 3 * ADDS_PER_COMMIT_MAX
"""Intents looked at when something may go out, so that a long queue costs no more than a short one. What is
under way comes first in it: whatever is waiting was said later."""
BODY_SIZE_MAX: Final = 60 * 1024
"""Content of one entry: with MLS's framing and the padding it stays below 64 KiB."""
GIVEN_UP_MAX: Final = 16
"""Closers remembered in one epoch that are ours and were given up."""
RESEND_ALARM: Final = "room.resend"
GO_ALARM: Final = "room.go"
LEAVING_MS: Final = 7 * 24 * 3600 * 1000
"""Who leaves stays so long for somebody to commit it: one who overlooked it is then asked again."""
_RETRY_MS: Final = 1_000
_MISSED_RETRY_MS: Final = 5_000
_UNMET_RETRY_MS: Final = 60_000
"""What a relay says to have, and does not give us to read, is sent again after this at the latest."""
_RETRY_MS_MAX: Final = 3600 * 1000
_SUPERSEDED_RETRY_MS: Final = 30_000
"""The closer should come by itself; a relay that shows none is asked again."""
_WRITING: Final = (ConversationState.ACTIVE, ConversationState.LEAVING)


def enqueue(
    step: Step, group_id: GroupId, body: bytes, message_id: MessageId | None, *, quiet: bool = False
) -> None:
    """Save MIMI content to be said in a conversation, and say it as soon as it is its turn.

    Raises `BadRequest` for more than `BODY_SIZE_MAX` bytes.
    """
    if len(body) > BODY_SIZE_MAX:
        raise BadRequest("a message is too long")
    step.transaction.put(
        Intent(
            intent_id=step.transaction.next_number("intent"),
            group_id=group_id,
            kind=IntentKind.CONTENT,
            body=body,
            message_id=message_id,
            created_ms=step.now_ms,
            quiet=quiet,
        )
    )
    carrying.keep_own(step, step.conversation(group_id), body)
    pump(step, group_id)


def pump(step: Step, group_id: GroupId) -> None:
    """Send what may go out now: nothing before the head was read, or while a commit is on its way.

    Nothing new goes out either while an earlier entry waits to be said again.
    """
    conversation = step.transaction.get(Conversation, group_id)
    if conversation is None or not _writes(conversation):
        return
    reading = step.caches.readings.get(group_id)
    if reading is None:
        attachments.attach(step, conversation)
        return
    if (
        not reading.caught_up
        or conversation.unfollowed_closers
        or step.transaction.get(StagedCommit, group_id) is not None
    ):
        return
    first = step.transaction.first(Intent, IN_FLIGHT_MAX, group_id=group_id)
    if len(first) == IN_FLIGHT_MAX and first[-1].entry_id is not None:
        return
    if reading.held_back:
        return
    intents = step.transaction.first(Intent, _LOOKED_AT, group_id=group_id)
    waiting = [intent for intent in intents if intent.entry_id is None]
    in_flight = len(intents) - len(waiting)
    for place, intent in enumerate(waiting):
        if intent.kind is IntentKind.CONTENT:
            due_first = commits.due_first(step, conversation)
            if due_first and (in_flight or commits.stage_housekeeping(step, conversation)):
                return
            if in_flight >= IN_FLIGHT_MAX:
                return
            _send(step, conversation, intent)
            in_flight += 1
            continue
        if in_flight:
            return
        if step.transaction.get(Intent, intent.intent_id) is None:
            continue  # it went with a wish before it
        if intent.kind is IntentKind.LEAVE:
            _propose_leaving(step, conversation, intent)
            return
        if commits.stage_intents(step, conversation, waiting[place:]):
            return
    if len(intents) == _LOOKED_AT:
        pump(step, group_id)  # all were wishes that need nothing any more, and are gone


def _writes(conversation: Conversation) -> bool:
    return conversation.state in _WRITING and not conversation.frozen


def _send(step: Step, conversation: Conversation, intent: Intent) -> None:
    group = step.writable_group(conversation.group_id)
    moved, message = group.protect(intent.body, randomness=step.randomness, despite_proposals=True)
    step.save_group(moved, group)
    _append(step, conversation, group, intent, message)


def _propose_leaving(step: Step, conversation: Conversation, intent: Intent) -> None:
    group = step.writable_group(conversation.group_id)
    moved, message = group.propose(SelfRemove(), randomness=step.randomness, policy=policy.MEMBERS)
    step.save_group(moved, group)
    step.transaction.put(
        GroupPart(group_id=conversation.group_id, part="proposal", leaf=group.own_leaf_index, body=message)
    )
    _append(step, conversation, group, intent, message)


def _append(step: Step, conversation: Conversation, group: Group, intent: Intent, message: bytes) -> None:
    entry_id = step.fresh_entry_id()
    secret = step.envelope_secret(group)
    changed = msgspec.structs.replace(
        intent,
        entry_id=entry_id,
        ciphertext=seal_entry(group.suite, secret, entry_id, APPLICATION, message),
        epoch=group.epoch,
        since=conversation.cursor,
    )
    step.transaction.put(changed)
    step.transaction.put(SentEntry(group_id=conversation.group_id, entry_id=entry_id, epoch=group.epoch))
    step.emit(_effect(conversation, changed))


def _effect(conversation: Conversation, intent: Intent) -> Append:
    if intent.entry_id is None:
        raise RuntimeError("an intent that is not encrypted can't be sent")
    return Append(
        relay_id=conversation.relay_id,
        channel=Channel.ROOMS,
        log_id=conversation.log_id,
        key=conversation.segment_key,
        entry_id=intent.entry_id,
        body=intent.ciphertext,
        since=intent.since,
    )


def rekey_effect(conversation: Conversation, staged: StagedCommit) -> Rekey:
    """Return the request that closes the segment with a staged commit."""
    return Rekey(
        relay_id=conversation.relay_id,
        channel=Channel.ROOMS,
        log_id=conversation.log_id,
        key=conversation.segment_key,
        entry_id=staged.entry_id,
        body=staged.body,
        since=staged.since,
        next_hash=staged.next_hash,
        carry=staged.carry,
        contest=staged.is_contest,
        door_hash=staged.door_hash,
        answered_knocks=() if staged.is_contest else staged.answered_knocks,
    )


def resume(step: Step, group_id: GroupId) -> None:
    """Send again what is under way, byte for byte, and then what waits."""
    conversation = step.transaction.get(Conversation, group_id)
    reading = step.caches.readings.get(group_id)
    if conversation is None or not _writes(conversation) or not (reading and reading.caught_up):
        return
    reading.held_back = False
    if reading.owed:
        reading.owed.clear()
        reading.tries += 1
    # Also where nothing is under way any more: something new may follow.
    step.emit(SayAgain(relay_id=conversation.relay_id, channel=Channel.ROOMS, log_id=conversation.log_id))
    for intent in step.transaction.select(Intent, group_id=group_id):
        if intent.entry_id is not None:
            step.emit(_effect(conversation, intent))
    staged = step.transaction.get(StagedCommit, group_id)
    if staged is not None and not (conversation.unfollowed_closers and not staged.is_contest):
        step.emit(rekey_effect(conversation, staged))
    pump(step, group_id)


def stored(step: Step, conversation: Conversation, fact: EntryStored) -> None:
    """Note that the relay says to have an entry of ours: it is done once we read it; people may know now."""
    group_id = conversation.group_id
    sent = step.transaction.get(SentEntry, group_id, fact.entry_id)
    staged = step.transaction.get(StagedCommit, group_id)
    is_closer = staged is not None and staged.entry_id == fact.entry_id
    if sent is None and not is_closer:
        return
    reading = step.caches.readings.get(group_id)
    tries = 0
    if reading is not None:
        tries = reading.tries
        reading.owed[fact.entry_id] = fact.position
    step.hasten_alarm(RESEND_ALARM, group_id, step.now_ms + _pause_ms(_UNMET_RETRY_MS, tries))
    if sent is not None and sent.position != fact.position:
        step.transaction.put(msgspec.structs.replace(sent, position=fact.position))
    missed(step, conversation)
    if reading is None or fact.entry_id in reading.owed:
        for intent in step.transaction.select(Intent, entry_id=fact.entry_id):
            if intent.message_id is not None:
                messages.sent(step, intent.message_id, intent.epoch)


def missed(step: Step, conversation: Conversation) -> None:
    """Send again what does not stand where the relay said that it does: that was read, and it was not met."""
    group_id = conversation.group_id
    reading = step.caches.readings.get(group_id)
    if reading is None or not reading.owed:
        return
    late = [entry_id for entry_id, position in reading.owed.items() if position <= reading.through]
    # Where closers did not hold, the contest is repeated anyway.
    staged = step.transaction.get(StagedCommit, group_id) if late else None
    due = staged is not None and staged.entry_id in late and not conversation.unfollowed_closers
    waits = reading.held_back
    for entry_id in late:
        del reading.owed[entry_id]
        sent = step.transaction.get(SentEntry, group_id, entry_id)
        if sent is not None:
            step.transaction.put(msgspec.structs.replace(sent, position=0))
            reading.held_back = due = True
    if due:
        step.hasten_alarm(RESEND_ALARM, group_id, step.now_ms + _pause_ms(_MISSED_RETRY_MS, reading.tries))
        reading.tries += not waits


def _pause_ms(first_ms: int, tries: int) -> int:
    """Return how long to wait before something is sent again that was sent in vain so often."""
    return min(first_ms << min(tries, 16), _RETRY_MS_MAX)


def met(step: Step, sent: SentEntry) -> None:
    """Be done with an entry of ours that was read in the log, whatever the relay answered."""
    step.transaction.delete(SentEntry, *sent.key_values())
    reading = step.caches.readings.get(sent.group_id)
    if reading is not None:
        reading.owed.pop(sent.entry_id, None)
        reading.tries = 0
    for intent in step.transaction.select(Intent, entry_id=sent.entry_id):
        if intent.kind is IntentKind.LEAVE:
            # Done once somebody commits it, or when nobody has for long.
            step.set_alarm(GO_ALARM, sent.group_id, step.now_ms + LEAVING_MS)
            continue
        step.transaction.delete(Intent, intent.intent_id)
        if not sent.position and intent.message_id is not None:
            messages.sent(step, intent.message_id, sent.epoch)


def refused(step: Step, conversation: Conversation, fact: EntryRefused) -> None:
    """Go on where the relay did not take an entry or closer of ours."""
    group_id = conversation.group_id
    staged = step.transaction.get(StagedCommit, group_id)
    is_closer = staged is not None and staged.entry_id == fact.entry_id
    intents = step.transaction.select(Intent, entry_id=fact.entry_id)
    if not is_closer and not intents and fact.code in {"slow", "full"}:
        # It has been met since; but the session has let go what waited behind it.
        _hold_back(step, conversation, fact)
        return
    if not is_closer and not intents:
        # Superseded, it has gone out under another id since; or it was put back into a restored relay.
        forgotten_rooms.put_back_refused(step, conversation, fact)
        return
    match fact.code:
        case "superseded":
            step.hasten_alarm(RESEND_ALARM, group_id, step.now_ms + _SUPERSEDED_RETRY_MS)
        case "denied" | "gone":
            attachments.try_later(step, conversation, _RETRY_MS)
        case "too_big" | "bad":
            if is_closer:
                commits.refuse(step, conversation, fact.code)
            for intent in intents:
                _fail(step, conversation, intent, fact.code)
            pump(step, group_id)
        case _:
            _hold_back(step, conversation, fact)


def _hold_back(step: Step, conversation: Conversation, fact: EntryRefused) -> None:
    """Say what is under way again after a pause, and nothing new before it."""
    reading = step.caches.readings.get(conversation.group_id)
    if reading is not None:
        reading.held_back = True
    due_ms = step.now_ms + max(fact.retry_after_ms, _RETRY_MS)
    step.hasten_alarm(RESEND_ALARM, conversation.group_id, due_ms)


def _fail(step: Step, conversation: Conversation, intent: Intent, reason: str) -> None:
    step.transaction.delete(Intent, intent.intent_id)
    if intent.entry_id is not None:
        step.transaction.delete(SentEntry, conversation.group_id, intent.entry_id)
    gaps.unsaid(step, intent)
    if intent.message_id is not None:
        messages.failed(step, intent.message_id, reason)


def withdraw(step: Step, conversation: Conversation, entry_id: EntryId) -> None:
    """Let an entry or closer of an epoch that is over be sent no more."""
    step.emit(
        Withdraw(
            relay_id=conversation.relay_id,
            channel=Channel.ROOMS,
            log_id=conversation.log_id,
            entry_id=entry_id,
        )
    )


def give_up(step: Step, staged: StagedCommit) -> None:
    """Forget the state that a closer of ours leads to, but not that it is ours: it may stand in the log."""
    step.transaction.delete(StagedCommit, staged.group_id)
    one = (staged.entry_id, staged.next_hash, sha256(staged.body))
    kept = (*step.conversation(staged.group_id).given_up_closers, one)[-GIVEN_UP_MAX:]
    step.change(staged.group_id, given_up_closers=kept)


def take_back(step: Step, group_id: GroupId) -> None:
    """Have entries encrypted anew that were not met before the followed closer, and no staged commit sent."""
    conversation = step.conversation(group_id)
    reading = step.caches.readings.get(group_id)
    if reading is not None:
        reading.owed.clear()
        reading.held_back = False
    staged = step.transaction.get(StagedCommit, group_id)
    if staged is not None:
        give_up(step, staged)
        withdraw(step, conversation, staged.entry_id)
    for intent in step.transaction.select(Intent, group_id=group_id):
        if intent.entry_id is not None:
            withdraw(step, conversation, intent.entry_id)
            step.transaction.put(
                msgspec.structs.replace(intent, entry_id=None, ciphertext=b"", epoch=0, since=0)
            )
    for sent in step.transaction.select(SentEntry, group_id=group_id):
        step.transaction.delete(SentEntry, *sent.key_values())
