"""Objects of a drop: their names, their sealing, and the key that people hand on."""

import secrets

import pytest

from skvoz.base.errors import BadRequest, DecryptFailed, Malformed
from skvoz.transports.deaddrop.handing import DropKey, parse_drop_key
from skvoz.transports.deaddrop.names import ObjectKind, Place, drop_keys
from skvoz.transports.deaddrop.objects import CONTENT_SIZE_MAX, SIZES, open_object, seal_object

KEYS = drop_keys(bytes(range(32)))
PLACE = Place(ObjectKind.RECORD, 7)


def sealed(content: bytes, place: Place = PLACE) -> bytes:
    return seal_object(KEYS, place, content, secrets.token_bytes)


def test_names_lead_back_to_places_and_say_nothing_without_the_key() -> None:
    places = [Place(ObjectKind.RECORD, number) for number in range(200)] + [Place(ObjectKind.PIECE, 5, 3)]
    names = [KEYS.name_of(place) for place in places]
    assert [KEYS.place_of(name) for name in names] == places
    assert len({name[:8] for name in names}) == len(names)
    assert all(len(name) == 32 for name in names)
    other = drop_keys(secrets.token_bytes(32))
    assert [other.place_of(name) for name in names] == [None] * len(names)


@pytest.mark.parametrize("name", ["", "..", "x" * 32, "A" * 32, "0" * 31, "0" * 33, "é" * 32, "\uff10" * 32])
def test_foreign_names_belong_nowhere(name: str) -> None:
    assert KEYS.place_of(name) is None


@pytest.mark.parametrize("size", [0, 1, 4_067, 4_068, 100_000, CONTENT_SIZE_MAX])
def test_an_object_has_one_of_a_few_sizes_and_gives_back_its_content(size: int) -> None:
    content = bytes(size)
    data = sealed(content)
    assert len(data) in SIZES
    assert open_object(KEYS, PLACE, data) == content


def test_an_object_belongs_to_its_place_and_is_whole() -> None:
    data = sealed(b"content")
    with pytest.raises(DecryptFailed):
        open_object(KEYS, Place(ObjectKind.RECORD, 8), data)
    with pytest.raises(DecryptFailed):
        open_object(drop_keys(bytes(32)), PLACE, data)
    with pytest.raises(DecryptFailed):
        open_object(KEYS, PLACE, bytes([data[0] ^ 1]) + data[1:])
    for cut in (data[:-1], data + b"\x00", b""):
        with pytest.raises(Malformed):
            open_object(KEYS, PLACE, cut)


def test_what_is_too_large_for_an_object_is_a_bug() -> None:
    with pytest.raises(ValueError, match="2 MiB"):
        sealed(bytes(CONTENT_SIZE_MAX + 1))


def test_a_key_that_is_handed_on_leads_to_the_same_drop_and_shows_in_no_repr() -> None:
    key = DropKey(1, "davs://anna@example.org/drop", "very secret", bytes(range(32)))
    text = key.encode()
    assert parse_drop_key(f"  {text[:40]}\n{text[40:]} ") == key
    assert "secret" not in repr(key)
    assert "object_key" not in repr(KEYS)


@pytest.mark.parametrize(
    "text", ["", "skvoz:abc", "skvoz-drop:", "skvoz-drop:%%%", "skvoz-drop:" + "A" * 5000, "skvoz-drop:lKE"]
)
def test_a_damaged_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_drop_key(text)
    assert text[11:] == "" or text[11:] not in str(refused.value)
