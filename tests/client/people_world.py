"""What tests about people share: devices, links, and mail that can be opened, changed and posted."""

from collections.abc import Callable
from typing import TypeVar

from skvoz.base.ids import AccountId, EntryId, LogId, MessageId
from skvoz.client.commands import AcceptLink, CreateLink, SendMessage
from skvoz.client.effects import Append, Channel
from skvoz.client.events import EventBase
from skvoz.client.inbox_mail import INVITATION, open_mail, seal_mail
from skvoz.client.inboxes import DROPPED_COUNTER
from skvoz.client.inputs import EntriesRead, Entry
from skvoz.client.records import Contact, Counter, Inbox, InboxKind, Message
from tests.client.fake_relay import Device, World

E = TypeVar("E", bound=EventBase)


def pair() -> tuple[World, Device, Device]:
    """Return a world with Anna and Boris, who don't know each other, at one relay."""
    world = World()
    relay = world.add_relay()
    return world, world.add_device("anna", relay), world.add_device("boris", relay)


def link_of(device: Device, *, lasting: bool = False) -> str:
    answer = device.do(lambda client_id: CreateLink(client_id=client_id, lasting=lasting))
    device.world.settle()
    assert answer.link is not None
    return answer.link


def accept(device: Device, link: str, text: str | None = None) -> bytes:
    answer = device.do(lambda client_id: AcceptLink(client_id=client_id, link=link, text=text))
    device.world.settle()
    assert answer.chat_id is not None
    return answer.chat_id


def friends(text: str | None = None) -> tuple[World, Device, Device]:
    """Return Anna, who came through a link of Boris's, and Boris."""
    world, anna, boris = pair()
    accept(anna, link_of(boris), text)
    world.advance(10_000)
    return world, anna, boris


def say(device: Device, chat_id: bytes, text: str) -> MessageId:
    answer = device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=chat_id, text=text))
    device.world.settle()
    assert answer.message_id is not None
    return answer.message_id


def contact(device: Device, account_id: AccountId) -> Contact:
    [found] = [one for one in device.all(Contact) if one.account_id == account_id]
    return found


def message(device: Device, message_id: MessageId) -> Message:
    [found] = [one for one in device.all(Message) if one.message_id == message_id]
    return found


def inbox(device: Device, kind: InboxKind) -> Inbox:
    [found] = [one for one in device.all(Inbox) if one.kind is kind and not one.replaced]
    return found


def events(device: Device, kind: type[E]) -> list[E]:
    return [event for event in device.events if isinstance(event, kind)]


def dropped(device: Device) -> int:
    return sum(one.value for one in device.all(Counter) if one.name == DROPPED_COUNTER)


def posted(device: Device) -> list[Append]:
    """Return what a device put into other people's inboxes."""
    return [one for one in device.submitted if isinstance(one, Append) and one.channel is Channel.POST]


def opened(owner: Device, box: Inbox, mail: bytes) -> bytes:
    """Return the content of mail in an inbox, as its owner reads it."""
    kind, content = open_mail(
        owner.world.environment.suite,
        private_key=box.private_key,
        inbox_id=box.log_id,
        recipient=owner.account_id,
        mail=mail,
    )
    assert kind == INVITATION
    return content


def sealed(
    owner: Device,
    box: Inbox,
    content: bytes,
    *,
    kind: int = INVITATION,
    inbox_id: LogId | None = None,
    recipient: AccountId | None = None,
) -> bytes:
    """Seal content for an inbox, or for another id or recipient under its key."""
    return seal_mail(
        owner.world.environment.suite,
        public_key=box.public_key,
        inbox_id=inbox_id or box.log_id,
        recipient=recipient or owner.account_id,
        kind=kind,
        content=content,
        randomness=owner.world.environment.randomness,
    )


def put_in(owner: Device, box: Inbox, *mails: bytes) -> None:
    """Let mail lie in an inbox."""
    [present] = [one for one in owner.all(Inbox) if one.log_id == box.log_id]
    entries = tuple(
        Entry(
            position=present.cursor + number,
            entry_id=EntryId(owner.world.random.randbytes(16)),
            is_closer=False,
            carry=False,
            body=mail,
        )
        for number, mail in enumerate(mails, 1)
    )
    owner.handle(EntriesRead(relay_id=box.relay_id, log_id=box.log_id, entries=entries))
    owner.world.settle()


def intercepted(sender: Device, owner: Device, work: Callable[[], object]) -> list[bytes]:
    """Do something of which the mail is held back from `owner`, and return that mail."""
    before = len(posted(sender))
    owner.online = False
    work()
    sender.world.settle()
    return [one.body for one in posted(sender)[before:]]
