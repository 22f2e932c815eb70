"""Alarms that were set while the clock was ahead: nothing about a room waits longer than anything there."""

from typing import Final

from skvoz.client import inboxes, outbox, recovery
from skvoz.client.records import Alarm
from skvoz.client.step import Step

_HOUR_MS: Final = 3600 * 1000
_LONGEST_MS: Final = 8 * 24 * _HOUR_MS
"""A week, and the pause by leaf; of what leads to a card, see `inboxes.RENEW_MS`."""
_LATER: Final = frozenset({outbox.GO_ALARM, recovery.DOUBT_ALARM})
"""What does harm when it is done too early."""


def bring_near(step: Step) -> None:
    """Have what lies too far off done in an hour, or in a week where others need the time."""
    for alarm in step.transaction.select(Alarm):
        renews = alarm.name == inboxes.RENEW_ALARM
        if not renews and not alarm.name.startswith("room."):
            continue
        longest_ms = inboxes.RENEW_MS + _HOUR_MS if renews else _LONGEST_MS
        if alarm.due_ms > step.now_ms + longest_ms:
            pause_ms = _LONGEST_MS if alarm.name in _LATER else _HOUR_MS
            step.set_alarm(alarm.name, alarm.subject, step.now_ms + pause_ms)
