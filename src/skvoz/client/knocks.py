"""Knocks: how a device that is lost asks the members to take it out and in again.

A knock holds a fresh KeyPackage signed by the leaf key, sealed so that the relay does not see who it is.

    knock   = salt (16) ‖ AES-256-GCM(key, zero nonce, "", pad(plain))
    key     = HKDF-SHA-256(knock key, salt, "skvoz knock 1" ‖ group id)
    plain   = version ‖ KeyPackage<V> ‖ recipient<V> ‖ signature (64)
    signed  = group id<V> ‖ KeyPackage<V> ‖ recipient<V>, by the leaf's key, label "knock"

The KeyPackage says in an extension which group it leads back into (`policy.RETURN_EXTENSION`). Whose leaf it
is shows by the signature key: the leaf's number may have changed since.
"""

from typing import Final

from skvoz.base.errors import Invalid, PeerError
from skvoz.base.ids import GroupId
from skvoz.client import epochs, invitations, policy
from skvoz.client.inputs import KnocksRead
from skvoz.client.records import Conversation, ConversationState, KeyPackageSecret, KnockHeard
from skvoz.client.step import Step
from skvoz.codec import Reader, opaque, pad, uint8, unpad
from skvoz.crypto import KEY_SIZE, ZERO_NONCE, hkdf_sha256, seal, sign_labeled, unseal, verify_labeled
from skvoz.mls import Group, KeyPackageBundle, parse_key_package
from skvoz.mls.tree_validation import check_key_package

DROPPED_COUNTER: Final = "knocks_dropped"
VERSION: Final = 1
_LABEL: Final = "knock"
_SALT_SIZE: Final = 16
_KEPT_MAX: Final = 64


def fresh(step: Step, group_id: GroupId) -> bytes:
    """Return a knock of ours, with a KeyPackage that was made for it."""
    info = policy.info_of(step.group(group_id))
    key_package, recipient = invitations.fresh_key_package(step, policy.return_extensions(group_id))
    signature = sign_labeled(
        step.account().device_private_key, _LABEL, _signed(group_id, key_package, recipient)
    )
    plain = b"".join((uint8(VERSION), opaque(key_package), opaque(recipient), signature))
    salt = step.randomness(_SALT_SIZE)
    key = _knock_key(info.knock_key, salt, group_id)
    return salt + seal(key, ZERO_NONCE, b"", pad(plain))


def take_back(step: Step, group_id: GroupId) -> None:
    """Forget the KeyPackages of our knocks at a group: who has left comes back by an answer to none."""
    for secret in step.transaction.select(KeyPackageSecret):
        bundle = KeyPackageBundle.parse(secret.bundle, step.environment.suite)
        if policy.leads_back(bundle.key_package, group_id):
            step.transaction.delete(KeyPackageSecret, secret.reference)


def heard(step: Step, conversation: Conversation, fact: KnocksRead) -> None:
    """Somebody knocks: after a pause by leaf, whoever still can takes them out and in."""
    if conversation.state is not ConversationState.ACTIVE or conversation.alone:
        return  # alone, perhaps we were removed: others are to answer
    group = step.group(conversation.group_id)
    for number, body in fact.knocks[:_KEPT_MAX]:
        try:
            found = read(group, number, body, now_ms=step.now_ms)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
            continue
        if found.leaf != group.own_leaf_index:
            step.transaction.put(found)
            due_ms = step.now_ms + epochs.pause_ms(conversation)
            step.hasten_alarm(epochs.TIDY_ALARM, conversation.group_id, due_ms)


def read(group: Group, number: int, body: bytes, *, now_ms: int | None = None) -> KnockHeard:
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


def _knock_key(knock_key: bytes, salt: bytes, group_id: bytes) -> bytes:
    return hkdf_sha256(knock_key, salt=salt, info=b"skvoz knock 1" + group_id, length=KEY_SIZE)


def _signed(group_id: bytes, key_package: bytes, recipient: bytes) -> bytes:
    return opaque(group_id) + opaque(key_package) + opaque(recipient)
