"""From one epoch of a conversation to the next: what a followed closer changes in the records."""

from typing import Final

from skvoz.base.errors import Invalid
from skvoz.base.ids import AccountId, EntryId, GroupId
from skvoz.base.value import Value
from skvoz.client import attachments, carrying, contacts, notices, outbox, policy
from skvoz.client.envelope import ACCESS_LABEL, SECRET_SIZE, segment_hash
from skvoz.client.events import ChatChange, ChatChanged
from skvoz.client.inputs import Entry
from skvoz.client.records import (
    Closer,
    Conversation,
    GroupPart,
    Inbox,
    InboxKind,
    KeptCloser,
    KnockHeard,
    Participant,
)
from skvoz.client.step import Step
from skvoz.crypto import sha256
from skvoz.mls import Group, parse_key_package

UPDATE_ALARM: Final = "room.update"
TIDY_ALARM: Final = "room.tidy"
CONTEST_ALARM: Final = "room.contest"
ECHO_ALARM: Final = "room.echo"
LINK_ALARM: Final = "group.link"
_LINK_PAUSE_MS: Final = 5_000
"""Changes of a group come together; what lies beside its link is put there anew once."""
KEPT_CLOSERS_MAX: Final = 8
"""How many epochs a relay's backup may be old and the members still put back what it lost."""
KEPT_CLOSER_SIZE_MAX: Final = 64 * 1024
"""Larger closers are not kept: they are rare, and the way back is then a knock."""
_PASSED_OVER_MAX: Final = 64
"""Closers before a followed one that are remembered not to hold."""
_JOIN_UPDATE_PAUSE_MS: Final = 2_000
_PAUSE_MS: Final = 700
_PAUSE_STEPS_MAX: Final = 40


class FollowedCloser(Value, frozen=True, kw_only=True):
    """A closer that holds, as it stood in the log."""

    position: int
    entry_id: EntryId
    body: bytes
    next_hash: bytes
    carry: bool
    removes: bool
    """Somebody was removed, whatever `carry` says."""
    door_hash: bytes | None = None


def access_key(group: Group) -> bytes:
    """Return the key of the segment that belongs to a group's epoch."""
    return group.export(ACCESS_LABEL, b"", SECRET_SIZE)


def check_next_hash(group: Group, next_hash: bytes | None) -> None:
    """Raise `Invalid` unless a closer registered the key of the epoch that it leads to."""
    if segment_hash(access_key(group)) != next_hash:
        raise Invalid("a closer opens a segment that its commit does not lead to")


def pause_ms(conversation: Conversation) -> int:
    """Return how long this device lets others go first: the lower the leaf, the shorter."""
    return _PAUSE_MS * (1 + min(conversation.own_leaf, _PAUSE_STEPS_MAX))


def enter(
    step: Step,
    conversation: Conversation,
    group: Group,
    closer: FollowedCloser,
    *,
    actor: AccountId,
    left: frozenset[AccountId],
    fresh_keys: bool,
) -> Conversation:
    """Follow a closer into the epoch of `group`: everything of the old one is done with.

    `left`: those of whom it takes out who asked for that themselves; `fresh_keys`: whether it replaced the
    keys of our own leaf.
    """
    group_id = conversation.group_id
    _keep(step, conversation, closer)
    clear(step, conversation)
    info = policy.info_of(group)
    carrying.ensure_key(step, conversation)
    step.save_group(group, None)
    carrying.keep_key(step, group, linked=not closer.removes)
    changed = step.change(
        group_id,
        epoch=group.epoch,
        segment_key=access_key(group),
        segment=closer.position,
        cursor=closer.position,
        own_leaf=group.own_leaf_index,
        title=info.title,
        message_expiry_s=info.message_expiry_s or None,
        door_hash=sha256(info.door_key),
        entries_since_update=0 if fresh_keys else conversation.entries_since_update,
        last_update_ms=step.now_ms if fresh_keys else conversation.last_update_ms,
    )
    if changed.alone and actor != step.account().account_id:
        changed = step.change(group_id, alone=False)
    write_participants(step, changed, group, actor=actor, left=left)
    if changed.title != conversation.title:
        notices.keep(step, changed, "title", actor)
        tell_state(step, changed, "title", actor)
    if changed.message_expiry_s != conversation.message_expiry_s:
        notices.keep(step, changed, "expiry", actor)
        tell_state(step, changed, "expiry", actor)
    _drop_answered_knocks(step, changed, group)
    if not closer.carry or group_id not in step.caches.readings:
        attachments.attach(step, changed)
    return changed


def clear(step: Step, conversation: Conversation) -> None:
    """Forget what belongs to the current epoch only; unsent entries will be encrypted anew."""
    group_id = conversation.group_id
    outbox.take_back(step, group_id)
    step.change(group_id, given_up_closers=())
    if conversation.unfollowed_closers:
        for closer in step.transaction.select(Closer, group_id=group_id):
            step.transaction.delete(Closer, *closer.key_values())
        step.change(group_id, unfollowed_closers=0)
        step.clear_alarm(CONTEST_ALARM, group_id)
        step.clear_alarm(ECHO_ALARM, group_id)
    for part in step.transaction.select(GroupPart, group_id=group_id, part="proposal"):
        step.transaction.delete(GroupPart, *part.key_values())
    step.clear_alarm(outbox.RESEND_ALARM, group_id)


