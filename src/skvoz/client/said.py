"""Who said a change of something that is there, as which message, and when."""

from skvoz.base.ids import AccountId, MessageId
from skvoz.base.value import Value


class Said(Value, frozen=True):
    """Who said a change, as which message, and when by their own clock."""

    author: AccountId
    identity: MessageId
    sent_ms: int
