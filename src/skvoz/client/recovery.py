"""Being lost and found again.

A device that can't follow (its segment is gone at the relay, or a commit's path is unusable for it) says so,
and knocks (`knocks`): any member commits remove and add, and the Welcome comes to the device's inbox. A
device that meets an entry of its own leaf that it never sent has a twin: it writes nothing more until it is
added anew. What a relay forgot is put back by `forgotten_rooms`.
"""

from typing import Final

from skvoz.client import (
    attachments,
    conversations,
    epochs,
    forgotten_rooms,
    knocks,
    outbox,
    policy,
)
from skvoz.client.effects import Channel, Knock
from skvoz.client.inputs import Entry, RequestRefused
from skvoz.client.records import (
    Conversation,
    ConversationState,
    OwnKnock,
)
from skvoz.client.step import Step

KNOCK_ALARM: Final = "room.knock"
DOUBT_ALARM: Final = "room.doubt"
_KNOCK_AGAIN_MS: Final = 6 * 3600 * 1000
_SAME_KNOCK_MS: Final = 2 * 24 * 3600 * 1000
"""A door takes 8 knocks, and keeps them for 14 days, those of somebody who was removed too."""
_KNOCK_SLOWEST_MS: Final = 24 * 3600 * 1000
_KNOCK_SLOWER_AFTER: Final = 8
"""Denied knocks after which the pause between them grows by another `_KNOCK_AGAIN_MS`."""
_DOUBT_MS: Final = 3600 * 1000
"""How long others may take to answer a knock, before the closer that we can't read is held for junk."""
_DENIED_DOUBT_MS: Final = 7 * 24 * 3600 * 1000
"""How long they may take where a closer that they may follow stands in the place of ours: whoever contests it
though somebody followed it parts the conversation for good."""


def suspect(step: Step, conversation: Conversation, entry: Entry) -> None:
    """Ask others for the way back: they may follow a closer that only we can't."""
    ask_the_way(step, epochs.pass_over(step, conversation, entry))


def ask_the_way(step: Step, conversation: Conversation) -> None:
    """Be lost for an unfollowed closer, until somebody answers or we doubt it."""
    group_id = conversation.group_id
    lose(step, conversation)
    step.set_alarm(DOUBT_ALARM, group_id, step.now_ms + _DOUBT_MS + epochs.pause_ms(conversation))


def lose(step: Step, conversation: Conversation) -> None:
    """Say that this device can't follow any more, and knock."""
    if conversation.state is ConversationState.LOST:
        return
    attachments.detach(step, conversation)
    step.transaction.delete(OwnKnock, conversation.group_id)
    changed = step.change(conversation.group_id, state=ConversationState.LOST)
    epochs.tell_state(step, changed, "lost")
    knock(step, changed)


def await_welcome(step: Step, conversation: Conversation) -> None:
    """We were taken out and in again: the Welcome is on its way."""
    attachments.detach(step, conversation)
    step.transaction.delete(OwnKnock, conversation.group_id)
    step.change(conversation.group_id, state=ConversationState.LOST)
    step.set_alarm(KNOCK_ALARM, conversation.group_id, step.now_ms + _KNOCK_AGAIN_MS)


def doubt(step: Step, conversation: Conversation) -> None:
    """Nobody let us in: perhaps nobody could follow that closer, so go on as if it were junk."""
    if conversation.state is not ConversationState.LOST:
        return
    if conversation.denied:
        # From now on with contests, see `forgotten_rooms.put_back_refused`.
        knock(step, conversation)
        return
    if not conversation.unfollowed_closers:
        if conversation.store_changed:
            # The door is there, and perhaps nobody behind it: they miss what only we can put back.
            knock(step, step.change(conversation.group_id, denied=True))
        return
    state = conversations.state_of_members(step, conversation.group_id)
    changed = step.change(conversation.group_id, state=state, parted=True, alone=True)
    step.hasten_alarm(
        epochs.CONTEST_ALARM, conversation.group_id, step.now_ms + epochs.pause_ms(conversation)
    )
    if changed.store_changed:
        forgotten_rooms.restore(step, changed)
    else:
        attachments.attach(step, changed)


