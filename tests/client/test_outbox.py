"""What people write leaves in order, once, and survives crashes and lost answers."""

import msgspec
import pytest

from skvoz.base.errors import BadRequest
from skvoz.base.ids import EntryId, GroupId, MessageId
from skvoz.client import commits, effects, outbox
from skvoz.client.commands import RenameGroup, SendMessage
from skvoz.client.effects import Channel
from skvoz.client.inputs import Attached, BaseMoved, EntriesRead, Entry, EntryRefused, EntryStored, Input
from skvoz.client.records import Intent, Message, MessageState, SentEntry
from tests.client.fake_relay import Device, World, invitee_of


def say(device: Device, chat_id: bytes, text: str) -> None:
    device.do(lambda client_id: SendMessage(client_id=client_id, chat_id=chat_id, text=text))


def group_of(count: int) -> tuple[World, list[Device], GroupId]:
    world = World()
    relay = world.add_relay()
    devices = [world.add_device(f"device{number}", relay) for number in range(count)]
    return world, devices, world.make_group(*devices)


def states(device: Device) -> list[MessageState]:
    return [message.state for message in device.all(Message)]


def bodies(world: World, device: Device, group_id: GroupId) -> list[bytes]:
    """Return the bodies of all entries in a room, as the relay holds them."""
    [relay] = world.relays.values()
    log_id = device.conversation(group_id).log_id
    return [entry.body or b"" for entry in relay.store.all_entries(log_id)]


def test_a_crash_after_storing_sends_the_same_bytes() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.crash_before_effects = True
    say(anna, group_id, "hello")
    [intent] = anna.all(Intent)
    assert intent.ciphertext not in bodies(world, anna, group_id)
    world.settle()
    assert bodies(world, anna, group_id)[-1] == intent.ciphertext
    assert boris.texts() == ["hello"]
    assert not anna.all(Intent)
    assert states(anna) == [MessageState.SENT]


def test_only_a_commit_with_fresh_keys_counts_as_an_update(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "PATH_WITH_ADDS_MAX", 0)
    world, [anna, *_], group_id = group_of(3)
    say(anna, group_id, "one")
    world.settle()
    before = anna.conversation(group_id)
    assert before.entries_since_update
    newcomer = invitee_of(world.add_device("vera", next(iter(world.relays.values()))))
    anna.act(lambda step: commits.add(step, group_id, [newcomer]))
    world.settle()
    added = anna.conversation(group_id)
    assert added.epoch == before.epoch + 1
    assert added.entries_since_update == before.entries_since_update
    assert added.last_update_ms == before.last_update_ms
    anna.act(lambda step: commits.update(step, group_id))
    world.settle()
    assert anna.conversation(group_id).entries_since_update == 0


def test_nothing_goes_out_after_a_start_before_the_head_was_read() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(boris, group_id, "meanwhile")
    world.settle()
    anna.go_online()
    anna.restart()
    sent = len(bodies(world, anna, group_id))
    anna.turn_until(Attached)
    say(anna, group_id, "too early")
    assert len(bodies(world, anna, group_id)) == sent
    world.settle()
    assert sorted(boris.texts()) == ["meanwhile", "too early"]


def test_a_refused_command_stops_nothing_else() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.restart()
    anna.turn_until(Attached)
    reading, wake_at_ms = anna.machine.caches.readings[group_id], anna.machine.caches.wake_at_ms
    say(anna, group_id, "hello")
    with pytest.raises(BadRequest):
        say(anna, group_id, "")
    assert anna.machine.caches.readings[group_id] is reading
    assert anna.machine.caches.wake_at_ms == wake_at_ms
    world.settle()
    assert boris.texts() == ["hello"]
    assert not anna.all(Intent)


def test_a_lost_answer_is_made_up_for_by_reading() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.swallow = lambda fact: isinstance(fact, EntryStored)
    say(anna, group_id, "hello")
    world.settle()
    assert not anna.all(Intent)
    assert not anna.all(SentEntry)
    assert states(anna) == [MessageState.SENT]
    assert boris.texts() == ["hello"]


def test_a_message_is_done_only_when_it_is_met_in_the_log() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.swallow = lambda fact: isinstance(fact, EntriesRead)
    say(anna, group_id, "hello")
    world.settle()
    assert states(anna) == [MessageState.SENT]
    assert len(anna.all(Intent)) == 1
    anna.swallow = lambda _: False
    anna.restart()
    world.settle()
    assert not anna.all(Intent)
    assert boris.texts() == ["hello"]


@pytest.mark.parametrize("ahead", [0, 1])
def test_what_does_not_stand_where_the_relay_says_is_sent_again(ahead: int) -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    world.held.clear()
    anna.go_online()
    [sent] = anna.all(SentEntry)
    conversation = anna.conversation(group_id)
    lie = EntryStored(
        relay_id=conversation.relay_id,
        log_id=conversation.log_id,
        entry_id=sent.entry_id,
        position=conversation.cursor + ahead,
    )
    anna.handle(lie)
    assert states(anna) == [MessageState.SENT if ahead else MessageState.QUEUED]
    say(boris, group_id, "stands there")
    world.advance(10_000)
    assert "hello" in boris.texts()
    assert not anna.all(Intent)


