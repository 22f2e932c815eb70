"""This home's person, other people, and relays."""

from enum import IntEnum

from skvoz.base.ids import AccountId, RelayId
from skvoz.base.value import Value
from skvoz.client.records.base import Record


class Folder(Value, frozen=True, array_like=True, kw_only=True):
    """Chats that this home's person put together under a name."""

    name: str
    chats: tuple[bytes, ...] = ()


class Account(Record, frozen=True, array_like=True, kw_only=True):
    """The person whose home this is; there is one, under the key 0."""

    table = "account"
    key = ("number",)
    number: int = 0
    account_id: AccountId
    name: str
    root_public_key: bytes
    root_private_key: bytes | None
    """None once the recovery phrase is confirmed."""
    account_key_number: int
    account_public_key: bytes
    account_private_key: bytes
    account_key_statement: bytes
    """The root key's signature over number and account key."""
    device_public_key: bytes
    device_private_key: bytes
    device_certificate: bytes
    card_sequence: int
    home_relay_id: RelayId
    created_ms: int
    reports_enabled: bool = True
    lock_after_minutes: int = 0
    """Minutes without use of the page until the home is locked; 0: never."""
    folders: tuple[Folder, ...] = ()
    lan_enabled: bool = False
    """Conversations go on over the network around; on it others see that this machine offers something."""


class Relay(Record, frozen=True, array_like=True, kw_only=True):
    """A relay that some log of ours lives at."""

    table = "relay"
    key = ("relay_id",)
    relay_id: RelayId
    public_key: bytes
    """X-Wing, 1216 bytes; `relay_id` is its SHA-256."""
    addresses: tuple[str, ...]
    """Those that this home's person gave: tried first."""
    ticket: bytes = b""
    store_id: bytes = b""
    named: tuple[str, ...] = ()
    """Those that only others named."""
    told: tuple[str, ...] = ()
    """Those that the relay itself said in a session, which is sealed to its key; its latest word."""
    hinted: tuple[str, ...] = ()
    """Those that contacts said in direct conversations, the latest first."""
    announced: tuple[str, ...] = ()
    """What contacts were told last, where it was more than this home's person gave."""

    carries: bool = True
    """Whether it carries sessions to other relays: until it says that it doesn't; no session goes past it."""

    @property
    def reach(self) -> tuple[str, ...]:
        """All addresses, in the order in which they are tried."""
        return tuple(dict.fromkeys((*self.addresses, *self.told, *self.hinted, *self.named)))

    @property
    def for_others(self) -> tuple[str, ...]:
        """Addresses to give to others: what the relay says of itself, then what this home's person gave."""
        return tuple(dict.fromkeys((*self.told, *self.addresses)))[:8]


class ContactState(IntEnum):
    """How far a person has come."""

    KNOWN = 0
    """A member of a common group; nothing agreed with them."""
    REQUEST = 1
    """They wrote first and wait to be accepted."""
    ACCEPTED = 2
    BLOCKED = 3


class Contact(Record, frozen=True, array_like=True, kw_only=True):
    """Another person."""

    table = "contact"
    key = ("account_id",)
    columns = ("state",)
    account_id: AccountId
    state: ContactState
    name: str
    """As their card says; a person's own text, never trusted."""
    own_name: str = ""
    """As this home's person calls them."""
    root_public_key: bytes
    account_key_number: int
    account_public_key: bytes
    card: bytes = b""
    card_sequence: int = 0
    inbox: bytes = b""
    """Their contacts' inbox, encoded as `InboxAddress`: where invitations to groups go."""
    verified_ms: int | None = None
    key_changed_ms: int | None = None
    created_ms: int
