import contextlib
from pathlib import Path

import pytest

from skvoz.base.errors import StoreError
from skvoz.server.database import STORE_ID_SIZE, open_database, store_id


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM relay WHERE name = 'store_id'",
        "UPDATE relay SET value = x'00' WHERE name = 'store_id'",
        "UPDATE relay SET value = 'sixteen letters.' WHERE name = 'store_id'",
        "UPDATE relay SET value = 16 WHERE name = 'store_id'",
    ],
)
def test_a_database_that_lost_its_name_is_damaged(tmp_path: Path, change: str) -> None:
    with contextlib.closing(open_database(tmp_path / "relay.db")) as connection:
        assert len(store_id(connection)) == STORE_ID_SIZE
        connection.execute(change)
        with pytest.raises(StoreError, match="damaged"):
            store_id(connection)