def test_what_was_not_met_has_not_expired_either() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    world.held.clear()
    [sent] = anna.all(SentEntry)
    conversation = anna.conversation(group_id)
    anna.act(lambda step: step.transaction.put(msgspec.structs.replace(sent, position=conversation.cursor)))
    anna.handle(
        BaseMoved(relay_id=conversation.relay_id, log_id=conversation.log_id, position=conversation.cursor)
    )
    anna.go_online()
    anna.restart()
    world.settle()
    assert boris.texts() == ["hello"]


def test_superseded_entries_are_encrypted_anew_with_the_same_message_id() -> None:
    world, [anna, boris], group_id = group_of(2)
    refused: list[Input] = []

    def note(fact: Input) -> bool:
        if isinstance(fact, EntryRefused):
            refused.append(fact)
        return isinstance(fact, EntriesRead)

    anna.swallow = note
    boris.act(lambda step: commits.update(step, group_id))
    boris.turn()
    say(anna, group_id, "one")
    say(anna, group_id, "two")
    world.settle()
    assert {fact.code for fact in refused if isinstance(fact, EntryRefused)} == {"superseded"}
    first = {intent.entry_id: intent for intent in anna.all(Intent)}
    ids = {message.message_id for message in anna.all(Message)}
    anna.swallow = lambda _: False
    anna.restart()
    world.settle()
    assert boris.texts() == ["one", "two"]
    assert {message.message_id for message in boris.all(Message)} == ids
    assert not {intent.ciphertext for intent in first.values()} & set(bodies(world, anna, group_id))
    assert not anna.all(Intent)


def test_many_messages_keep_their_order_and_a_window() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    for number in range(50):
        say(anna, group_id, f"message {number}")
    under_way = [intent for intent in anna.all(Intent) if intent.entry_id is not None]
    assert len(under_way) == outbox.IN_FLIGHT_MAX
    anna.go_online()
    world.settle()
    assert boris.texts() == [f"message {number}" for number in range(50)]
    assert not anna.all(Intent)


def test_a_refused_message_fails_and_the_next_goes_on() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "refused")
    say(anna, group_id, "accepted")
    [refused, _] = anna.all(Intent)
    assert refused.entry_id is not None
    conversation = anna.conversation(group_id)
    world.held[anna.name] = world.held[anna.name][1:]
    anna.handle(
        EntryRefused(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entry_id=refused.entry_id,
            code="too_big",
            retry_after_ms=0,
        )
    )
    anna.go_online()
    world.settle()
    assert boris.texts() == ["accepted"]
    assert states(anna) == [MessageState.FAILED, MessageState.SENT]


def test_what_belongs_to_a_past_epoch_is_sent_no_more() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    [sent] = anna.all(SentEntry)
    boris.act(lambda step: commits.update(step, group_id))
    world.settle()
    [relay] = world.relays.values()
    [*_, closer] = relay.store.all_entries(anna.conversation(group_id).log_id)
    # Read without a word to the relay: what waits for an answer is still held.
    conversation = anna.conversation(group_id)
    entry = Entry(
        position=closer.position,
        entry_id=EntryId(closer.entry),
        is_closer=True,
        carry=True,
        body=closer.body,
        next_hash=closer.next_hash,
        segment=closer.segment,
    )
    anna.handle(
        EntriesRead(relay_id=conversation.relay_id, log_id=conversation.log_id, entries=(entry,), through=9)
    )
    held = [effect for _, effect in world.held["device0"] if isinstance(effect, effects.Append)]
    assert held
    assert sent.entry_id not in {effect.entry_id for effect in held}


def test_a_slow_relay_is_asked_again_later() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    world.held.clear()
    [intent] = anna.all(Intent)
    assert intent.entry_id is not None
    conversation = anna.conversation(group_id)
    anna.go_online()
    anna.handle(
        EntryRefused(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entry_id=intent.entry_id,
            code="slow",
            retry_after_ms=7_000,
        )
    )
    world.advance(6_000)
    assert boris.texts() == []
    world.advance(2_000)
    assert boris.texts() == ["hello"]


def test_nothing_new_goes_out_before_what_was_refused() -> None:
    world, [anna, boris], group_id = group_of(2)
    [relay] = world.relays.values()
    relay.disk_full = True
    say(anna, group_id, "one")
    world.settle()
    relay.disk_full = False
    relay.forget_turns()  # as when the relay was started again
    say(anna, group_id, "two")
    world.settle()
    assert boris.texts() == []
    world.advance(2_000)
    assert boris.texts() == ["one", "two"]


def test_what_waited_behind_a_refused_entry_that_was_met_is_said_again() -> None:
    world, [anna, boris], group_id = group_of(2)
    say(anna, group_id, "one")
    [one] = anna.all(Intent)
    assert one.entry_id is not None
    world.settle()
    anna.go_offline()
    say(anna, group_id, "two")
    world.held.clear()  # as a session lets it go
    anna.online = True
    conversation = anna.conversation(group_id)
    refused = EntryRefused(
        relay_id=conversation.relay_id,
        log_id=conversation.log_id,
        entry_id=one.entry_id,
        code="slow",
        retry_after_ms=0,
    )
    anna.handle(refused)
    say(anna, group_id, "three")
    world.settle()
    assert boris.texts() == ["one"]
    world.advance(2_000)
    assert boris.texts() == ["one", "two", "three"]


