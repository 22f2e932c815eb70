"""Tunnels for TCP, each to the echo outside."""

import base64
import importlib.util
import json
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from lab.controls import read_whole
from lab.outside import ECHO_TCP
from lab.peers.base import ADDRESS, Line, Peer, SocketLine
from lab.places import SUSPICIOUS, WHO
from lab.world import LabError, World

_ECHO: Final = (SUSPICIOUS.at(WHO["blocked"]), ECHO_TCP)
_RANDOM_PORT: Final = 7_777
_SHADOWSOCKS_PORT: Final = 8_388
_OBFS4_PORT: Final = 9_001
_REALITY_PORT: Final = 8_443
_ENTRANCE: Final = 21_000
"""The first of the ports on the client's loopback where tunnels are entered."""
_METHOD: Final = "chacha20-ietf-poly1305"
_RANDOM_ECHO: Final = f"""
import socketserver
class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("{ADDRESS}", {_RANDOM_PORT}), Echo).serve_forever()
"""


def _connect(port: int, until: float, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((address, port), max(0.01, until - time.monotonic()))


class RandomBytes(Peer):
    """Random bytes over TCP, of nobody's protocol: what no box should let through that blocks the unknown."""

    name = "random"
    title = "random bytes over TCP"
    needs = "nothing"

    def why_not(self) -> str | None:
        """Nothing is missing."""
        return None

    def start(self, world: World, folder: Path) -> None:
        """Start an echo."""
        world.start("outside", [sys.executable, "-c", _RANDOM_ECHO])

    def open(self, until: float) -> Line:
        """Connect."""
        return _Scrambled(_connect(_RANDOM_PORT, until, ADDRESS))


class _Scrambled(SocketLine):
    """Sends what a cipher would make of a text."""

    def echo(self, text: bytes, until: float) -> None:
        """Send as many random bytes."""
        super().echo(secrets.token_bytes(len(text)), until)


class Shadowsocks(Peer):
    """shadowsocks-libev with an AEAD cipher."""

    name = "shadowsocks"
    title = "shadowsocks-libev"
    needs = "shadowsocks-libev (Debian)"

    def why_not(self) -> str | None:
        """Look for its programs."""
        return None if shutil.which("ss-server") and shutil.which("ss-tunnel") else self.needs

    def start(self, world: World, folder: Path) -> None:
        """Start both ends."""
        secret = uuid.uuid4().hex
        both = ["-s", ADDRESS, "-p", str(_SHADOWSOCKS_PORT), "-k", secret, "-m", _METHOD]
        quiet = subprocess.DEVNULL
        world.start("outside", ["ss-server", *both], stdout=quiet, stderr=quiet)
        inner = ["-b", "127.0.0.1", "-l", str(_ENTRANCE), "-L", f"{_ECHO[0]}:{_ECHO[1]}"]
        world.start("client", ["ss-tunnel", *both, *inner], stdout=quiet, stderr=quiet)

    def open(self, until: float) -> Line:
        """Enter the tunnel."""
        return SocketLine(_connect(_ENTRANCE, until))


class Obfs4(Peer):
    """obfs4proxy as a pluggable transport alone: its bridge hands on to the echo, without a Tor behind it."""

    name = "obfs4"
    title = "obfs4proxy, without Tor behind it"
    needs = "obfs4proxy (Debian)"

    def __init__(self) -> None:
        self._port = 0
        self._words = b""

    def why_not(self) -> str | None:
        """Look for its program."""
        return None if shutil.which("obfs4proxy") else self.needs

    def start(self, world: World, folder: Path) -> None:
        """Start both ends by the pluggable transports' protocol, version 1."""
        bridge = self._managed(world, "outside", folder / "bridge", "SMETHOD obfs4", {
            "TOR_PT_SERVER_TRANSPORTS": "obfs4",
            "TOR_PT_SERVER_BINDADDR": f"obfs4-{ADDRESS}:{_OBFS4_PORT}",
            "TOR_PT_ORPORT": f"{_ECHO[0]}:{_ECHO[1]}",
        })  # fmt: skip
        self._words = bridge.partition("ARGS:")[2].strip().replace(",", ";").encode()
        client = self._managed(world, "client", folder / "client", "CMETHOD obfs4", {
            "TOR_PT_CLIENT_TRANSPORTS": "obfs4",
        })  # fmt: skip
        self._port = int(client.rpartition(":")[2])

    def _managed(self, world: World, where: str, folder: Path, awaited: str, words: dict[str, str]) -> str:
        """Start one end and return the line in which it says where it is."""
        common = {"TOR_PT_MANAGED_TRANSPORT_VER": "1", "TOR_PT_STATE_LOCATION": str(folder)}
        process = world.start(where, ["obfs4proxy"], stdout=subprocess.PIPE, env={**common, **words})
        assert process.stdout is not None
        for line in process.stdout:
            if line.decode().startswith(awaited):
                return line.decode().strip()
        raise LabError("obfs4proxy does not start")

    def open(self, until: float) -> Line:
        """Ask the client's SOCKS5 for the bridge; what the bridge's line has goes as user and password."""
        line = _connect(self._port, until)
        line.sendall(b"\5\1\2")
        read_whole(line, 2, until)
        user = self._words[:255]
        password = self._words[255:] or b"\0"
        line.sendall(b"\1" + bytes([len(user)]) + user + bytes([len(password)]) + password)
        read_whole(line, 2, until)
        line.sendall(b"\5\1\0\1" + socket.inet_aton(ADDRESS) + struct.pack("!H", _OBFS4_PORT))
        if read_whole(line, 10, until)[1]:
            raise ConnectionRefusedError
        return SocketLine(line)


class Reality(Peer):
    """VLESS over REALITY by Xray-core, with Vision, a Chrome's hello, and the decoy's name."""

    name = "reality"
    title = "Xray, VLESS over REALITY with Vision"
    needs = "Xray-core (PyPI)"
    covers: Final = "decoy.suspicious.example"

    def why_not(self) -> str | None:
        """Look for its module."""
        return None if importlib.util.find_spec("xray") else self.needs

    def start(self, world: World, folder: Path) -> None:
        """Start both ends."""
        folder.mkdir()
        key = X25519PrivateKey.generate()
        secret, public = (
            base64.urlsafe_b64encode(one).rstrip(b"=").decode()
            for one in (key.private_bytes_raw(), key.public_key().public_bytes_raw())
        )
        user, short = str(uuid.uuid4()), "ab12"
        target = f"{SUSPICIOUS.at(WHO['decoy'])}:443"
        server = {
            "log": {"loglevel": "error"},
            "inbounds": [{
                "listen": ADDRESS, "port": _REALITY_PORT, "protocol": "vless",
                "settings": {"clients": [{"id": user, "flow": "xtls-rprx-vision"}], "decryption": "none"},
                "streamSettings": {"network": "tcp", "security": "reality", "realitySettings": {
                    "dest": target, "serverNames": [self.covers], "privateKey": secret, "shortIds": [short],
                }},
            }],
            # Reserved addresses, as the lab's are, are refused where nothing says otherwise.
            "outbounds": [{"protocol": "freedom", "settings": {"finalRules": [
                {"action": "allow", "ip": [f"{_ECHO[0]}/32"]},
            ]}}],
        }  # fmt: skip
        client = {
            "log": {"loglevel": "error"},
            "inbounds": [{
                "listen": "127.0.0.1", "port": _ENTRANCE + 1, "protocol": "dokodemo-door",
                "settings": {"address": _ECHO[0], "port": _ECHO[1], "network": "tcp"},
            }],
            "outbounds": [{
                "protocol": "vless",
                "settings": {"vnext": [{"address": ADDRESS, "port": _REALITY_PORT, "users": [
                    {"id": user, "flow": "xtls-rprx-vision", "encryption": "none"},
                ]}]},
                "streamSettings": {"network": "tcp", "security": "reality", "realitySettings": {
                    "serverName": self.covers, "publicKey": public, "shortId": short, "fingerprint": "chrome",
                }},
            }],
        }  # fmt: skip
        for where, settings in (("outside", server), ("client", client)):
            file = folder / f"{where}.json"
            file.write_text(json.dumps(settings))
            program = f"import xray; xray.startFromJSON(open({str(file)!r}).read())"
            with (folder / f"{where}.log").open("wb") as log:
                world.start(where, [sys.executable, "-c", program], stdout=log, stderr=log)

    def open(self, until: float) -> Line:
        """Enter the tunnel."""
        return SocketLine(_connect(_ENTRANCE + 1, until))
