import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.base.limits import ADDRESS_SIZE_MAX
from skvoz.client.commands import RelayAddress
from skvoz.client.links import Link, parse_link
from skvoz.client.relays import give
from tests.client.people_world import pair


def link(addresses: tuple[str, ...] = ("wss://relay.example/x",), ticket: bytes = b"") -> Link:
    return Link(
        relay_id=RelayId(bytes(32)),
        inbox_id=LogId(b"i" * 16),
        post_key=b"p" * 32,
        secret=b"s" * 32,
        account_id=AccountId(b"a" * 32),
        addresses=addresses,
        ticket=ticket,
    )


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=4), st.binary(max_size=64))
def test_a_link_comes_back(addresses: list[str], ticket: bytes) -> None:
    made = link(tuple(addresses), ticket)
    assert parse_link(made.encode()) == made


def test_blanks_and_line_breaks_are_forgiven() -> None:
    text = link().encode()
    assert parse_link(f" {text[:20]}\n  {text[20:]}\t") == link()


def test_a_cut_link_is_refused_wherever_it_is_cut() -> None:
    text = link().encode()
    for end in range(len(text)):
        with pytest.raises(BadRequest):
            parse_link(text[:end])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "skvoz:",
        "https://example.com/",
        "skvoz:äöü",
        link().encode() + "AAAA",
        link().encode() + "=",
        "skvoz:" + "A" * 3000,
        link(("x" * 300,)).encode(),
        link(()).encode(),
        link(ticket=b"t" * 600).encode(),
    ],
)
def test_nonsense_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_link(text)
    assert not text or text not in str(refused.value)


def test_a_newer_version_is_said() -> None:
    with pytest.raises(BadRequest, match="newer"):
        parse_link("skvoz:Aw")


def test_a_link_is_not_in_a_repr() -> None:
    assert "relay.example" not in repr(link())
    assert "ss" not in repr(link()).replace("address", "")


def test_an_address_that_fits_into_no_link_is_not_taken_up() -> None:
    _, anna, _ = pair()
    for addresses in (("x" * (ADDRESS_SIZE_MAX + 1),), ("",), (), ("wss://relay.invalid",) * 9):
        with pytest.raises(BadRequest):
            anna.act(
                lambda step, a=addresses: give(step, RelayAddress(addresses=a, relay_id=RelayId(b"r" * 32)))
            )
