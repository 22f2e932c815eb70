"""Questions of somebody who begins: which relay an address or link means, and a link as a QR code."""

from typing import Final
from urllib.parse import urlsplit

import segno

from skvoz.api import params as asked
from skvoz.api import views
from skvoz.api.question import Question
from skvoz.base.errors import BadRequest
from skvoz.client.links import SCHEME, parse_link
from skvoz.client.relay_addresses import parse_relay_address
from skvoz.store.queries import Queries


def relay_parse(_: Queries, params: asked.TextParams) -> views.RelayAddressView:
    """Return the relay that an address means, or that somebody's link leads to: one can live there too."""
    text = params.text.strip()
    if text.lower().startswith(SCHEME):
        link = parse_link(text)
        addresses, relay_id, ticket = link.addresses, link.relay_id, link.ticket
    else:
        relay = parse_relay_address(text)
        addresses, relay_id, ticket = relay.addresses, relay.relay_id, relay.ticket
    return views.RelayAddressView(
        addresses=addresses, relay_id=relay_id, ticket=ticket, shown=_host(addresses[0])
    )


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def qr_draw(_: Queries, params: asked.TextParams) -> views.PictureView:
    """Return a text as a QR code."""
    try:
        code = segno.make(params.text, error="l", micro=False)
    except (segno.DataOverflowError, ValueError):
        raise BadRequest("this text is too long for a QR code") from None
    return views.PictureView(rows=tuple(bytes(row).hex()[1::2] for row in code.matrix))


QUESTIONS: Final[dict[str, Question]] = {
    "relay.parse": Question(params=asked.TextParams, result=views.RelayAddressView, read=relay_parse),
    "qr.draw": Question(params=asked.TextParams, result=views.PictureView, read=qr_draw),
}
