"""The relay: inputs in, effects out."""

from collections.abc import Iterable

from skvoz.base.ports import Randomness
from skvoz.crypto import CipherSuite
from skvoz.logs import Quotas
from skvoz.relay.seam import Effect, Input


class Relay:
    """A relay without sockets and disks.

    Hand in whatever happened since the last call in one `handle`: what goes to one connection is then one
    message. `randomness` makes session tokens. `store_id`: 16 bytes.
    """

    def __init__(
        self,
        *,
        suite: CipherSuite,
        private_key: bytes,
        store_id: bytes,
        quotas: Quotas,
        randomness: Randomness,
    ) -> None:
        raise NotImplementedError

    def handle(self, inputs: Iterable[Input], now_ms: int) -> list[Effect]:
        """Take in what happened, and return what to do, in order."""
        raise NotImplementedError
