import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import example, given
from hypothesis import strategies as st

from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf

EVERY_KDF = pytest.mark.parametrize(
    ("kdf", "algorithm"),
    [(HKDF_SHA256, hashes.SHA256()), (HKDF_SHA384, hashes.SHA384()), (HKDF_SHA512, hashes.SHA512())],
    ids=["sha256", "sha384", "sha512"],
)


@EVERY_KDF
@given(secret=st.binary(max_size=200), info=st.binary(max_size=200), length=st.integers(1, 300))
@example(secret=b"", info=b"", length=1)
@example(secret=bytes(64), info=b"", length=32)
@example(secret=b"\x00" * 3 + b"k" * 125, info=b"i", length=64)
@example(secret=b"k" * 129, info=b"i", length=64)
def test_expand_is_the_librarys(
    kdf: Kdf, algorithm: hashes.HashAlgorithm, secret: bytes, info: bytes, length: int
) -> None:
    assert kdf.expand(secret, info, length) == HKDFExpand(algorithm, length, info).derive(secret)


@EVERY_KDF
@given(salt=st.binary(max_size=200), ikm=st.binary(max_size=200))
def test_extract_and_mac_are_hmac(kdf: Kdf, algorithm: hashes.HashAlgorithm, salt: bytes, ikm: bytes) -> None:
    expected = hmac.new(salt, ikm, kdf.hash_name).digest()
    assert kdf.extract(salt, ikm) == kdf.mac(salt, ikm) == expected
    assert len(expected) == kdf.hash_size == algorithm.digest_size


@EVERY_KDF
def test_nothing_expands_to_nothing_and_255_blocks_are_the_end(
    kdf: Kdf, algorithm: hashes.HashAlgorithm
) -> None:
    assert kdf.expand(b"secret", b"", 0) == b""
    assert len(kdf.expand(b"secret", b"", 255 * algorithm.digest_size)) == 255 * kdf.hash_size
    with pytest.raises(ValueError, match="that far"):
        kdf.expand(b"secret", b"", 255 * kdf.hash_size + 1)
