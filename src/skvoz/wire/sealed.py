"""The sealed session: the handshake to a relay's key, then messages sealed in both directions.

    client -> relay   version ‖ enc_1 ‖ sealed([Hello])      HPKE to the relay's key
    relay  -> client  enc_2 ‖ sealed([Welcome])              HPKE to the one-time key in `Hello`
    both              sealed(frames), counted from 0 up and from 1 down

Only who has the relay's private key can know the keys after that, so a `Welcome` that opens is the relay's.
The relay's fresh `enc_2` goes into them, so a recorded connection can't be replayed beyond its first message;
the client's one-time key too, so the relay's key, once seized, opens no recording.

A client that knows only the relay's id, as from a link, first asks for the key and checks it:

    client -> relay   0 ‖ relay id, 32 bytes
    relay  -> client  public key                             nothing, and the end, unless the id is its own

A relay that carries others' sessions asks the next one for a proof that it holds its key:

    relay  -> relay   2 ‖ relay id, 32 bytes ‖ enc           HPKE to the relay's key
    relay  -> relay   what only the key's holder can export  32 bytes; nothing, and the end, for another's id

Plaintexts are length (4 bytes, big endian) ‖ frames ‖ zeros, up to the next multiple of 512 bytes.
"""

from collections.abc import Sequence
from typing import Final

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.crypto import CipherSuite, equal, hkdf_sha256, sha256
from skvoz.crypto.counted import CountedOpener, CountedSealer
from skvoz.wire.frames import Down, Hello, Up, Welcome, encode, parse_down, parse_up

WIRE_VERSION: Final = 1
"""The first byte of a greeting."""
KEY_REQUEST: Final = 0
"""The first byte of a question for the relay's key."""
PROOF_REQUEST: Final = 2
"""The first byte of a question for a proof."""
_RELAY_ID_SIZE: Final = 32
_KEY_REQUEST_SIZE: Final = 33
_PROOF_SIZE: Final = 32
_PROOF_INFO: Final = b"skvoz session 1 proof"
MESSAGE_SIZE_MAX: Final = 1280 * 1024
"""A sealed message, bytes: a closer of 1 MiB and room for other frames."""
FRAMES_SIZE_MAX: Final = MESSAGE_SIZE_MAX - 1024
"""The frames in one message, bytes, before length, padding and tag."""
_BUCKET: Final = 512
_ZEROS: Final = tuple(bytes(size) for size in range(_BUCKET))
_LENGTH_SIZE: Final = 4
_TAG_SIZE: Final = 16
_HELLO_INFO: Final = b"skvoz session 1 hello"
_WELCOME_INFO: Final = b"skvoz session 1 welcome"
_KEYS_INFO: Final = b"skvoz session 1 keys"


def _pad(frames: bytes) -> bytes:
    size = len(frames)
    if size > FRAMES_SIZE_MAX:
        raise ValueError("a message is too long to be sealed")
    return b"".join((size.to_bytes(_LENGTH_SIZE), frames, _ZEROS[-(size + _LENGTH_SIZE) % _BUCKET]))


def _unpad(plaintext: bytes) -> memoryview:
    size = int.from_bytes(plaintext[:_LENGTH_SIZE])
    if len(plaintext) < _LENGTH_SIZE or size > len(plaintext) - _LENGTH_SIZE:
        raise Malformed("a message is shorter than it says")
    return memoryview(plaintext)[_LENGTH_SIZE : _LENGTH_SIZE + size]


def _check_size(message: bytes) -> None:
    if len(message) > MESSAGE_SIZE_MAX:
        raise Malformed("a message is too long")


class SealedSession:
    """One end of a session after the handshake; `seal` and `open` count messages."""

    __slots__ = ("_opener", "_sealer")

    def __init__(self, sealer: CountedSealer, opener: CountedOpener) -> None:
        self._sealer = sealer
        self._opener = opener

    def seal(self, frames: bytes) -> bytes:
        """Seal the encoded frames of the next message, at most `FRAMES_SIZE_MAX` bytes."""
        return self._sealer.seal(_pad(frames))

    def open(self, message: bytes) -> memoryview:
        """Open the next message to its encoded frames.

        Raises `DecryptFailed` for anything but the next message of the other end, `Malformed` for its length;
        the connection is then to be closed.
        """
        _check_size(message)
        return _unpad(self._opener.open(message))

    def seal_up(self, frames: Sequence[Up]) -> bytes:
        """Seal frames of a client."""
        return self.seal(encode(frames))

    def open_up(self, message: bytes) -> list[Up]:
        """Open and parse what a client sent. Raises as `open` does, and `Malformed`."""
        return parse_up(self.open(message))

    def seal_down(self, frames: Sequence[Down]) -> bytes:
        """Seal frames of a relay."""
        return self.seal(encode(frames))

    def open_down(self, message: bytes) -> list[Down]:
        """Open and parse what a relay sent. Raises as `open` does, and `Malformed`."""
        return parse_down(self.open(message))


class Greeting(Value, frozen=True):
    """A client's side of a handshake between its first message and the relay's."""

    _suite: CipherSuite
    _ephemeral_private_key: bytes
    _chain: bytes
    _transcript: bytes

    def finish(self, message: bytes) -> tuple[Welcome, SealedSession]:
        """Take the relay's first message.

        Raises `DecryptFailed` if it is not from the relay whose key this is, `Malformed`, or `Invalid`.
        """
        _check_size(message)
        size = self._suite.kem.encapsulation_size
        if len(message) < size + _TAG_SIZE:
            raise Malformed("a welcome is too short")
        enc = message[:size]
        shared = self._suite.hpke_export_receiver(
            self._ephemeral_private_key, enc, _WELCOME_INFO + self._transcript, b"", 32
        )
        up_key, down_key = _keys(self._chain, shared)
        opener = CountedOpener(down_key)
        frames = parse_down(_unpad(opener.open(message[size:], enc)))
        if len(frames) != 1 or not isinstance(frames[0], Welcome):
            raise Invalid("a connection begins with a welcome")
        return frames[0], SealedSession(CountedSealer(up_key), opener)


