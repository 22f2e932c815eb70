"""Fuzz what a client makes of files: changed chunks, a hostile relay, names that others chose."""

from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from fuzz.target import Script, Target, changed, scripts
from fuzz.wire_frames import DOWN
from skvoz.base.errors import DecryptFailed
from skvoz.base.ids import RelayId
from skvoz.base.limits import CHUNK_SIZES
from skvoz.client.blob_session import BlobSession
from skvoz.client.file_names import NAME_SIZE_MAX, harmless_name, harmless_type
from skvoz.client.sealed_files import ChunkCipher, Layout
from skvoz.crypto import sha256
from skvoz.wire.frames import Limits, Welcome, encode
from skvoz.wire.sealed import answer_key_request, receive_greeting
from tests.relay.world import SUITE, Dice

_DICE: Final = Dice(7)
_PAIR: Final = SUITE.generate_key_pair(_DICE)
_LIMITS: Final = Limits(1, 2, 3, 4, 5, 6)
_KEY: Final = bytes(range(32))


def try_chunk(script: Script) -> None:
    """Open a chunk that was changed, or is another one."""
    size = script.choice((0, 1, 65_535, 65_536, 65_537, 9 * 65_536))
    cipher = ChunkCipher(key=_KEY, layout=Layout(size=size, chunk_size=CHUNK_SIZES[0]))
    number = script.randrange(cipher.layout.chunk_count)
    plain = bytes(cipher.layout.plain_size_of(number))
    chunk = bytes(cipher.seal(number, plain))
    arrived = changed(script, chunk) if script.randrange(2) else chunk
    place = script.choice((number, number, number + 1))
    try:
        opened = bytes(cipher.open(place, arrived))
    except DecryptFailed:
        if (place, arrived) == (number, chunk):
            raise AssertionError("an honest chunk was refused") from None
        raise
    if (place, arrived) != (number, chunk) or opened != plain:
        raise AssertionError("a changed or misplaced chunk was opened")


def try_session(script: Script) -> None:
    """Hear a hostile relay that holds the keys of the session."""
    public_key = _PAIR.public_key if script.randrange(2) else b""
    session = BlobSession(
        suite=SUITE, relay_id=RelayId(sha256(_PAIR.public_key)), public_key=public_key, randomness=_DICE
    )
    first = session.connected()
    key = answer_key_request(_PAIR.public_key, first)
    if key is not None:
        session.received(changed(script, key) if script.randrange(4) == 0 else key)
        [first] = session.flush()
    arrival = receive_greeting(SUITE, _PAIR.private_key, first)
    answer, sealed = arrival.answer(
        Welcome(bytes(32), bytes(16), resumed=False, limits=_LIMITS, addresses=[], carries=False), _DICE
    )
    session.received(changed(script, answer) if script.randrange(4) == 0 else answer)
    for _ in range(script.randrange(4)):
        data = encode([script.choice(DOWN) for _ in range(script.randrange(1, 4))])
        if script.randrange(4) == 0:
            data = changed(script, data, encode(DOWN))
        session.received(sealed.seal(data))


def try_name(script: Script) -> None:
    """Make a name harmless."""
    name = script.rest().decode(errors="surrogateescape")
    harmless_type(name)
    made = harmless_name(name)
    if not 0 < len(made.encode()) <= NAME_SIZE_MAX + 8 or made in {".", ".."}:
        raise AssertionError("a name is none")
    if PurePosixPath(made).name != made or PureWindowsPath(made).name != made:
        raise AssertionError("a name leads elsewhere")
    if harmless_name(made) != made:
        raise AssertionError("a harmless name was changed")


_TRIES: Final = (try_chunk, try_session, try_name, try_name)


def run(data: bytes) -> None:
    """Try one thing, as the input says."""
    script = Script(data)
    script.choice(_TRIES)(script)


def make() -> Target:
    """Return the target."""
    return Target(run=run, seeds=scripts(100, 80))
