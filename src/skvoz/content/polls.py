"""Polls as messages say them: a question with answers to choose from, and what somebody chose."""

from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.value import Value
from skvoz.codec import cbor

QUESTION_LENGTH_MAX: Final = 300
"""Characters."""
OPTION_LENGTH_MAX: Final = 100
"""Characters of an answer."""
OPTIONS_MIN: Final = 2
OPTIONS_MAX: Final = 12
"""More answers than this nobody reads to the end."""


class Poll(Value, frozen=True, kw_only=True):
    """A question, the answers to choose from, and whether several may be chosen."""

    question: str
    options: tuple[str, ...]
    several: bool = False


def encode_poll(poll: Poll) -> bytes:
    """Encode a poll; raise `BadRequest` for one that others would refuse."""
    try:
        data = cbor.encode((poll.question, poll.options, poll.several))
        parse_poll(data)
    except UnicodeEncodeError:
        raise BadRequest("the text has characters that can't be sent") from None
    except Malformed:
        raise BadRequest("a poll has a question and 2 to 12 different, short answers") from None
    return data


def parse_poll(data: bytes) -> Poll:
    """Parse a poll; `Malformed` if it is not one."""
    match cbor.decode(data):
        case (str() as question, tuple() as options, bool() as several):
            return Poll(
                question=_line(question, QUESTION_LENGTH_MAX), options=_options(options), several=several
            )
        case _:
            raise Malformed("a poll is not a question, answers, and how many of them")


def _options(values: tuple[cbor.Value, ...]) -> tuple[str, ...]:
    if not OPTIONS_MIN <= len(values) <= OPTIONS_MAX:
        raise Malformed("a poll has too few or too many answers")
    options = tuple([_line(value, OPTION_LENGTH_MAX) for value in values])
    if len(set(options)) != len(options):
        raise Malformed("a poll has an answer twice")
    return options


def _line(value: cbor.Value, length_max: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > length_max:
        raise Malformed("a question or answer of a poll is empty or too long")
    if any(character < " " or character == "\x7f" for character in value):
        raise Malformed("a question or answer of a poll is not on one line")
    return value


def poll_text(poll: Poll) -> str:
    """Return what programs and people see that don't show a poll in another way."""
    return "\n".join((f"📊 {poll.question}", *(f"– {option}" for option in poll.options)))


def encode_choices(choices: tuple[int, ...]) -> bytes:
    """Encode which answers somebody chose, by their numbers from 0 up; none takes a vote back."""
    data = cbor.encode(choices)
    try:
        parse_choices(data)
    except Malformed:
        raise BadRequest("these answers are not of the poll") from None
    return data


def parse_choices(data: bytes) -> tuple[int, ...]:
    """Parse which answers somebody chose, in ascending order; `Malformed` if it is nothing of the kind."""
    values = cbor.decode(data)
    if not isinstance(values, tuple):
        raise Malformed("a vote is not a list of numbers")
    choices: list[int] = []
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < OPTIONS_MAX:
            raise Malformed("a vote names no answer of a poll")
        if choices and value <= choices[-1]:
            raise Malformed("a vote names its answers out of order")
        choices.append(value)
    return tuple(choices)
