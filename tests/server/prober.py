"""Somebody who asks a server out of band what it is, as censors do, and compares it with an ordinary site.

Each probe gives a transcript of what came back, byte for byte, but for what differs between any two moments
or ports. Two servers are told apart by the probes whose transcripts differ.
"""

import re
import secrets
import socket
import ssl
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from curl_cffi import Curl, CurlError, CurlHttpVersion, CurlOpt

from skvoz.wire.lanes import LANE_ID_SIZE, LaneRequest

_PATIENCE_S: Final = 5.0
_TRIES: Final = 2
"""A machine that is busy may take long for one answer and not for another."""
_CHANGING: Final = (
    (re.compile(rb"(?i)(\r\ndate: )[^\r]*"), rb"\1now"),
    (re.compile(rb"(?i)(alt-svc: h3=\":)\d+"), rb"\1port"),
    (re.compile(rb"localhost:\d+"), b"localhost:port"),
)
WEBSOCKET: Final = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server at a port of this machine, which says to be `localhost`, under an authority."""

    port: int
    authority: Path

    def open(self, *protocols: str) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols(list(protocols))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)
        return context.wrap_socket(plain, server_hostname="localhost")


Probe = Callable[[Target], bytes]


def _settled(answer: bytes) -> bytes:
    for changing, settled in _CHANGING:
        answer = changing.sub(settled, answer)
    return answer


def _heard(opened: ssl.SSLSocket) -> bytes:
    """Read until the other end hangs up, or says nothing for a while."""
    found = b""
    try:
        while piece := opened.recv(65_536):
            found += piece
            opened.settimeout(0.5)
    except TimeoutError:
        return found + b"<goes on>"
    except OSError as error:
        return found + f"<{type(error).__name__}>".encode()
    return found + b"<end>"


def says(request: bytes) -> Probe:
    """Make a probe that sends these bytes over HTTP/1.1."""

    def probe(target: Target) -> bytes:
        with target.open("http/1.1") as opened:
            opened.sendall(request)
            return _settled(_heard(opened))

    return probe


def asks(method: str, path: str, more: str = "", body: bytes = b"") -> Probe:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}{more}\r\n"
    if "Connection:" in more:
        head = head.replace("Connection: close\r\n", "", 1)
    return says(head.encode("latin-1") + body)


def asks_http2(method: str, path: str, body: bytes = b"") -> Probe:
    """Make a probe over HTTP/2; headers in the order in which they came."""

    def probe(target: Target) -> bytes:
        heard: list[bytes] = []

        def note(piece: bytes) -> int:
            heard.append(piece)
            return len(piece)

        curl = Curl(cacert=str(target.authority))
        options: dict[CurlOpt, object] = {
            CurlOpt.URL: f"https://localhost:{target.port}{path}".encode(),
            CurlOpt.CUSTOMREQUEST: method.encode(),
            CurlOpt.HTTP_VERSION: CurlHttpVersion.V2_0,
            CurlOpt.PROXY: b"",
            CurlOpt.PATH_AS_IS: 1,
            CurlOpt.TIMEOUT_MS: int(_PATIENCE_S * 1000),
            CurlOpt.HEADERFUNCTION: note,
            CurlOpt.WRITEFUNCTION: note,
        }
        if method == "HEAD":
            options[CurlOpt.NOBODY] = 1
        if body:
            options |= {CurlOpt.POSTFIELDS: body, CurlOpt.POSTFIELDSIZE: len(body)}
        for option, value in options.items():
            curl.setopt(option, value)
        try:
            curl.perform()
        except CurlError as error:
            heard.append(f"<{error.code}>".encode())
        finally:
            curl.close()
        return _settled(b"\r\n".join([b"", *heard]))

    return probe


def shakes_hands(*protocols: str) -> Probe:
    """Make a probe of what TLS shows: version, cipher, protocol, shape of the certificate."""

    def probe(target: Target) -> bytes:
        with target.open(*protocols) as opened:
            certificate = opened.getpeercert() or {}
            return repr(
                (
                    opened.version(),
                    opened.cipher(),
                    opened.selected_alpn_protocol(),
                    certificate.get("issuer"),
                    certificate.get("subjectAltName"),
                    len(opened.getpeercert(binary_form=True) or b"") // 32,
                )
            ).encode()

    return probe


def speaks_no_tls(target: Target) -> bytes:
    with socket.create_connection(("127.0.0.1", target.port), timeout=_PATIENCE_S) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return _settled(opened.recv(65_536))


def asks_for_another_name(target: Target) -> bytes:
    context = ssl.create_default_context(cafile=str(target.authority))
    try:
        plain = socket.create_connection(("127.0.0.1", target.port), timeout=_PATIENCE_S)
        with plain, context.wrap_socket(plain, server_hostname="elsewhere.example"):
            return b"answers"
    except ssl.SSLError as error:
        return str(error.reason).encode()


def lane_body() -> bytes:
    """Return what a client of a relay might post: a greeting of the right size, to nobody."""
    piece = (1500).to_bytes(4) + b"\x01" + secrets.token_bytes(1499)
    request = LaneRequest(
        lane=secrets.token_bytes(LANE_ID_SIZE), place=0, received=0, wanted=4096, wait_s=1, piece=piece
    )
    return request.encode()


def probes_at(path: str) -> dict[str, Probe]:
    """Make what is tried at one path, whoever knows it or not."""
    octets = "Content-Type: application/octet-stream\r\n"
    return {
        **{f"{method} {path}": asks(method, path) for method in ("GET", "HEAD", "OPTIONS", "DELETE", "BREW")},
        f"POST empty {path}": asks("POST", path, "Content-Length: 0\r\n"),
        f"POST {path}": asks("POST", path, octets, secrets.token_bytes(300)),
        f"POST as a client {path}": asks("POST", path, octets, lane_body()),
        f"POST chunked {path}": asks(
            "POST", path, octets + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
        ),
        f"h2 GET {path}": asks_http2("GET", path),
        f"h2 HEAD {path}": asks_http2("HEAD", path),
        f"h2 OPTIONS {path}": asks_http2("OPTIONS", path),
        f"h2 BREW {path}": asks_http2("BREW", path),
        f"h2 POST {path}": asks_http2("POST", path, secrets.token_bytes(300)),
        f"h2 POST as a client {path}": asks_http2("POST", path, lane_body()),
    }


def all_probes(unknown: str) -> dict[str, Probe]:
    """Make everything that is tried without knowing a path; `unknown` is one that leads nowhere."""
    found = probes_at("/") | probes_at(unknown)
    for path in ("/", "/index.html", unknown, unknown + "/more", "/ws", "/%00"):
        found[f"WebSocket {path}"] = asks("GET", path, WEBSOCKET)
    found["WebSocket without a key"] = asks("GET", "/", WEBSOCKET.partition("Sec-WebSocket-Key")[0])
    for size in (1_000, 8_000, 70_000, 1_200_000):
        found[f"path of {size}"] = asks("GET", "/" + "a" * size)
    for path in (
        "/../relay.toml",
        "/%2e%2e/relay.toml",
        "//",
        "/./",
        "/index.html/",
        "/?a=b",
        "*",
        "nonsense",
    ):
        found[f"GET {path}"] = asks("GET", path)
        found[f"h2 GET {path}"] = asks_http2("GET", path if path.startswith("/") else "/" + path)
    found |= {
        "HTTP/1.0": says(b"GET / HTTP/1.0\r\n\r\n"),
        "HTTP/3.7": says(b"GET / HTTP/3.7\r\nHost: localhost\r\n\r\n"),
        "no host": says(b"GET / HTTP/1.1\r\n\r\n"),
        "another host": says(b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"),
        "two lengths": says(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
        ),
        "nonsense": says(secrets.token_bytes(20).replace(b"\n", b" ") + b"\r\n\r\n"),
        "half a request": says(b"GET / HTT"),
        "a greeting": says(b"\x01" + bytes(1500) + b"\r\n\r\n"),
        "large headers": asks("GET", "/", "X-Large: " + "a" * 1_100_000 + "\r\n"),
        "two in one": says(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2),
        "range": asks("GET", "/", "Range: bytes=1-2\r\n"),
        "expects": asks("POST", unknown, "Expect: 100-continue\r\n", b"body"),
        "hello h2": shakes_hands("h2", "http/1.1"),
        "hello h1": shakes_hands("http/1.1"),
        "hello odd": shakes_hands("odd"),
        "hello without protocols": shakes_hands("http/1.1", "http/1.0"),
        "no TLS": speaks_no_tls,
        "another name": asks_for_another_name,
    }
    return found


def told_apart(one: Target, other: Target, probes: dict[str, Probe]) -> dict[str, tuple[bytes, bytes]]:
    """Return the probes by which two servers can always be told apart, with what each said."""

    def both(probe: Probe) -> tuple[bytes, bytes]:
        for _ in range(_TRIES - 1):
            pair = _tried(probe, one), _tried(probe, other)
            if pair[0] == pair[1]:
                return pair
        return _tried(probe, one), _tried(probe, other)

    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(both, probes.values())
        return {name: pair for name, pair in zip(probes, answers, strict=True) if pair[0] != pair[1]}


def _tried(probe: Probe, target: Target) -> bytes:
    try:
        return probe(target)
    except OSError as error:
        return f"<{type(error).__name__}>".encode()


def times_ms(target: Target, probe: Probe, count: int = 10) -> str:
    """Say how long answers took: the least, the median and the 90th of a hundred."""
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        probe(target)
        took.append((time.perf_counter() - began) * 1000)
    return f"{min(took):.1f} / {statistics.median(took):.1f} / {statistics.quantiles(took, n=10)[-1]:.1f} ms"
