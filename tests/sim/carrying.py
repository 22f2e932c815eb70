"""Bundles that people carry by hand: now and then one is made, kept, and brought once or several times."""

from random import Random
from typing import TYPE_CHECKING

from skvoz.client import carried_out
from skvoz.client.commands import ImportBundle
from skvoz.client.transaction import Transaction

if TYPE_CHECKING:
    from tests.sim.world import World


def carry(world: "World", random: Random) -> None:
    """Let somebody make a bundle, and others take it in at some time."""
    if random.random() > 0.3:
        return
    giver = random.choice(world.people)
    if giver.account_id is None:
        return
    file = carried_out.make_bundle(Transaction(giver.records), random.randbytes).file
    for _ in range(random.choice((1, 1, 2, 3))):
        taker = random.choice(world.people)
        world.clock.after(
            random.choice((0, 1_000, 60_000, 3_600_000)),
            lambda taker=taker: taker.do(lambda client_id: ImportBundle(client_id=client_id, file=file)),
        )
