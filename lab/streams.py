"""What a box makes of the first bytes of a TCP flow: packet by packet, or put together again."""

from dataclasses import dataclass, field
from typing import Final

from lab.client_hello import HELLO_SIZE_MAX, ClientHello, begins_hello, read_client_hello
from lab.packets import TCP, Packet

PIECES_MAX: Final = 64
"""Out-of-order pieces that are kept for one flow."""


@dataclass(slots=True)
class Assembly:
    """The first bytes that a client sent, in order; `first_seq` is the number of the first of them."""

    first_seq: int | None = None
    stream: bytes = b""
    _pieces: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def add(self, packet: Packet) -> bool:
        """Take a packet of the client; tell whether the stream has grown."""
        if packet.opens:
            self.first_seq = (packet.seq + 1) & 0xFFFFFFFF
        if not packet.payload or len(self.stream) >= HELLO_SIZE_MAX:
            return False
        first = (
            packet.seq if self.first_seq is None else self.first_seq
        )  # its beginning may not have been seen
        self.first_seq = first
        at = (packet.seq - first) & 0xFFFFFFFF
        if at >= HELLO_SIZE_MAX or len(self._pieces) >= PIECES_MAX:
            return False
        self._pieces[at] = bytes(packet.payload)
        before = len(self.stream)
        for start in sorted(self._pieces):
            if start > len(self.stream):
                break
            self.stream += self._pieces.pop(start)[len(self.stream) - start :]
        return len(self.stream) > before


class HelloReader:
    """Finds the ClientHello of a flow; one for each flow."""

    __slots__ = ("_assembly", "_done", "_reassembles")

    def __init__(self, *, reassembles: bool) -> None:
        self._reassembles = reassembles
        self._assembly = Assembly()
        self._done = False

    def read(self, packet: Packet) -> ClientHello | None:
        """Return the hello that is whole with this packet, once.

        Who doesn't reassemble sees one only if it fits into this packet, however many came before.
        """
        if self._done or not packet.from_client or packet.protocol != TCP:
            return None
        if not self._reassembles:
            return self._parse(bytes(packet.payload)) if begins_hello(packet.payload) else None
        if not self._assembly.add(packet):
            return None
        if not begins_hello(self._assembly.stream):
            self._done = True
            return None
        return self._parse(self._assembly.stream)

    def _parse(self, stream: bytes) -> ClientHello | None:
        try:
            hello = read_client_hello(stream)
        except ValueError:
            return None
        self._done = True
        return hello
