"""A place in what somebody typed or pasted: coordinates, a `geo:` address, or the link of a map.

Everything is read out of the text; nothing is fetched, so a link that only a map's server understands says
nothing here. The whole text has to be the place: a message that mentions one stays a message.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote_plus, urlsplit

from skvoz.content.locations import DEGREE, LABEL_LENGTH_MAX, LATITUDE_MAX, LONGITUDE_MAX, Location

PASTED_LENGTH_MAX: Final = 2_000
"""Characters; links of maps are shorter."""
_QUERY_FIELDS_MAX: Final = 50
_NUMBER: Final = r"[+-]?\d{1,3}(?:\.\d{1,15})?"
_PAIR: Final = re.compile(rf"\s*(?:loc:)?({_NUMBER})\s*,\s*({_NUMBER})(?=[^\d.]|$)", re.ASCII)
_LABELLED: Final = re.compile(r"\((.+)\)\s*$", re.DOTALL)
_TYPED: Final = re.compile(
    r"\(?([NS]?)\s*([+-]?[0-9]{1,3}[.,][0-9]{2,15})\s*°?\s*([NS]?)(?:\s*[,;]\s*|\s+)"
    r"([EW]?)\s*([+-]?[0-9]{1,3}[.,][0-9]{2,15})\s*°?\s*([EW]?)\)?"
)
_BEHIND_ZERO: Final = frozenset("SW")
_GEO: Final = re.compile(
    rf"geo:({_NUMBER}),({_NUMBER})(?:,{_NUMBER})?([^?]*)(?:\?(.*))?", re.IGNORECASE | re.ASCII
)
_GOOGLE: Final = re.compile(r"(maps\.)?google(\.[a-z]{2,3}){1,2}")
_YANDEX: Final = re.compile(r"(maps\.)?yandex(\.[a-z]{2,3}){1,2}")
_OPEN_STREET_MAP: Final = frozenset({"openstreetmap.org", "osm.org"})
_GOOGLE_PLACE: Final = re.compile(rf"!3d({_NUMBER})!4d({_NUMBER})", re.ASCII)
_GOOGLE_VIEW: Final = re.compile(rf"/@({_NUMBER}),({_NUMBER})", re.ASCII)
_GOOGLE_NAME: Final = re.compile(r"/place/([^/@]+)")
_MAP_VIEW: Final = re.compile(rf"map=\d{{1,2}}(?:\.\d+)?/({_NUMBER})/({_NUMBER})", re.ASCII)


def parse_pasted_location(text: str) -> Location | None:
    """Return the place that a text is, None where it is something else."""
    text = text.strip()
    if not 5 <= len(text) <= PASTED_LENGTH_MAX:
        return None
    if text[:4].lower() == "geo:":
        return _geo(text)
    if text[:8].lower().startswith(("http://", "https://")):
        return next(_on_a_map(text), None)
    return _typed(text)


def _typed(text: str) -> Location | None:
    found = _TYPED.fullmatch(text)
    if found is None:
        return None
    before, latitude, behind, before_other, longitude, behind_other = found.groups()
    signs = [-1 if _BEHIND_ZERO & {*one} else 1 for one in (before + behind, before_other + behind_other)]
    place = _place(latitude.replace(",", "."), longitude.replace(",", "."))
    if place is None:
        return None
    return Location(latitude_e7=signs[0] * place.latitude_e7, longitude_e7=signs[1] * place.longitude_e7)


def _geo(text: str) -> Location | None:
    found = _GEO.fullmatch(text)
    if found is None:
        return None
    latitude, longitude, parameters, query = found.groups()
    if "crs=" in parameters.lower() and "crs=wgs84" not in parameters.lower():
        return None
    for value in _fields(query or "").get("q", ()):
        label = _LABELLED.search(value)
        place = _pair(_LABELLED.sub("", value), label[1] if label else "")
        if place is not None:
            return place
    return _place(latitude, longitude)


def _on_a_map(text: str) -> Iterator[Location]:
    """Yield what the link of a map says, the surest first."""
    try:
        link = urlsplit(text)
        host = (link.hostname or "").removeprefix("www.")
    except ValueError:
        return
    if any(character.isspace() for character in text):
        return
    if host in _OPEN_STREET_MAP:
        found = _open_street_map(link)
    elif _GOOGLE.fullmatch(host):
        found = _google(link)
    elif _YANDEX.fullmatch(host):
        found = _yandex(link)
    else:
        return
    yield from (place for place in found if place is not None)


def _open_street_map(link: SplitResult) -> Iterator[Location | None]:
    fields = _fields(link.query)
    for latitude, longitude in zip(fields.get("mlat", ()), fields.get("mlon", ()), strict=False):
        yield _pair(f"{latitude},{longitude}")
    view = _MAP_VIEW.search(link.fragment)
    if view is not None:
        yield _place(view[1], view[2])


def _google(link: SplitResult) -> Iterator[Location | None]:
    name = _GOOGLE_NAME.search(link.path)
    label = unquote_plus(name[1]) if name else ""
    if _pair(label) is not None or _typed(label) is not None:
        label = ""
    for pattern in (_GOOGLE_PLACE, _GOOGLE_VIEW):
        found = pattern.search(link.path)
        if found is not None:
            yield _place(found[1], found[2], label)
    fields = _fields(link.query)
    for field in ("q", "query", "destination", "daddr", "ll", "center"):
        yield from (_pair(value) for value in fields.get(field, ()))


def _yandex(link: SplitResult) -> Iterator[Location | None]:
    fields = _fields(link.query)
    # Longitude comes first there, but for what a person typed into the search.
    for field in ("whatshere[point]", "pt"):
        yield from (_pair(value, is_turned=True) for value in fields.get(field, ()))
    yield from (_pair(value) for value in fields.get("text", ()))
    yield from (_pair(value, is_turned=True) for value in fields.get("ll", ()))


def _fields(query: str) -> dict[str, list[str]]:
    try:
        return parse_qs(query, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        return {}


def _pair(text: str, label: str = "", *, is_turned: bool = False) -> Location | None:
    found = _PAIR.match(text)
    if found is None:
        return None
    latitude, longitude = (found[2], found[1]) if is_turned else (found[1], found[2])
    return _place(latitude, longitude, label)


def _place(latitude: str, longitude: str, label: str = "") -> Location | None:
    latitude_e7, longitude_e7 = (
        int((Decimal(one) * DEGREE).to_integral_value()) for one in (latitude, longitude)
    )
    if abs(latitude_e7) > LATITUDE_MAX or abs(longitude_e7) > LONGITUDE_MAX:
        return None
    shown = "".join(character for character in label if character.isprintable())
    return Location(
        latitude_e7=latitude_e7, longitude_e7=longitude_e7, label=" ".join(shown.split())[:LABEL_LENGTH_MAX]
    )
