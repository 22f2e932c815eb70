import pytest

from skvoz.base.errors import BadRequest
from skvoz.client.relay_addresses import parse_relay_address, relay_address_text
from skvoz.crypto import sha256

TEXT = relay_address_text("wss://relay.invalid/x", b"key")
FINGERPRINT = TEXT.partition("#")[2]


def test_an_address_comes_back() -> None:
    found = parse_relay_address(f" {TEXT}\n", b"ticket")
    assert found.addresses == ("wss://relay.invalid/x",)
    assert (found.relay_id, found.ticket) == (sha256(b"key"), b"ticket")


@pytest.mark.parametrize(
    "text",
    [
        *("", "#", TEXT[:-2], f"{TEXT}AA", "wss://relay.invalid/x", f"ftp://relay.invalid#{FINGERPRINT}"),
        *(f"wss://{'a' * 3000}#{FINGERPRINT}", f"wss://\udcff#{FINGERPRINT}", "wss://a#\udcff", "wss://a#!!"),
    ],
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_relay_address(text)
    assert not text or text not in str(refused.value)
