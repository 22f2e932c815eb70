"""Fuzz the client's end of a session with what a hostile relay says, which holds the keys of the session.

Nothing but a `PeerError` escapes; and after a new connection to an honest relay everything is answered.
"""

from typing import Final

from fuzz.target import Script, Target, changed, scripts
from fuzz.wire_frames import DOWN
from skvoz.base.errors import PeerError
from skvoz.base.ids import EntryId
from skvoz.client import effects
from skvoz.client.effects import Channel
from skvoz.client.relay_requests import Wish
from skvoz.crypto import sha256
from skvoz.logs import Quotas
from skvoz.wire.frames import (
    Attached,
    Base,
    Bye,
    CastHeard,
    Down,
    Entries,
    Entry,
    KnockItem,
    KnocksHeard,
    No,
    Ok,
    Pong,
    Stored,
    Taken,
    encode,
)
from tests.client.test_relay_session import BOX, LOG_ID, Person
from tests.relay.world import OWNER, World, entry_id, key

_STEPS_MAX: Final = 40
_POSITION_MAX: Final = 2**63 - 1
_CODES: Final = ("superseded", "denied", "gone", "too_big", "full", "slow", "bad", "moved", "used")


class HostileRelay:
    """Speaks with the keys of a real relay's session, about logs that the client asked for."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.world = World(Quotas(append_burst=10_000, lookup_burst=10_000))
        self.client = Person(self.world)
        self.client.connect()
        for wish in (self.client.open(), self.client.open(BOX)):
            self.client.ask(wish)
        self.wishes = 0

    def wish(self) -> Wish:
        """Return something that a client wants."""
        chance, client = self.script, self.client
        relay_id, channel = client.relay_id, Channel.ROOMS
        self.wishes += 1
        match chance.randrange(8):
            case 0:
                return client.attach(after=chance.randrange(3), log_id=chance.choice((LOG_ID, BOX)))
            case 1 | 2:
                return client.append(self.wishes)
            case 3:
                return client.rekey(self.wishes, chance.randrange(4))
            case 4:
                return effects.Knock(
                    relay_id=relay_id, channel=channel, log_id=LOG_ID, door_key=bytes(32), body=b"knock"
                )
            case 5:
                return effects.Put(
                    relay_id=relay_id, channel=channel, log_id=BOX, owner_key=OWNER, packages=(b"package",)
                )
            case 6:
                taker = self.wishes.to_bytes(16)
                return effects.Take(
                    relay_id=relay_id, channel=channel, log_id=BOX, post_key=key(0), taker=taker
                )
            case _:
                return effects.DropLog(relay_id=relay_id, channel=channel, log_id=LOG_ID, owner_key=key(9))

    def frame(self) -> Down:
        """Return a frame that makes some sense, or none."""
        chance = self.script
        request = chance.randrange(self.wishes + 4)
        log = chance.choice((bytes(LOG_ID), bytes(BOX), b"?" * 16))
        position = chance.choice((0, 1, 2, 3, _POSITION_MAX))
        match chance.randrange(10):
            case 0:
                return Ok(request, chance.choice((None, Taken("offer", b"x"), Taken("package", b""))))
            case 1:
                return No(request, chance.choice(_CODES), chance.choice((0, 1, _POSITION_MAX)))
            case 2:
                return Attached(request, log, segment_open=bool(chance.randrange(2)), head=position)
            case 3:
                return Stored(request, log, EntryId(entry_id(chance.randrange(self.wishes + 2))), position)
            case 4 | 5:
                entries = [self._entry() for _ in range(chance.randrange(3))]
                return Entries(log, entries, position)
            case 6:
                return Base(log, position)
            case 7:
                return KnocksHeard(log, [KnockItem(position, chance.randbytes(3))])
            case 8:
                return chance.choice((CastHeard(log, b"cast"), Bye("moved"), Pong(0), Pong(request)))
            case _:
                return chance.choice(DOWN)

    def _entry(self) -> Entry:
        chance = self.script
        position = chance.choice((0, 1, 2, 3, 4, _POSITION_MAX))
        body = chance.choice((None, b"", b"body"))
        next_hash = chance.choice((None, bytes(32)))
        return Entry(
            position, entry_id(chance.randrange(4)), chance.randrange(4), chance.randrange(8), body, next_hash
        )

    def say(self) -> None:
        """Have the client receive a message; what it refuses ends the connection."""
        chance, client = self.script, self.client
        connected = list(self.world.relay._connected.values())  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its keys
        sealed = connected[-1].sealed if connected else None
        if sealed is None or not client.session.is_up:
            self.break_off()
            return
        data = encode([self.frame() for _ in range(chance.randrange(1, 4))])
        if chance.randrange(8) == 0:
            data = changed(chance, data, encode(DOWN))
        message = sealed.seal(data)
        if chance.randrange(16) == 0:
            message = changed(chance, message)
        try:
            made = client.session.received(message)
        except PeerError:
            self.break_off()
            return
        client.session.stored(chance.randrange(len(made) + 2))

    def break_off(self) -> None:
        """Lose the connection, and come back; the relay may have forgotten the session."""
        self.client.lose()
        if self.script.randrange(2):
            self.world.start()
        self.client.connect()

    def step(self) -> None:
        """Let the client want something, or the relay say something."""
        chance, client = self.script, self.client
        match chance.randrange(8):
            case 0 | 1:
                client.session.request(self.wish())
            case 2:
                client.send()
            case 3:
                client.session.detach(chance.choice((LOG_ID, BOX)))
            case 4 if chance.randrange(3) == 0:
                client.session.ping()
            case _:
                self.say()

    def make_peace(self) -> None:
        """Speak honestly again: everything that waits is answered."""
        self.client.lose()
        self.world.start()
        self.client.connect()
        self.client.settle()
        if self.client.session.awaits_answer:
            raise AssertionError("an honest relay left a wish unanswered")


def run(data: bytes) -> None:
    """Let a relay say what the input says."""
    script = Script(data)
    relay = HostileRelay(script)
    for _ in range(_STEPS_MAX):
        if script.is_over:
            break
        relay.step()
    relay.make_peace()
    if sha256(relay.client.session.public_key) != relay.client.relay_id:
        raise AssertionError("a session took another relay's key")


def make() -> Target:
    """Return the target; a session that refuses is closed and opened again, so nothing is raised."""
    return Target(run=run, seeds=scripts(60, 300), refusals=())
