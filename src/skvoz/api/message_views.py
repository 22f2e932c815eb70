"""What can be asked about single messages: receipts, votes, pins, places. Imports little, as `views`."""

from skvoz.api.views import LocationView, MemberView, MessageView, View
from skvoz.base.ids import AccountId


class ReceiptView(View, frozen=True, kw_only=True):
    """What one person reported about a message of ours."""

    account_id: AccountId
    name: str
    delivered_ms: int | None
    read_ms: int | None


class ReceiptListView(View, frozen=True, kw_only=True):
    """What people reported about a message of ours, by name.

    `silent` are the members who had it sent to them and told nothing: in groups reports come with a person's
    next message, and nobody can be made to send them. Without `reports` the chat has too many people for any.
    """

    receipts: tuple[ReceiptView, ...]
    silent: tuple[MemberView, ...] = ()
    reports: bool = True


class OptionVotesView(View, frozen=True, kw_only=True):
    """An answer of a poll, and the names of those who chose it, empty ones for people without."""

    text: str
    names: tuple[str, ...]


class VotesView(View, frozen=True, kw_only=True):
    """Who chose what in a poll; for a message that is none, nothing."""

    options: tuple[OptionVotesView, ...]


class PinView(View, frozen=True, kw_only=True):
    """A pinned message, and who pinned it."""

    message: MessageView
    pinned_by: AccountId
    pinned_by_name: str


class PinListView(View, frozen=True, kw_only=True):
    """Pinned messages of a chat, the latest pin first."""

    pins: tuple[PinView, ...]


class PastedView(View, frozen=True, kw_only=True):
    """The place that a text is, None where it is something else."""

    location: LocationView | None
