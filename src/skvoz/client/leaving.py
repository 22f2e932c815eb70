"""Leaving a conversation: asked of the others where there are any, and then its keys are forgotten here."""

from typing import Final

from skvoz.base.ids import GroupId
from skvoz.client import attachments, carrying, epochs, files, gaps, knocks, messages, outbox
from skvoz.client.effects import Channel, DropLog
from skvoz.client.records import (
    Conversation,
    ConversationState,
    Intent,
    IntentKind,
    KeptCloser,
    KnockHeard,
    OwnKnock,
    Participant,
    SentEntry,
)
from skvoz.client.step import Step

_GO_AGAIN_MS: Final = 24 * 3600 * 1000
_OVER: Final = (ConversationState.LEFT, ConversationState.REMOVED)


def leave(step: Step, group_id: GroupId) -> None:
    """Ask to be taken out; whoever commits next does it. Alone, or not in yet, one just goes."""
    conversation = step.conversation(group_id)
    if conversation.state in (*_OVER, ConversationState.LEAVING):
        return
    alone = _only_ours(step, conversation)
    if conversation.state is not ConversationState.ACTIVE or alone:
        forget(step, group_id)
        if alone:
            drop_log(step, conversation)
        return
    step.transaction.put(
        Intent(
            intent_id=step.transaction.next_number("intent"),
            group_id=group_id,
            kind=IntentKind.LEAVE,
            body=b"",
            created_ms=step.now_ms,
        )
    )
    changed = step.change(group_id, state=ConversationState.LEAVING)
    epochs.tell_state(step, changed, "leaving")
    step.set_alarm(outbox.GO_ALARM, group_id, step.now_ms + outbox.LEAVING_MS)
    outbox.pump(step, group_id)


def drop_log(step: Step, conversation: Conversation) -> None:
    """Let the relay forget a room where nobody else is, if we made it."""
    if conversation.owner_key:
        step.emit(
            DropLog(
                relay_id=conversation.relay_id,
                channel=Channel.ROOMS,
                log_id=conversation.log_id,
                owner_key=conversation.owner_key,
            )
        )


def go(step: Step, conversation: Conversation) -> None:
    """Wait no longer for a commit that lets us leave: it is in the log that we do, and others read it there.

    Perhaps there are no others: they were invited, and never came.
    """
    if conversation.state is not ConversationState.LEAVING:
        return
    group_id = conversation.group_id
    unread = any(
        intent.entry_id is None or step.transaction.get(SentEntry, group_id, intent.entry_id)
        for intent in step.transaction.select(Intent, group_id=group_id)
        if intent.kind is IntentKind.LEAVE
    )
    # Where others are, they would have contested junk that keeps the wish out.
    if unread and not conversation.unfollowed_closers:
        step.set_alarm(outbox.GO_ALARM, group_id, step.now_ms + _GO_AGAIN_MS)
        return
    forget(step, group_id)


def _only_ours(step: Step, conversation: Conversation) -> bool:
    own = step.account().account_id
    members = step.transaction.select(Participant, group_id=conversation.group_id)
    return all(member.account_id == own for member in members)


def forget(step: Step, group_id: GroupId, state: ConversationState = ConversationState.LEFT) -> None:
    """Be out of a conversation without telling anybody: its keys are gone, its messages stay."""
    conversation = step.conversation(group_id)
    for intent in step.transaction.select(Intent, group_id=group_id):
        step.transaction.delete(Intent, intent.intent_id)
        gaps.unsaid(step, intent)
        if intent.message_id is not None:
            # Who reads that they were removed has read all before it: what was not met there never was there.
            messages.failed(step, intent.message_id, "left", was_claimed=state is ConversationState.REMOVED)
    files.left(step, group_id)
    epochs.link_due(step, group_id)
    epochs.clear(step, conversation)
    for closer in step.transaction.select(KeptCloser, group_id=group_id):
        step.transaction.delete(KeptCloser, *closer.key_values())
    for knock in step.transaction.select(KnockHeard, group_id=group_id):
        step.transaction.delete(KnockHeard, *knock.key_values())
    if step.transaction.get(OwnKnock, group_id) is not None:
        step.transaction.delete(OwnKnock, group_id)
        knocks.take_back(step, group_id)
    carrying.forget(step, group_id)
    step.drop_group(group_id)
    step.clear_alarm(outbox.GO_ALARM, group_id)
    if conversation.state is not ConversationState.HELD:
        attachments.detach(step, conversation)
    changed = step.change(group_id, state=state, parted=False, alone=False)
    epochs.tell_state(step, changed, "left" if state is ConversationState.LEFT else "removed")