def test_a_session_is_told_when_all_is_said_again() -> None:
    world, [anna, boris], group_id = group_of(2)
    [relay] = world.relays.values()
    told: list[str] = []
    anna.heed = lambda effect: told.append(type(effect).__name__)
    relay.disk_full = True
    say(anna, group_id, "one")
    world.settle()
    relay.disk_full = False
    say(anna, group_id, "two")
    world.advance(2_000)
    assert boris.texts() == ["one", "two"]
    appends = [name for name in told if name in {"Append", "SayAgain"}]
    assert appends == ["Append", "SayAgain", "Append", "Append"]


def test_a_session_is_told_so_where_nothing_is_to_be_said_again() -> None:
    world, [anna, _], group_id = group_of(2)
    say(anna, group_id, "one")
    [one] = anna.all(Intent)
    assert one.entry_id is not None
    world.settle()
    told: list[str] = []
    anna.heed = lambda effect: told.append(type(effect).__name__)
    conversation = anna.conversation(group_id)
    anna.handle(
        EntryRefused(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entry_id=one.entry_id,
            code="slow",
            retry_after_ms=0,
        )
    )
    world.advance(2_000)
    assert "SayAgain" in told


def test_what_was_taken_back_holds_nothing_up() -> None:
    world, [anna, boris], group_id = group_of(2)
    [relay] = world.relays.values()
    relay.disk_full = True
    say(anna, group_id, "one")
    world.settle()
    relay.disk_full = False
    boris.act(lambda step: commits.update(step, group_id))
    world.settle()
    assert boris.texts() == ["one"]
    relay.disk_full = True
    say(anna, group_id, "two")
    world.settle()
    relay.disk_full = False
    relay.forget_turns()
    say(anna, group_id, "three")
    world.settle()
    assert boris.texts() == ["one"]
    world.advance(2_000)
    assert boris.texts() == ["one", "two", "three"]


def test_repeated_facts_change_nothing() -> None:
    world, [anna, boris], group_id = group_of(2)
    seen: list[Input] = []

    def keep(fact: Input) -> bool:
        seen.append(fact)
        return False

    anna.swallow = boris.swallow = keep
    say(anna, group_id, "hello")
    say(boris, group_id, "hi")
    world.settle()
    for fact in seen:
        anna.handle(fact)
        boris.handle(fact)
    world.settle()
    assert sorted(anna.texts()) == sorted(boris.texts()) == ["hello", "hi"]


def test_no_ciphertext_is_made_twice_with_one_entry_id() -> None:
    world, [anna, _], group_id = group_of(2)
    for number in range(5):
        say(anna, group_id, str(number))
        anna.restart()
        world.settle()
    room = [
        effect
        for effect in anna.submitted
        if isinstance(effect, effects.Append) and effect.channel is Channel.ROOMS
    ]
    by_id = {(effect.entry_id, effect.body) for effect in room}
    assert len({entry_id for entry_id, _ in by_id}) == len(by_id)


def test_too_much_to_say_is_refused() -> None:
    _, [anna, _], group_id = group_of(2)
    with pytest.raises(BadRequest):
        anna.act(
            lambda step: outbox.enqueue(step, group_id, bytes(outbox.BODY_SIZE_MAX + 1), MessageId(bytes(32)))
        )


def test_an_update_comes_before_the_next_message_after_a_week() -> None:
    world, [anna, boris], group_id = group_of(2)
    epoch = anna.conversation(group_id).epoch
    say(anna, group_id, "today")
    world.settle()
    assert anna.conversation(group_id).epoch == epoch
    world.advance(8 * 24 * 3600 * 1000)
    say(anna, group_id, "next week")
    world.settle()
    assert anna.conversation(group_id).epoch == epoch + 1
    assert boris.texts() == ["today", "next week"]


def test_a_long_queue_leaves_in_order() -> None:
    world, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    texts = [f"number {number}" for number in range(100)]
    for text in texts:
        say(anna, group_id, text)
    under_way = [intent.entry_id is not None for intent in anna.all(Intent)]
    assert under_way == [True] * outbox.IN_FLIGHT_MAX + [False] * (100 - outbox.IN_FLIGHT_MAX)
    anna.go_online()
    world.settle()
    assert boris.texts() == texts
    assert not anna.all(Intent)


def test_many_wishes_that_change_nothing_hold_nothing_up() -> None:
    world, [anna, boris], group_id = group_of(2)
    title = anna.conversation(group_id).title
    anna.go_offline()
    say(anna, group_id, "before")
    for _ in range(150):
        anna.do(lambda client_id: RenameGroup(client_id=client_id, chat_id=group_id, title=title or "x"))
    say(anna, group_id, "after")
    anna.go_online()
    world.settle()
    assert boris.texts() == ["before", "after"]
    assert not anna.all(Intent)
