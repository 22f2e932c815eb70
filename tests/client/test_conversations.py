"""Two people, and then groups, over a relay in memory."""

from skvoz.client.commands import AcceptLink, CreateLink, SendMessage
from skvoz.client.records import ConversationState, Intent, Message, MessageState
from tests.client.fake_relay import Device, World


def befriend(asker: Device, owner: Device, text: str | None = None) -> None:
    link = owner.do(lambda client_id: CreateLink(client_id=client_id)).link
    assert link is not None
    owner.world.settle()
    asker.do(lambda client_id: AcceptLink(client_id=client_id, link=link, text=text))
    owner.world.settle()


def say(device: Device, chat_id: bytes, text: str) -> None:
    device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=chat_id, text=text))


def test_two_people_talk_both_ways() -> None:
    world = World()
    relay = world.add_relay()
    anna, boris = world.add_device("anna", relay), world.add_device("boris", relay)
    befriend(anna, boris, "hello")
    assert boris.texts() == ["hello"]
    say(boris, anna.account_id, "hi")
    world.settle()
    assert anna.texts() == ["hello", "hi"]
    world.advance(60_000)
    say(anna, boris.account_id, "how are you?")
    say(boris, anna.account_id, "fine")
    world.advance(10_000)
    assert sorted(anna.texts()) == sorted(boris.texts()) == ["fine", "hello", "hi", "how are you?"]
    assert not anna.all(Intent)
    assert not boris.all(Intent)
    assert {message.state for message in anna.all(Message)} <= {MessageState.DELIVERED, MessageState.RECEIVED}
    assert anna.conversation().state is ConversationState.ACTIVE
    assert anna.conversation().epoch == boris.conversation().epoch
