"""People of the lab: each has a home, and a real node on it in a process of its own, somewhere."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.api_client import ApiClient, CallRefused, connect
from lab.processes import Where, stop
from lab.site import Site
from skvoz.api.caller import Caller, socket_file

_START_TIMEOUT_S: Final = 90.0
"""A busy machine takes its time."""
_POLL_S: Final = 0.02
_PAGE: Final = 200
_WORDS_MAX: Final = 200
Heard = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """How a node gets out: whom it trusts; which transports and hosts it may use, none named: all."""

    authority: Path
    only: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


class Resident:
    """Somebody with a home, whose node may run or not."""

    def __init__(self, name: str, folder: Path, where: Where) -> None:
        self.name = name
        self.folder = folder
        self.account_id = ""
        self.heard: Heard = lambda _message_id, _at: None
        """Called for each message of somebody else's that comes, with its id and `time.monotonic`."""
        self.where = where
        self._log = folder.parent / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._api: ApiClient | None = None
        self._last_event = 0

    @property
    def api(self) -> ApiClient:
        """The node's API, while it runs."""
        if self._api is None:
            raise RuntimeError("this node does not run")
        return self._api

    async def wake(self, means: Means) -> None:
        """Start the node, and hear what came from where it was left on."""
        words = [
            sys.executable,
            "-m",
            "lab.node_process",
            str(self.folder),
            "--authority",
            str(means.authority),
        ]
        for transport in means.only:
            words += ["--only", transport]
        for host in means.hosts:
            words += ["--host", host]
        environment = {**os.environ, "SSL_CERT_FILE": str(means.authority), "SKVOZ_KEYRING": "off"}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220  # starting takes a millisecond
                self.where.command(*words), stdout=log, stderr=log, env=environment
            )
        self._api = await self._reach(self._process)
        self._api.on_event = self._take
        await self._api.ask("event.subscribe", after=self._last_event)

    async def sleep(self) -> None:
        """Stop the node."""
        if self._api is not None:
            await self._api.close()
        if self._process is not None:
            await asyncio.to_thread(stop, self._process)
        self._api, self._process = None, None

    async def create_account(self, site: Site, addresses: tuple[str, ...]) -> None:
        """Begin to live at a relay that is looked for at these addresses."""
        await self.live_at({"public_key": msgspec.to_builtins(site.public_key), "addresses": addresses})

    async def live_at(self, relay: dict[str, Any]) -> None:
        """Create an account at a relay, in the API's words."""
        await self.api.wish("account.create", name=self.name, relay=relay)
        self.account_id = (await self.api.ask("account.get"))["account_id"]

    async def send(self, to: "Resident", text: str) -> str:
        """Write a message, and return its id."""
        answer = await self.api.wish("message.send", chat_id=to.account_id, text=text)
        return str(answer["message_id"])

    async def send_file(self, to: "Resident", file: Path) -> str:
        """Send a file from the disk, and return the message's id."""
        file_id = await asyncio.to_thread(self._put, file)
        files = [{"file_id": msgspec.to_builtins(file_id)}]
        answer = await self.api.ask(
            "message.send", client_id=uuid.uuid4().hex, chat_id=to.account_id, text="", files=files
        )
        return str(answer["message_id"])

    async def has_file(self, message_id: str) -> bool:
        """Tell whether the bytes of a message's file are here; ask for them where they aren't."""
        try:
            message = await self.api.ask("message.get", message_id=message_id)
        except CallRefused:
            return False
        file: dict[str, Any] = message["files"][0]
        if file["state"] == "remote":
            with contextlib.suppress(CallRefused):
                await self.api.wish("file.fetch", file_id=file["file_id"])
        return file["state"] == "here"

    async def texts(self, chat: "Resident") -> list[str]:
        """Return the texts of a chat, in this home's order."""
        found: list[dict[str, Any]] = []
        before: int | None = None
        while True:
            place = {} if before is None else {"before": before}
            page = await self.api.ask("message.list", chat_id=chat.account_id, limit=_PAGE, **place)
            found += page["messages"]
            before = page["next_before"]
            if before is None:
                return [one["text"] for one in reversed(found)]

    async def addresses_in_use(self) -> list[str]:
        """Return the addresses over which sessions are up, as far as the node tells."""
        status = await self.api.ask("node.status")
        return [one["address"] for one in status["relays"] if one["state"] == "connected"]

    def bundle(self) -> bytes:
        """Return what somebody may carry to others. Raises `SkvozError`."""
        return Caller(socket_file(self.folder)).get_bundle().file

    def bring(self, bundle: bytes) -> None:
        """Take what somebody carried here. Raises `SkvozError`."""
        Caller(socket_file(self.folder)).put_bundle(bundle)

    async def _reach(self, process: subprocess.Popen[bytes]) -> ApiClient:
        async with asyncio.timeout(_START_TIMEOUT_S):
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    return await connect(socket_file(self.folder))
                await asyncio.sleep(_POLL_S)
        last_words = self._log.read_text(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"a node ended before it could be asked anything: {last_words[:_WORDS_MAX]}")

    def _take(self, event: dict[str, Any]) -> None:
        self._last_event = max(self._last_event, int(event.get("sequence", 0)))
        if event.get("kind") == "message.received":
            self.heard(str(event["data"]["message_id"]), time.monotonic())

    def _put(self, file: Path) -> bytes:
        with file.open("rb") as opened:
            size = file.stat().st_size
            caller = Caller(socket_file(self.folder))
            return caller.put_file(opened, size, "notes.bin", "application/octet-stream")


async def introduce(inviter: Resident, guest: Resident) -> None:
    """Let two people meet through a single-use link, until each has heard the other."""
    link = (await inviter.api.wish("link.create"))["link"]
    await guest.api.wish("link.accept", link=link, text="hello")
    async with asyncio.timeout(60.0):
        while guest.account_id not in await _contacts(inviter):  # noqa: ASYNC110  # it is another process
            await asyncio.sleep(_POLL_S)
        await inviter.send(guest, "hello to you")
        while "hello to you" not in await guest.texts(inviter):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)


async def _contacts(resident: Resident) -> set[str]:
    return {one["account_id"] for one in (await resident.api.ask("contact.list"))["contacts"]}
