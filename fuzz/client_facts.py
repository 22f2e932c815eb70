"""Fuzz the client machine with facts of any kind in any order, and wishes between them.

A fact never raises, a wish only a `CallerError`; what is stored fits into the database; and a start after all
that finds a home that works.
"""

import typing
from functools import cache
from typing import Any, Final

import msgspec

from fuzz.client_home import Home, copy_of
from fuzz.target import Script, Target, changed, scripts
from skvoz.base.ids import EntryId, GroupId
from skvoz.base.limits import CHUNK_SIZES
from skvoz.client import commands, effects, inputs, recovery
from skvoz.client.commands import AcceptLink, FileToSend, MakeGroupLink, OpenGroupLink, RelayAddress
from skvoz.client.inputs import Entry, Started
from skvoz.client.records import (
    Account,
    Approach,
    Asker,
    Bot,
    Contact,
    Conversation,
    Delivery,
    File,
    Inbox,
    Intent,
    Joining,
    Message,
    SentEntry,
    StagedCommit,
)
from skvoz.client.relay_requests import RETRY_AFTER_MS_MAX
from skvoz.client.step import Step
from skvoz.crypto import sha256
from tests.client.fake_relay import Device, World
from tests.client.people_world import accept, link_of, say

_STEPS_MAX: Final = 12
_POSITION_MAX: Final = 2**63 - 1
_CODES: Final = ("superseded", "denied", "gone", "too_big", "full", "slow", "bad", "moved", "used")
_TEXTS: Final = ("", "привет", " ", "a" * 600, "❤", "a\x00b", "\u202e")
_FACTS: Final = typing.get_args(inputs.Input)
_WISHES: Final = typing.get_args(commands.Command)
_RELAY_KEY: Final = bytes(32)


class Neighbourhood:
    """Anna, who knows Boris and is in a group with both others, opened Vera's links a moment ago."""

    def __init__(self) -> None:
        world = World()
        relay = world.add_relay()
        self.anna, self.boris, self.vera = (
            world.add_device(name, relay) for name in ("anna", "boris", "vera")
        )
        self.anna_link = link_of(self.anna)
        accept(self.anna, link_of(self.boris), "hello")
        world.advance(10_000)
        self.group_id = world.make_group(self.anna, self.boris, self.vera)
        say(self.anna, self.boris.account_id, "to Boris")
        say(self.boris, self.anna.account_id, "to Anna")
        self.vera_link = link_of(self.vera)
        self.group_links = [
            _group_link(self.anna, self.group_id),
            _group_link(self.vera, world.make_group(self.vera)),
        ]
        self.offers = [one.offer for one in self.vera.submitted if isinstance(one, effects.Put) and one.offer]
        self.offers += [
            one.last_package
            for one in self.vera.submitted
            if isinstance(one, effects.Put) and one.last_package and not one.packages
        ]
        self.knock = self._knock_of(self.boris)
        self.anna.go_offline()
        self.anna.do(lambda client_id: AcceptLink(client_id=client_id, link=self.vera_link, text="to Vera"))
        self.anna.do(lambda client_id: OpenGroupLink(client_id=client_id, link=self.group_links[1]))

    def _knock_of(self, device: Device) -> bytes:
        def lose(step: Step) -> None:
            recovery.lose(step, step.conversation(self.group_id))

        device.act(lose)
        return [one.body for one in device.submitted if isinstance(one, effects.Knock)][-1]


def _group_link(admin: Device, group_id: GroupId) -> str:
    made = admin.do(lambda client_id: MakeGroupLink(client_id=client_id, chat_id=group_id))
    admin.world.advance(10_000)
    assert made.link is not None
    return made.link


@cache
def neighbourhood() -> Neighbourhood:
    """Return the one neighbourhood, of which homes are copied."""
    return Neighbourhood()


