"""What must not get into logs by way of a repr: keys, secrets, ids, addresses, and what people write."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from typing import Any

import msgspec
import pytest

import skvoz

HIDDEN = re.compile(
    r"(.*_)?(secret|ticket|token|password|passphrase|keys?|ids?|hash|body|text|title|name|names|address|addresses"
    r"|log|entry|blob|author|data|content|link|way|host|url|file|folder)"
)
PUBLIC = {"Kdf", "MontgomeryKem", "NistKem"}
"""Algorithms, which have names that everybody knows."""
MARK = b"0123456789abcdef"
pytestmark = pytest.mark.slow  # all modules are imported


def kinds() -> list[type[Any]]:
    found: set[type[Any]] = set()
    for module in pkgutil.walk_packages(skvoz.__path__, "skvoz."):
        if not module.name.endswith("__main__"):
            inside = vars(importlib.import_module(module.name)).values()
            found.update(one for one in inside if isinstance(one, type))
    held = [one for one in found if dataclasses.is_dataclass(one) or issubclass(one, msgspec.Struct)]
    return [one for one in held if one.__module__.startswith("skvoz.") and not inspect.isabstract(one)]


def value_of(name: str) -> bytes | None:
    return MARK if HIDDEN.fullmatch(name) else None


def shown(kind: type[Any]) -> str:
    """Return the repr of an object whose hidden fields have the mark, and nothing the others."""
    if issubclass(kind, msgspec.Struct):
        values = {name: value_of(name) for name in kind.__struct_fields__}
        if not hasattr(kind, "__post_init__"):
            return repr(kind(**values))
        filled = kind()
        for name, value in values.items():
            msgspec.structs.force_setattr(filled, name, value)
        return repr(filled)
    made = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(made, field.name, value_of(field.name))
    return repr(made)


def test_no_repr_shows_a_secret_or_an_address() -> None:
    found = kinds()
    assert len(found) > 500
    telling = [f"{kind.__module__}.{kind.__name__}" for kind in found if MARK.decode() in shown(kind)]
    assert {name.rpartition(".")[2] for name in telling} == PUBLIC
