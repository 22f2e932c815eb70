import pytest

from skvoz.base.errors import Malformed
from skvoz.content import Expiration, Mention, SinglePart, Text, from_content, parse
from tests.vectors_folder import require


def _example(name: str) -> bytes:
    return require(f"mimi-content/{name}.cbor").read_bytes()


def test_the_original_of_the_draft_is_a_text() -> None:
    action = from_content(parse(_example("original")))
    assert action == Text(text="Hi everyone, we just shipped release 2.0. __Good  work__!")


def test_the_expiring_example_expires() -> None:
    content = parse(_example("expiring"))
    assert content.expires == Expiration(relative=False, time_s=1644390004)


def test_a_mention_of_another_system_stays_a_link() -> None:
    action = from_content(parse(_example("mention")))
    assert isinstance(action, Text)
    assert "[@Alice Smith](mimi://example.com/u/alice-smith)" in action.text
    assert action.mentions == tuple[Mention]()


@pytest.mark.parametrize("name", ["original", "multipart-3", "attachment"])
def test_no_beginning_of_an_example_is_a_content(name: str) -> None:
    data = _example(name)
    for end in range(len(data)):
        with pytest.raises(Malformed):
            parse(data[:end])


def test_of_a_choice_with_something_proprietary_the_text_is_read() -> None:
    content = parse(_example("multipart-1"))
    assert not isinstance(content.body, SinglePart)
    assert from_content(content) == Text(text="# Welcome!")
