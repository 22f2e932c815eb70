"""The requests under way, so that all of them can be ended when the home is locked or unlocked."""

import asyncio
from contextvars import ContextVar
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

_own: ContextVar["asyncio.Task[Any] | None"] = ContextVar("_own", default=None)


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
            _own.set(task)
            try:
                await application(scope, receive, send)
            finally:
                self._under_way.discard(task)

        return visit

    def end(self, grace_s: float) -> None:
        """End all requests at once, and the one that asks for it after `grace_s`, so that it is answered."""
        own = _own.get()
        for task in self._under_way:
            if task is not own:
                task.cancel()
        if own is not None:
            asyncio.get_running_loop().call_later(grace_s, own.cancel)
