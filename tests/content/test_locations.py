"""Places on Earth: as messages say them, and as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skvoz.base.errors import BadRequest, Malformed
from skvoz.codec import cbor
from skvoz.content import Location, location_text, parse_pasted_location
from skvoz.content.locations import (
    LABEL_LENGTH_MAX,
    LATITUDE_MAX,
    LONGITUDE_MAX,
    encode_location,
    parse_location,
)
from tests.content.contents import LOCATIONS

HERE = (557_539_000, 376_208_000)


@given(LOCATIONS)
def test_a_location_comes_back(location: Location) -> None:
    assert parse_location(encode_location(location)) == location


@given(LOCATIONS)
def test_the_words_for_a_location_lead_there(location: Location) -> None:
    *_, last = location_text(location).removeprefix("📍 ").split("\n")
    found = parse_pasted_location(f"geo:{last.replace(' ', '')}")
    assert found == Location(latitude_e7=location.latitude_e7, longitude_e7=location.longitude_e7)


@pytest.mark.parametrize(
    "value",
    [
        1,
        (1, 2),
        (1, 2, "a", 3),
        (1, 2, b"a"),
        (LATITUDE_MAX + 1, 0, ""),
        (0, -LONGITUDE_MAX - 1, ""),
        (True, 0, ""),
        (0, None, ""),
        (0, 0, "x" * (LABEL_LENGTH_MAX + 1)),
        (0, 0, "two\nlines"),
    ],
)
def test_what_is_no_location_is_malformed(value: cbor.Value) -> None:
    with pytest.raises(Malformed):
        parse_location(cbor.encode(value))


@pytest.mark.parametrize(
    "location",
    [
        Location(latitude_e7=LATITUDE_MAX + 1, longitude_e7=0),
        Location(latitude_e7=0, longitude_e7=0, label="x" * 257),
        Location(latitude_e7=0, longitude_e7=0, label="\ud800"),
    ],
)
def test_what_others_would_refuse_is_not_sent(location: Location) -> None:
    with pytest.raises(BadRequest):
        encode_location(location)


@pytest.mark.parametrize(
    ("location", "text"),
    [
        (
            Location(latitude_e7=HERE[0], longitude_e7=HERE[1], label="the lake"),
            "📍 the lake\n55.7539, 37.6208",
        ),
        (Location(latitude_e7=-1, longitude_e7=-1_000_000_000), "📍 -0.0000001, -100.0"),
    ],
)
def test_a_location_in_words(location: Location, text: str) -> None:
    assert location_text(location) == text
    assert "557539" not in repr(location)
    assert "lake" not in repr(location)


@pytest.mark.parametrize(
    "text",
    [
        "55.7539, 37.6208",
        " 55.7539 37.6208 ",
        "(55.7539,37.6208)",
        "55,7539; 37,6208",
        "55.7539° N, 37.6208° E",
        "N 55.7539 E 37.6208",
        "geo:55.7539,37.6208",
        "GEO:55.7539,37.6208,120;u=35?z=12",
        "geo:0,0?q=55.7539,37.6208",
        "https://www.openstreetmap.org/?mlat=55.7539&mlon=37.6208#map=15/1.0/2.0",
        "https://www.openstreetmap.org/#map=15/55.7539/37.6208",
        "https://maps.google.com/?q=55.7539,37.6208",
        "https://www.google.ru/maps/@55.7539,37.6208,15z",
        "https://www.google.com/maps/search/?api=1&query=55.7539%2C37.6208",
        "https://www.google.com/maps/place/55.7539,37.6208/@1.0,2.0,17z/data=!3d55.7539!4d37.6208",
        "https://yandex.ru/maps/213/moscow/?ll=37.6208%2C55.7539&z=15",
        "https://yandex.com/maps/?whatshere[point]=37.6208,55.7539&whatshere[zoom]=16&ll=1.0,2.0",
        "https://maps.yandex.ru/?pt=37.6208,55.7539,pm2rdm&z=12",
        "https://yandex.ru/maps/?text=55.7539,37.6208&ll=1.0,2.0",
    ],
)
def test_a_place_that_was_pasted_is_found(text: str) -> None:
    assert parse_pasted_location(text) == Location(latitude_e7=HERE[0], longitude_e7=HERE[1])


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("geo:0,0?q=55.7539,37.6208(The+lake)", "The lake"),
        ("https://www.google.com/maps/place/The+lake%0A/@1.0,2.0,17z/data=!3d55.7539!4d37.6208", "The lake"),
        ("https://www.google.com/maps/place/" + "x" * 300 + "/@55.7539,37.6208,17z", "x" * LABEL_LENGTH_MAX),
    ],
)
def test_a_name_in_a_link_is_the_label(text: str, label: str) -> None:
    assert parse_pasted_location(text) == Location(latitude_e7=HERE[0], longitude_e7=HERE[1], label=label)


def test_south_and_west_are_negative() -> None:
    there = Location(latitude_e7=-335_000_000, longitude_e7=-705_000_000)
    for text in ("-33.50, -70.50", "33.50° S, 70.50° W", "geo:-33.5,-70.5"):
        assert parse_pasted_location(text) == there


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "10, 20",
        "1.5, 2.5",
        "95.7539, 37.6208",
        "55.7539, 197.6208",
        "meet at 55.7539, 37.6208",
        "55.7539, 37.6208 at six",
        "geo:lake",
        "geo:55.7539,37.6208;crs=mars",
        "https://example.com/?q=55.7539,37.6208",
        "https://google.evil-example.com/maps/@55.7539,37.6208,15z",
        "https://maps.app.goo.gl/abcdef",
        "https://www.google.com/maps/@55.7539,37.6208,15z and more",
        "https://[/maps",
        "https://yandex.ru/maps/?ll=" + "&".join(["a=1"] * 60),
        "55.7539, 37.6208" + " " * 3000 + ".",
        "\u0665\u0665.\u0667\u0665, \u0663\u0667.\u0666\u0662",
    ],
)
def test_what_is_no_place_is_left_alone(text: str) -> None:
    assert parse_pasted_location(text) is None


@given(st.text(max_size=200) | st.text(max_size=60).map(lambda text: f"geo:{text}"))
def test_any_text_may_be_pasted(text: str) -> None:
    parse_pasted_location(text)
