"""Where the database's key is kept: the OS keyring, a passphrase, or a private file.

The database has one random key for life; a passphrase (Argon2id, RFC 9106) encrypts that key, so that
changing the passphrase rewrites 100 bytes and not the database.
"""

import contextlib
import os
import secrets
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import argon2.exceptions
import argon2.low_level
import keyring
import keyring.errors
import msgspec

from skvoz.base.errors import DecryptFailed, NotFound, SchemaTooNew, StoreError, WrongPassphrase
from skvoz.crypto.symmetric import KEY_SIZE, ZERO_NONCE, seal, unseal
from skvoz.store.home import overwrite_and_remove, write_private_file

_VERSION = 1
_KEYRING_SERVICE = "skvoz"
_TIME_COST = 3
_MEMORY_KIB = 64 * 1024
_PARALLELISM = 4
"""RFC 9106 §4, the second recommended option: about 0.1 s here, and 64 MiB for each guess."""
_TIME_COST_MAX = 20
_MEMORY_KIB_MAX = 4 * 1024 * 1024
_PARALLELISM_MAX = 64


class Protection(Enum):
    """Who keeps the key."""

    AUTOMATIC = "automatic"
    """The keyring where one works, else a file."""
    FILE = "file"
    PASSPHRASE = "passphrase"  # noqa: S105  # the name of a kind, not a secret
    KEYRING = "keyring"


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    version: int
    kind: str
    key: str = ""
    name: str = ""
    salt: str = ""
    time_cost: int = 0
    memory_kib: int = 0
    parallelism: int = 0
    wrapped: str = ""
    stale: tuple[str, ...] = ()
    """The keyring's entries that are of no use, until they are gone."""

    def __repr__(self) -> str:
        return "<_KeyFile>"


AskPassphrase = Callable[[], str]
"""Called when a passphrase is needed; returns it, or raises a `CallerError`."""


def create_key(file: Path, protection: Protection, ask: AskPassphrase) -> bytes:
    """Make a database key, put it under `protection`, and return it (32 bytes)."""
    key = secrets.token_bytes(KEY_SIZE)
    _keep(file, key, protection, ask)
    return key


def _keep(
    file: Path, key: bytes, protection: Protection, ask: AskPassphrase, before: _KeyFile | None = None
) -> None:
    if protection is Protection.PASSPHRASE:
        kept = _wrapped(key, ask())
    elif protection is Protection.FILE or (protection is Protection.AUTOMATIC and not _keyring_works()):
        kept = _KeyFile(version=_VERSION, kind="file", key=key.hex())
    else:
        kept = _KeyFile(version=_VERSION, kind="keyring", name=secrets.token_hex(16))
        if before is not None:
            # A kill must not leave the key in an entry that nobody knows of.
            _write(file, msgspec.structs.replace(before, stale=(*before.stale, kept.name)))
        try:
            keyring.set_password(_KEYRING_SERVICE, kept.name, key.hex())
        except keyring.errors.KeyringError:
            raise StoreError("the system's keyring did not take the key") from None
    if before is not None:
        kept.stale = (*before.stale, before.name) if before.name else before.stale
    _write(file, kept)


def read_key(file: Path, ask: AskPassphrase) -> bytes:
    """Return the database key; raise `WrongPassphrase`, `SchemaTooNew`, `NotFound` or `StoreError`."""
    stored = _read(file)
    try:
        if stored.kind == "file":
            key = bytes.fromhex(stored.key)
        elif stored.kind == "passphrase":
            key = _unwrapped(stored, ask())
        elif stored.kind == "keyring":
            key = bytes.fromhex(keyring.get_password(_KEYRING_SERVICE, stored.name) or "")
        else:
            raise SchemaTooNew("the key's protection is of a kind that this version does not know")
    except (ValueError, keyring.errors.KeyringError):
        raise StoreError("the key of this home can't be had from where it was put") from None
    if len(key) != KEY_SIZE:
        raise StoreError("the key of this home can't be had from where it was put")
    _forget_stale(file, stored)
    return key


def change_protection(file: Path, ask: AskPassphrase, protection: Protection, ask_new: AskPassphrase) -> None:
    """Put the key under another protection or another passphrase; the database stays as it is.

    Raises as `read_key`, and then nothing has changed. A kill at any moment leaves the old protection or the
    new one; what is left of the old one then goes when the home is opened the next time.
    """
    key = read_key(file, ask)
    before = _read(file)
    _keep(file, key, protection, ask_new, before)
    _forget_stale(file, _read(file))


