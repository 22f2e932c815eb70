"""A box does to frames what its tactic says, on a cable that a test holds both ends of."""

import io
import json
import socket
import struct
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.box import Desk, Forwarder
from lab.packets import Packet, tcp_frame
from lab.places import CLIENT, SUSPICIOUS, number_of
from lab.tactics.base import DROP, PASS, Delay, Inject, Tactic, Verdict

NEAR, FAR = (number_of(CLIENT), 40_000), (number_of(SUSPICIOUS.at(10)), 443)


@dataclass
class Scripted(Tactic):
    """Says what it is told to say, in turn."""

    name = "scripted"
    verdicts: list[Verdict] = field(default_factory=list[Verdict])

    def on_packet(self, packet: Packet, now: float) -> Verdict:
        verdict = self.verdicts.pop(0)
        self.trigger("said", packet, verdict=type(verdict).__name__)
        return verdict


class Cable(Forwarder):
    """A forwarder between socket pairs, which keep the borders of frames as interfaces do."""

    def __init__(self, log: io.StringIO) -> None:
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
        (self.client, near), (self.far, other) = pairs
        self.held = (near, other)
        for end in (*self.held, self.client, self.far):
            end.settimeout(0)
        super().__init__(near, other, log)

    def _lost_since_asked(self) -> int:
        return 0  # the kernel counts for interfaces alone

    def carry(self) -> None:
        self._carry(self.held[0], self.held[1], from_client=True)
        self._carry(self.held[1], self.held[0], from_client=False)

    def close(self) -> None:
        for end in (*self.held, self.client, self.far):
            end.close()


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def cable(log: io.StringIO) -> Generator[Cable]:
    made = Cable(log)
    yield made
    made.close()


def frame(payload: bytes) -> bytes:
    return tcp_frame(source=NEAR, target=FAR, payload=payload)


def arrived(end: socket.socket) -> list[bytes]:
    found: list[bytes] = []
    while True:
        try:
            found.append(end.recv(4096))
        except BlockingIOError:
            return found


def test_each_verdict_does_what_it_says(cable: Cable, log: io.StringIO) -> None:
    tactic = Scripted(
        [PASS, DROP, Inject(to_client=(b"c",), to_far=(b"f",)), Inject(to_far=(b"g",), passes=True)]
    )
    cable.use(tactic)
    for number in range(4):
        cable.client.send(frame(bytes([number])))
    cable.carry()
    assert arrived(cable.far) == [frame(b"\0"), b"f", b"g", frame(b"\3")]
    assert arrived(cable.client) == [b"c"]
    counts = cable.read_counts()
    assert (counts.from_client, counts.passed, counts.dropped, counts.injected) == (4, 2, 2, 3)
    said = [json.loads(line)["verdict"] for line in log.getvalue().splitlines()]
    assert said == ["Pass", "Drop", "Inject", "Inject"]


def test_what_is_delayed_goes_out_with_its_time_and_is_overtaken(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("lab.box.time.monotonic", lambda: now)
    cable.use(Scripted([Delay(2.0), Delay(1.0), PASS]))
    for number in range(3):
        cable.far.send(frame(bytes([number])))
    cable.carry()
    assert arrived(cable.client) == [frame(b"\2")]
    now = 101.0
    cable.release()
    assert arrived(cable.client) == [frame(b"\1")]
    now = 102.5
    cable.release()
    assert arrived(cable.client) == [frame(b"\0")]


def test_what_is_no_ipv4_passes_whatever_the_rule(cable: Cable) -> None:
    cable.use(Scripted([]))
    cable.client.send(b"\xff" * 12 + b"\x08\x06" + bytes(28))
    cable.carry()
    assert len(arrived(cable.far)) == 1


def test_orders_are_answered_and_frames_are_captured(
    cable: Cable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(cable)
    desk.order(json.dumps({"capture": str(tmp_path / "all.pcap")}))
    desk.order(json.dumps({"use": "off", "seed": 1, "time_scale": 1.0}))
    cable.client.send(frame(b"captured"))
    cable.carry()
    desk.order('{"counts": true}')
    desk.order('{"capture": ""}')
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers[2]["dropped"] == 1
    assert arrived(cable.far) == []
    capture = (tmp_path / "all.pcap").read_bytes()
    assert struct.unpack_from("=I", capture) == (0xA1B2C3D4,)
    assert capture[24 + 16 :] == frame(b"captured")
