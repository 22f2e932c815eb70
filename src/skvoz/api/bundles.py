"""Bundles over HTTP: files of contents that people carry by hand.

GET  /bundle   everything that others may lack, as a file; `skvoz-contents` says how much is in it
POST /bundle   a file that somebody brought -> {"new_contents": …, "known_contents": …}
"""

import uuid
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from skvoz.api import protocol
from skvoz.api.requests import body_of, json_answer
from skvoz.base.errors import BadRequest, SkvozError
from skvoz.client.bundle_form import BUNDLE_SIZE_MAX
from skvoz.client.commands import ImportBundle
from skvoz.node.node import Node

CONTENTS_HEADER: Final = "skvoz-contents"
LEFT_OUT_HEADER: Final = "skvoz-left-out"


async def answered_bundle(node: Node, request: Request) -> Response:
    """Give a bundle out, or take one in."""
    return await (_taken(node, request) if request.method == "POST" else _given(node))


async def _given(node: Node) -> Response:
    """Give out a bundle for somebody to carry."""
    try:
        bundle = await node.bundle()
    except SkvozError as error:
        return _refusal(error)
    headers = {
        "cache-control": "no-store",
        CONTENTS_HEADER: str(bundle.contents),
        LEFT_OUT_HEADER: str(bundle.left_out),
    }
    return Response(bundle.file, headers=headers, media_type="application/octet-stream")


async def _taken(node: Node, request: Request) -> Response:
    """Take what is for this home in a bundle: all of it or nothing."""
    try:
        file = await body_of(request, BUNDLE_SIZE_MAX)
        answer = await node.command(ImportBundle(client_id=uuid.uuid4().hex, file=file))
    except SkvozError as error:
        return _refusal(error)
    except ClientDisconnect:
        return Response(status_code=400)
    return json_answer(answer)


def _refusal(error: SkvozError) -> Response:
    return json_answer(protocol.error_of(error), 400 if isinstance(error, BadRequest) else 500)
