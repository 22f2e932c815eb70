"""Messengers as others make them: long poll over HTTPS, and XMPP over TLS."""

import base64
import shutil
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trustme

from lab.controls import unverified
from lab.peers.base import ADDRESS, Line, Peer
from lab.world import LabError, World

_POLL_PORT: Final = 8_444
_XMPP_PORT: Final = 5_223
_HOST: Final = "relay.suspicious.example"
_POLL_SERVER: Final = f"""
import queue, ssl, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
waiting = queue.Queue()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        waiting.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"")
    def do_GET(self):
        try:
            self.answer(waiting.get(timeout=20))
        except queue.Empty:
            self.answer(b"")
    def log_message(self, *words):
        pass
class Server(ThreadingHTTPServer):
    def finish_request(self, request, address):
        super().finish_request(context.wrap_socket(request, server_side=True), address)
    def handle_error(self, request, address):
        pass
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
Server(("{ADDRESS}", {_POLL_PORT}), Handler).serve_forever()
"""


def _certificate(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    certificate = trustme.CA().issue_cert(_HOST)
    file = folder / "both.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(file)
    return file


def _open_tls(port: int, until: float, *protocols: str) -> ssl.SSLSocket:
    line = socket.create_connection((ADDRESS, port), max(0.01, until - time.monotonic()))
    try:
        return unverified(*protocols).wrap_socket(line, server_hostname=_HOST)
    except BaseException:
        line.close()
        raise


class LongPoll(Peer):
    """Requests over TLS by plain Python: a post, and a get that waits, over one connection that is kept."""

    name = "long-poll"
    title = "plain HTTPS long poll"
    needs = "nothing"

    def why_not(self) -> str | None:
        """Nothing is missing."""
        return None

    def start(self, world: World, folder: Path) -> None:
        """Start the server."""
        world.start("outside", [sys.executable, "-c", _POLL_SERVER, str(_certificate(folder))])

    def open(self, until: float) -> Line:
        """Open the kept connection."""
        return _PollLine(_open_tls(_POLL_PORT, until, "http/1.1"))


@dataclass(slots=True)
class _PollLine:
    line: ssl.SSLSocket

    def _ask(self, request: bytes, until: float) -> bytes:
        self.line.settimeout(max(0.01, until - time.monotonic()))
        self.line.sendall(request)
        found = bytearray()
        while b"\r\n\r\n" not in found:
            found += self._some(until)
        head, _, body = bytes(found).partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < size:
            body += self._some(until)
        return body

    def _some(self, until: float) -> bytes:
        self.line.settimeout(max(0.01, until - time.monotonic()))
        data = self.line.recv(65_536)
        if not data or time.monotonic() > until:
            raise TimeoutError
        return data

    def echo(self, text: bytes, until: float) -> None:
        """Post a text, and poll until it comes: what came late belongs to one before."""
        host = f"Host: {_HOST}\r\n".encode()
        size = f"Content-Length: {len(text)}\r\n\r\n".encode()
        self._ask(b"POST / HTTP/1.1\r\n" + host + size + text, until)
        while self._ask(b"GET / HTTP/1.1\r\n" + host + b"\r\n", until) != text:
            pass

    def close(self) -> None:
        """Hang up."""
        self.line.close()


class Xmpp(Peer):
    """XMPP with direct TLS (XEP-0368) at a prosody; texts go to oneself."""

    name = "xmpp"
    title = "XMPP over TLS (prosody)"
    needs = "prosody (Debian)"

    def why_not(self) -> str | None:
        """Look for its program."""
        return None if shutil.which("prosody") and shutil.which("prosodyctl") else self.needs

    def start(self, world: World, folder: Path) -> None:
        """Make an account, and start the server."""
        certificate = _certificate(folder)
        (folder / "prosody.cfg.lua").write_text(
            f'run_as_root = true\ndata_path = "{folder}"\npidfile = "{folder}/pid"\n'
            f'interfaces = {{ "{ADDRESS}" }}\n'
            f"c2s_ports = {{ }}\ns2s_ports = {{ }}\nc2s_direct_tls_ports = {{ {_XMPP_PORT} }}\n"
            f'c2s_direct_tls_ssl = {{ key = "{certificate}"; certificate = "{certificate}" }}\n'
            'modules_enabled = { "saslauth", "tls" }\nmodules_disabled = { "s2s", "offline" }\n'
            'authentication = "internal_plain"\nstorage = "internal"\n'
            f'log = {{ error = "{folder}/log" }}\nVirtualHost "{_HOST}"\n'
            f' ssl = {{ key = "{certificate}"; certificate = "{certificate}" }}\n'
        )
        settings = ["--config", str(folder / "prosody.cfg.lua")]
        made = world.run(
            "outside", ["prosodyctl", *settings, "register", "anna", _HOST, "secret"], timeout_s=30
        )
        if made.returncode:
            raise LabError("prosody takes no account")
        quiet = subprocess.DEVNULL
        world.start("outside", ["prosody", *settings, "-F"], stdout=quiet, stderr=quiet)

    def open(self, until: float) -> Line:
        """Log in."""
        line = _XmppLine(_open_tls(_XMPP_PORT, until))
        login = base64.b64encode(b"\0anna\0secret").decode()
        line.say_hello(until)
        sasl = "urn:ietf:params:xml:ns:xmpp-sasl"
        line.say(f"<auth xmlns='{sasl}' mechanism='PLAIN'>{login}</auth>", b"<success", until)
        line.say_hello(until)
        bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        line.say(f"<iq type='set' id='b'>{bind}</iq>", b"</iq>", until)
        line.say("<presence/>", b"presence", until)
        return line


@dataclass(slots=True)
class _XmppLine:
    line: ssl.SSLSocket
    number: int = 0

    def say_hello(self, until: float) -> None:
        """Begin a stream."""
        spaces = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
        hello = f"<?xml version='1.0'?><stream:stream to='{_HOST}' version='1.0' {spaces}>"
        self.say(hello, b"</stream:features>", until)

    def say(self, words: str, awaited: bytes, until: float) -> None:
        """Send words, and read until some come. Raises `OSError`."""
        self.line.settimeout(max(0.01, until - time.monotonic()))
        self.line.sendall(words.encode())
        found = bytearray()
        while awaited not in found:
            self.line.settimeout(max(0.01, until - time.monotonic()))
            data = self.line.recv(65_536)
            if not data or time.monotonic() > until:
                raise TimeoutError
            found += data

    def echo(self, text: bytes, until: float) -> None:
        """Write to oneself."""
        self.number += 1
        body = f"<body>{text.decode()}</body>"
        message = f"<message to='anna@{_HOST}' type='chat' id='m{self.number}'>{body}</message>"
        self.say(message, text, until)

    def close(self) -> None:
        """Hang up."""
        self.line.close()
