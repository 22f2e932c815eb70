"""What a lent relay keeps for whoever has its ticket, former members too."""

from skvoz.cli.lending import QUOTAS
from skvoz.crypto import sha256
from skvoz.logs import find_contest_proof
from skvoz.wire.frames import Ok
from tests.relay.world import LOG, Client, World, code_in, entry_id, key, stored_in


def test_a_ticket_opens_so_many_logs_and_no_branches() -> None:
    world = World(QUOTAS)
    answers = [Client(world).open(entry_id(number)) for number in range(1, 100)]
    assert sum(isinstance(answer, Ok) for [answer] in answers) == QUOTAS.open_burst == 64
    world.tick(3600)
    client = Client(world)
    [opened] = client.open()
    assert isinstance(opened, Ok)
    stored_in(client.rekey(1, key(0), key(1)))
    proof = find_contest_proof(LOG, sha256(key(0)), sha256(key(2)))
    assert code_in(client.rekey(2, key(0), key(2), proof=proof)) == "slow"
