"""Who may use the page: start tokens, and the sessions that they are exchanged for.

A start token stands in the address that is opened. It works once, within a minute, so that whoever finds it
later (in a history, in a list of processes) finds nothing. A session token lives in the page; of it
only the SHA-256 is kept, in `page.json`, so that a page goes on after its node was started again.
"""

import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec

from skvoz.store.home import write_private_file

START_LIFETIME_MS: Final = 60_000
"""How long an address that was opened may be used, milliseconds."""
STARTS_MAX: Final = 8
"""Start tokens that wait at once; a further one takes the place of the oldest."""
SESSION_IDLE_MS: Final = 14 * 24 * 3600 * 1000
"""A page that nobody used for so long has to be opened anew, milliseconds."""
SESSIONS_MAX: Final = 16
"""Open pages; a further one ends the one that was used longest ago."""
_NOTE_USE_EVERY_MS: Final = 3600 * 1000
_TOKEN_SIZE: Final = 32


class _PageFile(msgspec.Struct, kw_only=True):
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    sessions: dict[str, int] = {}  # msgspec copies it
    """SHA-256 of a session token, hexadecimal, to when it was last used, milliseconds since 1970."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class PageSessions:
    """The tokens of one home's page, and the port that it was served at."""

    def __init__(self, file: Path, clock_ms: Callable[[], int]) -> None:
        """Take up what `file` keeps; where it can't be read, begin anew."""
        self._file = file
        self._clock_ms = clock_ms
        self._kept = _read(file)
        self._starts: dict[bytes, int] = {}

    @property
    def port(self) -> int:
        """Where the page was served last, so that an open one finds its node again; 0: nowhere yet."""
        return self._kept.port

    def served_at(self, port: int) -> None:
        """Note where the page is served now."""
        if port != self._kept.port:
            self._kept.port = port
            self._keep()

    def new_start(self) -> str:
        """Return a token that is exchanged for a session once, within `START_LIFETIME_MS`."""
        while len(self._starts) >= STARTS_MAX:
            self._starts.pop(min(self._starts, key=self._starts.__getitem__))
        token = secrets.token_urlsafe(_TOKEN_SIZE)
        self._starts[_digest(token)] = self._clock_ms() + START_LIFETIME_MS
        return token

    def exchange(self, start: str) -> str | None:
        """Return a session token for a start token, which is used up by it; nothing for any other text."""
        now_ms = self._clock_ms()
        self._starts = {digest: until for digest, until in self._starts.items() if until > now_ms}
        wanted = _digest(start)
        found = next((digest for digest in self._starts if hmac.compare_digest(digest, wanted)), None)
        if found is None:
            return None
        del self._starts[found]
        sessions = self._kept.sessions
        while len(sessions) >= SESSIONS_MAX:
            sessions.pop(min(sessions, key=sessions.__getitem__))
        token = secrets.token_urlsafe(_TOKEN_SIZE)
        sessions[_digest(token).hex()] = now_ms
        self._keep()
        return token

    def is_open(self, token: str) -> bool:
        """Tell whether a session token is one that was given out and is not too old."""
        used_ms = self._kept.sessions.get(_digest(token).hex())
        now_ms = self._clock_ms()
        if used_ms is None or used_ms + SESSION_IDLE_MS < now_ms:
            return False
        if used_ms + _NOTE_USE_EVERY_MS < now_ms:
            self._kept.sessions[_digest(token).hex()] = now_ms
            self._keep()
        return True

    def close(self, token: str) -> None:
        """Let a session token open nothing any more."""
        if self._kept.sessions.pop(_digest(token).hex(), None) is not None:
            self._keep()

    def _keep(self) -> None:
        # With a full disk pages have to be opened anew after the next start; nothing else is lost.
        with contextlib.suppress(OSError):
            write_private_file(self._file, msgspec.json.encode(self._kept))


def _digest(token: str) -> bytes:
    # What can't be encoded was never given out, and has a digest of its own.
    return hashlib.sha256(token.encode(errors="backslashreplace")).digest()


def _read(file: Path) -> _PageFile:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_PageFile)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return _PageFile()
