import stat
from pathlib import Path

import pytest

from skvoz.api.page_sessions import (
    SESSION_IDLE_MS,
    SESSIONS_MAX,
    START_LIFETIME_MS,
    STARTS_MAX,
    PageSessions,
)


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(sessions: PageSessions) -> str:
    token = sessions.exchange(sessions.new_start())
    assert token is not None
    return token


def test_a_start_token_is_exchanged_once(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    start = sessions.new_start()
    token = sessions.exchange(start)
    assert token
    assert sessions.is_open(token)
    assert sessions.exchange(start) is None
    assert not sessions.is_open(start)


def test_a_start_token_is_good_for_a_minute(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    early, late = sessions.new_start(), sessions.new_start()
    clock.now_ms += START_LIFETIME_MS - 1
    assert sessions.exchange(early)
    clock.now_ms += 1
    assert sessions.exchange(late) is None


def test_start_tokens_do_not_pile_up(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    starts: list[str] = []
    for _ in range(STARTS_MAX + 1):
        starts.append(sessions.new_start())
        clock.now_ms += 1
    assert sessions.exchange(starts[0]) is None
    assert all(map(sessions.exchange, starts[1:]))


@pytest.mark.parametrize("wrong", ["", "x", "é", "\ud800", "a" * 10_000])
def test_no_other_text_opens_anything(tmp_path: Path, clock: Clock, wrong: str) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    sessions.new_start()
    opened(sessions)
    assert sessions.exchange(wrong) is None
    assert not sessions.is_open(wrong)


def test_sessions_and_port_outlive_the_node_and_tokens_are_not_on_the_disk(
    tmp_path: Path, clock: Clock
) -> None:
    file = tmp_path / "page.json"
    sessions = PageSessions(file, clock)
    sessions.served_at(4711)
    start = sessions.new_start()
    token = sessions.exchange(start)
    assert token is not None
    again = PageSessions(file, clock)
    assert again.port == 4711
    assert again.is_open(token)
    assert again.exchange(sessions.new_start()) is None
    kept = file.read_text()
    assert token not in kept
    assert start not in kept
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_session_ends_when_it_is_closed_idle_or_pushed_out(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    closed, used, idle = (opened(sessions) for _ in range(3))
    sessions.close(closed)
    assert not sessions.is_open(closed)
    clock.now_ms += SESSION_IDLE_MS - 1
    assert sessions.is_open(used)
    clock.now_ms += 2
    assert sessions.is_open(used)
    assert not sessions.is_open(idle)
    for _ in range(SESSIONS_MAX):
        clock.now_ms += 1
        opened(sessions)
    assert not sessions.is_open(used)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"port": -1}', b'{"port": "x"}', b"[" * 10_000])
def test_a_damaged_file_only_closes_pages(tmp_path: Path, clock: Clock, content: bytes) -> None:
    file = tmp_path / "page.json"
    file.write_bytes(content)
    sessions = PageSessions(file, clock)
    assert sessions.port == 0
    assert sessions.is_open(opened(sessions))


def test_a_disk_that_takes_nothing_costs_no_page(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "no folder" / "page.json", clock)
    assert sessions.is_open(opened(sessions))


def test_nothing_shows_a_token(tmp_path: Path, clock: Clock) -> None:
    sessions = PageSessions(tmp_path / "page.json", clock)
    token = opened(sessions)
    assert token not in repr(sessions)
    assert token not in repr(sessions._kept)
