"""How many sessions a relay carries, how often it begins one, and how much waits for them in its memory."""

from dataclasses import dataclass

import pytest

from skvoz.crypto import sha256
from skvoz.relay import Carriage
from skvoz.relay.hops import ALL_HELD_BYTES_MAX, HELD_BYTES_MAX
from skvoz.relay.seam import Came, Gone, LetGo, Onward, Reach, Reached, Received, Went
from skvoz.wire.frames import PASS_SIZE_MAX, PASS_WINDOW_BYTES, Bye, Carry, Down, Ok, Pass, Passed, Took
from skvoz.wire.sealed import ask_for_proof
from tests.relay.world import SUITE, Client, World, code_in

FAR = b"F" * 32
WINDOW = bytes(PASS_WINDOW_BYTES - 1)
"""What a client may have passed on and still pass on more."""


@pytest.fixture
def world() -> World:
    return World(carriage=Carriage())


@dataclass
class Hop:
    """A client with a hop of its own."""

    client: Client
    number: int


def ask(client: Client, host: str = "far.example") -> list[Down]:
    return client.send(Carry(client.number(), FAR, f"wss://{host}/"))


def carried(world: World, host: str = "far.example") -> Hop:
    """Have a new client carried to another relay."""
    client = Client(world)
    assert ask(client, host) == []
    reach = world.carried[-1]
    assert isinstance(reach, Reach)
    assert (reach.connection, reach.relay_id) == (client.connection, FAR)
    world.hand(Reached(reach.hop))
    assert client.hear() == [Ok(client.request, None)]
    return Hop(client, reach.hop)


def let_go(world: World) -> list[int]:
    return [one.hop for one in world.carried if isinstance(one, LetGo)]


def waiting(world: World) -> int:
    """Count the bytes that a host has been given and would still hold."""
    gone = set(let_go(world))
    return sum(len(one.message) for one in world.carried if isinstance(one, Onward) and one.hop not in gone)


def test_a_message_is_handed_on_and_its_size_told_once_it_is_gone(world: World) -> None:
    hop = carried(world)
    assert hop.client.send(Pass(b"there")) == []
    assert world.carried[-1] == Onward(hop.number, b"there")
    world.hand(Went(hop.number, 5), Came(hop.number, b"and back"))
    assert hop.client.hear() == [Took(5), Passed(b"and back")]
    world.hand(Gone(hop.number))
    assert hop.client.hear() == [Bye("gone")]
    assert not let_go(world)
    world.hand(Came(hop.number, b"late"), Went(hop.number, 1), Gone(hop.number), Reached(hop.number))
    assert hop.client.hear() == []


def test_no_more_are_carried_than_the_operator_says() -> None:
    world = World(carriage=Carriage(sessions_max=2))
    first, second = carried(world), carried(world)
    late = Client(world)
    assert code_in(ask(late)) == "slow"
    first.client.lose()
    assert let_go(world) == [first.number]
    assert ask(late) == []
    assert code_in(ask(Client(world))) == "slow"
    world.hand(Gone(second.number))
    assert ask(Client(world)) == []


def test_a_connection_has_one_hop(world: World) -> None:
    hop = carried(world)
    assert code_in(ask(hop.client)) == "bad"
    assert hop.client.send(Pass(b"still")) == []
    assert world.carried[-1] == Onward(hop.number, b"still")


def test_a_relay_that_carries_nothing_says_so() -> None:
    world = World()
    client = Client(world)
    assert code_in(ask(client)) == "denied"
    assert not world.carried


def test_one_host_is_gone_to_thirty_times_at_once_and_then_twice_a_second(world: World) -> None:
    client = Client(world)

    def goes(host: str) -> bool:
        answer = ask(client, host)
        if answer:
            assert code_in(answer) == "slow"
            return False
        reach = world.carried[-1]
        assert isinstance(reach, Reach)
        world.hand(Gone(reach.hop))
        assert code_in(client.hear()) == "gone"
        return True

    assert [goes("far.example") for _ in range(31)] == [*[True] * 30, False]
    assert not goes("FAR.example")
    world.now_ms += 1_000
    assert [goes("far.example") for _ in range(3)] == [True, True, False]


