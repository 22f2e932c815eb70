import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import DecryptFailed
from skvoz.crypto import (
    equal,
    hkdf_sha256,
    seal,
    sha256,
    unseal,
)
from skvoz.crypto.kdf import HKDF_SHA256


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80), st.integers(1, 255 * 32))
def test_hkdf_is_the_librarys(ikm: bytes, salt: bytes, info: bytes, length: int) -> None:
    expected = HKDF(hashes.SHA256(), length, salt, info).derive(ikm)
    assert hkdf_sha256(ikm, salt=salt, info=info, length=length) == expected


def test_hkdf_ends_after_255_blocks() -> None:
    with pytest.raises(ValueError, match="that far"):
        HKDF_SHA256.expand(bytes(32), b"", 255 * 32 + 1)


def test_rfc_5869_case_1() -> None:
    made = hkdf_sha256(b"\x0b" * 22, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)), length=42)
    assert made.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_known_digests() -> None:
    assert sha256(b"abc").hex().startswith("ba7816bf8f01cfea")
    assert equal(b"a", b"a")
    assert not equal(b"a", b"b")


@given(st.binary(max_size=200), st.binary(max_size=50), st.integers(0, 2**64 - 1))
def test_what_is_sealed_opens_under_the_same_key_nonce_and_data_only(
    text: bytes, aad: bytes, number: int
) -> None:
    key, nonce = sha256(b"key"), number.to_bytes(12, "big")
    sealed = seal(key, nonce, aad, text)
    assert unseal(key, nonce, aad, sealed) == text
    for bad_key, bad_nonce, bad_aad in (
        (sha256(b"other"), nonce, aad),
        (key, (number + 1).to_bytes(12, "big"), aad),
        (key, nonce, aad + b"x"),
    ):
        with pytest.raises(DecryptFailed):
            unseal(bad_key, bad_nonce, bad_aad, sealed)
