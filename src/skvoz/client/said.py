"""Who said a change of something that is there, as which message, and when."""

from dataclasses import dataclass

from skvoz.base.ids import AccountId, MessageId


@dataclass(frozen=True, slots=True)
class Said:
    """Who said a change, as which message, and when by their own clock."""

    author: AccountId
    identity: MessageId
    sent_ms: int
