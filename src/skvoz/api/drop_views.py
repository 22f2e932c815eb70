"""What is asked and told of dead drops; commands load it, so it loads no part of a node."""

from skvoz.api.params import Params
from skvoz.api.views import View
from skvoz.base.ids import RelayId


class DropParams(Params, frozen=True, kw_only=True):
    """Names a drop by the relay that runs over it."""

    relay_id: RelayId


class DropView(View, frozen=True, kw_only=True):
    """A dead drop; `place` says where it is and nothing of who is let in there.

    `address` is what `account.create` takes as a relay's. Bytes are those of today, and what they may be.
    """

    relay_id: RelayId
    address: str
    place: str
    bytes_today: int
    bytes_a_day: int


class DropListView(View, frozen=True, kw_only=True):
    """Dead drops that this home can reach."""

    drops: tuple[DropView, ...]


class DropKeyView(View, frozen=True, kw_only=True):
    """A drop's key, with the password of its storage in it."""

    text: str
