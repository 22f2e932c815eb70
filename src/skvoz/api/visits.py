"""The requests under way, so that all of them can be ended when the home is locked or unlocked."""

import asyncio
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from skvoz.base.value import Value


class _Visit(Value, frozen=True):
    """A request: its task, and whether it goes on after an answer."""

    task: asyncio.Task[Any]
    lasts: bool


_own: ContextVar[_Visit | None] = ContextVar("_own", default=None)


class Visits:
    """Counts the requests and WebSockets of applications, each a task."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[Any]] = set()

    def of(self, application: ASGIApp) -> ASGIApp:
        """Return an application whose requests are counted here."""

        async def visit(scope: Scope, receive: Receive, send: Send) -> None:
            task = asyncio.current_task()
            if task is None:
                raise AssertionError("a request outside of a task")
            self._under_way.add(task)
            _own.set(_Visit(task, lasts=scope["type"] == "websocket"))
            try:
                await application(scope, receive, send)
            finally:
                self._under_way.discard(task)

        return visit

    def end_others(self) -> None:
        """End all requests at once but the one that asks for it."""
        own = _own.get()
        for task in self._under_way:
            if own is None or task is not own.task:
                task.cancel()

    def end_own(self, grace_s: float) -> None:
        """End the WebSocket that asks for it after the seconds in which it is answered.

        A single request ends with its answer.
        """
        own = _own.get()
        if own is not None and own.lasts:
            asyncio.get_running_loop().call_later(grace_s, own.task.cancel)
