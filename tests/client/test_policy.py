"""Each rule about who may do what, with a commit that breaks it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.base.limits import ADDS_PER_COMMIT_MAX
from skvoz.client import policy
from skvoz.client.certificates import AccountKey, issue_account_key, issue_certificate
from skvoz.client.conversation_info import ConversationInfo, RoomPlace
from skvoz.client.records import ConversationKind
from skvoz.crypto import ED25519, SUITES, KeyPair
from skvoz.mls import (
    Add,
    Credential,
    Extension,
    Group,
    GroupContextExtensions,
    KeyPackageBundle,
    Lifetime,
    PendingCommit,
    Proposal,
    ReInit,
    Remove,
    SelfRemove,
    StagedCommit,
)

SUITE = SUITES[1]
random = Random(7)
GROUP_ID = b"g" * 16
ALWAYS = Lifetime(not_before=0, not_after=2**62)


@dataclass(frozen=True)
class Person:
    account_key: AccountKey
    private_key: bytes

    @property
    def account_id(self) -> AccountId:
        return self.account_key.account_id

    def device(self) -> tuple[bytes, KeyPair]:
        pair = ED25519.generate(random.randbytes)
        return issue_certificate(self.account_key, self.private_key, pair.public_key), pair


def person() -> Person:
    return Person(*issue_account_key(ED25519.generate(random.randbytes), 1, random.randbytes))


def after_a_theft() -> tuple[Person, Person]:
    """Return one person under the account key that was stolen, and under its successor."""
    root = ED25519.generate(random.randbytes)
    old, new = (Person(*issue_account_key(root, number, random.randbytes)) for number in (1, 2))
    return old, new


def bundle_of(
    someone: Person, device: tuple[bytes, KeyPair] | None = None, *, back_to: bytes | None = None
) -> KeyPackageBundle:
    certificate, pair = device or someone.device()
    return KeyPackageBundle.create(
        SUITE,
        certificate,
        pair,
        lifetime=ALWAYS,
        randomness=random.randbytes,
        capabilities=policy.capabilities(SUITE),
        extensions=() if back_to is None else policy.return_extensions(back_to),
    )


ADMIN, MEMBER, OTHER, STRANGER = person(), person(), person(), person()


def description(kind: ConversationKind, admins: Sequence[Person]) -> ConversationInfo:
    place = RoomPlace(
        relay_id=RelayId(bytes(32)), addresses=("wss://relay.invalid",), log_id=LogId(bytes(16))
    )
    return ConversationInfo(
        kind=kind,
        title="title" if kind is ConversationKind.GROUP else "",
        admins=tuple(sorted(one.account_id for one in admins)),
        door_secret=bytes(32),
        places=(place,),
        message_expiry_s=0,
    )


def conversation(kind: ConversationKind, admins: Sequence[Person], members: Sequence[Person]) -> list[Group]:
    """Return the views of the first person and of the members whom it added."""
    certificate, pair = ADMIN.device()
    group = Group.create(
        SUITE,
        GROUP_ID,
        certificate,
        pair,
        lifetime=ALWAYS,
        randomness=random.randbytes,
        extensions=policy.extensions_of(description(kind, admins)),
        capabilities=policy.capabilities(SUITE),
    )
    bundles = [bundle_of(member) for member in members]
    pending = group.stage_commit(
        proposals=[Add(bundle.key_package) for bundle in bundles], randomness=random.randbytes
    )
    assert pending.welcome is not None
    joined = [Group.join(pending.welcome, bundle).group for bundle in bundles]
    return [pending.next, *joined]


def a_group() -> list[Group]:
    return conversation(ConversationKind.GROUP, [ADMIN], [MEMBER, OTHER])


def a_pair() -> list[Group]:
    return conversation(ConversationKind.DIRECT, [ADMIN, MEMBER], [MEMBER])


def commit(group: Group, *proposals: Proposal) -> PendingCommit:
    return group.stage_commit(proposals=proposals, path=True, randomness=random.randbytes)


def check(group: Group, *proposals: Proposal) -> None:
    policy.check_commit(group, group.own_leaf_index, commit(group, *proposals).effects)


@pytest.mark.parametrize(
    "foreign",
    [
        {"external_join": True},
        {"reinit": ReInit(group_id=b"x", version=1, cipher_suite=SUITE.number)},
        {"psks": ("any",)},
    ],
    ids=["external join", "reinit", "psk"],
)
def test_what_mls_allows_and_conversations_do_not_is_refused(foreign: dict[str, Any]) -> None:
    group = a_group()[0]
    effects = commit(group).effects
    policy.check_commit(group, group.own_leaf_index, effects)
    with pytest.raises(Invalid, match="conversations do not"):
        policy.check_commit(group, group.own_leaf_index, replace(effects, **foreign))


def leaf_of(group: Group, someone: Person) -> int:
    return policy.accounts_of(group)[someone.account_id][0]


def changed(group: Group, info: ConversationInfo) -> Proposal:
    return GroupContextExtensions(policy.extensions_of(info))


def test_admins_add_remove_and_describe() -> None:
    admin = a_group()[0]
    info = policy.info_of(admin)
    check(admin, Add(bundle_of(STRANGER).key_package))
    check(admin, Remove(leaf_of(admin, OTHER)))
    check(admin, changed(admin, replace(info, title="new")))
    check(admin, changed(admin, info.with_admin(MEMBER.account_id, admin=True)))
    check(admin, changed(admin, replace(info, message_expiry_s=60)))
    check(admin)


@pytest.mark.parametrize("kind", ["add", "remove", "title", "admin", "expiry", "places", "door"])
def test_plain_members_do_not(kind: str) -> None:
    member = a_group()[1]
    info = policy.info_of(member)
    place = replace(info.places[0], addresses=("wss://other.invalid",))
    proposals: dict[str, Proposal] = {
        "add": Add(bundle_of(STRANGER).key_package),
        "remove": Remove(leaf_of(member, OTHER)),
        "title": changed(member, replace(info, title="mine")),
        "admin": changed(member, info.with_admin(MEMBER.account_id, admin=True)),
        "expiry": changed(member, replace(info, message_expiry_s=1)),
        "places": changed(member, replace(info, places=(place,))),
        "door": changed(member, replace(info, door_secret=bytes([1]) * 32)),
    }
    with pytest.raises(Invalid):
        check(member, proposals[kind])


def test_everybody_has_a_say_about_their_own_devices() -> None:
    member = a_group()[1]
    check(member, Add(bundle_of(MEMBER).key_package))
    check(member)


def test_everybody_may_take_a_lost_device_out_and_in() -> None:
    _, member, other = a_group()
    leaf = other.state.members.tree.member(other.own_leaf_index)
    pair = KeyPair(
        private_key=other.state.signature_key.private_key, public_key=other.state.signature_key.public_key
    )
    device = (leaf.credential.content, pair)
    again = bundle_of(OTHER, device, back_to=GROUP_ID)
    check(member, Remove(other.own_leaf_index), Add(again.key_package))
    with pytest.raises(Invalid):  # another device of the same person is not the same leaf
        check(member, Remove(other.own_leaf_index), Add(bundle_of(OTHER, back_to=GROUP_ID).key_package))
    for foreign in (None, b"another"):  # one out of a pool, or made for coming back elsewhere
        with pytest.raises(Invalid):
            check(
                member,
                Remove(other.own_leaf_index),
                Add(bundle_of(OTHER, device, back_to=foreign).key_package),
            )


def test_without_an_admin_every_member_is_one() -> None:
    admin, member, other = a_group()
    leaving, message = admin.propose(SelfRemove(), randomness=random.randbytes)
    received = member.receive(message, policy=policy.MEMBERS)
    assert leaving.proposals
    with_proposal = getattr(received, "group", None)
    assert isinstance(with_proposal, Group)
    pending = with_proposal.stage_commit(path=True, randomness=random.randbytes)
    policy.check_commit(with_proposal, member.own_leaf_index, pending.effects)
    orphaned = pending.next
    assert policy.is_admin(orphaned, MEMBER.account_id)
    check(orphaned, Remove(other.own_leaf_index))


def test_a_direct_conversation_takes_no_third() -> None:
    for group in a_pair():
        with pytest.raises(Invalid):
            check(group, Add(bundle_of(STRANGER).key_package))


def test_in_a_direct_conversation_nobody_is_thrown_out() -> None:
    admin, member = a_pair()
    with pytest.raises(Invalid):
        check(admin, Remove(member.own_leaf_index))
    with pytest.raises(Invalid):
        check(member, Remove(admin.own_leaf_index))


def test_both_sides_of_a_direct_conversation_change_the_expiry_but_not_its_accounts() -> None:
    for group in a_pair():
        info = policy.info_of(group)
        check(group, changed(group, replace(info, message_expiry_s=60)))
        other = tuple(sorted((ADMIN.account_id, STRANGER.account_id)))
        with pytest.raises(Invalid):
            check(group, changed(group, replace(info, admins=other)))


def test_a_conversation_keeps_its_kind() -> None:
    [admin, _, _] = a_group()
    info = replace(
        policy.info_of(admin),
        kind=ConversationKind.DIRECT,
        title="",
        admins=tuple(sorted((ADMIN.account_id, MEMBER.account_id))),
    )
    with pytest.raises(Invalid):
        check(admin, changed(admin, info))


def test_a_conversation_stays_at_its_log() -> None:
    [admin, _, _] = a_group()
    info = policy.info_of(admin)
    [place] = info.places
    check(
        admin, changed(admin, replace(info, places=(replace(place, addresses=("wss://new.invalid",)), place)))
    )
    for moved in (
        replace(place, relay_id=RelayId(b"r" * 32)),
        replace(place, log_id=LogId(b"l" * 16)),
    ):
        with pytest.raises(Invalid):
            check(admin, changed(admin, replace(info, places=(moved, place))))


def test_extensions_of_a_conversation_are_exactly_two() -> None:
    [admin, _, _] = a_group()
    extensions = policy.extensions_of(policy.info_of(admin))
    for wrong in (extensions[:1], extensions[1:], (*extensions, Extension(kind=5, data=b"\0"))):
        with pytest.raises(Invalid):
            policy.info_in(wrong)
    with pytest.raises(Malformed):
        policy.info_in((extensions[0], Extension(kind=extensions[1].kind, data=b"\1")))
    with pytest.raises(Invalid):
        policy.info_in((Extension(kind=extensions[0].kind, data=b"\0\0\0"), extensions[1]))


def test_a_commit_adds_few_at_once() -> None:
    [admin, _, _] = a_group()
    many = [Add(bundle_of(person()).key_package) for _ in range(ADDS_PER_COMMIT_MAX + 1)]
    check(admin, *many[:-1])
    with pytest.raises(Invalid):
        check(admin, *many)


def test_a_commit_takes_up_nobody_elses_proposals_but_to_leave() -> None:
    admin, member, _ = a_group()
    _, message = member.propose(Add(bundle_of(STRANGER).key_package), randomness=random.randbytes)
    received = admin.receive(message, policy=policy.MEMBERS)
    with_proposal = getattr(received, "group", None)
    assert isinstance(with_proposal, Group)
    with pytest.raises(Invalid):
        check(with_proposal)


def test_updates_by_proposal_are_refused() -> None:
    admin, member, _ = a_group()
    _, message = member.propose_update(randomness=random.randbytes)
    received = admin.receive(message, policy=policy.MEMBERS)
    with_proposal = getattr(received, "group", None)
    assert isinstance(with_proposal, Group)
    with pytest.raises(Invalid):
        check(with_proposal)


def test_a_certificate_must_fit_its_leaf() -> None:
    certificate, pair = MEMBER.device()
    foreign = ED25519.generate(random.randbytes)
    with pytest.raises(Invalid):
        policy.MEMBERS.validate_credential(Credential.basic(certificate), foreign.public_key)
    with pytest.raises(Malformed):
        policy.MEMBERS.validate_credential(Credential.basic(b"name"), foreign.public_key)
    with pytest.raises(Invalid, match="no certificate"):
        policy.MEMBERS.validate_credential(Credential(kind=2, content=certificate), pair.public_key)
    policy.MEMBERS.validate_credential(Credential.basic(certificate), pair.public_key)


def test_a_leaf_keeps_its_account() -> None:
    mine, theirs = bundle_of(MEMBER).key_package.leaf_node, bundle_of(OTHER).key_package.leaf_node
    policy.MEMBERS.validate_replacement(mine, bundle_of(MEMBER).key_package.leaf_node)
    with pytest.raises(Invalid):
        policy.MEMBERS.validate_replacement(mine, theirs)


def test_a_stolen_account_key_adds_no_devices_once_its_successor_is_there() -> None:
    stolen, present = after_a_theft()
    for members, refused in (([MEMBER, present], True), ([MEMBER, stolen], False)):
        admin, _, own = conversation(ConversationKind.GROUP, [ADMIN], members)
        for group in (admin, own):
            check(group, Add(bundle_of(present).key_package))
            if refused:
                with pytest.raises(Invalid, match="was replaced"):
                    check(group, Add(bundle_of(stolen).key_package))
            else:
                check(group, Add(bundle_of(stolen).key_package))


def test_a_leaf_does_not_go_back_to_an_older_account_key() -> None:
    older, newer = (bundle_of(one).key_package.leaf_node for one in after_a_theft())
    policy.MEMBERS.validate_replacement(older, newer)
    policy.MEMBERS.validate_replacement(newer, newer)
    with pytest.raises(Invalid, match="was replaced"):
        policy.MEMBERS.validate_replacement(newer, older)


def test_joining_checks_whom_a_kind_admits() -> None:
    for group in (*a_group(), *a_pair()):
        policy.check_member_kinds(group)
    crowd = conversation(ConversationKind.DIRECT, [ADMIN, MEMBER], [MEMBER, STRANGER])[0]
    with pytest.raises(Invalid):
        policy.check_member_kinds(crowd)


def test_members_take_no_unencrypted_handshakes() -> None:
    admin, member, _ = a_group()
    pending = admin.stage_commit(path=True, randomness=random.randbytes, public=True)
    with pytest.raises(Invalid):
        member.receive(pending.commit, policy=policy.MEMBERS)
    private = admin.stage_commit(path=True, randomness=random.randbytes)
    assert isinstance(member.receive(private.commit, policy=policy.MEMBERS), StagedCommit)
