"""What is wished of a conversation's group, as it is stored until a commit fulfils it; and whom to add."""

from typing import TypeAlias

from skvoz.base.ids import AccountId
from skvoz.base.value import Value


class Invitee(Value, frozen=True, kw_only=True):
    """Somebody to add: the KeyPackage as an `MLSMessage`, and where the Welcome will go."""

    account_id: AccountId
    key_package: bytes
    recipient: bytes
    """For `invitations.deliver`; opaque here."""


class Adding(Value, frozen=True, array_like=True):
    """Somebody to add; `key_package` is empty while it is being fetched."""

    account_id: AccountId
    key_package: bytes = b""
    recipient: bytes = b""


class AddWish(Value, frozen=True, array_like=True, tag=1):
    """Add these, together; `until_ms`: how long to wait for KeyPackages."""

    adding: tuple[Adding, ...]
    until_ms: int


class RemoveWish(Value, frozen=True, array_like=True, tag=2):
    """Remove a person with all devices."""

    account_id: AccountId


class InfoWish(Value, frozen=True, array_like=True, tag=3):
    """Change title, expiry (0: messages stay) or a member's role."""

    title: str | None = None
    expiry_s: int | None = None
    member: AccountId | None = None
    admin: bool = False


Wish: TypeAlias = AddWish | RemoveWish | InfoWish
