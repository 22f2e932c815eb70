"""What strikes people and relays from outside, by the likelihood of each fault."""

from typing import TYPE_CHECKING

from skvoz.client.records import Conversation, ConversationState
from skvoz.crypto import sha256
from skvoz.relay.seam import Job
from skvoz.wire.frames import Rekey

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
    person = world.random.choice(world.people)
    chats = [chat for chat in person.records.all(Conversation) if chat.state is ConversationState.ACTIVE]
    if not chats:
        return
    chat = world.random.choice(chats)
    relay = world.relays[chat.relay_id]
    if not relay.is_up:
        return
    draw = world.random.randbytes
    request = Rekey(
        0,
        bytes(chat.log_id),
        chat.segment_key,
        draw(16),
        draw(528),
        0,
        sha256(draw(32)),
        world.random.random() < 0.5,
        None,
        None,
        [],
    )
    relay.post(Job(_NOBODY, request))


def _let_expire(world: "World") -> None:
    """Let somebody be away for a month, so that what was said meanwhile has expired when they come back."""
    person = world.random.choice(world.people)
    person.crash()
    world.clock.run_for(_MONTH_MS, 4_000_000)
    for relay in world.relays.values():
        if relay.is_up:
            relay.expire()
    person.start()
