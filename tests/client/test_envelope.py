import pytest

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ids import EntryId
from skvoz.client.envelope import APPLICATION, CLOSER, open_entry, seal_entry
from skvoz.codec import pad
from skvoz.crypto import SUITES, suite

SUITE = suite(1)
SECRET = b"s" * 32
ID = EntryId(b"i" * 16)
SEALED = seal_entry(SUITE, SECRET, ID, APPLICATION, b"message")


@pytest.mark.parametrize("number", SUITES)
def test_an_entry_comes_back(number: int) -> None:
    sealed = seal_entry(suite(number), SECRET, ID, CLOSER, b"m" * 600)
    assert len(sealed) == 1024 + 16
    assert open_entry(suite(number), SECRET, ID, CLOSER, sealed) == b"m" * 600


@pytest.mark.parametrize(
    ("secret", "entry_id", "kind", "body"),
    [
        (b"t" * 32, ID, APPLICATION, SEALED),
        (SECRET, EntryId(b"j" * 16), APPLICATION, SEALED),
        (SECRET, ID, CLOSER, SEALED),
        (SECRET, ID, APPLICATION, SEALED[:-1]),
        (SECRET, ID, APPLICATION, bytes([SEALED[0] ^ 1]) + SEALED[1:]),
        (SECRET, ID, APPLICATION, b""),
    ],
)
def test_anything_changed_opens_nothing(secret: bytes, entry_id: EntryId, kind: int, body: bytes) -> None:
    with pytest.raises(DecryptFailed):
        open_entry(SUITE, secret, entry_id, kind, body)


@pytest.mark.parametrize("padded", [b"m" * 512, pad(b"m") + bytes(512), pad(b"")])
def test_other_padding_and_empty_entries_are_refused(padded: bytes) -> None:
    key = SUITE.expand_with_label(SECRET, "skvoz entry", ID + b"\x00", SUITE.aead_key_size)
    body = SUITE.seal(key, bytes(SUITE.aead_nonce_size), b"", padded)
    with pytest.raises(Malformed):
        open_entry(SUITE, SECRET, ID, APPLICATION, body)
