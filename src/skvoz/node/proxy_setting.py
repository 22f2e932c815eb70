"""The person's proxy, as the home keeps it: the file `proxy.json`, which only its owner reads.

It is not in the database, since it has to count before there is an account, and beside a running node.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, StoreError
from skvoz.base.value import Value
from skvoz.transports.proxy import SocksProxy, parse_proxy

FILE_NAME: Final = "proxy.json"
_FILE_SIZE_MAX: Final = 4096


class _File(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    name: str = ""
    password: str = ""
    allows_direct: bool = False

    def __repr__(self) -> str:
        return "<proxy.json>"


class ProxyChoice(Value, frozen=True):
    """What a home goes through, and whether it may go around it where that fails."""

    proxy: SocksProxy
    allows_direct: bool = False


class ProxySetting:
    """A home's setting; whoever changes it is heard with the next connection."""

    def __init__(self, folder: Path | None) -> None:
        """Keep it in a home's folder; without one there is no proxy."""
        self._file = None if folder is None else folder / FILE_NAME
        self._stamp: tuple[int, int] | None = None
        self._choice: ProxyChoice | None = None

    def read(self) -> ProxyChoice | None:
        """Return what is set; raise `StoreError` where that can't be read: nothing goes out then."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except FileNotFoundError:
            self._stamp, self._choice = None, None
            return None
        except OSError as error:
            raise StoreError(f"the proxy's setting can't be read: {error.strerror}") from None
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._choice = _parse(self._file)
            self._stamp = stamp
        return self._choice

    def write(self, choice: ProxyChoice) -> None:
        """Keep a choice, whole or not at all; raise `StoreError`."""
        if self._file is None:
            raise AssertionError("there is no home to keep it in")
        proxy = choice.proxy
        content = msgspec.json.encode(
            _File(
                address=proxy.shown,
                name=proxy.name,
                password=proxy.password,
                allows_direct=choice.allows_direct,
            )
        )
        temporary = self._file.with_name(f"{FILE_NAME}.new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(content)
                os.fsync(descriptor)
            temporary.replace(self._file)
        except OSError as error:
            raise StoreError(f"the proxy's setting can't be written: {error.strerror}") from None

    def remove(self) -> None:
        """Go without a proxy from now on; raise `StoreError`."""
        if self._file is not None:
            try:
                self._file.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"the proxy's setting can't be written: {error.strerror}") from None


def _parse(file: Path) -> ProxyChoice:
    try:
        with file.open("rb") as opened:
            found = msgspec.json.decode(opened.read(_FILE_SIZE_MAX), type=_File)
        return ProxyChoice(
            proxy=parse_proxy(found.address, found.name, found.password), allows_direct=found.allows_direct
        )
    except (OSError, msgspec.DecodeError, BadRequest):
        raise StoreError("the proxy's setting can't be read: set it anew") from None
