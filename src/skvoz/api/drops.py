"""Questions about dead drops: which there are, and the key to hand on. Owner's alone."""

from typing import Final

import msgspec

from skvoz.api.drop_views import DropKeyView, DropListView, DropParams, DropView
from skvoz.api.params import NoParams
from skvoz.api.question import Method, Question
from skvoz.base.errors import NotFound
from skvoz.client.relay_addresses import drop_address
from skvoz.node.node import Node
from skvoz.store.queries import Queries
from skvoz.transports.deaddrop import DropKey, place_shown

DROP_LIST: Final = "drop.list"


def drop_key(queries: Queries, params: DropParams) -> DropKeyView:
    """Return a drop's key, to be handed on: whoever has it can use the drop, and empty it."""
    drop = queries.drop(params.relay_id)
    if drop is None:
        raise NotFound("there is no such drop")
    return DropKeyView(text=DropKey(1, drop.url, drop.password, drop.secret).encode())


async def drop_list(node: Node) -> msgspec.Struct:
    """Return the drops of a node."""
    kept = await node.query(lambda queries: queries.drops())
    return DropListView(
        drops=tuple(
            DropView(
                relay_id=one.relay_id,
                address=drop_address(one.relay_id),
                place=place_shown(one.url),
                bytes_today=node.drops.spent_today(one.relay_id),
                bytes_a_day=one.bytes_a_day,
            )
            for one in kept
        )
    )


QUESTIONS: Final[dict[str, Question]] = {
    "drop.key": Question(params=DropParams, result=DropKeyView, read=drop_key),
}
LIST_METHOD: Final = Method(
    params=NoParams, result=DropListView, about="Return the dead drops that this home can reach."
)
