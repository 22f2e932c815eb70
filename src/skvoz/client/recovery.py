"""Being lost and found again.

A device that can't follow (its segment is gone at the relay, or a commit's path is unusable for it) says so,
and knocks: with a fresh KeyPackage signed by its leaf key, sealed so that the relay does not see who it is.
Any member commits remove and add, and the Welcome comes to the device's inbox. A device that meets an entry
of its own leaf that it never sent has a twin: it writes nothing more until it is added anew.

    knock   = salt (16) ‖ AES-256-GCM(key, zero nonce, "", pad(plain))
    key     = HKDF-SHA-256(knock key, salt, "skvoz knock 1" ‖ group id)
    plain   = version ‖ KeyPackage<V> ‖ recipient<V> ‖ signature (64)
    signed  = group id<V> ‖ KeyPackage<V> ‖ recipient<V>, by the leaf's key, label "knock"

The KeyPackage says in an extension which group it leads back into (`policy.RETURN_EXTENSION`). Whose leaf it
is shows by the signature key: the leaf's number may have changed since.

A relay that was restored from a backup has forgotten the last entries, and with them perhaps segments:
every member puts back the closers that it followed last, in order, under their old ids.
"""

from typing import Final

import msgspec

from skvoz.base.errors import Invalid, PeerError
from skvoz.base.ids import GroupId
from skvoz.client import attachments, conversations, epochs, invitations, lookback, outbox, policy
from skvoz.client.effects import Channel, Knock, Rekey
from skvoz.client.envelope import segment_hash
from skvoz.client.inputs import Entry, EntryRefused, KnocksRead, RelayConnected, RequestRefused
from skvoz.client.records import (
    Alarm,
    Closer,
    Conversation,
    ConversationState,
    Intent,
    KeptCloser,
    KnockHeard,
    OwnKnock,
    Relay,
    SentEntry,
    StagedCommit,
)
from skvoz.client.step import Step
from skvoz.codec import Reader, opaque, pad, uint8, unpad
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, sign_labeled, unseal, verify_labeled
from skvoz.mls import Group, parse_key_package
from skvoz.mls.tree_validation import check_key_package

DROPPED_COUNTER: Final = "knocks_dropped"
KNOCK_ALARM: Final = "room.knock"
DOUBT_ALARM: Final = "room.doubt"
VERSION: Final = 1
_LABEL: Final = "knock"
_SALT_SIZE: Final = 16
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
_DENIED_RETRIES_MS: Final = (5_000, 30_000, 120_000)
"""Other members may put back what we can't."""
_KNOCKS_KEPT_MAX: Final = 64
_ALIVE: Final = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.FROZEN)


# Being lost


def suspect(step: Step, conversation: Conversation, entry: Entry) -> None:
    """Ask others for the way back: they may follow a closer that only we can't."""
    group_id = conversation.group_id
    step.transaction.put(Closer(group_id=group_id, position=entry.position, next_hash=entry.next_hash or b""))
    ask_the_way(step, step.change(group_id, unfollowed_closers=conversation.unfollowed_closers + 1))


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
        # From now on with contests, see `put_back_refused`; and if the door is gone too, so is the room.
        knock(step, conversation)
        return
    if not conversation.unfollowed_closers:
        return
    state = conversations.state_of_members(step, conversation.group_id)
    changed = step.change(conversation.group_id, state=state)
    step.hasten_alarm(
        epochs.CONTEST_ALARM, conversation.group_id, step.now_ms + epochs.pause_ms(conversation)
    )
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
    if own is None or own.made_ms + _SAME_KNOCK_MS <= step.now_ms:
        own = OwnKnock(group_id=group_id, body=_fresh_knock(step, group_id), made_ms=step.now_ms)
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
        restore_room(step, conversation)


def _fresh_knock(step: Step, group_id: GroupId) -> bytes:
    info = policy.info_of(step.group(group_id))
    key_package, recipient = invitations.fresh_key_package(step, policy.return_extensions(group_id))
    signature = sign_labeled(
        step.account().device_private_key, _LABEL, _signed(group_id, key_package, recipient)
    )
    plain = b"".join((uint8(VERSION), opaque(key_package), opaque(recipient), signature))
    salt = step.randomness(_SALT_SIZE)
    key = _knock_key(info.knock_key, salt, group_id)
    return salt + seal(key, ZERO_NONCE, b"", pad(plain))


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
        restore_room(step, changed)


def overtaken(step: Step, conversation: Conversation) -> None:
    """Go on only after a week where another closer stands before one of ours: others may follow that one.

    They let us in, unless they have removed us. Who goes on in the end may be alone.
    """
    group_id = conversation.group_id
    if conversation.state in _ALIVE:
        step.caches.denials.pop(group_id, None)
        _lose_denied(step, conversation)
    elif step.transaction.get(Alarm, DOUBT_ALARM, group_id) is not None:
        attachments.detach(step, conversation)
    else:
        attachments.attach(step, step.change(group_id, unsure=False, parted=True, alone=True))


