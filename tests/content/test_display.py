import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.content import (
    Action,
    Delete,
    Edit,
    Reaction,
    Report,
    Text,
    Unknown,
    Unreact,
    displayable,
    plain_text,
)
from tests.content.contents import message


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Text(text="**2*3*4** __init__"), "**2*3*4** __init__"),
        (Edit(replaces=message(1), text="hi"), "hi"),
        (Reaction(target=message(1), emoji="❤"), "❤"),
        (Unknown(kind="image/png", text="a cat"), "a cat"),
        (Delete(replaces=message(1)), ""),
        (Unreact(replaces=message(1)), ""),
        (Report(read=(message(1),)), ""),
    ],
)
def test_the_words_of_an_action(action: Action | Unknown, words: str) -> None:
    assert plain_text(action) == words


@given(st.text())
def test_nothing_displayable_commands_a_terminal(text: str) -> None:
    shown = displayable(text)
    assert not [character for character in shown if character < " " and character not in "\n\t"]
    assert not [character for character in shown if "\x7f" <= character <= "\x9f"]
    assert len(shown) == len(text)
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]52;c;aGk=\x07", "␛[2J␛]52;c;aGk=␇"),
        ("\x9b31m", "\ufffd31m"),
        ("a\rb\x08", "a␍b␈"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("a\u2066b\u2069", "a\ufffdb\ufffd"),
        ("a\u2028b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("Привет,\n\tмир 👩🏽‍⚕️ עברית", "Привет,\n\tмир 👩🏽‍⚕️ עברית"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert displayable(text) == shown


def test_one_line_is_one_line() -> None:
    assert displayable("a\nb\tc", one_line=True) == "a b c"
