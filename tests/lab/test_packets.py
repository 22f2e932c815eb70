"""Packets are read as they are, and those that a box makes are read so too."""

import struct

import pytest

from lab.packets import ACK, RST, SYN, TCP, UDP, NotIPv4, Packet, checksum, resets, tcp_frame, udp_frame
from lab.places import CLIENT, SUSPICIOUS, number_of

NEAR = (number_of(CLIENT), 40_000)
FAR = (number_of(SUSPICIOUS.at(10)), 443)


def read(frame: bytes, *, from_client: bool = True) -> Packet:
    return Packet(memoryview(frame), from_client=from_client)


def test_both_directions_of_a_flow_have_the_same_name() -> None:
    up = read(tcp_frame(source=NEAR, target=FAR, seq=7, ack=9, flags=SYN, payload=b"data"))
    down = read(tcp_frame(source=FAR, target=NEAR), from_client=False)
    assert up.flow == down.flow == (TCP, *NEAR, *FAR)
    assert (up.seq, up.ack, bytes(up.payload), up.opens, down.opens) == (7, 9, b"data", True, False)
    assert up.wire_size == 44
    datagram = read(udp_frame(source=NEAR, target=FAR, payload=b"12345"))
    assert (datagram.protocol, bytes(datagram.payload), datagram.wire_size) == (UDP, b"12345", 33)


def test_checksums_of_made_frames_hold() -> None:
    for frame in (
        tcp_frame(source=NEAR, target=FAR, payload=b"odd"),
        udp_frame(source=NEAR, target=FAR, payload=b"odd"),
    ):
        assert checksum(frame[14:34]) == 0
        pseudo = frame[26:34] + struct.pack("!BBH", 0, frame[23], len(frame) - 34)
        assert checksum(pseudo + frame[34:]) == 0


def test_a_reset_fits_the_connection_that_it_ends() -> None:
    frame = tcp_frame(source=NEAR, target=FAR, seq=100, ack=900, payload=b"x" * 50, ethernet=b"farfarnearne")
    to_client, to_far = (
        read(one, from_client=side) for side, one in zip((False, True), resets(read(frame)), strict=True)
    )
    assert to_client.flow == to_far.flow == read(frame).flow
    assert (to_client.seq, to_client.ack, to_client.flags) == (900, 150, RST | ACK)
    assert (to_far.seq, to_far.flags) == (100, RST)
    assert bytes(to_client.frame[:12]) == b"nearnefarfar"
    from_far = tcp_frame(source=FAR, target=NEAR, seq=900, ack=150, payload=b"y")
    back = read(resets(read(from_far, from_client=False))[0], from_client=False)
    assert (back.client_port, back.seq, back.flags) == (40_000, 900, RST)


def test_what_is_cut_short_or_isnt_ipv4_is_told() -> None:
    whole = tcp_frame(source=NEAR, target=FAR, payload=b"some data")
    for size in range(len(whole)):
        with pytest.raises(NotIPv4):
            read(whole[:size])
    with pytest.raises(NotIPv4):
        read(whole[:12] + b"\x08\x06" + whole[14:])
    lying = bytearray(whole)
    lying[14] = 0x4F
    with pytest.raises(NotIPv4):
        read(bytes(lying))


def test_a_later_fragment_has_no_ports() -> None:
    frame = bytearray(udp_frame(source=NEAR, target=FAR, payload=bytes(64)))
    frame[20:22] = b"\x00\x05"
    assert read(bytes(frame)).flow == (UDP, NEAR[0], 0, FAR[0], 0)
