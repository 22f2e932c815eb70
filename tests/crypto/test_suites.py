import dataclasses
import secrets

import msgspec
import pytest

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ports import Randomness
from skvoz.crypto import DEFAULT_SUITE, SUITES, CipherSuite, KeyPair, sha256, suite

EVERY_SUITE = pytest.mark.parametrize("chosen", SUITES.values(), ids=lambda chosen: chosen.name)


def flipped(data: bytes, position: int = -1) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def test_the_seven_suites_of_the_rfc_and_ours() -> None:
    assert sorted(SUITES) == [1, 2, 3, 4, 5, 6, 7, 0xF0A2]
    assert suite(DEFAULT_SUITE).kem.id == 0x647A
    assert suite(DEFAULT_SUITE).hash_size == 48
    with pytest.raises(Invalid, match="unknown cipher suite"):
        suite(8)


@EVERY_SUITE
def test_sizes_are_what_the_ports_say(chosen: CipherSuite) -> None:
    pair = chosen.generate_key_pair(secrets.token_bytes)
    assert len(pair.private_key) == chosen.kem.private_key_size
    assert len(pair.public_key) == chosen.kem.public_key_size
    _, encapsulation = chosen.kem.encapsulate(pair.public_key, secrets.token_bytes)
    assert len(encapsulation) == chosen.kem.encapsulation_size
    assert len(chosen.hash(b"")) == len(chosen.mac(b"k", b"")) == chosen.hash_size
    sealed = chosen.seal(bytes(chosen.aead_key_size), bytes(chosen.aead_nonce_size), b"", b"text")
    assert len(sealed) == 4 + 16


@EVERY_SUITE
def test_key_generation_honours_the_randomness_given(chosen: CipherSuite) -> None:
    assert chosen.generate_key_pair(bytes_of_seven) == chosen.generate_key_pair(bytes_of_seven)
    assert chosen.derive_key_pair(b"ikm") == chosen.derive_key_pair(b"ikm")
    assert chosen.derive_key_pair(b"ikm") != chosen.derive_key_pair(b"other")
    made = chosen.generate_signature_key_pair(bytes_of_seven)
    assert made == chosen.generate_signature_key_pair(bytes_of_seven)
    assert chosen.signature.public_key_of(made.private_key) == made.public_key


def bytes_of_seven(length: int) -> bytes:
    return b"\x07" * length


@EVERY_SUITE
def test_encrypt_with_label_refuses_any_change(chosen: CipherSuite) -> None:
    pair = chosen.generate_key_pair(secrets.token_bytes)
    sealed = chosen.encrypt_with_label(pair.public_key, "label", b"context", b"text", secrets.token_bytes)
    kem_output, ciphertext = sealed.kem_output, sealed.ciphertext
    opened = chosen.decrypt_with_label(pair.private_key, "label", b"context", kem_output, ciphertext)
    assert opened == b"text"
    other = chosen.generate_key_pair(secrets.token_bytes)
    for private_key, label, context, output, text in (
        (other.private_key, "label", b"context", kem_output, ciphertext),
        (pair.private_key, "Label", b"context", kem_output, ciphertext),
        (pair.private_key, "label", b"Context", kem_output, ciphertext),
        (pair.private_key, "label", b"context", flipped(kem_output), ciphertext),
        (pair.private_key, "label", b"context", flipped(kem_output, 1), ciphertext),
        (pair.private_key, "label", b"context", kem_output, flipped(ciphertext)),
        (pair.private_key, "label", b"context", kem_output, flipped(ciphertext, 0)),
        (pair.private_key, "label", b"context", kem_output, ciphertext[:-1]),
        (pair.private_key, "label", b"context", kem_output, b""),
        (pair.private_key, "label", b"context", kem_output[:-1], ciphertext),
        (pair.private_key, "label", b"context", kem_output[:-1], kem_output[-1:] + ciphertext),
        (pair.private_key, "label", b"context", b"", ciphertext),
        (pair.private_key[:-1], "label", b"context", kem_output, ciphertext),
    ):
        with pytest.raises(DecryptFailed):
            chosen.decrypt_with_label(private_key, label, context, output, text)


@EVERY_SUITE
def test_both_ends_export_the_same_secret(chosen: CipherSuite) -> None:
    pair = chosen.generate_key_pair(secrets.token_bytes)
    kem_output, sent = chosen.hpke_export_sender(pair.public_key, b"i", b"c", 32, secrets.token_bytes)
    assert chosen.hpke_export_receiver(pair.private_key, kem_output, b"i", b"c", 32) == sent
    assert chosen.hpke_export_receiver(pair.private_key, kem_output, b"i", b"d", 32) != sent
    assert chosen.hpke_export_receiver(pair.private_key, kem_output, b"j", b"c", 32) != sent
    with pytest.raises(DecryptFailed):
        chosen.hpke_export_receiver(pair.private_key, kem_output[:-1], b"i", b"c", 32)


@EVERY_SUITE
def test_public_keys_of_wrong_sizes_are_malformed(chosen: CipherSuite) -> None:
    public_key = chosen.generate_key_pair(secrets.token_bytes).public_key
    chosen.check_public_key(public_key)
    for bad in (b"", public_key[:-1], public_key + b"\x00"):
        with pytest.raises(Malformed):
            chosen.check_public_key(bad)
        with pytest.raises(Malformed):
            chosen.encrypt_with_label(bad, "label", b"", b"text", secrets.token_bytes)
    signature_key = chosen.generate_signature_key_pair(secrets.token_bytes).public_key
    chosen.check_signature_key(signature_key)
    for bad in (b"", signature_key[:-1], signature_key + b"\x00"):
        with pytest.raises(Malformed):
            chosen.check_signature_key(bad)


