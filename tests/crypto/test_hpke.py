import secrets
from dataclasses import dataclass

import pytest

from skvoz.base.errors import DecryptFailed
from skvoz.crypto import SUITES, CipherSuite, Kem, hpke_open, hpke_seal, suite
from skvoz.crypto.aead import AES_256_GCM, Aead
from skvoz.crypto.hpke import hpke_receiver, hpke_sender
from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, Kdf
from skvoz.crypto.kem_xwing import XWING

EVERY_SUITE = pytest.mark.parametrize("chosen", SUITES.values(), ids=lambda chosen: chosen.name)


@EVERY_SUITE
def test_the_librarys_hpke_and_ours_open_each_others_messages(chosen: CipherSuite) -> None:
    pair = chosen.generate_key_pair(secrets.token_bytes)
    encapsulation, context = hpke_sender(chosen, pair.public_key, b"info", secrets.token_bytes)
    by_hand = context.seal(b"", b"text")
    assert hpke_open(chosen, pair.private_key, encapsulation, b"info", b"", by_hand) == b"text"
    encapsulation, sealed = hpke_seal(chosen, pair.public_key, b"", b"", b"text", secrets.token_bytes)
    assert hpke_receiver(chosen, pair.private_key, encapsulation, b"").open(b"", sealed) == b"text"


@EVERY_SUITE
def test_associated_data_is_bound(chosen: CipherSuite) -> None:
    pair = chosen.generate_key_pair(secrets.token_bytes)
    encapsulation, sealed = hpke_seal(chosen, pair.public_key, b"i", b"aad", b"text", secrets.token_bytes)
    assert hpke_open(chosen, pair.private_key, encapsulation, b"i", b"aad", sealed) == b"text"
    for info, aad in ((b"i", b""), (b"i", b"other"), (b"j", b"aad")):
        with pytest.raises(DecryptFailed):
            hpke_open(chosen, pair.private_key, encapsulation, info, aad, sealed)


def test_each_message_of_a_context_has_its_own_nonce() -> None:
    pair = suite(1).generate_key_pair(secrets.token_bytes)
    encapsulation, sender = hpke_sender(suite(1), pair.public_key, b"", secrets.token_bytes)
    receiver = hpke_receiver(suite(1), pair.private_key, encapsulation, b"")
    second = sender.seal(b"", b"second", sequence=1)
    assert receiver.open(b"", second, sequence=1) == b"second"
    with pytest.raises(DecryptFailed):
        receiver.open(b"", second)
    assert "key=" not in repr(sender)


@dataclass(frozen=True)
class _Parts:
    kem: Kem
    kdf: Kdf
    aead: Aead


def test_the_parts_are_bound_into_the_keys() -> None:
    first, second = _Parts(XWING, HKDF_SHA256, AES_256_GCM), _Parts(XWING, HKDF_SHA384, AES_256_GCM)
    pair = XWING.generate(secrets.token_bytes)
    encapsulation, sealed = hpke_seal(first, pair.public_key, b"", b"", b"text", secrets.token_bytes)
    with pytest.raises(DecryptFailed):
        hpke_open(second, pair.private_key, encapsulation, b"", b"", sealed)
