"""What strikes people and relays from outside, by the likelihood of each fault."""

from typing import TYPE_CHECKING

from skvoz.base.ids import EntryId
from skvoz.client import closers
from skvoz.client.envelope import (
    APPLICATION,
    CLOSER,
    ENVELOPE_LABEL,
    SECRET_SIZE,
    open_entry,
    seal_entry,
    segment_hash,
)
from skvoz.client.records import Conversation, ConversationState
from skvoz.crypto import DEFAULT_SUITE, SUITES, sha256
from skvoz.relay.seam import Job
from skvoz.wire.frames import Rekey
from tests.sim.verdict import group_of

if TYPE_CHECKING:
    from tests.sim.person import Person
    from tests.sim.world import World

_NOBODY = 1 << 40
"""A session that nobody listens to."""
_SECONDS_MAX = 10
_MONTH_MS = 31 * 24 * 3_600_000


def strike(world: "World", gap_ms: int) -> None:
    """Let happen what is likely in so much time."""
    seconds = min(_SECONDS_MAX, gap_ms / 1000)
    faults = world.faults

    def happens(likely: float) -> bool:
        return likely > 0 and seconds > 0 and world.random.random() < 1 - (1 - likely) ** seconds

    if happens(faults.client_disk_full):
        _fill_disk(world, world.random.choice(world.people))
    if happens(faults.partition):
        who = world.random.choice(world.people).name
        world.network.cut_off(who, world.random.choice((2_000, 20_000, 400_000)))
    for relay in world.relays.values():
        if faults.relay_restore and world.random.random() < 0.1:
            relay.back_up()
        if happens(faults.relay_crash):
            relay.crash(world.random.choice((100, 2_000, 30_000)))
        if happens(faults.relay_restore):
            relay.restore()
        if happens(faults.relay_disk_full):
            relay.disk_full_until_ms = world.clock.now_ms + world.random.choice((1_000, 20_000))
    if happens(faults.junk_closer):
        _post_junk(world)
    if happens(faults.echo):
        _echo(world)
    if happens(faults.expiry):
        _let_expire(world)
    if happens(faults.clock_jump):
        person = world.random.choice(world.people)
        person.clock_offset_ms = world.random.choice((-3_600_000, -5_000, 0, 7_000, 3_600_000))


def _fill_disk(world: "World", person: "Person") -> None:
    """Let a person's disk take nothing for some seconds."""

    def room_again() -> None:
        person.disk_full = False
        if person.is_running:
            person.ask_again()

    person.disk_full = True
    world.clock.after(world.random.choice((1_000, 10_000)), room_again)


def _post_junk(world: "World") -> None:
    """Close somebody's segment with random bytes, as any of its members can."""
    chosen = _some_chat(world)
    if chosen is not None:
        _close(world, chosen[1], world.random.randbytes(16), world.random.randbytes(528))


def _echo(world: "World") -> None:
    """Close a segment with a message that stands in it, which its author can't open any more."""
    chosen = _some_chat(world)
    if chosen is None:
        return
    person, chat = chosen
    said = [
        entry
        for entry in world.relays[chat.relay_id].store.all_entries(chat.log_id)
        if entry.entry in world.ledger.encrypted
        and world.ledger.encrypted[entry.entry].segment_hash == segment_hash(chat.segment_key)
        and world.ledger.encrypted[entry.entry].author != person.name
        and entry.body is not None
    ]
    if not said:
        return
    entry = world.random.choice(said)
    suite = SUITES[DEFAULT_SUITE]  # not the world's: this is no honest use of a key
    secret = group_of(person, chat.group_id).export(ENVELOPE_LABEL, b"", SECRET_SIZE)
    message = open_entry(suite, secret, EntryId(entry.entry), APPLICATION, entry.body or b"")
    entry_id = EntryId(world.random.randbytes(16))
    body = seal_entry(suite, secret, entry_id, CLOSER, closers.pack([], message))
    _close(world, chat, entry_id, body)


def _some_chat(world: "World") -> "tuple[Person, Conversation] | None":
    """Return somebody, and a conversation of theirs whose relay is there and has its log."""
    person = world.random.choice(world.people)
    chats = [chat for chat in person.records.all(Conversation) if chat.state is ConversationState.ACTIVE]
    if not chats:
        return None
    chat = world.random.choice(chats)
    relay = world.relays[chat.relay_id]
    return (person, chat) if relay.is_up and relay.store.log(chat.log_id) is not None else None


def _close(world: "World", chat: Conversation, entry_id: bytes, body: bytes) -> None:
    draw = world.random.randbytes
    request = Rekey(
        0,
        bytes(chat.log_id),
        chat.segment_key,
        entry_id,
        body,
        0,
        sha256(draw(32)),
        world.random.random() < 0.5,
        None,
        None,
        [],
    )
    world.relays[chat.relay_id].post(Job(_NOBODY, request))


def _let_expire(world: "World") -> None:
    """Let somebody be away for a month, so that what was said meanwhile has expired when they come back."""
    person = world.random.choice(world.people)
    person.crash()
    world.clock.run_for(_MONTH_MS, 4_000_000)
    for relay in world.relays.values():
        if relay.is_up:
            relay.expire()
    person.start()
