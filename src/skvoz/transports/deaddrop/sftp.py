"""A drop in a folder that SFTP reaches: any machine with an SSH server.

    sftp://USER@HOST[:PORT]/PATH?hostkey=SHA256:…[&create=link|new]

The server's key is learned where a drop is made, and goes on in the drop's key: another one is refused.
`create` says how an object is put where there is none: `link` writes beside it and makes a link, which a
server refuses where there is one already; `new` opens it with `O_EXCL`, and who reads meanwhile finds a part
and waits.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import asyncssh

from skvoz.base.errors import BadRequest, TransportError
from skvoz.transports.deaddrop.objects import SIZES
from skvoz.transports.deaddrop.places import CREATES, StoragePlace
from skvoz.transports.deaddrop.storage import StorageFull, StorageOdd, StorageRefuses

T = TypeVar("T")

_TIMEOUT_S: Final = 30.0
_PORT: Final = 22
_FULL: Final = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)


class _Client(asyncssh.SSHClient):
    """Takes the one key that belongs to the drop."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Compare the server's key with the one that was learned where the drop was made."""
        del host, addr, port
        return bool(self._fingerprint) and key.get_fingerprint() == self._fingerprint


class SftpStorage:
    """One connection, opened when it is first needed and again whenever it broke."""

    def __init__(self, place: StoragePlace, password: str) -> None:
        self._place = place
        self._password = password
        self._create_by = place.options.get("create", CREATES[place.scheme][0])
        if self._create_by not in CREATES[place.scheme] or not place.host or not place.path:
            raise BadRequest("this is not the address of a storage")
        self._turn = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self.spent_bytes = 0

    async def names(self) -> set[str]:
        """Return the names of all files."""

        async def listed(sftp: asyncssh.SFTPClient) -> list[str]:
            return [str(name) for name in await sftp.listdir(self._place.path) if str(name).strip(".")]

        found = await self._do(listed)
        self.spent_bytes += sum(map(len, found)) * 2
        return set(found)

    async def get(self, name: str) -> bytes | None:
        """Return an object."""

        async def read(sftp: asyncssh.SFTPClient) -> bytes:
            async with sftp.open(self._path(name), "rb") as file:
                found: object = await file.read(SIZES[-1] + 1)  # pyright: ignore[reportUnknownVariableType]  # bytes, as opened
                return found if isinstance(found, bytes) else b""

        try:
            found = await self._do(read)
        except _Missing:
            return None
        self.spent_bytes += len(found)
        return found

    async def create(self, name: str, data: bytes) -> bool:
        """Put an object where there is none."""
        self.spent_bytes += len(data)
        try:
            if self._create_by == "new":
                await self._do(lambda sftp: _write(sftp, self._path(name), data, "xb"))
                return True
            await self._do(lambda sftp: self._link(sftp, name, data))
        except _Missing:
            raise TransportError("the drop's folder isn't there") from None
        except _Refused:
            if await self.get(name) is not None:
                return False
            raise StorageOdd("the drop's storage answers as something else") from None
        return True

    async def put(self, name: str, data: bytes) -> None:
        """Put an object, whatever is there."""
        self.spent_bytes += len(data)
        await self._do(lambda sftp: _write(sftp, self._path(name), data, "wb"))

    async def delete(self, name: str) -> None:
        """Delete an object."""
        try:
            await self._do(lambda sftp: sftp.remove(self._path(name)))
        except _Missing:
            return

    async def close(self) -> None:
        """Let the connection go."""
        connection, self._connection, self._sftp = self._connection, None, None
        if connection is not None:
            connection.abort()

    def _path(self, name: str) -> str:
        return f"{self._place.path}/{name}"

    async def _link(self, sftp: asyncssh.SFTPClient, name: str, data: bytes) -> None:
        beside = self._path(secrets.token_hex(16) + ".new")
        await _write(sftp, beside, data, "xb")
        try:
            await sftp.link(beside, self._path(name))
        finally:
            await sftp.remove(beside)

    async def _do(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        """Do something over the connection, and say in the tree's words what went wrong."""
        async with self._turn:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return await work(await self._open())
            except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
                raise _Missing("the drop's folder isn't there") from None
            except _FULL:
                raise StorageFull("the drop's storage is full") from None
            except (asyncssh.SFTPFailure, asyncssh.SFTPFileAlreadyExists, asyncssh.SFTPOpUnsupported):
                raise _Refused("the drop's storage answers as something else") from None
            except asyncssh.SFTPPermissionDenied:
                raise StorageRefuses("the drop's folder may not be read or written") from None
            except asyncssh.PermissionDenied:
                await self.close()
                raise StorageRefuses(
                    "the drop's storage refuses: the name, the password or the place is wrong"
                ) from None
            except asyncssh.HostKeyNotVerifiable:
                await self.close()
                raise StorageRefuses("the drop's storage shows another key than it had") from None
            except TimeoutError:
                await self.close()
                raise TransportError("the drop's storage doesn't answer in time") from None
            except (OSError, asyncssh.Error):
                await self.close()
                raise TransportError("the drop's storage can't be reached") from None

    async def _open(self) -> asyncssh.SFTPClient:
        if self._sftp is not None and self._connection is not None and not self._connection.is_closed():
            return self._sftp
        fingerprint = self._place.options.get("hostkey", "")
        self._connection = await asyncssh.connect(
            self._place.host,
            self._place.port or _PORT,
            username=self._place.user,
            password=self._password,
            client_keys=None,
            agent_path=None,
            config=None,
            known_hosts=([], [], []),
            client_factory=lambda: _Client(fingerprint),
        )
        self._sftp = await self._connection.start_sftp_client()
        return self._sftp


async def learn_host_key(place: StoragePlace) -> str:
    """Return the fingerprint of the key that a server shows now; raise `TransportError`."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            key = await asyncssh.get_server_host_key(place.host, place.port or _PORT, config=None)
    except (OSError, TimeoutError, asyncssh.Error):
        key = None
    if key is None:
        raise TransportError("the drop's storage can't be reached")
    return key.get_fingerprint()


async def _write(sftp: asyncssh.SFTPClient, path: str, data: bytes, mode: str) -> None:
    async with sftp.open(path, mode) as file:
        await file.write(data)


class _Missing(TransportError):
    """There is no such file."""


class _Refused(TransportError):
    """The server didn't do it, and SFTP's version 3 has no word for why."""
