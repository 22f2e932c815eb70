"""Which closer is followed: the first valid one in the log, whoever sends what, and whatever a relay says."""

import pytest
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import EntryId, GroupId
from skvoz.client import closers, commits, effects, envelope, epochs, leaving, policy
from skvoz.client.commands import LeaveGroup
from skvoz.client.effects import Channel
from skvoz.client.inputs import EntriesRead, Entry, EntryRefused, EntryStored, Input
from skvoz.client.records import Closer, ConversationState, Intent, StagedCommit
from skvoz.crypto import sha256
from skvoz.mls import Group, Proposal, Remove
from tests.client.fake_relay import DAY_MS, Device, FakeRelay, World
from tests.client.test_outbox import group_of, say


def relay_of(world: World) -> FakeRelay:
    [relay] = world.relays.values()
    return relay


def post_closer(
    device: Device, group_id: GroupId, body: bytes, *, entry_id: bytes, next_hash: bytes, carry: bool
) -> Input | None:
    """Have a relay take a closer from somebody who holds the key of the device's segment."""
    world, conversation = device.world, device.conversation(group_id)
    return relay_of(world).submit(
        world.fresh_session(),
        effects.Rekey(
            relay_id=conversation.relay_id,
            channel=Channel.ROOMS,
            log_id=conversation.log_id,
            key=conversation.segment_key,
            entry_id=EntryId(entry_id),
            body=body,
            since=0,
            next_hash=next_hash,
            carry=carry,
        ),
        world.now_ms,
    )


def test_every_closer_names_the_door_of_the_group() -> None:
    """Who closes a segment can register any door; the next who closes one puts it right."""
    world, [anna, *_], group_id = group_of(3)
    anna.act(lambda step: commits.update(step, group_id))
    world.settle()
    [*_, rekey] = [one for one in anna.submitted if isinstance(one, effects.Rekey)]
    assert rekey.door_hash == sha256(policy.info_of(anna.group(group_id)).door_key)


def post_junk(device: Device, group_id: GroupId, *, carry: bool = False) -> bytes:
    """Close the segment with random bytes; return the key of the segment that this opens."""
    random = device.world.random
    key = random.randbytes(32)
    answer = post_closer(
        device,
        group_id,
        random.randbytes(528),
        entry_id=random.randbytes(16),
        next_hash=sha256(key),
        carry=carry,
    )
    # A segment that is closed already takes no other closer without a proof of work.
    assert isinstance(answer, EntryStored | EntryRefused)
    return key


def post_commit(
    device: Device, group_id: GroupId, proposals: list[Proposal], next_hash: bytes | None = None
) -> Group:
    """Have a malicious member commit past its own rules; return the group that the commit leads to."""
    group = device.group(group_id)
    pending = group.stage_commit(proposals=proposals, path=True, randomness=device.world.random.randbytes)
    entry_id = EntryId(device.world.random.randbytes(16))
    body = envelope.seal_entry(
        group.suite,
        group.export(envelope.ENVELOPE_LABEL, b"", 32),
        entry_id,
        envelope.CLOSER,
        closers.pack([], pending.commit),
    )
    answer = post_closer(
        device,
        group_id,
        body,
        entry_id=entry_id,
        next_hash=next_hash or envelope.segment_hash(epochs.access_key(pending.next)),
        carry=False,
    )
    assert isinstance(answer, EntryStored)
    return pending.next


def assert_one_epoch(world: World, devices: list[Device], group_id: GroupId) -> int:
    """Check that all are at the same place of the same history, and can talk."""
    places = {
        (device.conversation(group_id).epoch, device.group(group_id).epoch_authenticator)
        for device in devices
    }
    assert len(places) == 1
    for device in devices:
        text = f"here is {device.name} at {world.now_ms}"
        say(device, group_id, text)
        world.advance(1_000)
        assert all(text in other.texts() for other in devices)
    return devices[0].conversation(group_id).epoch


@pytest.mark.parametrize("carry", [False, True])
def test_a_junk_closer_is_contested_by_the_lowest_leaf(*, carry: bool) -> None:
    world, devices, group_id = group_of(3)
    epoch = devices[0].conversation(group_id).epoch
    post_junk(devices[2], group_id, carry=carry)
    say(devices[1], group_id, "held up")
    world.settle()
    assert all(device.conversation(group_id).unfollowed_closers for device in devices)
    world.advance(20_000)
    assert [device.texts() for device in devices] == [["held up"]] * 3
    assert assert_one_epoch(world, devices, group_id) == epoch + 1
    assert not any(device.all(Closer) for device in devices)
    contests = [
        device.name
        for device in devices
        if any(isinstance(one, effects.Rekey) and one.contest for one in device.submitted)
    ]
    assert contests == ["device0"]


