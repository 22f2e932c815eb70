"""Sealed sessions: only the right relay and client, only the next message, only whole ones."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skvoz.base.errors import DecryptFailed, Invalid, Malformed, PeerError
from skvoz.crypto import DEFAULT_SUITE, SUITES, sha256
from skvoz.crypto.counted import CountedOpener, CountedSealer
from skvoz.wire.frames import Attach, Hello, Limits, Ping, Pong, Welcome, encode
from skvoz.wire.sealed import (
    FRAMES_SIZE_MAX,
    MESSAGE_SIZE_MAX,
    SealedSession,
    answer_key_request,
    ask_for_key,
    check_key,
    greet,
    receive_greeting,
)
from tests.relay.world import Dice

SUITE = SUITES[1]
DICE = Dice()
PAIR = SUITE.generate_key_pair(DICE)
WELCOME = Welcome(
    b"t" * 32, b"s" * 16, resumed=False, limits=Limits(1, 2, 3, 4, 5, 6), addresses=[], carries=False
)


def shake() -> tuple[SealedSession, SealedSession]:
    """Return the client's and the relay's end."""
    message, greeting = greet(SUITE, PAIR.public_key, DICE)
    answer, relay = receive_greeting(SUITE, PAIR.private_key, message).answer(WELCOME, DICE)
    welcome, client = greeting.finish(answer)
    assert welcome == WELCOME
    return client, relay


@pytest.mark.parametrize("number", [1, DEFAULT_SUITE])
def test_frames_pass_both_ways(number: int) -> None:
    suite = SUITES[number]
    pair = suite.generate_key_pair(DICE)
    message, greeting = greet(suite, pair.public_key, DICE, token=b"T" * 32, received=5, owed=6)
    arrival = receive_greeting(suite, pair.private_key, message)
    assert (arrival.hello.token, arrival.hello.received, arrival.hello.owed) == (b"T" * 32, 5, 6)
    answer, relay = arrival.answer(WELCOME, DICE)
    welcome, client = greeting.finish(answer)
    assert welcome == WELCOME
    for count in range(3):
        assert relay.open_up(client.seal_up([Ping(count)])) == [Ping(count)]
        assert client.open_down(relay.seal_down([Pong(count)])) == [Pong(count)]


def test_x_wing_messages_have_the_documented_sizes() -> None:
    suite = SUITES[DEFAULT_SUITE]
    pair = suite.generate_key_pair(DICE)
    message, _ = greet(suite, pair.public_key, DICE)
    answer, _ = receive_greeting(suite, pair.private_key, message).answer(WELCOME, DICE)
    assert (len(pair.public_key), len(message), len(answer)) == (1216, 2673, 1648)


def test_sizes_are_padded() -> None:
    client, _ = shake()
    sizes = {len(client.seal(bytes(size))) for size in range(0, 1200, 50)}
    assert sizes == {512 + 16, 1024 + 16, 1536 + 16}


def test_the_longest_message_passes_and_a_longer_one_does_not() -> None:
    client, relay = shake()
    sealed = client.seal(bytes(FRAMES_SIZE_MAX))
    assert len(sealed) <= MESSAGE_SIZE_MAX
    assert len(relay.open(sealed)) == FRAMES_SIZE_MAX
    with pytest.raises(ValueError, match="too long"):
        client.seal(bytes(FRAMES_SIZE_MAX + 1))
    with pytest.raises(Malformed):
        relay.open(bytes(MESSAGE_SIZE_MAX + 1))
    with pytest.raises(Malformed):
        receive_greeting(SUITE, PAIR.private_key, b"\x01" + bytes(MESSAGE_SIZE_MAX))


def test_repeated_reordered_lost_and_foreign_messages_fail() -> None:
    client, relay = shake()
    first, second = client.seal(b"1"), client.seal(b"2")
    with pytest.raises(DecryptFailed):
        relay.open(second)
    assert relay.open(first) == b"1"
    with pytest.raises(DecryptFailed):
        relay.open(first)
    assert relay.open(second) == b"2"
    other, _ = shake()
    other.seal(b"1")
    other.seal(b"2")
    with pytest.raises(DecryptFailed):
        relay.open(other.seal(b"3"))


def test_a_message_is_not_accepted_back() -> None:
    client, relay = shake()
    with pytest.raises(DecryptFailed):
        client.open(client.seal(b"1"))
    with pytest.raises(DecryptFailed):
        relay.open(relay.seal(b"1"))


def test_every_truncation_and_flipped_bit_fails() -> None:
    client, relay = shake()
    sealed = client.seal(b"frames")
    for size in range(0, len(sealed), 7):
        with pytest.raises(DecryptFailed):
            relay.open(sealed[:size])
    for place in range(0, len(sealed), 13):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(DecryptFailed):
            relay.open(bytes(changed))
    assert relay.open(sealed) == b"frames"


def test_greetings_that_were_changed_or_cut_are_refused() -> None:
    message, greeting = greet(SUITE, PAIR.public_key, DICE)
    for place in range(0, len(message), 11):
        changed = bytearray(message)
        changed[place] ^= 0x80
        with pytest.raises(PeerError):
            receive_greeting(SUITE, PAIR.private_key, bytes(changed))
    for size in range(0, len(message), 11):
        with pytest.raises(PeerError):
            receive_greeting(SUITE, PAIR.private_key, message[:size])
    answer, _ = receive_greeting(SUITE, PAIR.private_key, message).answer(WELCOME, DICE)
    for place in range(0, len(answer), 11):
        changed = bytearray(answer)
        changed[place] ^= 0x80
        with pytest.raises(PeerError):
            greeting.finish(bytes(changed))
    for size in range(0, len(answer), 11):
        with pytest.raises(PeerError):
            greeting.finish(answer[:size])


def test_an_unknown_version_is_refused() -> None:
    message, _ = greet(SUITE, PAIR.public_key, DICE)
    with pytest.raises(Invalid):
        receive_greeting(SUITE, PAIR.private_key, b"\x02" + message[1:])


def test_another_relay_can_neither_read_nor_answer() -> None:
    other = SUITE.generate_key_pair(DICE)
    message, greeting = greet(SUITE, PAIR.public_key, DICE)
    with pytest.raises(DecryptFailed):
        receive_greeting(SUITE, other.private_key, message)
    theirs, _ = greet(SUITE, other.public_key, DICE)
    answer, _ = receive_greeting(SUITE, other.private_key, theirs).answer(WELCOME, DICE)
    with pytest.raises(DecryptFailed):
        greeting.finish(answer)


def test_a_welcome_belongs_to_one_greeting() -> None:
    first, first_greeting = greet(SUITE, PAIR.public_key, DICE)
    _, second_greeting = greet(SUITE, PAIR.public_key, DICE)
    answer, _ = receive_greeting(SUITE, PAIR.private_key, first).answer(WELCOME, DICE)
    with pytest.raises(DecryptFailed):
        second_greeting.finish(answer)
    assert first_greeting.finish(answer)[0] == WELCOME


def test_a_replayed_greeting_gives_other_keys() -> None:
    message, greeting = greet(SUITE, PAIR.public_key, DICE)
    answer, relay = receive_greeting(SUITE, PAIR.private_key, message).answer(WELCOME, DICE)
    _, client = greeting.finish(answer)
    said = client.seal(b"1")
    _, deceived = receive_greeting(SUITE, PAIR.private_key, message).answer(WELCOME, DICE)
    with pytest.raises(DecryptFailed):
        deceived.open(said)
    assert relay.open(said) == b"1"


def test_the_relay_key_alone_opens_no_recording() -> None:
    """The recorded `enc_2` was made to the one-time key, so the relay's own key does not open it."""
    message, greeting = greet(SUITE, PAIR.public_key, DICE)
    arrival = receive_greeting(SUITE, PAIR.private_key, message)
    answer, _ = arrival.answer(WELCOME, DICE)
    recorder = msgspec.structs.replace(
        greeting,
        _ephemeral_private_key=PAIR.private_key,
        _chain=arrival._chain,
        _transcript=arrival._transcript,
    )
    with pytest.raises(DecryptFailed):
        recorder.finish(answer)
    assert greeting.finish(answer)[0] == WELCOME


