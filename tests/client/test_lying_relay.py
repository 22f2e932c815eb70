"""A relay that says to have what it does not have delays words, and loses none."""

from collections.abc import Callable

import pytest

from skvoz.client import commits
from skvoz.client.commands import RemoveMember
from skvoz.client.effects import Append, Rekey
from skvoz.client.inputs import EntryStored, Input
from skvoz.client.records import ConversationState, MessageState
from skvoz.client.relay_requests import Wish
from tests.client.fake_relay import Device, World
from tests.client.test_outbox import group_of, say, states

HOUR_MS = 3_600_000


def lie_to(
    world: World, device: Device, kind: type[Append | Rekey], position: Callable[[int], int], times: int
) -> list[bytes]:
    """Have the relay say that it stored, at a position made from the head, and store nothing; so often."""
    [relay] = world.relays.values()
    submit = relay.submit
    lied: list[bytes] = []

    def lie(session: int, effect: Wish, now_ms: int) -> Input | None:
        if not isinstance(effect, kind) or session != device.session or len(lied) == times:
            return submit(session, effect, now_ms)
        lied.append(effect.entry_id)
        log = relay.store.log(effect.log_id)
        assert log is not None
        return EntryStored(
            relay_id=effect.relay_id,
            log_id=effect.log_id,
            entry_id=effect.entry_id,
            position=position(log.head),
        )

    relay.submit = lie
    return lied


def nowhere(_: int) -> int:
    return 0


def first(_: int) -> int:
    return 1


def at_head(head: int) -> int:
    return head


def next_to_head(head: int) -> int:
    return head + 1


def far(head: int) -> int:
    return head + 1_000_000


POSITIONS = pytest.mark.parametrize("position", [nowhere, first, at_head, next_to_head, far])


@POSITIONS
def test_a_message_that_was_said_to_be_stored_comes_after_all(position: Callable[[int], int]) -> None:
    world, [anna, boris], group_id = group_of(2)
    lied = lie_to(world, anna, Append, position, 1)
    say(anna, group_id, "lied about")
    say(anna, group_id, "after it")
    world.advance(5 * 60_000)
    assert len(lied) == 1
    assert sorted(boris.texts()) == ["after it", "lied about"]
    assert states(anna) == [MessageState.SENT, MessageState.SENT]


@POSITIONS
def test_a_commit_that_was_said_to_be_stored_holds_nothing_up(position: Callable[[int], int]) -> None:
    world, [anna, boris], group_id = group_of(2)
    lied = lie_to(world, anna, Rekey, position, 1)
    anna.act(lambda step: commits.update(step, group_id))
    say(anna, group_id, "after it")
    world.advance(5 * 60_000)
    assert len(lied) == 1
    assert boris.texts() == ["after it"]


def test_a_relay_that_goes_on_lying_is_asked_less_and_less() -> None:
    world, [anna, boris], group_id = group_of(2)
    lied = lie_to(world, anna, Append, at_head, 1_000)
    for _ in range(16):
        say(anna, group_id, "x")
    counts: list[int] = []
    for _ in range(4):
        before = len(lied)
        world.advance(HOUR_MS)
        counts.append(len(lied) - before)
    assert counts[0] <= 16 * 12
    assert counts[1:] == [16, 16, 16]
    assert boris.texts() == []


def test_who_is_removed_knows_what_was_never_there() -> None:
    """All that stands before the removal was read."""
    world, [anna, boris], group_id = group_of(2)
    lie_to(world, boris, Append, far, 1_000)
    say(boris, group_id, "hello")
    world.advance(10)
    assert states(boris) == [MessageState.SENT]
    anna.do(lambda client_id: RemoveMember(client_id=client_id, chat_id=group_id, member=boris.account_id))
    world.settle()
    assert boris.conversation(group_id).state is ConversationState.REMOVED
    assert anna.texts() == []
    assert states(boris) == [MessageState.FAILED]