class Chooser:
    """Chooses values for the fields of facts and wishes by their names: known ones mostly."""

    def __init__(self, script: Script, home: Home) -> None:
        self.script = script
        self.home = home
        self.wishes = 0

    def _ids(self, *where: tuple[type[Any], str]) -> bytes:
        known = {getattr(record, name) for kind, name in where for record in self.home.all(kind)}
        return self.script.choice((*sorted(one for one in known if one), b"?" * 16, bytes(32), b""))

    def entry(self) -> Entry:
        """Return an entry that a relay without keys could make up."""
        script = self.script
        return Entry(
            position=self.position(),
            entry_id=EntryId(self.entry_id()),
            is_closer=bool(script.randrange(2)),
            carry=bool(script.randrange(2)),
            body=script.choice((None, b"", b"junk", bytes(528))),
            next_hash=script.choice((None, bytes(32))),
            segment=script.choice((0, 0, 1, 2)),
        )

    def position(self) -> int:
        """Return a place in a log."""
        return self.script.choice((0, 1, 2, 3, 5, 9, _POSITION_MAX))

    def entry_id(self) -> bytes:
        """Return the id of an entry on its way, mostly."""
        places = (
            (SentEntry, "entry_id"),
            (Intent, "entry_id"),
            (StagedCommit, "entry_id"),
            (Delivery, "entry_id"),
        )
        return self._ids(*places)

    def body(self) -> bytes:
        """Return what a take might be answered with."""
        offer = self.script.choice(neighbourhood().offers)
        return self.script.choice((offer, changed(self.script, offer), b""))

    def knocks(self) -> tuple[tuple[int, bytes], ...]:
        """Return knocks, true or made up."""
        real = neighbourhood().knock
        count = self.script.randrange(1, 3)
        return tuple(
            (self.position(), self.script.choice((real, changed(self.script, real), b"junk")))
            for _ in range(count)
        )

    def value(self, name: str) -> object:
        """Return a value for a field."""
        script = self.script
        choices = {
            "relay_id": lambda: self._ids((Inbox, "relay_id"), (Conversation, "relay_id")),
            "log_id": lambda: self._ids(
                (Inbox, "log_id"), (Conversation, "log_id"), (Approach, "log_id"), (Joining, "log_id")
            ),
            "reason": lambda: script.choice(("spam", "insult", "danger", "other")),
            "thumbnail": lambda: script.choice((b"", b"x", bytes(20_000))),
            "thumbnail_type": lambda: script.choice(("", "image/png", "image/svg+xml")),
            "waveform": lambda: script.choice((b"", bytes(64), bytes(300))),
            "width": lambda: script.choice((-1, 0, 640, 2**31)),
            "height": lambda: script.choice((-1, 0, 480, 2**31)),
            "duration_ms": lambda: script.choice((-1, 0, 3_000, 2**63)),
            "addresses": lambda: script.choice(((), ("wss://relay.invalid",), ("", "ws://10.0.0.1/"))),
            "store_id": lambda: script.choice((bytes(16), b"s" * 16)),
            "public_key": lambda: script.choice((b"", b"relay" * 4, _RELAY_KEY)),
            "key": lambda: self._ids((Conversation, "segment_key"), (Inbox, "owner_key")),
            "segment_open": lambda: bool(script.randrange(2)),
            "entries": lambda: tuple(self.entry() for _ in range(script.randrange(3))),
            "entry_id": self.entry_id,
            "code": lambda: script.choice(_CODES),
            "retry_after_ms": lambda: script.choice((0, 1, 60_000, RETRY_AFTER_MS_MAX)),
            "request": lambda: script.choice(("OpenLog", "Attach", "Put", "Knock", "Trim", "DropLog", "?")),
            "knocks": self.knocks,
            "taker": lambda: self._ids((Approach, "taker")),
            "kind": lambda: script.choice(("package", "last", "offer")),
            "body": self.body,
            "chat_id": lambda: self._ids((Conversation, "chat_id")),
            "account_id": self._account,
            "member": self._account,
            "members": lambda: tuple(self._account() for _ in range(script.randrange(3))),
            "message_id": lambda: self._ids((Message, "message_id")),
            "reply_to": lambda: script.choice((None, self._ids((Message, "message_id")))),
            "mentions": lambda: (),
            "files": lambda: tuple(FileToSend(file_id=self._file()) for _ in range(script.randrange(3))),
            "file_id": self._file,
            "file_key": lambda: bytes(32),
            "sha256": lambda: bytes(32),
            "size": lambda: script.choice((-1, 0, 1, 2**31, 2**31 + 1)),
            "chunk_size": lambda: script.choice((0, *CHUNK_SIZES)),
            "media_type": lambda: script.choice(("image/png", "?")),
            "bot_id": lambda: self._ids((Bot, "bot_id")),
            "token_hash": lambda: self._ids((Bot, "token_hash")),
            "chats": lambda: script.choice((None, (), (self._ids((Conversation, "chat_id")),))),
            "relay": lambda: RelayAddress(public_key=_RELAY_KEY, addresses=("wss://relay.invalid",)),
            "link": self._link,
            "reports_enabled": lambda: script.choice((None, True, False)),
            "options": lambda: script.choice(((), ("a", "b"), ("a", "a"), tuple(map(str, range(13))))),
            "choices": lambda: script.choice(((), (0,), (0, 1), (1, 0), (-1,), (12,))),
            "latitude_e7": lambda: script.choice((0, 900_000_000, -900_000_001, 2**63)),
            "longitude_e7": lambda: script.choice((0, -1_800_000_000, 1_800_000_001)),
            "expiry_s": lambda: script.choice((None, 0, 1, 60, 2**31, -1, 2**63)),
        }
        if name in choices:
            return choices[name]()
        if name in {
            "text",
            "title",
            "name",
            "own_name",
            "emoji",
            "phrase",
            "note",
            "label",
            "description",
            "question",
        }:
            return script.choice(_TEXTS)
        if name in {"through", "head", "position"}:
            return self.position()
        return bool(script.randrange(2))

    def _file(self) -> bytes:
        known = {file.file_id for file in self.home.all(File)}
        return self.script.choice((*sorted(known), bytes(16), b"f" * 16))

    def _account(self) -> bytes:
        return self._ids((Contact, "account_id"), (Account, "account_id"), (Asker, "account_id"))

    def _link(self) -> str:
        known = neighbourhood()
        link = script_text(self.script, known.vera_link)
        return self.script.choice((known.vera_link, known.anna_link, *known.group_links, link, "skvoz:"))

    def fact(self) -> inputs.Input:
        """Return a fact."""
        kind = self.script.choice(_FACTS)
        return kind(**{name: self.value(name) for name in kind.__struct_fields__})

    def _fitting(self, field: msgspec.structs.FieldInfo) -> object:
        """Return a value for a field of a wish; where nothing is known of it, one of its type."""
        value = self.value(field.name)
        try:
            return msgspec.convert(value, field.type, builtin_types=(bytes,))
        except msgspec.ValidationError:
            pass
        for simple in (b"", "", 0, ()):
            try:
                return msgspec.convert(simple, field.type, builtin_types=(bytes,))
            except msgspec.ValidationError:
                continue
        return value

    def wish(self) -> commands.Command:
        """Return a wish."""
        kind = self.script.choice(_WISHES)
        self.wishes += 1
        fields = {
            one.name: self._fitting(one) for one in msgspec.structs.fields(kind) if one.name != "client_id"
        }
        return kind(client_id=str(self.wishes - (self.script.randrange(16) == 1)), **fields)


def script_text(script: Script, text: str) -> str:
    """Return a text with some of its bytes changed."""
    return changed(script, text.encode()).decode(errors="replace")


def run(data: bytes) -> None:
    """Tell Anna's home what the input says."""
    script = Script(data)
    home = copy_of(neighbourhood().anna)
    home.attach_everywhere()
    chooser = Chooser(script, home)
    for _ in range(_STEPS_MAX):
        if script.is_over:
            break
        if script.randrange(4) == 0:
            home.command(chooser.wish())
        else:
            home.handle(chooser.fact())
        if script.randrange(6) == 0:
            home.now_ms += script.choice((1, 5_000, 3_600_000, 40 * 24 * 3_600_000))
            home.handle(inputs.TimePassed())
    home.machine.forget()
    home.handle(Started())
    if sha256(_RELAY_KEY) in {one.relay_id for one in home.all(Inbox)}:
        raise AssertionError("an inbox moved to another relay")


def make() -> Target:
    """Return the target."""
    neighbourhood()
    return Target(run=run, seeds=scripts(80, 200), refusals=())