def freeze(step: Step, conversation: Conversation) -> None:
    """Write nothing more: the log holds an entry of our leaf that we never sent, so we have a twin."""
    if conversation.state is ConversationState.FROZEN:
        return
    group_id = conversation.group_id
    outbox.take_back(step, group_id)
    step.transaction.delete(OwnKnock, group_id)
    changed = step.change(group_id, state=ConversationState.FROZEN, frozen=True)
    epochs.tell_state(step, changed, "frozen")
    knock(step, changed)


def knock(step: Step, conversation: Conversation) -> None:
    """Ask the members to take this leaf out and in again; repeated until it happens."""
    if conversation.state not in {ConversationState.LOST, ConversationState.FROZEN}:
        return
    group_id = conversation.group_id
    own = step.transaction.get(OwnKnock, group_id)
    # One from the future is nothing that others take: the clock was ahead when it was made.
    if own is None or not own.made_ms <= step.now_ms < own.made_ms + _SAME_KNOCK_MS:
        own = OwnKnock(group_id=group_id, body=knocks.fresh(step, group_id), made_ms=step.now_ms)
        step.transaction.put(own)
    step.emit(
        Knock(
            relay_id=conversation.relay_id,
            channel=Channel.ROOMS,
            log_id=conversation.log_id,
            door_key=policy.info_of(step.group(group_id)).door_key,
            body=own.body,
        )
    )
    pause_ms = _KNOCK_AGAIN_MS * (1 + conversation.knocks_denied // _KNOCK_SLOWER_AFTER)
    step.set_alarm(KNOCK_ALARM, group_id, step.now_ms + min(pause_ms, _KNOCK_SLOWEST_MS))
    if conversation.denied:
        # Where everybody was denied nobody can answer: what was put back may be taken now.
        forgotten_rooms.restore(step, conversation)


def knock_refused(step: Step, conversation: Conversation, fact: RequestRefused) -> None:
    """Note that the relay knows the door no more than the segment: say so, and knock less and less often.

    Nothing is given up: what a relay says may be a lie, or change. Who was lost for another reason when the
    relay forgot the room puts back what they know of it.
    """
    group_id = conversation.group_id
    if fact.code != "denied" or conversation.state is not ConversationState.LOST:
        return
    if conversation.denied:
        changed = step.change(group_id, knocks_denied=conversation.knocks_denied + 1)
        if not conversation.knocks_denied:
            epochs.tell_state(step, changed, "gone")
    elif conversation.store_changed:
        epochs.clear(step, conversation)
        changed = step.change(group_id, denied=True)
        step.set_alarm(DOUBT_ALARM, group_id, step.now_ms + _DENIED_DOUBT_MS + epochs.pause_ms(conversation))
        forgotten_rooms.restore(step, changed)


def doubt_in_a_week(step: Step, conversation: Conversation) -> None:
    """Wait for an answer to knocks no longer than that where the relay forgot something meanwhile."""
    due_ms = step.now_ms + _DENIED_DOUBT_MS + epochs.pause_ms(conversation)
    step.hasten_alarm(DOUBT_ALARM, conversation.group_id, due_ms)


def lose_denied(step: Step, conversation: Conversation) -> None:
    """Be lost where the relay knows no such segment, or others may have left it; doubt that after a week."""
    group_id = conversation.group_id
    lose(step, step.change(group_id, denied=True))
    step.set_alarm(DOUBT_ALARM, group_id, step.now_ms + _DENIED_DOUBT_MS + epochs.pause_ms(conversation))


def let_in(step: Step, conversation: Conversation) -> None:
    """Go on where the relay knows our segment again, which it had denied."""
    group_id = conversation.group_id
    state = conversations.state_of_members(step, group_id)
    changed = step.change(group_id, state=state, denied=False, knocks_denied=0)
    step.clear_alarm(DOUBT_ALARM, group_id)
    if changed.unfollowed_closers:
        step.hasten_alarm(epochs.CONTEST_ALARM, group_id, step.now_ms + epochs.pause_ms(changed))
    if state is ConversationState.LEAVING:
        step.hasten_alarm(outbox.GO_ALARM, group_id, step.now_ms + outbox.LEAVING_MS)
    if changed.frozen:
        epochs.tell_state(step, changed, "frozen")
        knock(step, changed)
        return
    step.clear_alarm(KNOCK_ALARM, group_id)
    epochs.tell_state(step, changed, "found")
