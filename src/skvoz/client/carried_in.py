"""What comes beside a conversation's relay: opened, checked, and then taken as what comes from the relay."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, PeerError
from skvoz.base.ids import AccountId, EntryId, GroupId
from skvoz.base.value import Value
from skvoz.client import bundle_form, carried_form, carrying, messages, policy
from skvoz.client.commands import Answer, ImportBundle
from skvoz.client.records import Account, Arrived, CarryKey, Conversation, ConversationState, Parcel
from skvoz.client.step import Step
from skvoz.codec import uint32
from skvoz.content import account_uri, message_id, room_uri
from skvoz.crypto import verify_labeled

DROPPED_COUNTER: Final = "carried_dropped"
_READING: Final = (
    ConversationState.ACTIVE,
    ConversationState.LEAVING,
    ConversationState.FROZEN,
    ConversationState.LOST,
)
_LINKS_MAX: Final = 256
"""Secrets of later epochs taken from links, of one conversation at a time: any member can make some up."""


@dataclass(slots=True, kw_only=True)
class _Taken:
    """How many contents were new, and how many were here already."""

    new: int = 0
    known: int = 0


class _Secret(Value, frozen=True, kw_only=True):
    epoch: int
    secret: bytes


def import_bundle(step: Step, command: ImportBundle) -> Answer:
    """Take a bundle's contents that are for us: all of them or, where this raises `BadRequest`, none."""
    salt, records = bundle_form.unpack(command.file)
    sealed = dict(records)
    taken = _Taken()
    for conversation in step.transaction.select(Conversation):
        if _is_read(step, conversation):
            _take_all(step, conversation, _opened(_secrets(step, conversation), salt, sealed), taken)
    return Answer(new_contents=taken.new, known_contents=taken.known)


def read_entries(step: Step, group_id: GroupId, entries: Sequence[tuple[EntryId, bytes]]) -> None:
    """Take entries of the log beside a conversation, at a relay that somebody near lends."""
    conversation = step.transaction.get(Conversation, group_id)
    if conversation is None or not _is_read(step, conversation):
        return
    links = step.caches.carry_links.setdefault(group_id, [])
    found: list[tuple[int, carried_form.Item]] = []
    for entry_id, body in entries:
        secrets = [*_secrets(step, conversation), *(_Secret(epoch=one[0], secret=one[1]) for one in links)]
        try:
            secret, carried = _open_by_any(secrets, entry_id, body)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
            continue
        if isinstance(carried, carried_form.Item):
            found.append((secret.epoch, carried))
        elif len(links) < _LINKS_MAX and (secret.epoch + 1, carried.secret) not in links:
            links.append((secret.epoch + 1, carried.secret))
    _take_all(step, conversation, found, _Taken())


def _is_read(step: Step, conversation: Conversation) -> bool:
    if conversation.state not in _READING:
        return False
    carrying.ensure_key(step, conversation)
    return True


def _secrets(step: Step, conversation: Conversation) -> list[_Secret]:
    """Return the secrets of the epochs whose contents are still taken, the latest first."""
    keys = step.transaction.select(CarryKey, group_id=conversation.group_id)
    return [_Secret(epoch=key.epoch, secret=key.secret) for key in reversed(keys)]


def _opened(
    secrets: Iterable[_Secret], salt: bytes, sealed: dict[bytes, bytes]
) -> list[tuple[int, carried_form.Item]]:
    """Return what a bundle has under these secrets and those that its links lead to, oldest epoch first."""
    known = list(secrets)
    found: list[tuple[int, carried_form.Item]] = []
    for secret in known:
        number = 0
        while (at := _place(salt, number)) and (tag := carried_form.tag_at(secret.secret, at)) in sealed:
            number += 1
            carried = _parsed(secret.secret, at, sealed[tag])
            if isinstance(carried, carried_form.Item):
                found.append((secret.epoch, carried))
            elif carried is not None and len(known) < _LINKS_MAX:
                after = _Secret(epoch=secret.epoch + 1, secret=carried.secret)
                if after not in known:
                    known.append(after)
    return sorted(found, key=lambda one: one[0])


def _place(salt: bytes, number: int) -> bytes:
    return salt + uint32(number)


def _parsed(secret: bytes, at: bytes, sealed: bytes) -> carried_form.Item | carried_form.Link | None:
    try:
        return carried_form.parse(carried_form.open_at(secret, at, sealed))
    except PeerError:
        return None


def _open_by_any(
    secrets: Sequence[_Secret], entry_id: EntryId, body: bytes
) -> tuple[_Secret, carried_form.Item | carried_form.Link]:
    for secret in secrets:
        try:
            plain = carried_form.open_at(secret.secret, entry_id, body)
        except DecryptFailed:
            continue
        return secret, carried_form.parse(plain)
    raise DecryptFailed


def _take_all(
    step: Step, conversation: Conversation, found: Iterable[tuple[int, carried_form.Item]], taken: _Taken
) -> None:
    """Take contents in order; one that a member spoiled holds no other up."""
    authors: dict[bytes, AccountId] = {}
    for epoch, item in found:
        if not authors:
            members = step.group(conversation.group_id).members()
            authors.update({one.signature_key: policy.account_of(one.credential) for one in members})
        try:
            is_new = _take(step, step.conversation(conversation.group_id), item, epoch, authors)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
            continue
        taken.new += is_new
        taken.known += not is_new


def _take(
    step: Step,
    conversation: Conversation,
    item: carried_form.Item,
    epoch: int,
    authors: dict[bytes, AccountId],
) -> bool:
    """Take one content; tell whether it is new. Raises a `PeerError` for what its author did not say so."""
    group_id, transaction = conversation.group_id, step.transaction
    if item.epoch != epoch:
        raise Invalid("a carried content is sealed under another epoch than it was said in")
    author = authors.get(item.device_key)
    if author is None:
        raise Invalid("a carried content is by nobody in the group")
    signed = carried_form.signed_item(group_id, item.epoch, item.content)
    verify_labeled(item.device_key, carried_form.SIGNATURE_LABEL, signed, item.signature)
    identity = message_id(account_uri(author), room_uri(group_id), item.content)
    own = transaction.get(Account, 0)
    if own is None or item.device_key == own.device_public_key:
        return False
    if transaction.get(Arrived, group_id, identity) is not None:
        return False
    messages.receive(step, conversation, author, item.content, 0)
    carrying.note_arrived(step, group_id, identity, max(epoch, conversation.epoch))
    if transaction.get(CarryKey, group_id, epoch) is not None:
        transaction.put(
            Parcel(
                group_id=group_id,
                number=transaction.next_number(carrying.NUMBERS),
                message_id=identity,
                epoch=epoch,
                device_key=item.device_key,
                signature=item.signature,
                content=item.content,
                kept_ms=step.now_ms,
            )
        )
    return True
