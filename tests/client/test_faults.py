"""Random faults: crashes, lost answers, absence, junk closers; and yet everybody has everything, once."""

from collections.abc import Callable
from random import Random

import pytest

from skvoz.base.ids import GroupId
from skvoz.client import commits
from skvoz.client.commands import RenameGroup
from skvoz.client.inputs import Attached, EntryRefused, EntryStored, Input
from skvoz.client.records import ConversationState, Intent, Message
from tests.client.fake_relay import Device
from tests.client.test_closers import post_junk
from tests.client.test_outbox import group_of, say

STEPS = 100
_ANSWERS = (EntryStored, EntryRefused, Attached)


def losing(random: Random) -> Callable[[Input], bool]:
    """Return a filter that loses some answers."""
    share = random.random()

    def swallow(fact: Input) -> bool:
        return isinstance(fact, _ANSWERS) and random.random() < share

    return swallow


def misfortune(random: Random, device: Device, group_id: GroupId, number: int) -> None:
    world = device.world
    match random.choices(
        ["crash", "restart", "leave", "return", "lose", "heal", "update", "rename", "junk", "wait"],
        [14, 12, 12, 16, 12, 12, 12, 6, 2, 6],
    )[0]:
        case "crash":
            device.crash_before_effects = True
        case "restart":
            device.restart()
        case "leave":
            device.go_offline()
        case "return":
            device.go_online()
        case "lose":
            device.swallow = losing(random)
        case "heal":
            device.swallow = lambda _: False
        case "update":
            device.act(lambda step: commits.update(step, group_id))
        case "rename":
            if device.name == "device0":
                device.do(
                    lambda client_id: RenameGroup(
                        client_id=client_id, chat_id=group_id, title=f"title {number}"
                    )
                )
        case "junk":
            post_junk(device, group_id, carry=random.random() < 0.5)
        case _:
            world.advance(random.choice([500, 5_000, 60_000, 3_600_000]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_everybody_has_every_message_once(seed: int) -> None:
    world, devices, group_id = group_of(3)
    random = Random(seed)
    said: list[str] = []
    for number in range(STEPS):
        device = random.choice(devices)
        if random.random() < 0.45:
            said.append(f"message {number}")
            say(device, group_id, said[-1])
        else:
            misfortune(random, device, group_id, number)
        for _ in range(random.randrange(6)):
            random.choice(devices).turn()
    for device in devices:
        device.swallow = lambda _: False
        device.crash_before_effects = False
        device.go_online()
        device.restart()
    world.advance(2 * 3_600_000)
    for device in devices:
        texts = [one.text for one in device.all(Message) if one.group_id == group_id]
        assert sorted(texts) == sorted(said)
        assert not device.all(Intent)
        assert device.conversation(group_id).state is ConversationState.ACTIVE
    assert len({device.group(group_id).epoch_authenticator for device in devices}) == 1
    bodies: dict[bytes, bytes] = {}
    for device in devices:
        for effect in device.submitted:
            body, entry_id = getattr(effect, "body", None), getattr(effect, "entry_id", None)
            if body is not None and entry_id is not None:
                assert bodies.setdefault(entry_id, body) == body