def test_hosts_together_are_gone_to_fifty_times_at_once_and_then_five_a_second(world: World) -> None:
    client = Client(world)

    def goes(number: int) -> bool:
        answer = ask(client, f"far{number}.example")
        if not answer:
            world.hand(Gone(world.carried[-1].hop))
            client.hear()
        return not answer

    assert [goes(number) for number in range(51)] == [*[True] * 50, False]
    world.now_ms += 1_000
    assert [goes(number) for number in range(6)] == [*[True] * 5, False]


def test_whoever_asks_for_one_host_only_keeps_nobody_from_others(world: World) -> None:
    """What is refused for its host counts for nothing else."""
    client = Client(world)
    codes = [[type(one) for one in ask(Client(world))] for _ in range(30)]
    assert codes == [[]] * 30
    for _ in range(100):
        assert code_in(ask(client)) == "slow"
    assert [ask(Client(world), f"far{number}.example") for number in range(20)] == [[]] * 20


def test_who_passes_more_than_the_window_is_cut_off(world: World) -> None:
    hop = carried(world)
    assert hop.client.send(Pass(WINDOW)) == []
    assert hop.client.send(Pass(bytes(PASS_SIZE_MAX))) == []
    world.hand(Went(hop.number, len(WINDOW)))
    assert hop.client.hear() == [Took(len(WINDOW))]
    assert hop.client.send(Pass(bytes(PASS_WINDOW_BYTES))) == []
    assert hop.client.send(Pass(b"x")) == [Bye("bad")]
    assert hop.client.connection in world.closed
    assert let_go(world) == [hop.number]
    assert world.relay._hops._held == 0


def test_nothing_is_passed_before_the_other_relay_was_reached(world: World) -> None:
    client = Client(world)
    assert ask(client) == []
    assert client.send(Pass(b"early")) == [Bye("bad")]
    assert client.connection in world.closed
    assert not any(isinstance(one, Onward) for one in world.carried)
    assert len(let_go(world)) == 1


def test_the_hop_ends_for_which_most_waits_where_all_hold_too_much(world: World) -> None:
    """Each may wait with its window and a message; so few dozens reach what all may."""
    least = carried(world, "least.example")
    assert least.client.send(Pass(b"little")) == []
    hops: list[Hop] = []
    while not let_go(world):
        hops.append(carried(world, f"far{len(hops)}.example"))
        for message in (WINDOW, bytes(PASS_SIZE_MAX)):
            hops[-1].client.send(Pass(message))
            assert waiting(world) <= ALL_HELD_BYTES_MAX
    assert len(hops) == 1 + (ALL_HELD_BYTES_MAX - 6) // (len(WINDOW) + PASS_SIZE_MAX)
    assert HELD_BYTES_MAX == PASS_WINDOW_BYTES + PASS_SIZE_MAX
    [ended] = let_go(world)
    unlucky = next(hop for hop in hops if hop.number == ended)
    assert unlucky.client.hear() == [Bye("full")]
    assert unlucky.client.connection not in world.closed
    world.hand(*(Went(hop.number, len(WINDOW)) for hop in hops if hop is not unlucky))
    assert world.relay._hops._held == waiting(world) - len(WINDOW) * (len(hops) - 1)
    assert least.client.send(Pass(b"more")) == []
    assert let_go(world) == [ended]


def test_a_session_that_moves_to_another_connection_leaves_its_hop(world: World) -> None:
    hop = carried(world)
    before = hop.client.connection
    assert hop.client.connect().resumed
    assert hop.client.send() == []
    assert before in world.closed
    assert let_go(world) == [hop.number]
    world.hand(Came(hop.number, b"for who was here before"))
    assert hop.client.hear() == []
    assert hop.client.send(Pass(b"x")) == [Bye("bad")]


def test_a_proof_is_given_for_the_own_key_only(world: World) -> None:
    question, proof = ask_for_proof(SUITE, world.pair.public_key, world.dice)
    connection = world.connection()
    world.hand(Received(connection, question))
    assert world.inboxes[connection] == [proof]
    assert connection not in world.closed
    other = SUITE.generate_key_pair(world.dice)
    for strange in (ask_for_proof(SUITE, other.public_key, world.dice)[0], question[:-1], question[:33]):
        connection = world.connection()
        world.hand(Received(connection, strange))
        assert world.inboxes[connection] == []
        assert connection in world.closed
    assert sha256(other.public_key) != sha256(world.pair.public_key)
