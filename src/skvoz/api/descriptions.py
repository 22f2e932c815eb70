"""The API described for programs, made from the types themselves: OpenRPC for methods, AsyncAPI for events.

`./dev describe` writes them to `docs/api`, and a test fails where they are not what this makes.
"""

import sys
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from skvoz import __version__
from skvoz.api import protocol
from skvoz.api.checkup_views import CheckupView
from skvoz.api.methods import METHODS, Method, about
from skvoz.api.params import SEQUENCE_MAX
from skvoz.api.scopes import BOT_EVENTS, scope_of
from skvoz.api.views import DraftView, ProgressView, ThroughView, View
from skvoz.client.events import Event, EventBase

Document = dict[str, Any]
"""JSON: its shape is the standard's, not ours."""

OPENRPC_VERSION: Final = "1.3.2"
ASYNCAPI_VERSION: Final = "3.0.0"
SCOPE: Final = "x-skvoz-scope"
"""Who may call a method, or is told of an event: `owner`, or a bot that may `read`, or `write` too."""
EVENTS: Final[tuple[type[EventBase], ...]] = get_args(Event)
NOTIFICATIONS: Final[dict[str, tuple[type[View], str]]] = {
    "progress": (ProgressView, "Tell a subscriber how far files have come; not kept, and not replayed."),
    "checkup": (CheckupView, "Tell the owner how far a look at the network has come; not replayed."),
    "draft": (
        DraftView,
        "Tell the owner what was begun in a chat, for other pages; not replayed.",
    ),
    "event.through": (ThroughView, "Tell a bot how far it was told everything that it may know."),
}
"""What subscribers are told beside events: what it carries, and what for."""
_REFERENCE: Final = "#/components/schemas/{name}"
_LICENSE: Final = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}


def openrpc() -> Document:
    """Describe all methods as OpenRPC does."""
    structs = {kind for method in METHODS.values() for kind in (method.params, method.result)}
    references, schemas = _schemas(*structs)
    methods = [_method(name, METHODS[name], references, schemas) for name in sorted(METHODS)]
    # Parameters stand with their methods, each by its name.
    asked = {references[method.params]["$ref"].rpartition("/")[2] for method in METHODS.values()}
    return {
        "openrpc": OPENRPC_VERSION,
        "info": _info("Skvoz: methods of a node"),
        "methods": methods,
        "components": {
            "schemas": {name: schema for name, schema in schemas.items() if name not in asked},
            "errors": _errors(),
        },
    }


def asyncapi() -> Document:
    """Describe all events as AsyncAPI does."""
    references, schemas = _schemas(*EVENTS, *(kind for kind, _ in NOTIFICATIONS.values()))
    kinds = sorted(EVENTS, key=lambda event: event.kind)
    messages = {event.kind: _message(event, references[event]) for event in kinds}
    for name, (kind, _) in NOTIFICATIONS.items():
        payload = _told(name, references[kind])
        messages[name] = {"name": name, "summary": _first_sentence(kind), "payload": payload}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": _info("Skvoz: events of a node"),
        "defaultContentType": "application/json",
        "servers": {
            "home": {
                "host": "node",
                "protocol": "ws",
                "description": "The Unix socket `api.sock` in the home's folder; the host means nothing.",
            },
            "page": {
                "host": "127.0.0.1:{port}",
                "protocol": "ws",
                "description": "The page's address, with `Authorization: Bearer TOKEN` of a bot.",
                "variables": {"port": {"description": "As `skvoz` prints it; kept from start to start."}},
            },
        },
        "channels": {
            "rpc": {
                "address": "/rpc",
                "description": "Events are told here once `event.subscribe` was called.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "event": {
                "action": "send",
                "summary": "Tell a subscriber what happened, in order.",
                "channel": {"$ref": "#/channels/rpc"},
                "messages": [{"$ref": f"#/channels/rpc/messages/{event.kind}"} for event in kinds],
            },
            **{
                name: {
                    "action": "send",
                    "summary": summary,
                    "channel": {"$ref": "#/channels/rpc"},
                    "messages": [{"$ref": f"#/channels/rpc/messages/{name}"}],
                }
                for name, (_, summary) in NOTIFICATIONS.items()
            },
        },
        "components": {
            "schemas": schemas,
            "messages": messages,
        },
    }


def _schemas(*structs: type[msgspec.Struct]) -> tuple[dict[type[msgspec.Struct], Document], Document]:
    ordered = sorted(structs, key=lambda kind: kind.__name__)
    references, schemas = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    return dict(zip(ordered, references, strict=True)), dict(sorted(schemas.items()))


def _info(title: str) -> Document:
    return {
        "title": title,
        "version": __version__,
        "description": "See README.md beside this file: the socket, framing, errors, events, repeats, pages.",
        "license": _LICENSE,
    }


def _method(
    name: str, method: Method, references: dict[type[msgspec.Struct], Document], schemas: Document
) -> Document:
    summary, _, more = method.about.partition("\n\n")
    asked = schemas[references[method.params]["$ref"].rpartition("/")[2]]
    described: Document = {
        "name": name,
        "summary": " ".join(summary.split()),
        "tags": [{"name": name.partition(".")[0]}, {"name": "changes" if method.changes else "asks"}],
        "paramStructure": "by-name",
        "params": [
            {"name": field, "required": field in asked.get("required", ()), "schema": schema}
            for field, schema in asked["properties"].items()
        ],
        "result": {"name": method.result.__name__, "schema": references[method.result]},
        SCOPE: scope_of(name),
    }
    if more:
        described["description"] = more
    return described


def _errors() -> Document:
    """Show each kind of error once; `message` differs from case to case."""
    shown: Document = {}
    for error, kind in protocol.KINDS.items():
        made = error(f"a text for people ({error.__name__})")
        shown[kind] = msgspec.to_builtins(protocol.error_of(made))
    return dict(sorted(shown.items()))


def _message(event: type[EventBase], reference: Document) -> Document:
    number = {"type": "integer", "minimum": 1, "maximum": SEQUENCE_MAX}
    told = {
        "type": "object",
        "required": ["sequence", "kind", "data", "created_ms"],
        "properties": {
            "sequence": number,
            "kind": {"const": event.kind},
            "data": reference,
            "created_ms": {"type": "integer", "description": "Milliseconds since 1970 UTC."},
        },
    }
    return {
        "name": event.kind,
        "summary": _first_sentence(event),
        "payload": _told("event", told),
        SCOPE: "read" if event.kind in BOT_EVENTS else "owner",
    }


def _first_sentence(documented: type[msgspec.Struct]) -> str:
    return " ".join(about(documented).partition("\n\n")[0].split())


def _told(method: str, params: Document) -> Document:
    return {
        "type": "object",
        "required": ["jsonrpc", "method", "params"],
        "properties": {"jsonrpc": {"const": "2.0"}, "method": {"const": method}, "params": params},
    }


def written(document: Document) -> bytes:
    """Return a document as it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def files() -> dict[str, bytes]:
    """Return both documents by the names of their files."""
    return {"openrpc.json": written(openrpc()), "asyncapi.json": written(asyncapi())}


def main(folder: Path) -> None:
    """Write both documents into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_bytes(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