def test_what_stands_behind_a_junk_closer_is_passed_over() -> None:
    world, devices, group_id = group_of(3)
    relay, conversation = relay_of(world), devices[0].conversation(group_id)
    key = post_junk(devices[2], group_id, carry=True)
    for _ in range(3):
        relay.submit(
            world.fresh_session(),
            effects.Append(
                relay_id=relay.relay_id,
                channel=Channel.ROOMS,
                log_id=conversation.log_id,
                key=key,
                entry_id=EntryId(world.random.randbytes(16)),
                body=world.random.randbytes(528),
                since=0,
            ),
            world.now_ms,
        )
    world.advance(30_000)
    assert_one_epoch(world, devices, group_id)


def test_a_closer_that_opens_another_segment_than_its_commit_is_not_followed() -> None:
    world, devices, group_id = group_of(3)
    post_commit(devices[2], group_id, [], next_hash=world.random.randbytes(32))
    world.settle()
    assert devices[0].conversation(group_id).unfollowed_closers == 1
    world.advance(30_000)
    assert_one_epoch(world, devices, group_id)


def test_a_commit_that_breaks_a_role_is_not_followed() -> None:
    world, devices, group_id = group_of(3)
    post_commit(devices[2], group_id, [Remove(devices[1].conversation(group_id).own_leaf)])
    world.advance(30_000)
    assert devices[1].conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)


def test_our_own_commit_is_merged_when_the_answer_is_lost() -> None:
    world, devices, group_id = group_of(2)
    epoch = devices[0].conversation(group_id).epoch
    devices[0].swallow = lambda fact: isinstance(fact, EntryStored)
    devices[0].act(lambda step: commits.update(step, group_id))
    world.settle()
    assert assert_one_epoch(world, devices, group_id) == epoch + 1


def test_our_own_commit_is_merged_though_the_relay_said_that_another_won() -> None:
    world, devices, group_id = group_of(2)
    anna = devices[0]
    epoch = anna.conversation(group_id).epoch
    lies: list[Input] = []

    def lie(fact: Input) -> bool:
        if isinstance(fact, EntryStored):
            lies.append(
                EntryRefused(
                    relay_id=fact.relay_id,
                    log_id=fact.log_id,
                    entry_id=fact.entry_id,
                    code="superseded",
                    retry_after_ms=0,
                )
            )
            return True
        return False

    anna.swallow = lie
    anna.act(lambda step: commits.update(step, group_id))
    anna.handle(lies[0])
    assert anna.all(StagedCommit)
    world.settle()
    anna.swallow = lambda _: False
    assert assert_one_epoch(world, devices, group_id) == epoch + 1


def test_our_own_commit_that_we_gave_up_is_not_taken_for_junk() -> None:
    world, devices, group_id = group_of(3)
    anna = devices[0]
    epoch = anna.conversation(group_id).epoch
    anna.swallow = lambda fact: isinstance(fact, EntryStored)
    anna.act(lambda step: commits.update(step, group_id))
    [staged] = anna.all(StagedCommit)
    conversation = anna.conversation(group_id)
    anna.handle(
        EntryRefused(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entry_id=staged.entry_id,
            code="bad",
            retry_after_ms=0,
        )
    )
    assert not anna.all(StagedCommit)
    anna.swallow = lambda _: False
    anna.turn_until_state(group_id, ConversationState.LOST)
    assert devices[1].conversation(group_id).epoch == epoch
    world.advance(60_000)
    assert anna.conversation(group_id).state is ConversationState.ACTIVE
    assert assert_one_epoch(world, devices, group_id) > epoch + 1


def test_a_commit_that_lost_is_not_merged_though_the_relay_said_that_it_won() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, _ = devices
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(member=boris.account_id, admin=True)))
    world.settle()
    epoch = boris.conversation(group_id).epoch
    boris.go_offline()
    boris.act(lambda step: commits.wish(step, group_id, commits.InfoWish(title="lost")))
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(expiry_s=60)))
    world.settle()
    [staged] = boris.all(StagedCommit)
    conversation = boris.conversation(group_id)
    boris.handle(
        EntryStored(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entry_id=staged.entry_id,
            position=conversation.cursor + 1,
        )
    )
    assert boris.conversation(group_id).epoch == epoch
    assert boris.conversation(group_id).title != "lost"
    boris.go_online()
    world.advance(60_000)
    # What it wished for is done in the next epoch.
    assert {device.conversation(group_id).title for device in devices} == {"lost"}
    assert {device.conversation(group_id).message_expiry_s for device in devices} == {60}
    assert assert_one_epoch(world, devices, group_id) == epoch + 2


def test_a_commit_that_lost_is_staged_again() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, _ = devices
    boris.go_offline()
    boris.act(lambda step: commits.wish(step, group_id, commits.InfoWish(expiry_s=0, title=None)))
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(title="first")))
    world.settle()
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(title="second")))
    boris.go_online()
    world.advance(5_000)
    assert {device.conversation(group_id).title for device in devices} == {"second"}
    assert_one_epoch(world, devices, group_id)