def _lose_denied(step: Step, conversation: Conversation) -> None:
    group_id = conversation.group_id
    lose(step, step.change(group_id, denied=True))
    step.set_alarm(DOUBT_ALARM, group_id, step.now_ms + _DENIED_DOUBT_MS + epochs.pause_ms(conversation))


def let_in(step: Step, conversation: Conversation) -> None:
    """Go on where the relay knows our segment again, which it had denied."""
    group_id = conversation.group_id
    state = conversations.state_of_members(step, group_id)
    changed = step.change(group_id, state=state, denied=False, knocks_denied=0)
    step.clear_alarm(DOUBT_ALARM, group_id)
    if changed.frozen:
        epochs.tell_state(step, changed, "frozen")
        knock(step, changed)
        return
    step.clear_alarm(KNOCK_ALARM, group_id)
    epochs.tell_state(step, changed, "found")


def _knock_key(knock_key: bytes, salt: bytes, group_id: bytes) -> bytes:
    return hkdf_sha256(knock_key, salt=salt, info=b"skvoz knock 1" + group_id, length=KEY_SIZE)


def _signed(group_id: bytes, key_package: bytes, recipient: bytes) -> bytes:
    return opaque(group_id) + opaque(key_package) + opaque(recipient)


# Finding others


def heard(step: Step, conversation: Conversation, fact: KnocksRead) -> None:
    """Somebody knocks: after a pause by leaf, whoever still can takes them out and in."""
    if conversation.state is not ConversationState.ACTIVE or conversation.alone:
        return  # alone, perhaps we were removed: others are to answer
    group = step.group(conversation.group_id)
    for number, body in fact.knocks[:_KNOCKS_KEPT_MAX]:
        try:
            found = read_knock(group, number, body, now_ms=step.now_ms)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
            continue
        if found.leaf != group.own_leaf_index:
            step.transaction.put(found)
            due_ms = step.now_ms + epochs.pause_ms(conversation)
            step.hasten_alarm(epochs.TIDY_ALARM, conversation.group_id, due_ms)


def read_knock(group: Group, number: int, body: bytes, *, now_ms: int | None = None) -> KnockHeard:
    """Return the knock of a present member; raise a `PeerError` for any other.

    `now_ms`, where given, refuses an expired KeyPackage.
    """
    group_id = GroupId(group.group_id)
    salt, sealed = body[:_SALT_SIZE], body[_SALT_SIZE:]
    key = _knock_key(policy.info_of(group).knock_key, salt, group_id)
    reader = Reader(unpad(unseal(key, ZERO_NONCE, b"", sealed)))
    if reader.uint8() != VERSION:
        raise Invalid("a knock has an unknown version")
    key_package, recipient = reader.opaque(), reader.opaque()
    signature = reader.take(64)
    reader.finish()
    offered = parse_key_package(key_package)
    leaf = offered.leaf_node
    members = [member for member in group.members() if member.signature_key == leaf.signature_key]
    if not members:
        raise Invalid("a knock is from nobody in the group")
    verify_labeled(leaf.signature_key, _LABEL, _signed(group_id, key_package, recipient), signature)
    check_key_package(offered, group.suite, now_ms=now_ms)
    policy.MEMBERS.validate_credential(leaf.credential, leaf.signature_key)
    account_id = policy.account_of(members[0].credential)
    if policy.account_of(leaf.credential) != account_id or not policy.leads_back(offered, group_id):
        raise Invalid("a knock offers a KeyPackage of somebody else, or for something else")
    if invitations.parse_recipient(recipient).account_id != account_id:
        raise Invalid("a knock sends the Welcome to somebody else")
    return KnockHeard(
        group_id=group_id,
        leaf=members[0].leaf_index,
        knock=number,
        key_package=key_package,
        recipient=recipient,
    )


# A relay that forgot


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
            restore_room(step, changed)
        elif conversation.state is ConversationState.CREATING:
            step.emit(conversations.open_log(conversation, relay))


def room_denied(step: Step, conversation: Conversation) -> None:
    """Put back what a relay that knows no such segment may have lost, and try again; in the end, be lost."""
    group_id = conversation.group_id
    if conversation.state not in _ALIVE:
        return
    denials = step.caches.denials.get(group_id, 0)
    step.caches.denials[group_id] = denials + 1
    if denials == 0:
        restore_room(step, conversation)
    elif denials <= len(_DENIED_RETRIES_MS):
        due_ms = step.now_ms + _DENIED_RETRIES_MS[denials - 1]
        step.hasten_alarm(attachments.RETRY_ALARM, group_id, due_ms)
    else:
        step.caches.denials.pop(group_id)
        _lose_denied(step, conversation)


def restore_room(step: Step, conversation: Conversation) -> None:
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
    waits = step.transaction.get(Alarm, DOUBT_ALARM, group_id) is not None
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
