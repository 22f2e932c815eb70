"""A relay that runs: drives the pure relay machine over sockets and a disk.

- `home`: the relay's folder: key, database, settings, lock
- `config`: the operator's settings
- `front`: settings for what stands in front of a public relay
- `database`: SQLite: opening, schema versions, the store's id, errors in our own words
- `write_transaction`, `log_reader`: what the machine asks of a store, in SQL
- `blob_rows`, `blob_store`: blobs in the database, and their bytes in files
- `part_pump`: reads parts of blobs no faster than their readers take them
- `store`: the writer's and the reader's threads, group commit, expiry, the disk's high-water mark
- `door`: one port for WebSockets and other requests
- `listener`: WebSocket connections in, messages out
- `requests`, `lanes`: HTTP requests, and the connections that are made of them
- `service`: all of it together: `serve`, or `RelayService` on an event loop of one's own
- `disclosure`: prints everything that a relay holds
- `backup`: copies of a home, and homes out of copies
"""

from skvoz.server.backup import back_up, restore
from skvoz.server.config import Settings, read_settings
from skvoz.server.disclosure import disclose, disclosed
from skvoz.server.home import RelayHome, create_home, hold_home, read_key, split_address
from skvoz.server.service import RelayService, serve

__all__ = [
    "RelayHome",
    "RelayService",
    "Settings",
    "back_up",
    "create_home",
    "disclose",
    "disclosed",
    "hold_home",
    "read_key",
    "read_settings",
    "restore",
    "serve",
    "split_address",
]
