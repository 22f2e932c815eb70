import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest
from skvoz.client.recovery_phrase import WORDS, phrase_of, root_key_of
from skvoz.client.safety_numbers import DIGITS, grouped, safety_number


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
