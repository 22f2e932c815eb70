"""Two machines on a network without internet, in namespaces: real programs, and a relay that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Self

import pytest

from tests.cli.terminal import COMMAND, PATIENCE_S, Terminal, environment
from tests.cli.test_talking import meet

PEOPLE = ("anna", "boris")
NAMES = (*PEOPLE, "relay")
RELAY = "100.64.9.9"
CAN = os.geteuid() == 0 and shutil.which("ip") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CAN, reason="needs root and `ip`, to make network namespaces (Debian: iproute2)"),
]


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


class Lan:
    """Two machines on one cable, and a relay that each of them reaches over another one."""

    def __init__(self) -> None:
        self._mark = f"skvoz-near-{os.getpid()}"

    def space(self, name: str) -> str:
        return f"{self._mark}-{name}"

    def __enter__(self) -> Self:
        try:
            for name in NAMES:
                ip("netns", "add", self.space(name))
                ip("-n", self.space(name), "link", "set", "lo", "up")
            self._cable(("anna", "lan", "10.77.0.1/24"), ("boris", "lan", "10.77.0.2/24"))
            for number, name in enumerate(PEOPLE, 1):
                self._cable((name, "out", f"100.64.{number}.1/24"), ("relay", name, f"100.64.{number}.2/24"))
                ip("-n", self.space(name), "route", "add", f"{RELAY}/32", "via", f"100.64.{number}.2")
            ip("-n", self.space("relay"), "address", "add", f"{RELAY}/32", "dev", "lo")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _cable(self, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
        (left, left_name, _), (right, right_name, _) = one, other
        far = ("peer", "name", right_name, "netns", self.space(right))
        ip("-n", self.space(left), "link", "add", left_name, "type", "veth", *far)
        for name, device, address in (one, other):
            ip("-n", self.space(name), "address", "add", address, "dev", device)
            ip("-n", self.space(name), "link", "set", device, "up")

    def __exit__(self, *_: object) -> None:
        for name in NAMES:
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "del", self.space(name))

    def set_relay(self, state: str) -> None:
        """Let the relay be there, or not."""
        for name in PEOPLE:
            ip("-n", self.space("relay"), "link", "set", name, state)
            if state == "up":
                ip("-n", self.space(name), "route", "replace", f"{RELAY}/32", "dev", "out")


class Program:
    """A program on one of the machines, until the block ends."""

    def __init__(self, lan: Lan, name: str, *arguments: str, **variables: str) -> None:
        self._running = subprocess.Popen(
            ["ip", "netns", "exec", lan.space(name), *COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(**variables),
        )

    def first_line(self) -> str:
        """Wait until it prints something."""
        assert self._running.stdout is not None
        return self._running.stdout.readline().decode().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._running.terminate()
            errors = self._running.communicate(timeout=PATIENCE_S)[1]
            assert b"Traceback" not in errors, errors.decode()
        finally:
            if self._running.poll() is None:
                self._running.kill()
                self._running.communicate(timeout=PATIENCE_S)


LISTENING = """
import socket, sys
heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
heard.bind(("lan", 0))
print("ready", flush=True)
while True:
    sys.stdout.buffer.write(heard.recv(65535))
    sys.stdout.buffer.flush()
"""


@contextlib.contextmanager
def listening(lan: Lan, file: Path) -> Generator[None]:
    """Write down all bytes that somebody on the cable hears."""
    with file.open("wb") as written:
        program = subprocess.Popen(
            ["ip", "netns", "exec", lan.space("boris"), COMMAND[0], "-ISc", LISTENING], stdout=written
        )
        try:
            yield
        finally:
            program.kill()
            program.wait(PATIENCE_S)


def test_two_machines_talk_on_while_their_relay_is_away(tmp_path: Path) -> None:
    anna, boris = Terminal(tmp_path / "anna"), Terminal(tmp_path / "boris")
    texts = ("over the network around", "heard you", "the relay is back")
    with Lan() as lan, contextlib.ExitStack() as stack:

        def start(name: str, *arguments: str, **variables: str) -> Program:
            return stack.enter_context(Program(lan, name, *arguments, **variables))

        def say_aside(one: Terminal, other: Terminal, text: str) -> None:
            """Say something, and don't wait until a relay has it."""
            start(one.home.name, "send", other.home.name, text, SKVOZ_HOME=str(one.home))

        programs = [start("relay", "relay", "--home", str(tmp_path / "relay"), "--listen", f"{RELAY}:8443")]
        programs += [start(one.home.name, "--home", str(one.home), "--no-open") for one in (anna, boris)]
        address, *_ = [program.first_line() for program in programs]
        stack.enter_context(listening(lan, tmp_path / "heard"))
        for one in (anna, boris):
            one.does("account", "create", "--name", one.home.name, "--relay", address)
        meet(boris, anna)
        for one in (anna, boris):
            one.does("account", "nearby", "on")
        lan.set_relay("down")
        say_aside(anna, boris, texts[0])
        boris.until(texts[0], "read", "anna")
        say_aside(boris, anna, texts[1])
        anna.until(texts[1], "read", "boris")
        lan.set_relay("up")
        anna.does("send", "boris", texts[2])
        for one, other in ((boris, "anna"), (anna, "boris")):
            one.until(texts[2], "read", other)
            deadline = time.monotonic() + PATIENCE_S
            while (now := one.objects("doctor", "--no-network")[0])["unsent"]:
                assert time.monotonic() < deadline
            assert now["lan_relays"] == 1
            said = one.does("read", other)
            assert [said.count(text) for text in texts] == [1, 1, 1], said
        anna.does("account", "nearby", "off")
        assert anna.objects("doctor", "--no-network")[0]["lan_relays"] == 0
    # Whoever listens on the network learns no name.
    heard = (tmp_path / "heard").read_bytes().lower()
    assert b"_http" in heard
    own = socket.gethostname().encode()
    labels = [bytes((len(own),)) + own + end for end in (b"\x05local", b"\xc0")]  # whole, or shortened
    for word in (b"skvoz", b"anna", b"boris", *labels, *map(str.encode, texts)):
        assert word.lower() not in heard
