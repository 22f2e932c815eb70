"""How a device that is lost asks the way, and who hears it."""

from typing import cast

import msgspec
import pytest
from msgspec.structs import replace

from skvoz.base.errors import Invalid, PeerError
from skvoz.base.ids import GroupId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.client import invitations, knocks, policy, recovery
from skvoz.client.commands import RemoveMember
from skvoz.client.conversation_info import ConversationInfo
from skvoz.client.effects import Knock
from skvoz.client.inputs import (
    KnocksRead,
)
from skvoz.client.records import (
    ConversationKind,
    ConversationState,
    KeyPackageSecret,
    KnockHeard,
    Relay,
)
from skvoz.client.step import Step
from skvoz.codec import opaque, pad
from skvoz.crypto import DEFAULT_SUITE, SUITES, ZERO_NONCE, hkdf_sha256, seal, sign_labeled
from skvoz.mls import Extensions, Group, Remove
from skvoz.wire.frames import KNOCK_SIZE_MAX
from tests.client.fake_relay import Device, World
from tests.client.test_closers import assert_one_epoch
from tests.client.test_outbox import group_of

HOUR_MS = 3600 * 1000


def test_the_same_knock_is_repeated_for_two_days() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(24 * HOUR_MS)
    boris.restart()
    world.advance(23 * HOUR_MS)
    assert len({one.body for one in boris.submitted if isinstance(one, Knock)}) == 1
    world.advance(7 * HOUR_MS)
    assert len({one.body for one in boris.submitted if isinstance(one, Knock)}) == 2


def test_only_a_members_own_signed_knock_is_heard() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    group = anna.group(group_id)
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in vera.submitted if isinstance(one, Knock)]
    heard = knocks.read(group, 1, knock.body)
    assert heard.leaf == vera.conversation(group_id).own_leaf
    for place in (0, 20, len(knock.body) - 1):
        damaged = bytearray(knock.body)
        damaged[place] ^= 1
        with pytest.raises(PeerError):
            knocks.read(group, 1, bytes(damaged))
    devices[0].do(
        lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=vera.account_id)
    )
    world.advance(5_000)
    with pytest.raises(PeerError):
        knocks.read(anna.group(group_id), 1, knock.body)


def knock_of(
    device: Device,
    group_id: GroupId,
    *,
    extensions: Extensions | None = None,
    recipient: bytes | None = None,
    key_package: bytes | None = None,
) -> bytes:
    """Return a knock as `docs/protocol` has it, signed by a device, with parts of it exchanged."""

    def make(step: Step) -> bytes:
        wanted = policy.return_extensions(group_id) if extensions is None else extensions
        own_package, own_recipient = invitations.fresh_key_package(step, wanted)
        offered, to = key_package or own_package, recipient or own_recipient
        content = opaque(group_id) + opaque(offered) + opaque(to)
        signature = sign_labeled(step.account().device_private_key, "knock", content)
        plain = b"\x01" + opaque(offered) + opaque(to) + signature
        knock_key = policy.info_of(step.group(group_id)).knock_key
        salt = step.randomness(16)
        key = hkdf_sha256(knock_key, salt=salt, info=b"skvoz knock 1" + group_id, length=32)
        return salt + seal(key, ZERO_NONCE, b"", pad(plain))

    return device.act(make)


def hear(device: Device, group_id: GroupId, *bodies: bytes) -> None:
    conversation = device.conversation(group_id)
    knocks = tuple(enumerate(bodies, 1))
    device.handle(KnocksRead(relay_id=conversation.relay_id, log_id=conversation.log_id, knocks=knocks))


