"""What a tactic must block: small clients of nobody's, each tried without and with the tactic in one run.

What a control `tries` passes or doesn't; it never raises for what a box does to it. It reaches servers by
address, so that only rules about DNS have to do with names.
"""

import itertools
import json
import secrets
import socket
import ssl
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from lab import dns
from lab.outside import ECHO_TCP, SCRIPTED_TLS
from lab.places import SUSPICIOUS, WHO, Place

if TYPE_CHECKING:
    from lab.world import World

PATIENCE_S: Final = 2.5
"""Unhindered, all of them take less than a tenth of it on an idle machine."""
_EVENT_S: Final = 20.0


class Control(Protocol):
    """Something that passes without a tactic, and is blocked by it."""

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Try it from the client of a world, and tell for each try whether it passed."""
        ...


@dataclass(frozen=True)
class Decoy:
    """An innocent site that Chromium must be able to open while the tactic is on."""

    place: Place = SUSPICIOUS

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://decoy.{self.place.name}.example/"


def unverified(*protocols: str) -> ssl.SSLContext:
    """Return a plain Python client's settings; the lab's certificates are nobody's business here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def read_whole(line: socket.socket, size: int, until: float) -> bytes:
    """Read so many bytes; raises `OSError` at the end of the stream or of the time."""
    found = bytearray()
    while len(found) < size:
        line.settimeout(max(0.01, until - time.monotonic()))
        data = line.recv(65_536)
        if not data or time.monotonic() > until:
            raise TimeoutError
        found += data
    return bytes(found)


def fetch(address: str, name: str, size: int, timeout_s: float) -> bool:
    """Fetch so many bytes over TLS by plain Python, under a name."""
    until = time.monotonic() + timeout_s
    try:
        with (
            socket.create_connection((address, 443), timeout_s) as line,
            unverified("http/1.1").wrap_socket(line, server_hostname=name) as tls,
        ):
            tls.sendall(f"GET /{size} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            read_whole(tls, size, until)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Fetch:
    """A plain Python TLS client that fetches a file."""

    place: Place = SUSPICIOUS
    who: str = "blocked"
    size: int = 1_000
    timeout_s: float = PATIENCE_S

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Fetch it, once."""
        address, name = self.place.at(WHO[self.who]), f"{self.who}.{self.place.name}.example"
        return (world.inside("client", fetch, address, name, self.size, self.timeout_s),)


@dataclass(frozen=True)
class After:
    """Something that passes at first; it counts what became of it after a while."""

    control: Control
    wait_s: float

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Try, wait, and try again; where the first try is blocked already, the rule isn't what it says."""
        if not all(self.control.tries(world)):
            return (True,)
        time.sleep(self.wait_s)
        return self.control.tries(world)


@dataclass(frozen=True)
class AfterEvent:
    """Something that passes at first; it counts what became of it once the box has told of an event."""

    control: Control
    event: str

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Try, wait for the event where there is a tactic that may tell of it, and try again."""
        if not all(self.control.tries(world)):
            return (True,)
        until = time.monotonic() + _EVENT_S
        while world.box.tactic != "none" and time.monotonic() < until:
            if any(line["event"] == self.event for line in world.box.triggers()):
                break
            time.sleep(0.1)
        return self.control.tries(world)


@dataclass(frozen=True)
class Lookup:
    """A question over UDP."""

    resolver: str
    name: str

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Ask, and take the first answer."""
        return (world.inside("client", self._ask),)

    def _ask(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(PATIENCE_S)
            line.sendto(dns.query(self.name, secrets.randbelow(65_536)), (self.resolver, 53))
            try:
                return dns.read_address(line.recv(2048)) is not None
            except (OSError, ValueError):
                return False


@dataclass(frozen=True)
class Datagrams:
    """Datagrams that come back."""

    port: int
    payload: bytes
    count: int = 3
    place: Place = SUSPICIOUS

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Send some, and wait for any."""
        return (world.inside("client", self._send),)

    def _send(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(PATIENCE_S / 2)
            try:
                for _ in range(self.count):
                    line.sendto(self.payload, (self.place.at(WHO["blocked"]), self.port))
                return line.recv(2048) == self.payload
            except OSError:
                return False


@dataclass(frozen=True)
class RandomBytes:
    """A stream of random bytes over TCP that comes back: what protocols without any form look like."""

    size: int = 200
    place: Place = SUSPICIOUS

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Send them, and wait for them."""
        return (world.inside("client", self._send),)

    def _send(self) -> bool:
        address = (self.place.at(WHO["blocked"]), ECHO_TCP)
        until = time.monotonic() + PATIENCE_S
        try:
            with socket.create_connection(address, PATIENCE_S) as line:
                line.sendall(secrets.token_bytes(self.size))
                return len(read_whole(line, self.size, until)) == self.size
        except OSError:
            return False


@dataclass(frozen=True)
class Script:
    """Messages inside of TLS, by sizes: up, and what comes down for it (`lab.outside.SCRIPTED_TLS`)."""

    steps: tuple[tuple[int, int], ...]
    name: str = "www.other.suspicious.example"

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Play it to its end."""
        return (world.inside("client", self._play),)

    def _play(self) -> bool:
        address = (SUSPICIOUS.at(WHO["blocked"]), SCRIPTED_TLS)
        until = time.monotonic() + PATIENCE_S
        try:
            with (
                socket.create_connection(address, PATIENCE_S) as line,
                unverified().wrap_socket(line, server_hostname=self.name) as tls,
            ):
                for up, down in self.steps:
                    tls.sendall(struct.pack("!HH", up - 4, down) + bytes(up - 4))
                    read_whole(tls, down, until)
        except OSError:
            return False
        return True


@dataclass(frozen=True)
class Browserlike:
    """Requests with a browser's hello by wreq, so many at once, so far apart; all must pass."""

    host: str
    address: str
    browser: str = "Chrome154"
    times: int = 1
    apart_s: float = 0.0

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Start a process that makes them: the library's threads stay where they began."""
        asked = {"url": f"https://{self.host}/1000", "address": self.address, "browser": self.browser}
        command = [sys.executable, "-m", "lab.browserlike", json.dumps({
            **asked, "times": self.times, "apart_s": self.apart_s, "timeout_s": PATIENCE_S,
        })]  # fmt: skip
        done = world.run("client", command, timeout_s=30)
        return (done.returncode == 0,)


@dataclass(frozen=True)
class Each:
    """Several at once, each of which must be blocked."""

    controls: tuple[Control, ...]

    def tries(self, world: "World") -> tuple[bool, ...]:
        """Try all of them."""
        with ThreadPoolExecutor(len(self.controls)) as pool:
            trying = [pool.submit(one.tries, world) for one in self.controls]
            return tuple(itertools.chain.from_iterable(one.result() for one in trying))
