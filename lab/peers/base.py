"""What a peer is: a server outside, something behind the box, and a line on which texts go and come."""

import secrets
import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Protocol

from lab.chat import TEXT_SIZE
from lab.controls import read_whole
from lab.places import SUSPICIOUS
from lab.world import World

ADDRESS: Final = SUSPICIOUS.at(10)
"""All peers serve where the relay does, at ports of their own, so that every rule means them too."""
TEXT_EVERY_S: Final = 1.0
TEXT_TIMEOUT_S: Final = 8.0
_GIVEN_UP_AFTER: Final = 3
"""So many failures one after the other tell enough."""


class Line(Protocol):
    """An open line to the echo; whatever goes wrong is an `OSError`."""

    def echo(self, text: bytes, until: float) -> None:
        """Send a text, and wait until it is back; `until` by `time.monotonic`."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Peer(ABC):
    """Something to compare with."""

    name: ClassVar[str]
    title: ClassVar[str]
    needs: ClassVar[str]
    """What has to be installed, in words."""

    @abstractmethod
    def why_not(self) -> str | None:
        """Say what is missing, or nothing."""

    @abstractmethod
    def start(self, world: World, folder: Path) -> None:
        """Start all programs; they end with the world."""

    @abstractmethod
    def open(self, until: float) -> Line:
        """Open a line, in the client's namespace. Raises `OSError`."""


@dataclass(slots=True)
class SocketLine:
    """A line that is a stream of bytes."""

    line: socket.socket

    def echo(self, text: bytes, until: float) -> None:
        """Send a text and read as many bytes."""
        self.line.settimeout(max(0.01, until - time.monotonic()))
        self.line.sendall(text)
        read_whole(self.line, len(text), until)

    def close(self) -> None:
        """Hang up."""
        self.line.close()


def talk(peer: Peer, texts: int) -> list[float | None]:
    """Send texts over a line, over a new one after each failure; return how long each took, in seconds."""
    took: list[float | None] = []
    line: Line | None = None
    for _ in range(texts):
        if took[-_GIVEN_UP_AFTER:] == [None] * _GIVEN_UP_AFTER:
            took.append(None)
            continue
        began = time.monotonic()
        try:
            line = line or peer.open(began + TEXT_TIMEOUT_S)
            line.echo(secrets.token_hex(TEXT_SIZE // 2).encode(), began + TEXT_TIMEOUT_S)
        except OSError:
            if line is not None:
                line.close()
            line = None
            took.append(None)
        else:
            took.append(time.monotonic() - began)
        time.sleep(TEXT_EVERY_S)
    if line is not None:
        line.close()
    return took
