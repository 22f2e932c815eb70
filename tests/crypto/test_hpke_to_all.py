"""One plaintext for several recipients."""

import pytest

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.crypto.suites import SUITES, CipherSuite
from tests.mls.synthetic_tree import Counter

EVERY_SUITE = pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)


@EVERY_SUITE
def test_each_recipient_opens_its_own_and_no_other(suite: CipherSuite) -> None:
    randomness = Counter()
    pairs = [suite.generate_key_pair(randomness) for _ in range(3)]
    keys = [pair.public_key for pair in pairs]
    sealed = suite.encrypt_to_all_with_label(keys, "label", b"context", b"secret", randomness)
    for number, pair in enumerate(pairs):
        for other, one in enumerate(sealed):
            if other == number:
                opened = suite.decrypt_with_label(
                    pair.private_key, "label", b"context", one.kem_output, one.ciphertext
                )
                assert opened == b"secret"
            else:
                with pytest.raises(DecryptFailed):
                    suite.decrypt_with_label(
                        pair.private_key, "label", b"context", one.kem_output, one.ciphertext
                    )


@EVERY_SUITE
def test_ciphertexts_of_one_plaintext_differ_and_calls_share_nothing(suite: CipherSuite) -> None:
    randomness = Counter()
    keys = [suite.generate_key_pair(randomness).public_key for _ in range(3)]
    first = suite.encrypt_to_all_with_label(keys, "label", b"context", b"secret", randomness)
    second = suite.encrypt_to_all_with_label(keys, "label", b"context", b"secret", randomness)
    assert len({one.ciphertext for one in (*first, *second)}) == 6
    assert not {one.kem_output for one in first} & {one.kem_output for one in second}


@EVERY_SUITE
def test_nobody_or_one_recipient(suite: CipherSuite) -> None:
    randomness = Counter()
    pair = suite.generate_key_pair(randomness)
    assert suite.encrypt_to_all_with_label([], "label", b"", b"secret", randomness) == []
    (one,) = suite.encrypt_to_all_with_label([pair.public_key], "label", b"", b"secret", randomness)
    opened = suite.decrypt_with_label(pair.private_key, "label", b"", one.kem_output, one.ciphertext)
    assert opened == b"secret"


@EVERY_SUITE
def test_one_bad_key_among_good_ones_is_malformed(suite: CipherSuite) -> None:
    randomness = Counter()
    keys = [suite.generate_key_pair(randomness).public_key for _ in range(2)]
    with pytest.raises(Malformed):
        suite.encrypt_to_all_with_label([*keys, b"short"], "label", b"", b"secret", randomness)
