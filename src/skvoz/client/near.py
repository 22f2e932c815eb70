"""Logs beside conversations, at relays that somebody near lends: keys that every member has, also one behind.

    near key          = HKDF-SHA-256(door secret, no salt, "skvoz near conversation 1", 32)
    log id ‖ access key ‖ owner key = HKDF-SHA-256(near key, salt = relay id, "skvoz near log 1", 80)

They follow from the door's secret and not from the epoch's, as a knock does: who is behind has to find the
others. Who was removed may still have it, and finds there nothing that they can read.
"""

from typing import Final

from skvoz.base.ids import AccountId, GroupId, LogId, RelayId
from skvoz.base.value import Value
from skvoz.client import contacts, policy
from skvoz.client.records import Conversation, ConversationKind, ConversationState
from skvoz.client.step import Step
from skvoz.crypto import hkdf_sha256

NEAR_MAX: Final = 32
"""Conversations that go on over the network around: those in which something happened last."""
_GOING_ON: Final = (ConversationState.ACTIVE, ConversationState.LEAVING, ConversationState.LOST)


class SideLog(Value, frozen=True, kw_only=True):
    """A log beside a conversation at a lent relay."""

    log_id: LogId
    access_key: bytes
    owner_key: bytes


def near_keys(step: Step) -> list[tuple[GroupId, bytes]]:
    """Return the keys by which members recognise each other near, of the conversations that go on there.

    They are in an order that nothing changes which is said: what is announced would show when it is.
    """
    found = [one for one in step.transaction.select(Conversation) if _goes_on(step, one)]
    found.sort(key=lambda one: (-one.last_activity_ms, one.group_id))
    return sorted((one.group_id, _near_key(step, one)) for one in found[:NEAR_MAX])


def side_log(near_key: bytes, relay_id: RelayId) -> SideLog:
    """Return where a conversation goes on at a lent relay."""
    drawn = hkdf_sha256(near_key, salt=relay_id, info=b"skvoz near log 1", length=80)
    return SideLog(log_id=LogId(drawn[:16]), access_key=drawn[16:48], owner_key=drawn[48:])


def _goes_on(step: Step, conversation: Conversation) -> bool:
    if conversation.state not in _GOING_ON or conversation.is_request:
        return False  # a stranger is not shown that we are here
    if conversation.kind is ConversationKind.DIRECT:
        return not contacts.is_blocked(step, AccountId(conversation.chat_id))
    return conversation.kind is ConversationKind.GROUP


def _near_key(step: Step, conversation: Conversation) -> bytes:
    secret = policy.info_of(step.group(conversation.group_id)).door_secret
    return hkdf_sha256(secret, info=b"skvoz near conversation 1", length=32)
