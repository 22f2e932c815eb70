"""How far a bot is in its node's events, kept in a file, so that what stops in between loses nothing."""

import os
from pathlib import Path

import msgspec

from skvoz.base.errors import BadRequest, StoreError
from skvoz.base.ids import AccountId
from skvoz.base.value import Value


class _Kept(Value, frozen=True, kw_only=True):
    account_id: AccountId
    name: str
    after: int


class Cursor:
    """The number of the last event that is dealt with."""

    def __init__(self, file: Path, account_id: AccountId, name: str, newest: int) -> None:
        """Take up what `file` keeps; without a file begin behind the `newest` event, and keep that.

        Raises `BadRequest` for the file of another bot or account, and `StoreError` where it can't be used.
        """
        self._file = file
        self._account_id = account_id
        self._name = name
        kept = _read(file)
        if kept is None:
            self._after = newest
            self.keep()
        elif (kept.account_id, kept.name) != (account_id, name):
            raise BadRequest("the state file is of another bot, and each needs its own")
        else:
            self._after = kept.after

    @property
    def after(self) -> int:
        """The last event that is dealt with."""
        return self._after

    def move(self, sequence: int, *, keep: bool) -> None:
        """Note that everything up to an event is dealt with; it is kept now, or with a later one."""
        self._after = sequence
        if keep:
            self.keep()

    def keep(self) -> None:
        """Have it on stable storage: after a crash the old or the new number is there. Raise `StoreError`."""
        kept = _Kept(account_id=self._account_id, name=self._name, after=self._after)
        beside = self._file.with_name(self._file.name + ".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(msgspec.json.encode(kept))
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(self._file)
        except OSError as error:
            raise StoreError(f"the bot's state can't be kept: {error.strerror}") from None


def _read(file: Path) -> _Kept | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"the bot's state can't be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadRequest("the state file is no bot's") from None
