"""A place on Earth, as a message says it: `[latitude, longitude, label]` in CBOR, in 1e-7 degrees."""

from typing import Final

from skvoz.base.errors import BadRequest, Malformed
from skvoz.base.value import Value
from skvoz.codec import cbor

LABEL_LENGTH_MAX: Final = 256
"""Characters of what a place is called: an address with the way to the door."""
DEGREE: Final = 10_000_000
"""Units of a coordinate in a degree: one is about a centimetre."""
LATITUDE_MAX: Final = 90 * DEGREE
LONGITUDE_MAX: Final = 180 * DEGREE


class Location(Value, frozen=True, kw_only=True):
    """Latitude and longitude in 1e-7 degrees (WGS 84, north and east are positive), and what is there."""

    latitude_e7: int
    longitude_e7: int
    label: str = ""


def encode_location(location: Location) -> bytes:
    """Encode a location; raise `BadRequest` for one that is nowhere, or called in too many words."""
    try:
        data = cbor.encode((location.latitude_e7, location.longitude_e7, location.label))
        parse_location(data)
    except UnicodeEncodeError:
        raise BadRequest("the text has characters that can't be sent") from None
    except Malformed as error:
        raise BadRequest(f"this place can't be sent: {error}") from None
    return data


def parse_location(data: bytes) -> Location:
    """Parse a location; `Malformed` if it is not one."""
    match cbor.decode(data):
        case (latitude, longitude, str() as label):
            return Location(
                latitude_e7=_coordinate(latitude, LATITUDE_MAX),
                longitude_e7=_coordinate(longitude, LONGITUDE_MAX),
                label=_label(label),
            )
        case _:
            raise Malformed("a location is not two numbers and a label")


def _coordinate(value: cbor.Value, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -most <= value <= most:
        raise Malformed("a coordinate is out of range")
    return value


def _label(label: str) -> str:
    if len(label) > LABEL_LENGTH_MAX or any(character < " " or character == "\x7f" for character in label):
        raise Malformed("a place's name is too long, or not on one line")
    return label


def coordinates(location: Location) -> str:
    """Return the two numbers as people write them: `55.7539, 37.6208`."""
    return f"{_degrees(location.latitude_e7)}, {_degrees(location.longitude_e7)}"


def _degrees(value: int) -> str:
    whole, rest = divmod(abs(value), DEGREE)
    digits = f"{rest:07}".rstrip("0") or "0"
    return f"{'-' if value < 0 else ''}{whole}.{digits}"


def location_text(location: Location) -> str:
    """Return what programs and people see that don't show a location in another way."""
    return (
        f"📍 {location.label}\n{coordinates(location)}" if location.label else f"📍 {coordinates(location)}"
    )