def test_two_commits_at_once_end_in_both() -> None:
    world, devices, group_id = group_of(3)
    anna, boris, vera = devices
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(member=boris.account_id, admin=True)))
    world.settle()
    for device in (anna, boris):
        device.swallow = lambda fact: isinstance(fact, EntriesRead)
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(title="new title")))
    boris.act(lambda step: commits.wish(step, group_id, commits.InfoWish(expiry_s=60)))
    for device in (anna, boris):
        device.swallow = lambda _: False
    world.advance(60_000)
    assert {device.conversation(group_id).title for device in devices} == {"new title"}
    assert {device.conversation(group_id).message_expiry_s for device in devices} == {60}
    assert vera.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, devices, group_id)


def test_a_crash_between_staging_and_sending_loses_no_commit() -> None:
    world, devices, group_id = group_of(2)
    anna = devices[0]
    anna.crash_before_effects = True
    anna.act(lambda step: commits.wish(step, group_id, commits.InfoWish(title="kept")))
    assert anna.all(StagedCommit)
    world.settle()
    assert {device.conversation(group_id).title for device in devices} == {"kept"}
    assert_one_epoch(world, devices, group_id)


def test_a_closer_is_complete_without_the_proposals_that_expired() -> None:
    world, devices, group_id = group_of(4)
    late = devices[3]
    late.go_offline()
    devices[2].act(lambda step: leaving.leave(step, group_id))
    world.advance(60_000)
    relay_of(world).store.expire((world.now_ms + 31 * 24 * 3600 * 1000) // 3_600_000)
    late.go_online()
    late.restart()
    world.settle()
    assert late.conversation(group_id).state is ConversationState.ACTIVE
    assert_one_epoch(world, [devices[0], devices[1], late], group_id)


def test_used_keys_are_gone_after_a_followed_closer() -> None:
    world, devices, group_id = group_of(2)
    anna = devices[0]
    old = anna.group(group_id)
    secret = old.export(envelope.ENVELOPE_LABEL, b"", 32)
    anna.act(lambda step: commits.update(step, group_id))
    world.settle()
    kept = b"".join(
        value
        for table in anna.records.tables.values()
        for record in table.values()
        for name in record.__struct_fields__
        if isinstance(value := getattr(record, name), bytes)
    )
    assert anna.group(group_id).epoch == old.epoch + 1
    assert secret not in kept
    assert old.state.secrets.init_secret not in kept
    assert old.state.secrets.exporter_secret not in kept


def test_closer_contents_are_refused_where_they_are_not_ours() -> None:
    assert closers.unpack(closers.pack([b"a"], b"b")) == ((b"a",), b"b")
    with pytest.raises(Malformed):
        closers.unpack(closers.pack([], b"b") + b"\0")
    with pytest.raises(Invalid):
        closers.unpack(b"\0")
    with pytest.raises(Invalid):
        closers.unpack(closers.pack([b"p"] * (closers.PROPOSALS_MAX + 1), b"c"))


def test_an_application_entry_is_not_taken_for_a_closer() -> None:
    world, devices, group_id = group_of(2)
    group = devices[0].group(group_id)
    secret, entry_id = bytes(32), EntryId(bytes(16))
    body = envelope.seal_entry(group.suite, secret, entry_id, envelope.APPLICATION, b"x")
    with pytest.raises(DecryptFailed):
        envelope.open_entry(group.suite, secret, entry_id, envelope.CLOSER, body)
    assert world.now_ms


def test_a_staged_commit_whose_segment_the_relay_renamed_is_not_merged() -> None:
    world, devices, group_id = group_of(2)
    anna = devices[0]
    anna.go_offline()
    anna.act(lambda step: commits.update(step, group_id))
    [staged] = anna.all(StagedCommit)
    conversation = anna.conversation(group_id)
    entry = replace(
        _entry_of(staged.entry_id, staged.body, conversation.cursor + 1, conversation.segment),
        next_hash=bytes(32),
    )
    anna.handle(
        EntriesRead(
            relay_id=conversation.relay_id,
            log_id=conversation.log_id,
            entries=(entry,),
            through=entry.position,
        )
    )
    assert anna.conversation(group_id).epoch == conversation.epoch
    assert anna.conversation(group_id).unfollowed_closers == 1
    assert world.now_ms


def _entry_of(entry_id: EntryId, body: bytes, position: int, segment: int) -> Entry:
    return Entry(
        position=position,
        entry_id=entry_id,
        is_closer=True,
        carry=True,
        body=body,
        next_hash=b"",
        segment=segment,
    )


@pytest.mark.slow
def test_who_leaves_is_not_kept_in_by_junk() -> None:
    world, [anna, boris], group_id = group_of(2)
    boris.go_offline()
    anna.go_offline()
    anna.do(lambda client_id: LeaveGroup(client_id=client_id, chat_id=group_id))
    post_junk(boris, group_id)
    anna.go_online()
    world.advance(8 * DAY_MS)
    assert anna.conversation(group_id).state is ConversationState.LEFT
    assert not anna.all(Intent)
