"""What opens a file without a header, and for how long."""

import time

import pytest

from skvoz.api.file_tickets import TICKETS_MAX, VALID_S, FileTickets


def test_tickets_lapse_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = FileTickets()
    first = tickets.path_to(b"f" * 16).partition("=")[2]
    assert tickets.fits((b"f" * 16).hex(), first)
    assert not tickets.fits((b"g" * 16).hex(), first)
    later = tickets.path_to(b"f" * 16).partition("=")[2]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + VALID_S + 1)
    assert not tickets.fits((b"f" * 16).hex(), later)
    fresh = [tickets.path_to(b"f" * 16).partition("=")[2] for _ in range(TICKETS_MAX + 1)]
    assert [tickets.fits((b"f" * 16).hex(), one) for one in fresh] == [False] + [True] * TICKETS_MAX
