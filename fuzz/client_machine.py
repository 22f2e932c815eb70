"""Fuzz the whole client machine: entries of a malicious member, and mail of whoever holds a link.

Nothing escapes; what is refused leaves everything but counts and cursors as it was; and an honest message
or invitation after all that is taken as if nothing had been.
"""

from functools import cache
from typing import Final

from msgspec.structs import replace

from fuzz.client_home import Changes, copy_of
from fuzz.content import seeds as contents
from fuzz.target import Script, Target, changed, scripts
from skvoz.base.ids import EntryId
from skvoz.client import closers, envelope, epochs, policy
from skvoz.client.inbox_mail import seal_mail
from skvoz.client.inputs import EntriesRead, Entry, TimePassed
from skvoz.client.records import (
    Closer,
    Conversation,
    ConversationState,
    Counter,
    Inbox,
    MailPart,
    Message,
)
from skvoz.codec import Reader, opaque, uint8, uint16, vector
from skvoz.content import Text, encode, to_content
from skvoz.mls import Add, Group, GroupContextExtensions, Proposal, Remove, SelfRemove
from tests.client.people_world import opened
from tests.client.test_outbox import group_of
from tests.client.test_policy import STRANGER, bundle_of
from tests.client.test_welcomes import invited, whole
from tests.mls.people import say
from tests.mls.synthetic_tree import Counter as Bytes

_STEPS_MAX: Final = 8
_QUIET: Final = (Counter, Inbox, MailPart)
"""All that a dropped mail may change."""


# A malicious member


class Room:
    """A group of three; its second member is malicious, and its third one's home is what is looked at."""

    def __init__(self) -> None:
        self.world, self.devices, self.group_id = group_of(3)
        self.world.advance(60_000)
        self.sender = self.devices[1].group(self.group_id)
        self.victim = self.devices[2]


@cache
def _room() -> Room:
    return Room()


