import pytest

from skvoz.base.errors import DecryptFailed
from skvoz.crypto import sha256, unseal
from skvoz.crypto.counted import CountedOpener, CountedSealer

KEY = sha256(b"key")


def test_messages_open_in_their_order_under_nonces_that_count() -> None:
    sealer, opener = CountedSealer(KEY), CountedOpener(KEY)
    sealed = [sealer.seal(bytes([number]), b"aad") for number in range(3)]
    assert [opener.open(message, b"aad") for message in sealed] == [b"\x00", b"\x01", b"\x02"]
    assert unseal(KEY, (2).to_bytes(12, "big"), b"aad", sealed[2]) == b"\x02"


def test_a_repeated_reordered_changed_or_foreign_message_fails_and_costs_nothing() -> None:
    sealer, opener = CountedSealer(KEY), CountedOpener(KEY)
    first, second, third = (sealer.seal(text) for text in (b"a", b"b", b"c"))
    assert opener.open(first) == b"a"
    changed = second[:-1] + bytes([second[-1] ^ 1])
    foreign = CountedSealer(sha256(b"other")).seal(b"b")
    for bad in (first, third, changed, foreign, second[:-1], b""):
        with pytest.raises(DecryptFailed):
            opener.open(bad)
    with pytest.raises(DecryptFailed):
        opener.open(second, b"aad")
    assert opener.open(second) == b"b"
    assert opener.open(third) == b"c"
