"""Questions about places on Earth."""

from typing import Final

from skvoz.api import params as asked
from skvoz.api import showing
from skvoz.api.message_views import PastedView
from skvoz.api.question import Question
from skvoz.content import parse_pasted_location
from skvoz.store.queries import Queries


def location_parse(_: Queries, params: asked.TextParams) -> PastedView:
    """Return the place that a text is: coordinates, a `geo:` address, or a map's link. Nothing is fetched."""
    found = parse_pasted_location(params.text)
    if found is None:
        return PastedView(location=None)
    return PastedView(location=showing.location_view(found.latitude_e7, found.longitude_e7, found.label))


QUESTIONS: Final[dict[str, Question]] = {
    "location.parse": Question(params=asked.TextParams, result=PastedView, read=location_parse),
}
