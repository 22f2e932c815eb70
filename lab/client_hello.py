"""A reader of TLS ClientHellos, and their JA4: what a network sees of a client before all is encrypted.

JA4 by its public description (FoxIO, JA4 TLS client fingerprinting): a readable part, a hash of the sorted
cipher suites, a hash of the sorted extensions and of the signature algorithms in their order. GREASE (RFC
8701) is left out everywhere, of the signature algorithms too, where newer browsers put some.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME, _SIGNATURES, _ALPN, _VERSIONS = 0x0000, 0x000D, 0x0010, 0x002B
ENCRYPTED_CLIENT_HELLO: Final = 0xFE0D
_VERSION_NAMES: Final = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10"}
HELLO_SIZE_MAX: Final = 16 * 1024


class Reader:
    """Bytes from the front; raises `ValueError` at their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        if len(self.data) < size:
            raise ValueError("a hello is cut short")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size))

    def part(self, length_size: int) -> "Reader":
        """Return a reader of what stands behind its length."""
        return Reader(self.take(self.number(length_size)))

    def numbers(self) -> list[int]:
        """Return all that is left as numbers of two bytes."""
        found: list[int] = []
        while self.data:
            found.append(self.number(2))
        return found


@dataclass(frozen=True, kw_only=True)
class ClientHello:
    """What JA4 looks at, without GREASE, and the server's `name`; `alpn` is the first protocol's name."""

    version: int
    has_name: bool
    ciphers: tuple[int, ...]
    extensions: tuple[int, ...]
    signatures: tuple[int, ...]
    alpn: str
    name: str = ""

    @property
    def ja4(self) -> str:
        """The fingerprint over TCP."""
        ends = self.alpn[0] + self.alpn[-1] if self.alpn else "00"
        counts = f"{min(len(self.ciphers), 99):02}{min(len(self.extensions), 99):02}"
        version = _VERSION_NAMES.get(self.version, "00")
        first = f"t{version}{'d' if self.has_name else 'i'}{counts}{ends}"
        others = [one for one in self.extensions if one not in {_SERVER_NAME, _ALPN}]
        signatures = ",".join(f"{one:04x}" for one in self.signatures)
        return f"{first}_{_hash(_sorted(self.ciphers))}_{_hash(f'{_sorted(others)}_{signatures}')}"


def _sorted(numbers: "tuple[int, ...] | list[int]") -> str:
    return ",".join(sorted(f"{one:04x}" for one in numbers))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def is_grease(number: int) -> bool:
    """Tell whether a number stands for nothing (RFC 8701): 0x0a0a, 0x1a1a and so on."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def begins_hello(stream: bytes | memoryview) -> bool:
    """Tell whether a stream may begin with a ClientHello, as far as it goes."""
    return bool(stream) and stream[0] == _HANDSHAKE and (len(stream) < 6 or stream[5] == _CLIENT_HELLO)


def read_client_hello(stream: bytes) -> ClientHello:
    """Read what a client sent first; raises `ValueError` without a whole ClientHello (RFC 8446 §4.1.2)."""
    records, handshake = Reader(stream), b""
    while records.data and records.data[0] == _HANDSHAKE:
        records.take(3)
        handshake += records.part(2).data
    return read_hello_message(handshake)


def read_hello_message(handshake: bytes) -> ClientHello:
    """Read a ClientHello outside of records, as QUIC carries it; raises `ValueError`."""
    message = Reader(handshake)
    if message.number(1) != _CLIENT_HELLO:
        raise ValueError("this is no ClientHello")
    hello = message.part(3)
    version = hello.number(2)
    hello.take(32)
    hello.part(1)
    ciphers = [one for one in hello.part(2).numbers() if not is_grease(one)]
    hello.part(1)
    extensions: dict[int, Reader] = {}
    rest = hello.part(2)
    while rest.data:
        kind = rest.number(2)
        extensions[kind] = rest.part(2)
    if _VERSIONS in extensions:
        offered = extensions[_VERSIONS].part(1).numbers()
        version = max(one for one in offered if not is_grease(one))
    signatures = extensions[_SIGNATURES].part(2).numbers() if _SIGNATURES in extensions else []
    alpn = extensions[_ALPN].part(2).part(1).data.decode("latin-1") if _ALPN in extensions else ""
    name = ""
    if _SERVER_NAME in extensions:
        names = extensions[_SERVER_NAME].part(2)
        names.take(1)
        name = names.part(2).data.decode("latin-1").lower()
    return ClientHello(
        version=version,
        has_name=_SERVER_NAME in extensions,
        ciphers=tuple(ciphers),
        extensions=tuple(one for one in extensions if not is_grease(one)),
        signatures=tuple(one for one in signatures if not is_grease(one)),
        alpn=alpn,
        name=name,
    )
