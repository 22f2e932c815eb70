import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest
from skvoz.client.recovery_phrase import WORDS, phrase_of, root_key_of
from skvoz.client.safety_numbers import CODE_PREFIX, DIGITS, compared, comparing_code, grouped, safety_number


@given(st.binary(min_size=32, max_size=32))
def test_a_phrase_gives_its_key_back(seed: bytes) -> None:
    phrase = phrase_of(seed)
    assert len(phrase.split()) == WORDS
    assert root_key_of("  " + phrase.upper().replace(" ", "\n")).private_key == seed


def test_the_phrase_of_bip_39() -> None:
    assert phrase_of(bytes(32)) == "abandon " * 23 + "art"


@pytest.mark.parametrize("phrase", ["", "abandon " * 23, "abandon " * 24, "abandon " * 23 + "артель"])
def test_another_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(BadRequest):
        root_key_of(phrase)


def test_both_sides_see_one_safety_number() -> None:
    number = safety_number(b"a" * 32, b"b" * 32)
    assert number == safety_number(b"b" * 32, b"a" * 32)
    assert len(number) == DIGITS
    assert number.isdecimal()
    assert number != safety_number(b"a" * 32, b"c" * 32)
    assert grouped(number).count(" ") == 11


def test_a_scanned_code_is_the_others_ones_own_or_somebody_elses() -> None:
    anna, boris, eve = b"a" * 32, b"b" * 32, b"e" * 32
    shown_by_boris = comparing_code(boris, anna)
    assert compared(shown_by_boris, anna, boris) == "same"
    # Anna scans what her own device shows.
    assert compared(comparing_code(anna, boris), anna, boris) == "own"
    # Somebody sits between them, or another chat is open.
    assert compared(comparing_code(boris, eve), anna, boris) == "different"
    assert compared(comparing_code(eve, anna), anna, boris) == "different"
    assert compared(shown_by_boris[:-1], anna, boris) == "different"
    assert compared(shown_by_boris.upper(), anna, boris) == "unknown"
    of_a_later_version = shown_by_boris.replace(CODE_PREFIX, "skvoz-verify:2:")
    assert compared(of_a_later_version, anna, boris) == "unknown"
    assert compared("skvoz:AAAA", anna, boris) == "unknown"
    assert compared("", anna, boris) == "unknown"
