"""Dead drops that this home can reach: what opens them lies in the encrypted store only."""

from typing import Final

from skvoz.base.errors import BadRequest, Conflict, NotFound
from skvoz.client import relays
from skvoz.client.commands import Answer, ForgetDrop, KeepDrop
from skvoz.client.records import DeadDrop
from skvoz.client.step import Step

DROPS_MAX: Final = 32
"""Each is looked into all day."""
_RELAY_ID_SIZE: Final = 32
_SECRET_SIZE: Final = 32


def keep(step: Step, command: KeepDrop) -> Answer:
    """Keep a drop, or put other words for reaching it in place of those that there were."""
    if len(command.relay_id) != _RELAY_ID_SIZE or len(command.secret) != _SECRET_SIZE:
        raise BadRequest("a drop has an id and a secret of 32 bytes each")
    known = step.transaction.get(DeadDrop, command.relay_id)
    if known is None and len(step.transaction.select(DeadDrop)) >= DROPS_MAX:
        raise Conflict("there are enough drops: forget one of them first")
    step.transaction.put(
        DeadDrop(
            relay_id=command.relay_id,
            secret=command.secret,
            url=command.url,
            password=command.password,
            bytes_a_day=command.bytes_a_day,
            poll_s=command.poll_s,
            created_ms=step.now_ms if known is None else known.created_ms,
        )
    )
    return Answer()


def forget(step: Step, command: ForgetDrop) -> Answer:
    """Forget a drop that nothing of ours lies in."""
    if step.transaction.get(DeadDrop, command.relay_id) is None:
        raise NotFound("there is no such drop")
    if relays.is_used(step, command.relay_id):
        raise Conflict("conversations of yours lie in this drop: leave them first")
    step.transaction.delete(DeadDrop, command.relay_id)
    return Answer()