def _forget_stale(file: Path, stored: _KeyFile) -> None:
    """Remove the keyring's entries that are of no use; while that fails, they stay noted."""
    if not stored.stale:
        return
    try:
        for name in stored.stale:
            if keyring.get_password(_KEYRING_SERVICE, name) is not None:
                keyring.delete_password(_KEYRING_SERVICE, name)
    except keyring.errors.KeyringError:
        return
    stored.stale = ()
    with contextlib.suppress(StoreError):
        _write(file, stored)


def destroy_key(file: Path) -> None:
    """Make a home's key unknown to everybody: out of the keyring, then overwritten and removed.

    Does nothing where there is none. Raises `StoreError` where the keyring keeps the key (the file is then
    left), or where the file can't be removed.
    """
    # A damaged file names no entry; what it can't name is of no use without the file either.
    stored = None
    with contextlib.suppress(StoreError, NotFound, SchemaTooNew):
        stored = _read(file)
    for name in () if stored is None else filter(None, (stored.name, *stored.stale)):
        _destroy_entry(name)
    try:
        # One that shares its bytes with the key says nothing once they are overwritten.
        overwrite_and_remove(file.with_suffix(".old"), spare_others=True)
        overwrite_and_remove(file)
    except OSError as error:
        raise StoreError(f"the home's key could not be removed: {error.strerror}") from None


def _destroy_entry(name: str) -> None:
    """Overwrite and delete an entry of the keyring; either is enough."""
    done = False
    try:
        if keyring.get_password(_KEYRING_SERVICE, name) is None:
            return
    except keyring.errors.KeyringError:
        pass
    with contextlib.suppress(keyring.errors.KeyringError):
        keyring.set_password(_KEYRING_SERVICE, name, secrets.token_hex(KEY_SIZE))
        done = True
    with contextlib.suppress(keyring.errors.KeyringError):
        keyring.delete_password(_KEYRING_SERVICE, name)
        done = True
    if not done:
        raise StoreError("the system's keyring does not let go of the home's key: unlock it, and try again")


def kind_of(file: Path) -> str:
    """Return `file`, `passphrase` or `keyring` (for `doctor`, which names what is weak)."""
    return _read(file).kind


def _keyring_works() -> bool:
    # The "fail" and "null" backends have a priority of 0 or less and keep nothing.
    if os.environ.get("SKVOZ_KEYRING") == "off":
        return False
    return float(getattr(keyring.get_keyring(), "priority", 0)) > 0


def _passphrase_key(passphrase: str, parameters: _KeyFile) -> bytes:
    return argon2.low_level.hash_secret_raw(
        passphrase.encode(),
        bytes.fromhex(parameters.salt),
        time_cost=parameters.time_cost,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.parallelism,
        hash_len=KEY_SIZE,
        type=argon2.low_level.Type.ID,
    )


def _wrapped(key: bytes, passphrase: str) -> _KeyFile:
    file = _KeyFile(
        version=_VERSION,
        kind="passphrase",
        salt=secrets.token_hex(16),
        time_cost=_TIME_COST,
        memory_kib=_MEMORY_KIB,
        parallelism=_PARALLELISM,
    )
    # The salt is fresh for each wrapping, so the key encrypts one message and the nonce may be zero.
    file.wrapped = seal(_passphrase_key(passphrase, file), ZERO_NONCE, b"skvoz home key", key).hex()
    return file


def _unwrapped(file: _KeyFile, passphrase: str) -> bytes:
    bounds = (
        (file.time_cost, _TIME_COST_MAX),
        (file.memory_kib, _MEMORY_KIB_MAX),
        (file.parallelism, _PARALLELISM_MAX),
    )
    if not all(0 < asked <= most for asked, most in bounds):
        raise StoreError("the key file asks for more work than this version does")
    try:
        wrapped = bytes.fromhex(file.wrapped)
        return unseal(_passphrase_key(passphrase, file), ZERO_NONCE, b"skvoz home key", wrapped)
    except DecryptFailed:
        raise WrongPassphrase("the passphrase does not open this home") from None
    except argon2.exceptions.HashingError:
        raise StoreError("the key file's parameters make no sense") from None


def _read(file: Path) -> _KeyFile:
    try:
        if file.stat().st_mode & 0o077:
            raise StoreError("others on this machine can read key.json, the home's key: make it mode 0600")
        stored = msgspec.json.decode(file.read_bytes(), type=_KeyFile)
    except FileNotFoundError:
        raise NotFound("this home has no key file") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise StoreError("the key file can't be read") from None
    if stored.version != _VERSION:
        raise SchemaTooNew("the key file was written by a newer version")
    return stored


def _write(file: Path, stored: _KeyFile) -> None:
    try:
        write_private_file(file, msgspec.json.encode(stored), overwrite_old=True)
    except OSError as error:
        raise StoreError(f"the key file can't be written: {error.strerror}") from None
