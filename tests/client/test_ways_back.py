"""Welcomes into conversations that were lost, and into others under their ids."""

import msgspec
import pytest

from skvoz.base.ids import AccountId, GroupId, LogId
from skvoz.client import invitations, policy, recovery
from skvoz.client.conversation_info import ConversationInfo, RoomPlace
from skvoz.client.records import (
    ContactState,
    Conversation,
    ConversationKind,
    ConversationState,
    InboxKind,
    Relay,
)
from skvoz.client.step import Step
from skvoz.crypto import KeyPair
from skvoz.mls import Add, Group, Lifetime, parse_key_package
from tests.client.fake_relay import Device, World
from tests.client.people_world import (
    accept,
    contact,
    dropped,
    friends,
    inbox,
    intercepted,
    link_of,
    put_in,
)
from tests.client.test_outbox import group_of


def lost_group() -> tuple[World, Device, Device, Device, GroupId]:
    """Return Anna, Boris and Vera, who can't follow their group any more and was heard by nobody."""
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    anna.go_offline()
    boris.go_offline()
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.settle()
    return world, anna, boris, vera, group_id


def another_group(
    step: Step, of: Conversation, key_package: bytes, *, log_id: LogId | None = None, direct_with: bytes = b""
) -> bytes:
    """Return a Welcome into a group of one's own making that bears a known id."""
    account = step.account()
    relay = step.transaction.get(Relay, account.home_relay_id)
    assert relay is not None
    info = ConversationInfo(
        kind=ConversationKind.DIRECT if direct_with else ConversationKind.GROUP,
        title="",
        admins=tuple(
            sorted({account.account_id, AccountId(direct_with)} if direct_with else {account.account_id})
        ),
        door_secret=bytes(32),
        places=(RoomPlace(relay_id=of.relay_id, addresses=relay.addresses, log_id=log_id or of.log_id),),
        message_expiry_s=0,
    )
    group = Group.create(
        step.environment.suite,
        of.group_id,
        account.device_certificate,
        KeyPair(private_key=account.device_private_key, public_key=account.device_public_key),
        lifetime=Lifetime(not_before=0, not_after=2**40),
        capabilities=policy.capabilities(step.environment.suite),
        extensions=policy.extensions_of(info),
        randomness=step.randomness,
    )
    for _ in range(20):  # into a later epoch than any that its victim knows
        group = group.stage_commit(path=True, randomness=step.randomness).next
    pending = group.stage_commit(proposals=[Add(parse_key_package(key_package))], randomness=step.randomness)
    assert pending.welcome is not None
    return pending.welcome


def test_a_group_does_not_take_the_place_of_a_person() -> None:
    """A chat with a person goes by the account's id, one with a group by the group's."""
    world, anna, boris = friends()
    mallory = world.add_device("mallory", next(iter(world.relays.values())))
    accept(mallory, link_of(boris))
    world.advance(10_000)
    assert contact(boris, mallory.account_id).state is ContactState.ACCEPTED
    model = mallory.conversation()
    key_package, recipient = boris.act(invitations.fresh_key_package)
    before = sorted(one.group_id for one in boris.all(Conversation))
    for group_id, is_taken in ((GroupId(anna.account_id), False), (GroupId(b"n" * 16), True)):
        of = msgspec.structs.replace(model, group_id=group_id, log_id=LogId(b"l" * 16))
        refused = dropped(boris)

        def send(step: Step, of: Conversation = of) -> None:
            invitations.deliver(step, of, another_group(step, of, key_package), [recipient])

        mallory.act(send)
        world.settle()
        assert dropped(boris) == refused + (not is_taken)
        assert (len(boris.all(Conversation)) == len(before)) == (not is_taken)


def test_only_members_and_who_heard_the_knock_lead_back() -> None:
    world, _, _, vera, group_id = lost_group()
    mallory = world.add_device("mallory", next(iter(world.relays.values())))
    world.settle()
    known = vera.conversation(group_id)
    key_package, recipient = vera.act(invitations.fresh_key_package)
    before = dropped(vera)

    def send(step: Step) -> None:
        welcome = another_group(step, known, key_package)
        invitations.deliver(step, known, welcome, [recipient])

    mallory.act(send)
    world.settle()
    assert dropped(vera) == before + 1
    assert vera.conversation(group_id).state is ConversationState.LOST


@pytest.mark.parametrize("what", ["log", "kind", "nothing"])
def test_a_way_back_leads_to_the_same_log_and_kind(what: str) -> None:
    _, anna, _, vera, group_id = lost_group()
    known = vera.conversation(group_id)
    key_package, recipient = vera.act(
        lambda step: invitations.fresh_key_package(step, policy.return_extensions(group_id))
    )
    before = dropped(vera)

    def send(step: Step) -> None:
        welcome = another_group(
            step,
            known,
            key_package,
            log_id=LogId(b"l" * 16) if what == "log" else None,
            direct_with=vera.account_id if what == "kind" else b"",
        )
        invitations.deliver(step, known, welcome, [recipient])

    anna.go_online()
    [mail] = intercepted(anna, vera, lambda: anna.act(send))
    put_in(vera, inbox(vera, InboxKind.CONTACTS), mail)
    assert dropped(vera) == before + (what != "nothing")
    assert vera.conversation(group_id).kind is ConversationKind.GROUP
    assert (vera.conversation(group_id).state is ConversationState.LOST) == (what != "nothing")