class MaliciousMember:
    """Writes entries with the keys of an honest member of the epoch, but without its rules."""

    def __init__(self, script: Script) -> None:
        room = _room()
        self.script = script
        self.group: Group = room.sender
        self.group_id = room.group_id
        self.home = copy_of(room.victim)
        self.home.attach_everywhere()
        self.random = Bytes("fuzz member")
        self.has_closed = False
        self.written = 0

    def conversation(self) -> Conversation:
        """Return what the victim knows of the room."""
        [found] = [one for one in self.home.all(Conversation) if one.group_id == self.group_id]
        return found

    def content(self) -> bytes:
        """Return what a message might say."""
        seed = self.script.choice(contents())
        return changed(self.script, seed) if self.script.randrange(4) else seed

    def proposal(self) -> Proposal:
        """Return a change of the group that this member may or may not make."""
        script = self.script
        info = policy.info_of(self.group)
        match script.randrange(5):
            case 0:
                return Remove(script.randrange(4))
            case 1:
                return Add(bundle_of(STRANGER).key_package)
            case 2:
                return SelfRemove()
            case 3:
                title = replace(info, title=script.choice(("", "new", "x" * 600)))
                return GroupContextExtensions(policy.extensions_of(title))
            case _:
                extensions = policy.extensions_of(info)
                spoiled = changed(script, extensions[-1].data)
                return GroupContextExtensions((*extensions[:-1], replace(extensions[-1], data=spoiled)))

    def application(self) -> bytes:
        """Return a message in the epoch's envelope that is not a closer's."""
        match self.script.randrange(6):
            case 0:
                message = say(self.group, self.proposal())
            case 1:
                self.group, message = self.group.protect(self.content(), randomness=self.random)
                message = changed(self.script, message)
            case _:
                self.group, message = self.group.protect(self.content(), randomness=self.random)
        return message

    def closer(self) -> tuple[bytes, bytes]:
        """Return the content of a closer's envelope, and the hash of the segment that it opens."""
        script = self.script
        self.has_closed = True
        proposals = [self.proposal() for _ in range(script.randrange(3))]
        commit, next_hash = b"junk", bytes(32)
        try:
            pending = self.group.stage_commit(randomness=self.random, proposals=proposals, path=True)
        except Exception:  # noqa: BLE001  # not even our own code makes this one
            commit = say(self.group, self.proposal())
        else:
            commit = pending.commit
            if script.randrange(4):
                next_hash = envelope.segment_hash(epochs.access_key(pending.next))
        before = [say(self.group, self.proposal()) for _ in range(script.randrange(3) // 2)]
        content = closers.pack(before, commit)
        return (changed(script, content) if script.randrange(4) == 0 else content), next_hash

    def entry(self, content: bytes, *, closer: bool = False, next_hash: bytes | None = None) -> Entry:
        """Seal something as the room's next entry."""
        self.written += 1
        conversation = self.conversation()
        identity = EntryId(self.written.to_bytes(16))
        kind = envelope.CLOSER if closer else envelope.APPLICATION
        secret = self.group.export(envelope.ENVELOPE_LABEL, b"", envelope.SECRET_SIZE)
        return Entry(
            position=conversation.cursor + 1,
            entry_id=identity,
            is_closer=closer,
            carry=False,
            body=envelope.seal_entry(self.group.suite, secret, identity, kind, content or b"\x00"),
            next_hash=next_hash,
            segment=max(conversation.segment, 0),
        )

    def spoiled(self, entry: Entry) -> Entry:
        """Return an entry as a relay could hand it over that has no keys."""
        script = self.script
        match script.randrange(6):
            case 0:
                return replace(entry, body=changed(script, entry.body or b""))
            case 1:
                return replace(entry, is_closer=not entry.is_closer)
            case 2:
                return replace(entry, body=None)
            case 3:
                return replace(entry, segment=script.choice((0, 1, 7, 2**63 - 1)))
            case 4:
                return replace(entry, position=script.choice((0, entry.position + 5)))
            case _:
                return replace(entry, next_hash=script.choice((None, b"", bytes(32))))

    def step(self) -> None:
        """Have the victim read something."""
        script = self.script
        if script.randrange(4) == 0:
            content, next_hash = self.closer()
            entry = self.entry(content, closer=True, next_hash=next_hash)
        else:
            entry = self.entry(self.application())
        if script.randrange(5) == 0:
            entry = self.spoiled(entry)
            self.has_closed = self.has_closed or entry.is_closer or entry.position > 2**32
        self.read(entry)
        if script.randrange(6) == 0:
            self.home.now_ms += script.choice((1, 5_000, 3_600_000, 40 * 24 * 3_600_000))
            self.home.handle(TimePassed())

    def read(self, *entries: Entry) -> Changes:
        """Hand entries to the victim."""
        conversation = self.conversation()
        fact = EntriesRead(relay_id=conversation.relay_id, log_id=conversation.log_id, entries=entries)
        return self.home.handle(fact)

    def say_honestly(self) -> None:
        """Say something as an honest member would: it is taken, unless the epoch was closed."""
        if self.has_closed or self.conversation().state is not ConversationState.ACTIVE:
            return
        before = len(self.home.all(Message))
        content = encode(to_content(Text(text="честно"), salt=self.random(16), sent_at_ms=self.home.now_ms))
        self.group, message = self.group.protect(content, randomness=self.random)
        self.read(self.entry(message))
        if len(self.home.all(Message)) != before + 1:
            raise AssertionError("an honest message was not taken any more")
        if self.home.all(Closer):
            raise AssertionError("an entry was taken for a closer")


def _entries(data: bytes) -> None:
    member = MaliciousMember(Script(data))
    for _ in range(_STEPS_MAX):
        if member.script.is_over:
            break
        member.step()
    member.say_honestly()


def entries() -> Target:
    """Return the target of what a member may write into a room."""
    _room()
    return Target(run=_entries, seeds=scripts(40, 200), refusals=())


# Mail of strangers


class Letterbox:
    """Boris's single-use link, and what Anna sent to it, before he read it."""

    def __init__(self) -> None:
        _, _, self.boris, self.box, self.mail = invited()
        self.content = opened(self.boris, self.box, self.mail)
        self.invitation = whole(self.content)
        reader = Reader(self.invitation)
        reader.uint8()
        self.card, self.address, self.welcome = reader.opaque(), reader.opaque(), reader.opaque()


@cache
def _letterbox() -> Letterbox:
    return Letterbox()


class Stranger:
    """Puts anything into an inbox whose link it holds."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.letterbox = _letterbox()
        self.home = copy_of(self.letterbox.boris)
        self.home.attach_everywhere()

    def invitation(self) -> bytes:
        """Return an invitation with some of its fields changed."""
        script, letterbox = self.script, self.letterbox
        if script.randrange(3) == 0:
            return changed(script, letterbox.invitation)
        fields = [letterbox.card, letterbox.address, letterbox.welcome]
        which = script.randrange(4)
        if which < 3:
            fields[which] = changed(script, fields[which])
        members = [
            changed(script, letterbox.card) if script.randrange(2) else letterbox.card
        ] * script.randrange(3)
        return uint8(1) + b"".join(map(opaque, fields)) + vector(map(opaque, members))

    def parts(self) -> list[bytes]:
        """Return the parts of an invitation, numbered rightly or not, in some order."""
        script, data = self.script, self.invitation()
        count = script.choice((1, 1, 1, 2, 3))
        size = -(-len(data) // count) or 1
        identity = script.choice((b"i" * 16, b"j" * 16))
        pieces = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
        made = [
            identity + uint16(number) + uint16(len(pieces)) + opaque(piece)
            for number, piece in enumerate(pieces)
        ]
        if script.randrange(3) == 0:
            spoiled = script.randrange(len(made))
            made[spoiled] = changed(script, made[spoiled][:20]) + made[spoiled][20:]
        if script.randrange(3) == 0:
            made.reverse()
        return made

    def post(self, content: bytes, kind: int = 1) -> Changes:
        """Seal something for the inbox, and have Boris read it."""
        box = self.letterbox.box
        mail = seal_mail(
            self.home.environment.suite,
            public_key=box.public_key,
            inbox_id=box.log_id,
            recipient=self.letterbox.boris.account_id,
            kind=kind,
            content=content,
            randomness=Bytes("fuzz mail"),
        )
        return self.deliver(changed(self.script, mail) if self.script.randrange(8) == 0 else mail)

    def deliver(self, mail: bytes) -> Changes:
        """Have Boris read mail, whatever it is."""
        boxes: list[Inbox] = [one for one in self.home.all(Inbox) if one.log_id == self.letterbox.box.log_id]
        position = boxes[0].cursor + 1 if boxes else 1
        entry = Entry(position=position, entry_id=EntryId(bytes(16)), is_closer=False, carry=False, body=mail)
        box = self.letterbox.box
        return self.home.handle(EntriesRead(relay_id=box.relay_id, log_id=box.log_id, entries=(entry,)))

    def step(self) -> None:
        """Post something; what leads to no conversation changes nothing else."""
        for part in self.parts():
            kind = 1 if self.script.randrange(16) else self.script.randrange(256)
            changes = self.post(part, kind)
            if not self.home.all(Conversation):
                loud = [one.__name__ for one, _, _ in changes if not issubclass(one, _QUIET)]
                if loud:
                    raise AssertionError(f"mail that was dropped changed records: {loud}")

    def invite_honestly(self) -> None:
        """Put Anna's own mail into the inbox: it is followed, unless another copy of it was."""
        if self.home.all(Conversation):
            return
        self.deliver(self.letterbox.mail)
        if len(self.home.all(Conversation)) != 1:
            raise AssertionError("an honest invitation was not followed any more")


def _mail(data: bytes) -> None:
    stranger = Stranger(Script(data))
    for _ in range(_STEPS_MAX // 2):
        if stranger.script.is_over:
            break
        stranger.step()
    stranger.invite_honestly()


def mail() -> Target:
    """Return the target of what lies in an inbox."""
    _letterbox()
    return Target(run=_mail, seeds=scripts(60, 150), refusals=())
