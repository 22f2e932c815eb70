"""Frames between a client and a relay, and the sealed session that carries them.

- `frames`: every frame as a tagged array, with its limits; what encodes and parses an array of frames
- `sealed`: the handshake to a relay's key, and the sealing of messages in both directions
- `lanes`: the same messages over single requests and their answers

`docs/protocol/wire.md` says the same for a second implementation.
"""

from skvoz.wire.frames import Down, Up, credit_cost, encode, parse_down, parse_up
from skvoz.wire.sealed import (
    MESSAGE_SIZE_MAX,
    WIRE_VERSION,
    SealedSession,
    answer_key_request,
    ask_for_key,
    check_key,
    greet,
    receive_greeting,
)

__all__ = [
    "MESSAGE_SIZE_MAX",
    "WIRE_VERSION",
    "Down",
    "SealedSession",
    "Up",
    "answer_key_request",
    "ask_for_key",
    "check_key",
    "credit_cost",
    "encode",
    "greet",
    "parse_down",
    "parse_up",
    "receive_greeting",
]
