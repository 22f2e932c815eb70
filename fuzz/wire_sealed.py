"""Fuzz both ends of the sealed session: what is changed on its way, and what is sealed over anything."""

from functools import cache
from typing import Final

from fuzz.target import Script, Target, changed, scripts
from fuzz.wire_frames import DOWN, UP
from skvoz.base.errors import DecryptFailed
from skvoz.crypto import SUITES, KeyPair, sha256
from skvoz.crypto.counted import CountedOpener, CountedSealer
from skvoz.wire.frames import Hello, Limits, Ping, Pong, Welcome, encode
from skvoz.wire.sealed import (
    Arrival,
    SealedSession,
    answer_key_request,
    answer_proof_request,
    ask_for_key,
    ask_for_proof,
    check_key,
    check_proof,
    greet,
    receive_greeting,
)
from tests.mls.synthetic_tree import Counter

_ID: Final = bytes(range(16))
_KEY: Final = bytes(range(32))
_SUITE: Final = SUITES[1]
_WELCOME: Final = Welcome(
    _KEY, _ID, resumed=False, limits=Limits(1, 2, 3, 4, 5, 6), addresses=[], carries=False
)


@cache
def _pair() -> KeyPair:
    return _SUITE.generate_key_pair(Counter("fuzz sealed"))


def _padded(content: bytes) -> bytes:
    return len(content).to_bytes(4) + content + bytes(-(len(content) + 4) % 512)


def _plaintext(script: Script, frames: bytes) -> bytes:
    """Return what somebody who holds the keys might seal: padded or not, frames or not."""
    plaintext = changed(script, frames)
    return changed(script, _padded(plaintext)) if script.randrange(4) == 0 else _padded(plaintext)


def try_messages(script: Script) -> None:
    """Open messages that somebody who holds the keys sealed over anything."""
    session = SealedSession(CountedSealer(_KEY), CountedOpener(_KEY))
    sealer = CountedSealer(_KEY)
    up = script.randrange(2)
    for _ in range(script.randrange(1, 4)):
        message = sealer.seal(
            _plaintext(script, encode([script.choice(UP)] if up else [script.choice(DOWN)]))
        )
        session.open_up(message) if up else session.open_down(message)


def try_changed_message(script: Script) -> None:
    """Open a message that was changed on its way; the right one still opens after it."""
    sender = SealedSession(CountedSealer(_KEY), CountedOpener(_KEY))
    receiver = SealedSession(CountedSealer(_KEY), CountedOpener(_KEY))
    message = sender.seal(encode([Ping(1)]))
    arrived = changed(script, message)
    if arrived != message:
        try:
            receiver.open(arrived)
        except DecryptFailed:
            pass
        else:
            raise AssertionError("a changed message was opened")
    receiver.open_up(message)


def try_hello(script: Script) -> None:
    """Receive a greeting that somebody sealed over anything, and answer it."""
    enc, root = _SUITE.hpke_export_sender(
        _pair().public_key, b"skvoz session 1 hello", b"", 64, Counter("fuzz hello")
    )
    head = bytes([1]) + enc
    key = _SUITE.generate_key_pair(Counter("fuzz one-time")).public_key
    hello = encode([Hello(changed(script, key) if script.randrange(2) else key, None, 0, 0)])
    message = head + CountedSealer(root[:32]).seal(_plaintext(script, hello), head)
    arrival = receive_greeting(_SUITE, _pair().private_key, message)
    arrival.answer(_WELCOME, Counter("fuzz answer"))


def _arrived(message: bytes) -> Arrival:
    return receive_greeting(_SUITE, _pair().private_key, message)


def try_greeting(script: Script) -> None:
    """Receive a greeting that was changed on its way."""
    message, _ = greet(_SUITE, _pair().public_key, Counter("fuzz greeting"))
    arrived = changed(script, message)
    _arrived(arrived)
    if arrived != message:
        raise AssertionError("a changed greeting was accepted")


def try_welcome(script: Script) -> None:
    """Finish a handshake with a welcome that was changed on its way."""
    message, greeting = greet(_SUITE, _pair().public_key, Counter("fuzz welcome"))
    answer, relay = _arrived(message).answer(_WELCOME, Counter("fuzz answer"))
    arrived = changed(script, answer)
    _, client = greeting.finish(arrived)
    if arrived != answer:
        raise AssertionError("a changed welcome was accepted")
    client.open_down(relay.seal_down([Pong(1)]))


def try_key_request(script: Script) -> None:
    """Ask a relay for its key."""
    public_key = _pair().public_key
    asked = changed(script, ask_for_key(sha256(public_key)))
    if answer_key_request(public_key, asked) not in {None, public_key}:
        raise AssertionError("a relay told another key than its own")


def try_proof_request(script: Script) -> None:
    """Ask a relay for a proof of its key."""
    pair = _pair()
    question, proof = ask_for_proof(_SUITE, pair.public_key, Counter("fuzz proof"))
    asked = changed(script, question)
    answer = answer_proof_request(_SUITE, pair.private_key, pair.public_key, asked)
    if answer == proof and asked != question:
        raise AssertionError("a changed question had the right answer")


def try_proof(script: Script) -> None:
    """Be told a proof that was changed on its way."""
    _, proof = ask_for_proof(_SUITE, _pair().public_key, Counter("fuzz proof"))
    told = changed(script, proof)
    check_proof(proof, told)
    if told != proof:
        raise AssertionError("a changed proof was accepted")


def try_key(script: Script) -> None:
    """Be told a relay's key."""
    public_key = _pair().public_key
    if check_key(sha256(public_key), changed(script, public_key)) != public_key:
        raise AssertionError("another key was accepted")


_TRIES: Final = (
    try_messages,
    try_messages,
    try_messages,
    try_changed_message,
    try_hello,
    try_greeting,
    try_welcome,
    try_key_request,
    try_key,
    try_proof_request,
    try_proof,
)


def run(data: bytes) -> None:
    """Try one thing, as the input says."""
    script = Script(data)
    script.choice(_TRIES)(script)


def make() -> Target:
    """Return the target."""
    return Target(run=run, seeds=scripts(100))
