"""As much of DNS (RFC 1035) as the lab's resolver and its poisoner need: one question, one address."""

import struct
from typing import Final

from lab.places import number_of, text_of

A: Final = 1
NO_SUCH_NAME: Final = 3
_HEAD: Final = struct.Struct("!HHHHHH")
_TTL_S: Final = 5


def query(name: str, number: int = 1, kind: int = A) -> bytes:
    """Ask for a name's record."""
    labels = b"".join(bytes((len(part),)) + part.encode() for part in name.split("."))
    return _HEAD.pack(number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def read_question(message: bytes) -> tuple[str, int, int]:
    """Return the name and the kind of the first question, and where it ends; raises `ValueError`."""
    try:
        if _HEAD.unpack_from(message)[2] < 1:
            raise ValueError("there is no question")
        labels: list[str] = []
        at = _HEAD.size
        while size := message[at]:
            if size > 63:
                raise ValueError("a question holds no pointers")
            labels.append(message[at + 1 : at + 1 + size].decode("ascii"))
            at += 1 + size
        (kind,) = struct.unpack_from("!H", message, at + 1)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ValueError("this is no question") from None
    return ".".join(labels).lower(), kind, at + 5


def answer(asked: bytes, address: str | None, *, code: int = 0) -> bytes:
    """Answer a query with an address, with nothing, or with an error's code; raises `ValueError`."""
    _, _, end = read_question(asked)
    (number,) = struct.unpack_from("!H", asked)
    head = _HEAD.pack(number, 0x8180 | code, 1, 1 if address else 0, 0, 0)
    record = struct.pack("!HHHIHI", 0xC00C, A, 1, _TTL_S, 4, number_of(address)) if address else b""
    return head + asked[_HEAD.size : end] + record


def read_address(answered: bytes) -> str | None:
    """Return the address out of such an answer, or nothing; raises `ValueError`."""
    _, _, end = read_question(answered)
    if _HEAD.unpack_from(answered)[3] == 0 or len(answered) < end + 16:
        return None
    return text_of(struct.unpack_from("!I", answered, end + 12)[0])
