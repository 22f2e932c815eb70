"""Fuzz the reading of message contents: only `PeerError` may escape, and what parses encodes back.

python fuzz/content.py --seconds 60 [--seed 7]
"""

import argparse
import sys
import time
from random import Random
from typing import Final

from skvoz.base.errors import PeerError
from skvoz.base.ids import AccountId, MessageId
from skvoz.codec import cbor
from skvoz.content import (
    Action,
    Delete,
    Disposition,
    Edit,
    Expiration,
    ExternalPart,
    Mention,
    MimiContent,
    MultiPart,
    NestedPart,
    NullPart,
    PartSemantics,
    Reaction,
    Report,
    SinglePart,
    Text,
    Unreact,
    displayable,
    encode,
    from_content,
    message_id,
    parse,
    plain_text,
    report_in,
    to_content,
)

_SENDER: Final = "mimi://skvoz.invalid/u/" + "A" * 43
_ROOM: Final = "mimi://skvoz.invalid/r/" + "A" * 22
_MESSAGE: Final = MessageId(b"\x01" + bytes(31))
_ALICE: Final = AccountId(bytes(32))

_ACTIONS: Final[tuple[Action, ...]] = (
    Text(
        text="Привет, @Алиса!", mentions=(Mention(account_id=_ALICE, start=8, length=6),), reply_to=_MESSAGE
    ),
    Text(text="*hi*", plain=True, expires=Expiration(relative=True, time_s=60)),
    Edit(replaces=_MESSAGE, text="\\[a] `b`"),
    Delete(replaces=_MESSAGE),
    Reaction(target=_MESSAGE, emoji="❤"),
    Unreact(replaces=_MESSAGE),
    Report(delivered=(_MESSAGE,), read=(_MESSAGE, _MESSAGE)),
)
_PICTURE: Final = ExternalPart(
    disposition=Disposition.ATTACHMENT, content_type="image/png", url="https://example.com", filename="a.png"
)
_BODIES: Final[tuple[NestedPart, ...]] = (
    _PICTURE,
    MultiPart(
        disposition=Disposition.RENDER,
        semantics=PartSemantics.CHOOSE_ONE,
        parts=(SinglePart(disposition=1, content_type="text/html", content=b"<b>"), NullPart(disposition=1)),
    ),
)
_INTERESTING: Final = bytes.fromhex(
    "00 01 17 18 1b 1f 20 3b 40 5b 5f 60 7f 80 87 9b 9f a0 bf c0 d8 f4 f6 f7 fb ff"
)


def seeds() -> list[bytes]:
    """Return contents of every kind, encoded."""
    report = Report(read=(_MESSAGE,))
    said = [to_content(action, salt=bytes(16), sent_at_ms=1, last_seen=(_MESSAGE,)) for action in _ACTIONS]
    said.append(to_content(_ACTIONS[0], salt=bytes(16), sent_at_ms=1, report=report))
    extensions: dict[int | str, cbor.Value] = {1: _SENDER, 2: _ROOM, 9: (None, {"a": b"b"})}
    said += [MimiContent(salt=bytes(16), topic_id=b"t", extensions=extensions, body=body) for body in _BODIES]
    return [encode(content) for content in said]


def mutated(randomness: Random, corpus: list[bytes]) -> bytes:
    """Return a seed with a few bytes changed, cut, repeated, or crossed with another."""
    data = bytearray(randomness.choice(corpus))
    for _ in range(randomness.choice((1, 1, 1, 2, 3, 8))):
        at = randomness.randrange(len(data) + 1)
        match randomness.randrange(7):
            case 0:
                del data[at : at + randomness.randrange(9)]
            case 1:
                data[at:at] = randomness.randbytes(randomness.randrange(1, 9))
            case 2:
                data[at : at + 1] = bytes((randomness.choice(_INTERESTING),))
            case 3 if at < len(data):
                data[at] ^= 1 << randomness.randrange(8)
            case 4:
                other = randomness.choice(corpus)
                data[at:] = other[randomness.randrange(len(other)) :]
            case 5:
                data[at:at] = data[at : at + randomness.randrange(40)] * randomness.randrange(1, 9)
            case _:
                data[at:] = (b"\x81", b"\x9f", b"\xa1\x00", b"\x83\x01\x60\x03")[at % 4] * 200
    return bytes(data)


def try_content(data: bytes) -> None:
    """Read bytes as a content, do with it what a client does, and hold it to its own encoding."""
    content = parse(data)
    if encode(content) != data:
        raise AssertionError("a content has two encodings")
    message_id(_SENDER, _ROOM, data)
    displayable(plain_text(from_content(content))).encode()
    report_in(content)


def try_cbor(data: bytes) -> None:
    """Read bytes as CBOR and hold them to their own encoding."""
    if cbor.encode(cbor.decode(data)) != data:
        raise AssertionError("a value has two encodings")


def try_text(data: bytes) -> None:
    """Read bytes as the Markdown of a message."""
    body = (1, "", 1, "text/markdown", data)
    try_content(cbor.encode((bytes(16), None, b"", None, None, {}, body)))


def main() -> int:
    """Run for as long as asked; print how many inputs were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = arguments.parse_args()
    randomness = Random(options.seed)
    corpus = seeds()
    targets = (try_content, try_content, try_cbor, try_text)
    executions = accepted = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        for target in targets:
            data = mutated(randomness, corpus)
            executions += 1
            try:
                target(data)
            except PeerError:
                continue
            except Exception:
                print(f"seed {options.seed}, execution {executions}, {target.__name__}: {data.hex()}")
                raise
            accepted += 1
            # What is accepted is a better beginning than what isn't.
            if len(data) < 2000 and len(corpus) < 2000 and target is try_content:
                corpus.append(data)
    print(f"content: {executions} executions, {accepted} accepted, seed {options.seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
