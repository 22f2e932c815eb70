"""Programs that this home's person gave a token."""

from skvoz.client.records.base import Record


class Bot(Record, frozen=True, array_like=True, kw_only=True):
    """What one token opens; the token itself is nowhere here."""

    table = "bot"
    key = ("bot_id",)
    columns = ("token_hash",)
    bot_id: bytes
    token_hash: bytes
    """SHA-256 of the token."""
    name: str
    can_write: bool
    chats: tuple[bytes, ...] | None
    """None: all of them, later ones too."""
    created_ms: int
    used_ms: int | None = None
    """When it was last used, to the hour."""