def pass_over(step: Step, conversation: Conversation, entry: Entry) -> Conversation:
    """Note a closer of the current segment that is not followed; a relay may show thousands."""
    group_id, count = conversation.group_id, conversation.unfollowed_closers
    if count < _PASSED_OVER_MAX:
        next_hash = entry.next_hash or b""
        step.transaction.put(Closer(group_id=group_id, position=entry.position, next_hash=next_hash))
    return step.change(group_id, unfollowed_closers=count + 1)


def _keep(step: Step, conversation: Conversation, closer: FollowedCloser) -> None:
    group_id = conversation.group_id
    if len(closer.body) <= KEPT_CLOSER_SIZE_MAX:
        step.transaction.put(
            KeptCloser(
                group_id=group_id,
                epoch=conversation.epoch,
                segment_key=conversation.segment_key,
                entry_id=closer.entry_id,
                body=closer.body,
                next_hash=closer.next_hash,
                carry=closer.carry,
                door_hash=closer.door_hash,
                passed_over=_passed_over(step, group_id),
            )
        )
    kept = step.transaction.select(KeptCloser, group_id=group_id)
    for old in kept[:-KEPT_CLOSERS_MAX]:
        step.transaction.delete(KeptCloser, *old.key_values())


def _passed_over(step: Step, group_id: GroupId) -> tuple[bytes, ...]:
    return tuple(one.next_hash for one in step.transaction.select(Closer, group_id=group_id))


def _drop_answered_knocks(step: Step, conversation: Conversation, group: Group) -> None:
    knocks = step.transaction.select(KnockHeard, group_id=conversation.group_id)
    if not knocks:
        return
    leaves = {member.leaf_node.encoded for member in group.members()}
    for knock in knocks:
        if parse_key_package(knock.key_package).leaf_node.encoded in leaves:
            step.transaction.delete(KnockHeard, *knock.key_values())
        else:
            step.hasten_alarm(TIDY_ALARM, conversation.group_id, step.now_ms + pause_ms(conversation))


def write_participants(
    step: Step,
    conversation: Conversation,
    group: Group,
    *,
    actor: AccountId | None,
    left: frozenset[AccountId] = frozenset(),
) -> None:
    """Bring the list of people up to date, and tell what `actor` changed (None: tell nothing)."""
    group_id = conversation.group_id
    info = policy.info_of(group)
    own = step.account().account_id
    accounts = policy.accounts_of(group)
    before = {known.account_id: known for known in step.transaction.select(Participant, group_id=group_id)}
    link_due(step, group_id)
    for account_id in sorted(before.keys() - accounts.keys()):
        step.transaction.delete(Participant, group_id, account_id)
        if actor is not None:
            gone = "member_left" if account_id in left else "member_removed"
            notices.keep(step, conversation, gone, actor, account_id)
            tell_state(step, conversation, "member_removed", actor, account_id)
    for account_id, leaves in sorted(accounts.items()):
        known = before.get(account_id)
        now = Participant(
            group_id=group_id,
            account_id=account_id,
            admin=account_id in info.admins,
            leaves=leaves,
            since_epoch=group.epoch if known is None else known.since_epoch,
        )
        if known == now:
            continue
        step.transaction.put(now)
        if known is None and account_id != own:
            contacts.met(step, conversation, account_id, group.credential(leaves[0]).content)
        if actor is None:
            continue
        if known is None:
            notices.keep(step, conversation, "member_added", actor, account_id)
            tell_state(step, conversation, "member_added", actor, account_id)
        elif known.admin != now.admin:
            role = "admin" if now.admin else "not_admin"
            notices.keep(step, conversation, role, actor, account_id)
            tell_state(step, conversation, role, actor, account_id)


def link_due(step: Step, group_id: GroupId) -> None:
    """Have the link into a group follow its change, or end; `group_links` does it."""
    for inbox in step.transaction.select(Inbox, kind=InboxKind.GROUP):
        if inbox.group_id == group_id and not inbox.revoked:
            step.hasten_alarm(LINK_ALARM, group_id, step.now_ms + _LINK_PAUSE_MS)


def tell_state(
    step: Step,
    conversation: Conversation,
    what: ChatChange,
    actor: AccountId | None = None,
    subject: AccountId | None = None,
) -> None:
    """Tell people that something about a conversation changed."""
    step.tell(
        ChatChanged(
            chat_id=conversation.chat_id,
            group_id=conversation.group_id,
            what=what,
            actor=actor,
            subject=subject,
        )
    )


def update_after_joining(step: Step, conversation: Conversation) -> None:
    """Replace the KeyPackage's keys soon, but let those who write first go first."""
    due_ms = step.now_ms + _JOIN_UPDATE_PAUSE_MS + pause_ms(conversation)
    step.set_alarm(UPDATE_ALARM, conversation.group_id, due_ms)
