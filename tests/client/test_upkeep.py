from skvoz.client.commands import MuteChat
from skvoz.client.records import Alarm, Answered, LoggedEvent
from skvoz.client.upkeep import ALARM, ANSWERS_KEPT_MS, EVENTS_KEPT_MS, REMOVED_PER_STEP_MAX
from tests.client.fake_relay import Device
from tests.client.people_world import friends, say

DAY_MS = 24 * 3600 * 1000


def count(device: Device) -> tuple[int, int]:
    return len(device.all(Answered)), len(device.all(LoggedEvent))


def test_old_answers_go_after_a_month_and_events_after_three() -> None:
    world, anna, boris = friends("hello")
    answers, events = count(anna)
    assert answers
    assert events
    anna.restart()
    world.advance(2 * DAY_MS)
    assert len(anna.all(Answered)) == answers
    world.advance(ANSWERS_KEPT_MS)
    assert not anna.all(Answered)
    kept = {event.sequence for event in anna.all(LoggedEvent)}
    assert len(kept) >= events
    world.advance(EVENTS_KEPT_MS - ANSWERS_KEPT_MS)
    say(boris, anna.account_id, "still there?")
    found = anna.all(LoggedEvent)
    assert min(event.created_ms for event in found) > world.now_ms - EVENTS_KEPT_MS - 2 * DAY_MS
    assert not kept <= {event.sequence for event in found}
    assert "message.received" in {event.kind for event in found}


def test_much_goes_a_little_at_a_time() -> None:
    world, anna, boris = friends("hello")
    for _ in range(REMOVED_PER_STEP_MAX + 50):
        anna.do(lambda client_id: MuteChat(client_id=client_id, chat_id=boris.account_id, muted=True))
    anna.restart()
    world.advance(ANSWERS_KEPT_MS + 2 * DAY_MS)
    assert not anna.all(Answered)
    [alarm] = [one for one in anna.all(Alarm) if one.name == ALARM]
    assert alarm.due_ms > world.now_ms
