"""The tree of errors.

    SkvozError
    |- PeerError              what somebody outside sent
    |  |- Malformed           the bytes don't parse, or break a size limit
    |  |- Invalid             they parse, and a rule of the protocol refuses them
    |  `- DecryptFailed       a key, tag or signature doesn't fit; deliberately says no more
    |- CallerError            what the person or program on this side asked for
    |  |- NotFound
    |  |- NotAllowed
    |  |- Conflict            it clashes with the present state
    |  |  `- ClientIdUsed     the client id stands for another wish
    |  |- TooOften            it asked faster than is answered
    |  `- BadRequest          an argument is missing, too long or makes no sense
    |- TransportError         a connection or a relay did not do its part
    |  `- Interrupted         it broke or froze, and another one may do
    `- StoreError             the disk or the database on this side
       |- HomeBusy            another process holds the home
       |- SchemaTooNew        a newer Skvoz wrote it
       |- WrongPassphrase
       |- Locked             a passphrase has to open it first
       `- DiskFull

Texts are for people and for logs: they never hold a secret, an id, an address or a peer's words.
Bugs (`AssertionError`, `TypeError`, …) stay outside this tree on purpose and stop the session.
"""


class SkvozError(Exception):
    """The root of everything that Skvoz raises on purpose."""


class PeerError(SkvozError):
    """Something from outside is not acceptable."""


class Malformed(PeerError):
    """Bytes from outside don't parse or exceed a limit."""


class Invalid(PeerError):
    """Bytes from outside parse, and a rule of the protocol refuses them."""


class DecryptFailed(PeerError):
    """A key, tag or signature doesn't fit; which one is never said."""

    def __init__(self) -> None:
        super().__init__("decryption failed")


class CallerError(SkvozError):
    """The person or program on this side asked for something that can't be done."""


class NotFound(CallerError):
    """What was named does not exist here."""


class NotAllowed(CallerError):
    """The caller's role or token doesn't permit it."""


class Conflict(CallerError):
    """The request clashes with the present state."""


class TooOften(CallerError):
    """The caller asked faster than it is answered; `retry_after_ms` says when to come back."""

    def __init__(self, text: str, retry_after_ms: int = 1_000) -> None:
        super().__init__(text)
        self.retry_after_ms = retry_after_ms


class ClientIdUsed(Conflict):
    """The wish's client id stands for another wish, which was fulfilled."""


class BadRequest(CallerError):
    """An argument is missing, too long or makes no sense."""


class TransportError(SkvozError):
    """A connection or a relay did not do its part."""


class Interrupted(TransportError):
    """A connection broke or froze; another one may do."""


class StoreError(SkvozError):
    """The disk or the database on this side did not do its part."""


class HomeBusy(StoreError):
    """Another process holds this home."""


class SchemaTooNew(StoreError):
    """The store was written by a newer version."""


class WrongPassphrase(StoreError):
    """The store's key does not open it."""


class Locked(StoreError):
    """The home is locked: its node holds neither the key nor the store open."""


class DiskFull(StoreError):
    """There is no room left on the disk."""
