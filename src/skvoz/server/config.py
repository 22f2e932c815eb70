"""An operator's settings: `relay.toml` in the relay's home. Nothing in it is required.

listen = "127.0.0.1:8443"     # behind Caddy or another server that speaks TLS
path = "/"                    # where WebSocket is spoken; anything else there is not found
address = "wss://…"           # where the world reaches it, for `skvoz relay check`
addresses = ["wss://…"]       # where people's nodes are to look for it, 8 at most; they keep this
tickets = ["…"]               # who may create logs; absent: everybody
reserve_bytes = 536870912     # below so much free disk nothing more is stored
carry_sessions = 256          # sessions that are carried to other relays at a time; 0: none
carry_ports = [443]           # at which ports other relays may be
carry_local = false           # whether also to addresses that are not public, and without TLS

[quotas]                      # any field of `skvoz.logs.Quotas`
retention_s = 2592000
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from skvoz.base.addresses import is_address
from skvoz.base.errors import BadRequest, StoreError
from skvoz.base.limits import BLOB_SIZE_MAX, ENTRY_SIZE_MAX, REKEY_SIZE_MAX
from skvoz.base.value import Value
from skvoz.crypto import sha256
from skvoz.logs import CLOSER_RETENTION_S, Quotas
from skvoz.relay import Admission, Carriage
from skvoz.server.home import split_address
from skvoz.wire.frames import ADDRESSES_MAX

RESERVE_BYTES: Final = 512 * 1024 * 1024
"""Below so much free disk a relay stores nothing more; deleting and reading go on."""

_CARRY_SESSIONS_MAX: Final = 10_000
_QUOTA_MAX: Final = 2**63
"""What is not a number is not below it either."""


class Settings(Value, frozen=True, kw_only=True):
    """What an operator may set."""

    host: str = "127.0.0.1"
    port: int = 8443
    path: str = "/"
    address: str = ""
    addresses: tuple[str, ...] = ()
    quotas: Quotas = msgspec.field(default_factory=Quotas)
    admission: Admission = msgspec.field(default_factory=Admission)
    reserve_bytes: int = RESERVE_BYTES
    carriage: Carriage | None = msgspec.field(default_factory=Carriage)

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or not self.path.isascii():
            raise BadRequest("a relay's path starts with a slash and is ASCII")
        if len(self.addresses) > ADDRESSES_MAX or not all(map(is_address, self.addresses)):
            raise BadRequest("a relay has 8 addresses at most, which start with wss: or https:")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    listen: str = "127.0.0.1:8443"
    path: str = "/"
    address: str = ""
    addresses: list[str] = []  # msgspec gives each its own
    tickets: list[str] | None = None
    reserve_bytes: int = RESERVE_BYTES
    carry_sessions: Annotated[int, msgspec.Meta(ge=0, le=_CARRY_SESSIONS_MAX)] = 256
    carry_ports: tuple[Annotated[int, msgspec.Meta(ge=1, le=65_535)], ...] = (443,)
    carry_local: bool = False
    quotas: dict[str, Any] = {}  # msgspec gives each its own

    def __repr__(self) -> str:
        return "<relay.toml>"


def read_settings(file: Path) -> Settings:
    """Read `relay.toml`, or give the defaults without one. Raises `BadRequest` or `StoreError`."""
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise StoreError(f"relay.toml can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest("relay.toml is not UTF-8") from None
    try:
        found = msgspec.convert(tomllib.loads(text), _File)
        host, port = split_address(found.listen)
        tickets = found.tickets
        hashes = None if tickets is None else frozenset(sha256(one.encode()) for one in tickets)
        return Settings(
            host=host,
            port=port,
            path=found.path,
            address=found.address,
            addresses=tuple(found.addresses),
            quotas=_quotas(found.quotas),
            admission=Admission(ticket_hashes=hashes),
            reserve_bytes=found.reserve_bytes,
            carriage=_carriage(found),
        )
    except (ValueError, msgspec.ValidationError, BadRequest) as error:  # a number can be too long to be read
        raise BadRequest(f"relay.toml: {error}") from None
    except RecursionError:
        raise BadRequest("relay.toml: lists are nested too deeply") from None


def _carriage(found: _File) -> Carriage | None:
    if not found.carry_sessions:
        return None
    return Carriage(
        sessions_max=found.carry_sessions, ports=frozenset(found.carry_ports), local=found.carry_local
    )


def _quotas(found: dict[str, Any]) -> Quotas:
    known = {one.name: one.type for one in msgspec.structs.fields(Quotas)}
    for name, value in found.items():
        if name not in known:
            raise BadRequest(f"there is no such quota: {name}")
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (isinstance(value, float) and known[name] is float)) or not 0 < value < _QUOTA_MAX:
            raise BadRequest(f"a quota is a number above 0: {name}")
    quotas = Quotas(**found)
    if quotas.entry_size_max > ENTRY_SIZE_MAX or quotas.rekey_size_max > REKEY_SIZE_MAX:
        raise BadRequest("entries can't be larger than the protocol allows")
    if quotas.blob_size_max > BLOB_SIZE_MAX:
        raise BadRequest("blobs can't be larger than the protocol allows")
    if quotas.retention_s > CLOSER_RETENTION_S:
        raise BadRequest("entries can't be kept longer than closers are")
    return quotas
