"""Packets as a box sees them: parsed once, cheaply, without copies; and those that a box makes.

Whose side is whose is known from where a frame came from, so a packet says `client` and `far`, not source
and destination, and both directions of a flow have the same `flow`.
"""

import struct
from typing import Final

ETHERNET_SIZE: Final = 14
TCP, UDP, ICMP = 6, 17, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
_ETHERTYPE_IPV4: Final = 0x0800
_ADDRESSES: Final = struct.Struct("!II")
_TCP_HEAD: Final = struct.Struct("!HHIIBB")
_PORTS: Final = struct.Struct("!HH")

Flow = tuple[int, int, int, int, int]
"""Protocol, the client's address and port, the far address and port."""


class NotIPv4(ValueError):
    """A frame isn't IPv4, or is cut short: ARP, mostly."""


class Packet:
    """An IPv4 packet in its frame; ports, flags and numbers are 0 where its protocol has none.

    `payload` is what TCP, UDP or IP carry, and `wire_size` the bytes of the IP packet.
    """

    __slots__ = (
        *("ack", "client", "client_port", "far", "far_port", "flags", "frame", "from_client", "payload"),
        *("protocol", "seq", "transport_at", "wire_size"),
    )

    def __init__(self, frame: memoryview, *, from_client: bool) -> None:
        """Parse a frame. Raises `NotIPv4`."""
        if len(frame) < ETHERNET_SIZE + 20 or frame[12] != 0x08 or frame[13] != 0x00:
            raise NotIPv4
        self.frame = frame
        self.from_client = from_client
        self.protocol = frame[23]
        self.wire_size = end = frame[16] << 8 | frame[17]
        end += ETHERNET_SIZE
        self.transport_at = at = ETHERNET_SIZE + (frame[14] & 15) * 4
        if end > len(frame) or at > end:
            raise NotIPv4
        source, target = _ADDRESSES.unpack_from(frame, 26)
        source_port = target_port = self.seq = self.ack = self.flags = 0
        payload_at = at
        is_later_fragment = (frame[20] & 0x1F or frame[21]) != 0
        if is_later_fragment:
            pass
        elif self.protocol == TCP and end >= at + 20:
            source_port, target_port, self.seq, self.ack, offset, self.flags = _TCP_HEAD.unpack_from(
                frame, at
            )
            payload_at = at + (offset >> 4) * 4
        elif self.protocol == UDP and end >= at + 8:
            source_port, target_port = _PORTS.unpack_from(frame, at)
            payload_at = at + 8
        self.payload = frame[payload_at:end]
        if from_client:
            self.client, self.client_port, self.far, self.far_port = source, source_port, target, target_port
        else:
            self.client, self.client_port, self.far, self.far_port = target, target_port, source, source_port

    @property
    def flow(self) -> Flow:
        """Which flow it is of, whichever the direction."""
        return (self.protocol, self.client, self.client_port, self.far, self.far_port)

    @property
    def opens(self) -> bool:
        """Whether it is the first packet of a TCP connection from the client."""
        return self.from_client and self.flags & (SYN | ACK) == SYN


def checksum(data: bytes | memoryview) -> int:
    """Return the internet checksum (RFC 1071)."""
    padded = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame_of(
    *, source: tuple[int, int], target: tuple[int, int], protocol: int, segment: bytes, ethernet: bytes
) -> bytes:
    """Build a frame around a TCP or UDP segment, whose checksum field is zero and is filled in.

    `ethernet`: 12 bytes, the target's and the source's addresses there.
    """
    pseudo = struct.pack("!IIBBH", source[0], target[0], 0, protocol, len(segment))
    sum_at = 16 if protocol == TCP else 6
    filled = checksum(pseudo + segment) or (0xFFFF if protocol == UDP else 0)
    segment = segment[:sum_at] + struct.pack("!H", filled) + segment[sum_at + 2 :]
    head = struct.pack(
        "!BBHHHBBHII", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, protocol, 0, source[0], target[0]
    )
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return ethernet + struct.pack("!H", _ETHERTYPE_IPV4) + head + segment


def tcp_frame(
    *,
    source: tuple[int, int],
    target: tuple[int, int],
    seq: int = 0,
    ack: int = 0,
    flags: int = ACK,
    payload: bytes = b"",
    ethernet: bytes = bytes(12),
) -> bytes:
    """Build a frame with a TCP segment; `source` and `target` are an address and a port each."""
    head = struct.pack("!HHIIBBHHH", source[1], target[1], seq, ack, 0x50, flags, 0xFFFF, 0, 0)
    return frame_of(source=source, target=target, protocol=TCP, segment=head + payload, ethernet=ethernet)


def udp_frame(
    *, source: tuple[int, int], target: tuple[int, int], payload: bytes, ethernet: bytes = bytes(12)
) -> bytes:
    """Build a frame with a UDP datagram."""
    head = struct.pack("!HHHH", source[1], target[1], 8 + len(payload), 0)
    return frame_of(source=source, target=target, protocol=UDP, segment=head + payload, ethernet=ethernet)


def resets(packet: Packet) -> tuple[bytes, bytes]:
    """Return the resets that end a TCP packet's connection: one for the client, one for the far side."""
    after = (packet.seq + len(packet.payload) + bool(packet.flags & SYN)) & 0xFFFFFFFF
    client, far = (packet.client, packet.client_port), (packet.far, packet.far_port)
    same, turned = bytes(packet.frame[:12]), bytes(packet.frame[6:12]) + bytes(packet.frame[:6])
    sender, receiver = (client, far) if packet.from_client else (far, client)
    back = tcp_frame(
        source=receiver, target=sender, seq=packet.ack, ack=after, flags=RST | ACK, ethernet=turned
    )
    on = tcp_frame(source=sender, target=receiver, seq=packet.seq, flags=RST, ethernet=same)
    return (back, on) if packet.from_client else (on, back)
