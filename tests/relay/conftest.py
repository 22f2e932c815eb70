"""Every test of the relay's rules runs over both stores."""

from collections.abc import Iterator

import pytest

from skvoz.relay.executor import Executor
from tests.relay import world
from tests.relay.sqlite_store import SqliteStore


@pytest.fixture(autouse=True, params=["memory", "sqlite"])
def _both_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[SqliteStore] = []

    def make(store_id: bytes, executor: Executor) -> SqliteStore:
        made.append(SqliteStore(store_id, executor))
        return made[-1]

    if request.param == "sqlite":
        monkeypatch.setattr(world, "make_store", make)
    yield
    for store in made:
        store.close()
