"""The API's types for the page's type checker: `skvoz/web/types/api.d.ts`, made from the same descriptions.

`./dev describe` writes it, and a test fails where it is not what this makes.
"""

import sys
from pathlib import Path
from typing import Any, Final

from skvoz.api.descriptions import NOTIFICATIONS, Document, asyncapi, openrpc

_TOP: Final = "// Made by `./dev describe` from the types of the API: change those.\n"
_PLAIN: Final = {
    "boolean": "boolean",
    "integer": "number",
    "null": "null",
    "number": "number",
    "string": "string",
}


def typescript() -> str:
    """Return all types, methods and events as TypeScript declares them."""
    methods, events = openrpc(), asyncapi()
    schemas: Document = {**events["components"]["schemas"], **methods["components"]["schemas"]}
    parts = [_TOP, *(_declared(name, schemas[name]) for name in sorted(schemas))]
    calls = "".join(_method(method) for method in methods["methods"])
    parts.append(f"export interface Methods {{\n{calls}}}\n")
    told = "".join(
        f'  "{name}": {_type(message["payload"]["properties"]["params"]["properties"]["data"])};\n'
        for name, message in sorted(events["components"]["messages"].items())
        if name not in NOTIFICATIONS
    )
    parts.append(f"export interface Events {{\n{told}}}\n")
    return "\n".join(parts)


def _declared(name: str, schema: Document) -> str:
    about = schema.get("description", "").partition("\n\n")[0]
    return f"/** {' '.join(about.split())} */\nexport interface {name} {_object(schema)}\n"


def _object(schema: Document, indent: str = "") -> str:
    required = set(schema.get("required", ()))
    # What may be left out of an answer is a field with a default: it is always there.
    lines = [
        f"{indent}  {field}{'' if field in required or 'default' in one else '?'}: {_type(one)};\n"
        for field, one in schema["properties"].items()
    ]
    return "{\n" + "".join(lines) + indent + "}"


def _method(method: Document) -> str:
    asked = "".join(
        f" {one['name']}{'' if one['required'] else '?'}: {_type(one['schema'])};" for one in method["params"]
    )
    about = method["summary"]
    result = _type(method["result"]["schema"])
    return f'  /** {about} */\n  "{method["name"]}": {{ params: {{{asked} }}; result: {result} }};\n'


def _type(schema: Any) -> str:  # noqa: ANN401  # JSON
    match schema:
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case {"const": value}:
            return f'"{value}"'
        case {"enum": values}:
            return " | ".join(f'"{value}"' for value in values)
        case {"anyOf": kinds}:
            return " | ".join(map(_type, kinds))
        case {"type": "array", "prefixItems": kinds}:
            return f"[{', '.join(map(_type, kinds))}]"
        case {"type": "array", "items": kind} if kind is not False:
            inner = _type(kind)
            return f"({inner})[]" if " | " in inner else f"{inner}[]"
        case {"type": "object", "additionalProperties": kind} if isinstance(kind, dict):
            return f"Record<string, {_type(kind)}>"
        case {"type": str(kind)} if kind in _PLAIN:
            return _PLAIN[kind]
        case _:
            return "unknown"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(typescript(), encoding="utf-8")