def test_a_knock_names_the_group_and_its_own_person() -> None:
    _, devices, group_id = group_of(3)
    anna, boris, vera = devices
    group = anna.group(group_id)
    assert knocks.read(group, 1, knock_of(vera, group_id)).leaf == vera.conversation(group_id).own_leaf
    to_boris = boris.act(invitations.fresh_key_package)[1]
    of_boris = boris.act(
        lambda step: invitations.fresh_key_package(step, policy.return_extensions(group_id))
    )[0]
    for wrong in (
        knock_of(vera, group_id, extensions=()),
        knock_of(vera, group_id, extensions=policy.return_extensions(b"another")),
        knock_of(vera, group_id, recipient=to_boris),
        knock_of(vera, group_id, key_package=of_boris),
    ):
        with pytest.raises(PeerError):
            knocks.read(group, 1, wrong)
    with pytest.raises(Invalid):
        knocks.read(group, 1, knock_of(vera, group_id), now_ms=anna.world.now_ms + 90 * 24 * HOUR_MS)


def test_who_was_taken_in_again_under_another_leaf_is_still_heard() -> None:
    world, devices, group_id = group_of(4)
    anna, boris, _, gleb = devices
    lost = gleb.group(group_id)
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.advance(5_000)
    gleb.go_offline()
    hear(anna, group_id, knock_of(gleb, group_id))
    world.advance(5_000)
    present = anna.group(group_id)
    [leaf] = policy.accounts_of(present)[gleb.account_id]
    assert leaf != lost.own_leaf_index
    assert knocks.read(present, 2, knock_of(gleb, group_id)).leaf == leaf


def test_a_knock_that_was_answered_before_does_not_keep_its_device_out() -> None:
    world, devices, group_id = group_of(3)
    anna, _, vera = devices
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in vera.submitted if isinstance(one, Knock)]
    world.advance(30_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    hear(anna, group_id, knock.body)
    world.advance(60_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)
    assert len([one for one in vera.submitted if isinstance(one, Knock)]) > 1


def test_one_knock_that_can_not_be_answered_keeps_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    world, devices, group_id = group_of(4)
    anna, boris, vera, _ = devices
    real = Group.stage_commit
    spoiled = boris.conversation(group_id).own_leaf

    def staging(self: Group, **named: object) -> object:
        if Remove(spoiled) in cast("list[object]", named["proposals"]):
            raise Invalid("a key is in use already")
        return real(self, **named)  # type: ignore[arg-type] # passed on as they came

    monkeypatch.setattr(Group, "stage_commit", staging)
    vera.go_offline()
    hear(anna, group_id, knock_of(boris, group_id), knock_of(vera, group_id))
    before = anna.conversation(group_id).epoch
    world.advance(5_000)
    assert anna.conversation(group_id).epoch > before
    assert vera.conversation(group_id).own_leaf not in [one.leaf for one in anna.all(KnockHeard)]


def test_the_longest_knock_is_one_that_a_relay_takes() -> None:
    world = World()
    world.environment = replace(world.environment, suite=SUITES[DEFAULT_SUITE])
    relay = world.add_relay()
    anna, boris = world.add_device("anna", relay), world.add_device("boris", relay)
    longest = tuple(f"wss://{'x' * 248}/{number}" for number in range(8))
    assert {len(address) for address in longest} == {ADDRESS_SIZE_MAX}

    def lengthen(step: Step) -> None:
        present = step.transaction.get(Relay, step.account().home_relay_id)
        assert present is not None
        step.transaction.put(msgspec.structs.replace(present, addresses=longest))

    boris.act(lengthen)
    group_id = world.make_group(anna, boris)
    boris.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    [knock] = [one for one in boris.submitted if isinstance(one, Knock)]
    assert len(knock.body) <= KNOCK_SIZE_MAX
    assert knocks.read(anna.group(group_id), 1, knock.body)


def test_knock_and_door_keys_are_different_secrets() -> None:
    info = ConversationInfo(
        kind=ConversationKind.GROUP,
        title="",
        admins=(),
        door_secret=bytes(range(32)),
        places=(),
        message_expiry_s=0,
    )
    assert len({info.door_key, info.knock_key, bytes(range(32))}) == 3


def test_key_packages_of_knocks_are_not_kept_for_ever() -> None:
    world, devices, group_id = group_of(3)
    vera = devices[2]
    before = len(vera.all(KeyPackageSecret))
    vera.act(lambda step: recovery.lose(step, step.conversation(group_id)))
    world.advance(30_000)
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert len(vera.all(KeyPackageSecret)) <= before