def test_a_greeting_holds_a_hello_and_nothing_else() -> None:
    def forge(frames: bytes) -> bytes:
        enc, root = SUITE.hpke_export_sender(PAIR.public_key, b"skvoz session 1 hello", b"", 64, DICE)
        head = b"\x01" + enc
        padded = len(frames).to_bytes(4) + frames
        return head + CountedSealer(root[:32]).seal(padded, head)

    hello = Hello(PAIR.public_key, None, 0, 0)
    assert receive_greeting(SUITE, PAIR.private_key, forge(encode([hello]))).hello == hello
    for frames in ([], [hello, hello], [hello, Ping(1)], [Attach(1, bytes(16), bytes(32), 0)]):
        with pytest.raises(Invalid):
            receive_greeting(SUITE, PAIR.private_key, forge(encode(frames)))
    weak = receive_greeting(SUITE, PAIR.private_key, forge(encode([Hello(b"short", None, 0, 0)])))
    with pytest.raises(Malformed):
        weak.answer(WELCOME, DICE)


def test_a_length_that_lies_is_malformed() -> None:
    for plaintext in (b"", b"\x00\x00\x00", b"\x00\x00\x00\x05abcd", b"\xff\xff\xff\xff" + bytes(508)):
        session = SealedSession(CountedSealer(bytes(32)), CountedOpener(bytes(32)))
        with pytest.raises(Malformed):
            session.open(CountedSealer(bytes(32)).seal(plaintext))


def test_the_key_is_asked_for_by_its_hash_and_checked() -> None:
    relay_id = sha256(PAIR.public_key)
    answer = answer_key_request(PAIR.public_key, ask_for_key(relay_id))
    assert answer is not None
    assert check_key(relay_id, answer) == PAIR.public_key
    with pytest.raises(Invalid):
        check_key(relay_id, PAIR.public_key + b"x")
    for junk in (bytes(32), b"", relay_id[:31]):
        with pytest.raises(Invalid):
            answer_key_request(PAIR.public_key, b"\x00" + junk)
    assert answer_key_request(PAIR.public_key, b"\x01" + bytes(40)) is None
    assert answer_key_request(PAIR.public_key, b"") is None


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400))
def test_random_greetings_raise_documented_errors_only(junk: bytes) -> None:
    with pytest.raises(PeerError):
        receive_greeting(SUITE, PAIR.private_key, junk)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=6))
def test_any_sequence_passes_in_order(messages: list[bytes]) -> None:
    client, relay = shake()
    assert [bytes(relay.open(sealed)) for sealed in [client.seal(one) for one in messages]] == messages
