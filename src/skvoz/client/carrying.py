"""What is kept so that a conversation goes on beside its relay: keys, contents to carry, and what arrived.

A message goes to its relay as ever. Besides, its content is kept here for a while, signed, so that it can go
another way as well: in a bundle by hand, or over the network around. Commits never do. Whatever arrives, by
whichever way, is noted by its message id, and dropped when it comes again. A carried content names the epoch
in which it was said and is read under that epoch's key alone, and what arrived is remembered for longer than
those keys, so that nothing old is ever shown anew.
"""

from itertools import pairwise
from typing import Final

from skvoz.base.ids import GroupId, MessageId
from skvoz.client import carried_form
from skvoz.client.records import (
    Arrived,
    CarryKey,
    Conversation,
    ConversationKind,
    ConversationState,
    Parcel,
)
from skvoz.client.step import Step
from skvoz.content import Disposition, NullPart, account_uri, message_id, parse, room_uri
from skvoz.crypto import sign_labeled
from skvoz.mls import Group

KEPT_MS: Final = 30 * 24 * 3600 * 1000
"""How long contents are kept to be carried, and keys after their epochs: as long as relays keep entries."""
PARCELS_MAX: Final = 256
"""Contents of one conversation that are carried: the latest."""
ARRIVED_MS: Final = 2 * KEPT_MS
"""How long ids are remembered, at least; those of epochs whose keys are here for as long as these."""
NUMBERS: Final = "parcel"
"""The counter of contents to be carried."""
_TIDIED_AT_ONCE: Final = 500
_SAYING: Final = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.LOST)


def keep_key(step: Step, group: Group, *, linked: bool = False) -> None:
    """Keep the carry secret of a group's present epoch; `linked`: nobody was removed on the way to it."""
    step.transaction.put(
        CarryKey(
            group_id=GroupId(group.group_id),
            epoch=group.epoch,
            secret=group.export(carried_form.CARRY_LABEL, b"", carried_form.SECRET_SIZE),
            linked=linked,
            since_ms=step.now_ms,
        )
    )


def ensure_key(step: Step, conversation: Conversation) -> None:
    """Keep the carry secret of a conversation that began before such were kept."""
    if step.transaction.get(CarryKey, conversation.group_id, conversation.epoch) is None:
        keep_key(step, step.group(conversation.group_id))


def keep_own(step: Step, conversation: Conversation, content: bytes) -> None:
    """Keep what is said in a conversation for those whom it can't reach through the relay."""
    is_ours = conversation.kind is ConversationKind.SELF
    if is_ours or conversation.frozen or conversation.state not in _SAYING:
        return
    ensure_key(step, conversation)
    account = step.account()
    group_id, epoch = conversation.group_id, conversation.epoch
    step.transaction.put(
        Parcel(
            group_id=group_id,
            number=step.transaction.next_number(NUMBERS),
            message_id=message_id(account_uri(account.account_id), room_uri(group_id), content),
            epoch=epoch,
            device_key=account.device_public_key,
            signature=sign_labeled(
                account.device_private_key,
                carried_form.SIGNATURE_LABEL,
                carried_form.signed_item(group_id, epoch, content),
            ),
            content=content,
            kept_ms=step.now_ms,
        )
    )


def is_first(step: Step, conversation: Conversation, identity: MessageId) -> bool:
    """Tell whether a content comes for the first time, and note that it has come."""
    if step.transaction.get(Arrived, conversation.group_id, identity) is not None:
        return False
    note_arrived(step, conversation.group_id, identity, conversation.epoch)
    return True


def note_arrived(step: Step, group_id: GroupId, identity: MessageId, epoch: int) -> None:
    """Remember a content until it can't come again under a key of this epoch, or an earlier one."""
    step.transaction.put(Arrived(group_id=group_id, message_id=identity, epoch=epoch, arrived_ms=step.now_ms))


def drop(step: Step, identity: MessageId) -> None:
    """Carry a content no further: all have it."""
    for parcel in step.transaction.select(Parcel, message_id=identity):
        step.transaction.delete(Parcel, *parcel.key_values())


def drop_words(step: Step, group_id: GroupId, identity: MessageId) -> None:
    """Carry nothing more of a message that is gone here: its words, later ones, reactions to it."""
    for parcel in step.transaction.select(Parcel, group_id=group_id):
        if parcel.message_id == identity or _says_more_of(parcel.content, identity):
            step.transaction.delete(Parcel, *parcel.key_values())


def _says_more_of(content: bytes, identity: MessageId) -> bool:
    found = parse(content)
    if isinstance(found.body, NullPart):  # it takes words back, and has to go on
        return False
    is_reaction = found.body.disposition == Disposition.REACTION
    return found.replaces == identity or (is_reaction and found.in_reply_to == identity)


def begin_anew(step: Step, group_id: GroupId, epoch: int) -> None:
    """Forget keys from this epoch on: of a branch that is left, they would hold up what is forgotten."""
    for key in step.transaction.select(CarryKey, group_id=group_id):
        if key.epoch >= epoch:
            step.transaction.delete(CarryKey, *key.key_values())


def forget(step: Step, group_id: GroupId) -> None:
    """Carry nothing of a conversation any more: it is over."""
    for kind in (CarryKey, Parcel, Arrived):
        for record in step.transaction.select(kind, group_id=group_id):
            step.transaction.delete(kind, *record.key_values())


def tidy(step: Step) -> None:
    """Let go keys and contents that are too old, or too many, of all conversations."""
    for conversation in step.transaction.select(Conversation):
        group_id = conversation.group_id
        keys = step.transaction.select(CarryKey, group_id=group_id)
        for key, after in pairwise(keys):
            if after.since_ms < step.now_ms - KEPT_MS:
                step.transaction.delete(CarryKey, *key.key_values())
        parcels = step.transaction.select(Parcel, group_id=group_id)
        for place, parcel in enumerate(reversed(parcels)):
            if place >= PARCELS_MAX or parcel.kept_ms < step.now_ms - KEPT_MS:
                step.transaction.delete(Parcel, *parcel.key_values())


def tidy_arrived(step: Step) -> bool:
    """Forget ids that can't come again; tell whether there may be more of them."""
    old = step.transaction.smallest(Arrived, "arrived_ms", _TIDIED_AT_ONCE)
    old = [one for one in old if one.arrived_ms < step.now_ms - ARRIVED_MS]
    for one in old:
        keys = step.transaction.first(CarryKey, 1, group_id=one.group_id)
        if keys and one.epoch >= keys[0].epoch:
            note_arrived(step, one.group_id, one.message_id, one.epoch)
        else:
            step.transaction.delete(Arrived, *one.key_values())
    return len(old) == _TIDIED_AT_ONCE
