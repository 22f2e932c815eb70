"""What goes out beside a conversation's relay: bundles, and entries for a relay that somebody near lends."""

from collections.abc import Iterator

from skvoz.base.ids import EntryId, GroupId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.client import bundle_form, carried_form
from skvoz.client.carrying import PARCELS_MAX
from skvoz.client.records import CarryKey, Conversation, ConversationState, Parcel
from skvoz.client.transaction import Transaction
from skvoz.codec import uint32

_CARRYING = (
    ConversationState.ACTIVE,
    ConversationState.LEAVING,
    ConversationState.FROZEN,
    ConversationState.LOST,
)


class Bundle(Value, frozen=True, kw_only=True):
    """A bundle's file, and how many contents are in it."""

    file: bytes
    contents: int
    left_out: int
    """Contents for which there was no room: the oldest."""


class _Section(Value, frozen=True, kw_only=True):
    """What goes out under one carry secret, in order."""

    secret: bytes
    carried: tuple[carried_form.Item | carried_form.Link, ...]


def make_bundle(transaction: Transaction, randomness: Randomness) -> Bundle:
    """Return everything that others may lack, as a file."""
    salt = randomness(bundle_form.SALT_SIZE)
    records: list[bundle_form.Record] = []
    room, contents, left_out = bundle_form.room_in(), 0, 0
    conversations = transaction.select(Conversation)
    conversations.sort(key=lambda one: -one.last_activity_ms)
    for conversation in conversations:
        for section in _sections(transaction, conversation):
            for number, carried in enumerate(section.carried):
                record = _record(section.secret, salt + uint32(number), carried)
                is_item = isinstance(carried, carried_form.Item)
                room -= bundle_form.room_of(record)
                if room < 0:
                    left_out += is_item
                    continue
                contents += is_item
                records.append(record)
    return Bundle(file=bundle_form.pack(records, salt, randomness), contents=contents, left_out=left_out)


def entries(transaction: Transaction, group_id: GroupId) -> list[tuple[EntryId, bytes]]:
    """Return what others of a conversation may lack as entries of a log beside it: the same each time."""
    conversation = transaction.get(Conversation, group_id)
    if conversation is None:
        return []
    return [
        carried_form.entry_of(section.secret, carried_form.encode(carried))
        for section in _sections(transaction, conversation)
        for carried in section.carried
    ]


def _record(
    secret: bytes, place: bytes, carried: carried_form.Item | carried_form.Link
) -> bundle_form.Record:
    sealed = carried_form.seal_at(secret, place, carried_form.encode(carried))
    return carried_form.tag_at(secret, place), sealed


def _sections(transaction: Transaction, conversation: Conversation) -> Iterator[_Section]:
    """Yield a conversation's contents by epoch, and where need be links to the next one, which come first."""
    if conversation.state not in _CARRYING or conversation.is_request:
        return
    group_id = conversation.group_id
    parcels = transaction.select(Parcel, group_id=group_id)[-PARCELS_MAX:]
    if not parcels:
        return
    last = max(parcel.epoch for parcel in parcels)
    keys = {key.epoch: key for key in transaction.select(CarryKey, group_id=group_id)}
    for epoch, key in keys.items():
        carried: list[carried_form.Item | carried_form.Link] = []
        after = keys.get(epoch + 1)
        if after is not None and after.linked and after.epoch <= last:
            carried.append(carried_form.Link(secret=after.secret))
        carried += [
            carried_form.Item(
                epoch=epoch,
                device_key=parcel.device_key,
                signature=parcel.signature,
                content=parcel.content,
            )
            for parcel in parcels
            if parcel.epoch == epoch
        ]
        if carried:
            yield _Section(secret=key.secret, carried=tuple(carried))
