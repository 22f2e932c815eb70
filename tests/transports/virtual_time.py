"""An event loop whose clock jumps to whatever is waited for: for what says nothing on a network."""

import asyncio
import selectors
from collections.abc import Coroutine


class _Jumping(selectors.SelectSelector):
    """Never waits: it lets the time pass instead."""

    now_s = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits for ever"
            self.now_s += timeout
        return found


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Jumping()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now_s


def run(scenario: Coroutine[None, None, None]) -> None:
    """Run a scenario to its end, however long it takes on its own clock."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(scenario)
