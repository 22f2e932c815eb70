"""The client's end of a session that carries blobs, pure: a handshake, then requests and their answers.

The driver sends what `connected` returns, hands every message to `received`, and sends what `flush` returns
after it. Such a session is never resumed: whoever asked for something asks again, from where the relay says.
"""

from skvoz.base.errors import Invalid
from skvoz.base.ids import RelayId
from skvoz.base.ports import Randomness
from skvoz.crypto import CipherSuite
from skvoz.wire.frames import Bye, Credit, Discard, Fetch, Fill, Filled, No, Ok, Part, Reserve
from skvoz.wire.sealed import Greeting, SealedSession, ask_for_key, check_key, greet

BlobRequest = Reserve | Fill | Fetch | Discard
BlobAnswer = Filled | Part | Ok | No


class BlobSession:
    """One connection to a relay; `public_key` may be empty, and is then asked for and checked."""

    def __init__(
        self, *, suite: CipherSuite, relay_id: RelayId, public_key: bytes, randomness: Randomness
    ) -> None:
        self._suite = suite
        self._relay_id = relay_id
        self._public_key = public_key
        self._randomness = randomness
        self._greeting: Greeting | None = None
        self._sealed: SealedSession | None = None
        self._unsent: list[bytes] = []

    @property
    def is_up(self) -> bool:
        """Whether requests can be made."""
        return self._sealed is not None

    def connected(self) -> bytes:
        """Return the first message; raise `Malformed` if the relay's key is none."""
        return self._greet() if self._public_key else ask_for_key(self._relay_id)

    def received(self, message: bytes) -> list[BlobAnswer]:
        """Take a message of the relay and return its answers.

        Raises a `PeerError`, after which the connection is to be closed.
        """
        if self._sealed is not None:
            answers: list[BlobAnswer] = []
            for frame in self._sealed.open_down(message):
                if isinstance(frame, Filled | Part | Ok | No):
                    answers.append(frame)
                elif isinstance(frame, Bye):
                    raise Invalid("the relay ended the session")
            return answers
        if self._greeting is None:
            self._public_key = check_key(self._relay_id, message)
            self._unsent.append(self._greet())
            return []
        _, self._sealed = self._greeting.finish(message)
        self._unsent.append(self._sealed.seal_up([Credit(0)]))  # the relay waits for a sign that we are alive
        return []

    def flush(self) -> list[bytes]:
        """Return the messages of the handshake that are to be sent now."""
        unsent, self._unsent = self._unsent, []
        return unsent

    def seal(self, request: BlobRequest) -> bytes:
        """Return the message of a request; messages are to be sent in the order in which they are sealed."""
        if self._sealed is None:
            raise AssertionError("the handshake is not over")
        return self._sealed.seal_up([request])

    def _greet(self) -> bytes:
        message, self._greeting = greet(self._suite, self._public_key, self._randomness)
        return message
