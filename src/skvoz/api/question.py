"""What a method is. Each feature's module names its own, `methods` gathers them.

A question changes nothing and is answered out of the records; an act is done by the app around the node.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from skvoz.api.params import Params
from skvoz.store.queries import Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a question is asked with and answers, and how the answer is read."""

    params: type[Params]
    result: type[msgspec.Struct]
    read: Callable[[Queries, Any], msgspec.Struct]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What a method is asked with and answers, and a sentence or two about it."""

    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    about: str
    changes: bool = False
