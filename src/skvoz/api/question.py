"""What a method is. Each feature's module names its own, `methods` gathers them.

A question changes nothing and is answered out of the records; an act is done by the app around the node.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from skvoz.api.params import Params
from skvoz.base.value import Value
from skvoz.store.queries import Queries


class Question(Value, frozen=True, kw_only=True):
    """What a question is asked with and answers, and how the answer is read."""

    params: type[Params]
    result: type[msgspec.Struct]
    read: Callable[[Queries, Any], msgspec.Struct]


class Method(Value, frozen=True, kw_only=True):
    """What a method is asked with and answers, and a sentence or two about it."""

    params: type[msgspec.Struct]
    result: type[msgspec.Struct]
    about: str
    changes: bool = False
