"""Every test of the relay's rules runs over both stores, in a world of its own."""

from collections.abc import Iterator

import pytest

from skvoz.relay.executor import Executor
from tests.relay import world as worlds
from tests.relay.sqlite_store import SqliteStore
from tests.relay.world import Client, World


@pytest.fixture(autouse=True, params=["memory", "sqlite"])
def _both_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[SqliteStore] = []

    def make(store_id: bytes, executor: Executor) -> SqliteStore:
        made.append(SqliteStore(store_id, executor))
        return made[-1]

    if request.param == "sqlite":
        monkeypatch.setattr(worlds, "make_store", make)
    yield
    for store in made:
        store.close()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Client:
    client = Client(world)
    client.open()
    return client