@EVERY_SUITE
def test_signatures_refuse_any_change(chosen: CipherSuite) -> None:
    pair = chosen.generate_signature_key_pair(secrets.token_bytes)
    other = chosen.generate_signature_key_pair(secrets.token_bytes)
    signature = chosen.sign_with_label(pair.private_key, "label", b"content")
    chosen.verify_with_label(pair.public_key, "label", b"content", signature)
    signer = chosen.signer(pair.private_key)
    again = chosen.sign_with_label(signer, "label", b"content")
    chosen.verify_with_label(pair.public_key, "label", b"content", again)
    for public_key, label, content, bad in (
        (other.public_key, "label", b"content", signature),
        (pair.public_key, "Label", b"content", signature),
        (pair.public_key, "label", b"Content", signature),
        (pair.public_key, "label", b"content", flipped(signature)),
        (pair.public_key, "label", b"content", flipped(signature, 8)),
        (pair.public_key, "label", b"content", signature[:-1]),
        (pair.public_key, "label", b"content", signature + b"\x00"),
        (pair.public_key, "label", b"content", b""),
        (pair.public_key, "label", b"content", bytes(len(signature))),
        (pair.public_key[:-1], "label", b"content", signature),
    ):
        with pytest.raises(DecryptFailed):
            chosen.verify_with_label(public_key, label, content, bad)


@EVERY_SUITE
def test_private_keys_of_wrong_sizes_are_malformed(chosen: CipherSuite) -> None:
    with pytest.raises(Malformed):
        chosen.kem.public_key_of(bytes(chosen.kem.private_key_size + 1))
    with pytest.raises(Malformed):
        chosen.signer(b"\x01" * 80)
    with pytest.raises(Malformed):
        chosen.signature.public_key_of(b"\x01" * 80)


@EVERY_SUITE
def test_aead_refuses_any_change(chosen: CipherSuite) -> None:
    key, nonce = bytes(chosen.aead_key_size), bytes(chosen.aead_nonce_size)
    sealed = chosen.seal(key, nonce, b"aad", b"text")
    assert chosen.open(key, nonce, b"aad", sealed) == b"text"
    for bad_key, bad_nonce, aad, bad in (
        (flipped(key), nonce, b"aad", sealed),
        (key, flipped(nonce), b"aad", sealed),
        (key, nonce, b"Aad", sealed),
        (key, nonce, b"aad", flipped(sealed)),
        (key, nonce, b"aad", flipped(sealed, 0)),
        (key, nonce, b"aad", sealed[:-1]),
        (key, nonce, b"aad", sealed[:15]),
        (key, nonce, b"aad", b""),
    ):
        with pytest.raises(DecryptFailed):
            chosen.open(bad_key, bad_nonce, aad, bad)
    with pytest.raises(ValueError, match="wrong size"):
        chosen.seal(key[:-1], nonce, b"", b"")
    with pytest.raises(ValueError, match="wrong size"):
        chosen.open(key, nonce + b"\x00", b"", sealed)


def test_a_mac_must_be_whole() -> None:
    chosen = suite(1)
    tag = chosen.mac(b"key", b"data")
    assert chosen.verify_mac(b"key", b"data", tag)
    assert not chosen.verify_mac(b"key", b"data", tag[:-1])
    assert not chosen.verify_mac(b"key", b"data", b"")
    assert not chosen.verify_mac(b"key", b"data", flipped(tag))


def test_no_secret_shows_in_a_repr() -> None:
    pair = suite(1).generate_key_pair(lambda length: b"\x5a" * length)
    assert repr(pair.private_key) not in repr(pair)
    assert "private_key" not in repr(pair)


@dataclasses.dataclass(frozen=True)
class ToyKem:
    """Hashes in place of curves, as a simulation would have them."""

    id: int = 0xFFFE
    public_key_size: int = 32
    private_key_size: int = 32
    encapsulation_size: int = 32

    def generate(self, randomness: Randomness) -> KeyPair:
        return self.derive(randomness(32))

    def derive(self, ikm: bytes) -> KeyPair:
        private_key = sha256(b"private" + ikm)
        return KeyPair(private_key=private_key, public_key=self.public_key_of(private_key))

    def public_key_of(self, private_key: bytes) -> bytes:
        return sha256(private_key)

    def check_public_key(self, public_key: bytes) -> None:
        if len(public_key) != 32:
            raise Malformed("a toy key has 32 bytes")

    def encapsulate(self, public_key: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
        encapsulation = randomness(32)
        return sha256(public_key + encapsulation), encapsulation

    def decapsulate(self, private_key: bytes, encapsulation: bytes) -> bytes:
        return sha256(self.public_key_of(private_key) + encapsulation)


def test_a_simulation_swaps_in_a_toy_and_draws_from_its_own_randomness() -> None:
    toy = msgspec.structs.replace(suite(DEFAULT_SUITE), kem=ToyKem())
    pair = toy.generate_key_pair(bytes_of_seven)
    sealed = toy.encrypt_with_label(pair.public_key, "l", b"c", b"text", bytes_of_seven)
    assert sealed == toy.encrypt_with_label(pair.public_key, "l", b"c", b"text", bytes_of_seven)
    opened = toy.decrypt_with_label(pair.private_key, "l", b"c", sealed.kem_output, sealed.ciphertext)
    assert opened == b"text"
