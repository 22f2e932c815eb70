"""The vectors in the documents are what the code makes and opens."""

import json

import pytest

from skvoz.base.errors import PeerError
from tests.protocol.book import FOLDER, MADE, SEALED
from tests.protocol.made import Vector


def stored(name: str) -> Vector:
    read: Vector = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return read


def test_every_file_belongs_to_the_book() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted([*MADE, *SEALED])


@pytest.mark.parametrize("name", sorted(MADE))
def test_what_takes_no_chance_is_made_alike(name: str) -> None:
    assert MADE[name]() == stored(name)


@pytest.mark.parametrize("name", sorted(SEALED))
def test_what_was_sealed_opens_to_the_same(name: str) -> None:
    _, compute = SEALED[name]
    assert compute(stored(name)) == stored(name)


@pytest.mark.parametrize("name", sorted(SEALED))
def test_what_is_sealed_today_opens_too(name: str) -> None:
    make, compute = SEALED[name]
    fresh = make()
    assert compute(fresh) == fresh
    assert fresh.keys() == stored(name).keys()


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("mail", "mail"),
        ("session", "hello"),
        ("session", "welcome"),
        ("group", "welcome"),
        ("group", "entry_body"),
        ("group", "closer_body"),
    ],
)
def test_a_changed_byte_opens_nothing(name: str, field: str) -> None:
    vector = stored(name)
    text = vector[field]
    assert isinstance(text, str)
    vector[field] = text[:-2] + f"{int(text[-2:], 16) ^ 1:02x}"
    _, compute = SEALED[name]
    with pytest.raises(PeerError):
        compute(vector)