def ask_for_key(relay_id: bytes) -> bytes:
    """Return the message that asks a relay for the key that its id is the hash of."""
    return bytes([KEY_REQUEST]) + relay_id


def is_key_request(message: bytes) -> bool:
    """Tell whether a message asks for a key; a sealed one is longer, whatever it begins with."""
    return len(message) == _KEY_REQUEST_SIZE and message[0] == KEY_REQUEST


def check_key(relay_id: bytes, message: bytes) -> bytes:
    """Return the relay's public key out of its answer. Raises `Invalid` if it is another's."""
    if not equal(sha256(message), relay_id):
        raise Invalid("the relay's key doesn't match its id")
    return message


def answer_key_request(public_key: bytes, message: bytes) -> bytes | None:
    """Return the answer to a connection's first message if it asks for the key; None if it is a greeting.

    Raises `Invalid` for another relay's id: who doesn't know this one learns nothing here.
    """
    if message[:1] != bytes([KEY_REQUEST]):
        return None
    if not equal(message[1:], sha256(public_key)):
        raise Invalid("another relay was asked for")
    return public_key


def ask_for_proof(suite: CipherSuite, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
    """Return a question for a proof, and the answer that only the holder of the private key can give."""
    enc, proof = suite.hpke_export_sender(public_key, _PROOF_INFO, b"", _PROOF_SIZE, randomness)
    return bytes([PROOF_REQUEST]) + sha256(public_key) + enc, proof


def check_proof(proof: bytes, message: bytes) -> None:
    """Raise `Invalid` unless a relay answered as only the holder of its key can."""
    if not equal(proof, message):
        raise Invalid("the relay doesn't hold the key of its id")


def answer_proof_request(
    suite: CipherSuite, private_key: bytes, public_key: bytes, message: bytes
) -> bytes | None:
    """Return the proof if a connection's first message asks for one; None if it is something else.

    Raises `Invalid` for another relay's id, and `Malformed` or `DecryptFailed`.
    """
    if message[:1] != bytes([PROOF_REQUEST]):
        return None
    relay_id, enc = message[1 : 1 + _RELAY_ID_SIZE], message[1 + _RELAY_ID_SIZE :]
    if not equal(relay_id, sha256(public_key)) or len(enc) != suite.kem.encapsulation_size:
        raise Invalid("another relay was asked for")
    return suite.hpke_export_receiver(private_key, enc, _PROOF_INFO, b"", _PROOF_SIZE)


def greet(
    suite: CipherSuite,
    relay_public_key: bytes,
    randomness: Randomness,
    *,
    token: bytes | None = None,
    received: int = 0,
    owed: int = 0,
) -> tuple[bytes, Greeting]:
    """Begin a connection: return its first message, and what takes the relay's answer.

    `token`, `received` and `owed` are of the session to resume. Raises `Malformed` for a bad public key.
    """
    enc, root = suite.hpke_export_sender(relay_public_key, _HELLO_INFO, b"", 64, randomness)
    one_time = suite.generate_key_pair(randomness)
    head = bytes([WIRE_VERSION]) + enc
    hello = encode([Hello(one_time.public_key, token, received, owed)])
    message = head + CountedSealer(root[:32]).seal(_pad(hello), head)
    return message, Greeting(suite, one_time.private_key, root[32:], sha256(message))


class Arrival(Value, frozen=True):
    """A relay's side of a handshake: the client's `Hello`, not yet proven to be alive."""

    hello: Hello
    _suite: CipherSuite
    _chain: bytes
    _transcript: bytes

    def answer(self, welcome: Welcome, randomness: Randomness) -> tuple[bytes, SealedSession]:
        """Return the relay's first message and the session. Raises `Malformed` for a bad one-time key.

        The hello may be a replay until `SealedSession.open` has opened a first message.
        """
        enc, shared = self._suite.hpke_export_sender(
            self.hello.ephemeral, _WELCOME_INFO + self._transcript, b"", 32, randomness
        )
        up_key, down_key = _keys(self._chain, shared)
        sealer = CountedSealer(down_key)
        message = enc + sealer.seal(_pad(encode([welcome])), enc)
        return message, SealedSession(sealer, CountedOpener(up_key))


def receive_greeting(suite: CipherSuite, private_key: bytes, message: bytes) -> Arrival:
    """Open a connection's first message. Raises `DecryptFailed`, `Malformed` or `Invalid`."""
    _check_size(message)
    size = 1 + suite.kem.encapsulation_size
    if len(message) < size + _TAG_SIZE:
        raise Malformed("a greeting is too short")
    if message[0] != WIRE_VERSION:
        raise Invalid("the version of the wire is unknown")
    head = message[:size]
    root = suite.hpke_export_receiver(private_key, head[1:], _HELLO_INFO, b"", 64)
    frames = parse_up(_unpad(CountedOpener(root[:32]).open(message[size:], head)))
    if len(frames) != 1 or not isinstance(frames[0], Hello):
        raise Invalid("a connection begins with a hello")
    return Arrival(frames[0], suite, root[32:], sha256(message))


def _keys(chain: bytes, shared: bytes) -> tuple[bytes, bytes]:
    keys = hkdf_sha256(shared, salt=chain, info=_KEYS_INFO, length=64)
    return keys[:32], keys[32:]
