"""The censor's prober: visits servers that the box asks about, from an address of its own outside."""

import socket
import threading
from typing import Final, Self

from lab.controls import unverified
from lab.places import PROBER, address_of
from lab.world import World

_ANSWER_S: Final = 1.0
_LOOK_S: Final = 0.1


def is_suspicious(address: str, port: int, name: str) -> bool:
    """Judge a server by a visit: its name leads elsewhere (n4p#576), or it is no web site over TLS.

    Answers that servers of today give and old ones don't, like a group with ML-KEM (n4p#481), are left out:
    Debian's Caddy, and so the decoy, doesn't give them.
    """
    if address_of(name) != address:
        return True
    try:
        with (
            socket.create_connection((address, port), _ANSWER_S, (PROBER, 0)) as line,
            unverified("http/1.1").wrap_socket(line, server_hostname=name) as tls,
        ):
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
            return not tls.recv(4096).startswith(b"HTTP/1.")
    except OSError:
        return True


class Prober:
    """Answers the probes that a box's tactic asks for, while it is entered."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.found: dict[tuple[str, int], bool] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(_LOOK_S):
            for line in self._world.box.triggers():
                there = (line.get("address", ""), line.get("port", 0))
                if line["event"] == "probe" and there not in self.found:
                    verdict = self._world.inside("outside", is_suspicious, *there, line["sni"])
                    self.found[there] = verdict
                    self._world.box.probed(*there, is_suspicious=verdict)
