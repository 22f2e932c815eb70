"""Upkeep of a home: what nobody asks for any more is let go, once a day, a little at a time."""

from typing import Final

from skvoz.client import carrying, group_links
from skvoz.client.records import Answered, LoggedEvent
from skvoz.client.step import Step

ALARM: Final = "home.upkeep"
ANSWERS_KEPT_MS: Final = 30 * 24 * 3600 * 1000
"""A program repeats a wish within seconds, or after being away for a holiday."""
EVENTS_KEPT_MS: Final = 90 * 24 * 3600 * 1000
"""Who has not listened for so long reads everything anew."""
REMOVED_PER_STEP_MAX: Final = 500
_DAY_MS: Final = 24 * 3600 * 1000
_SOON_MS: Final = 1_000


def started(step: Step) -> None:
    """Have the first upkeep done soon after a start."""
    step.hasten_alarm(ALARM, b"", step.now_ms + _SOON_MS)


def run(step: Step) -> None:
    """Let go what is too old, and go on soon where there is more of it, else in a day."""
    answers = step.transaction.smallest(Answered, "created_ms", REMOVED_PER_STEP_MAX)
    old_answers = [one for one in answers if one.created_ms < step.now_ms - ANSWERS_KEPT_MS]
    events = step.transaction.smallest(LoggedEvent, "sequence", REMOVED_PER_STEP_MAX)
    old_events = [one for one in events if one.created_ms < step.now_ms - EVENTS_KEPT_MS]
    for answer in old_answers:
        step.transaction.delete(Answered, answer.client_id)
    for event in old_events:
        step.transaction.delete(LoggedEvent, event.sequence)
    group_links.forget_old(step)
    carrying.tidy(step)
    more_arrived = carrying.tidy_arrived(step)
    more = more_arrived or REMOVED_PER_STEP_MAX in {len(old_answers), len(old_events)}
    step.set_alarm(ALARM, b"", step.now_ms + (_SOON_MS if more else _DAY_MS))
