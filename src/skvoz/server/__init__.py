"""A relay that runs: drives the pure relay machine over sockets and a disk.

- `home`: the relay's folder: key, database, settings, lock
- `database`: SQLite: opening, schema versions, the store's id, errors in our own words
- `write_transaction`, `log_reader`: what the machine asks of a store, in SQL
- `store`: the writer's and the reader's threads, group commit, expiry, the disk's high-water mark
- `listener`: WebSocket connections in, messages out
- `service`: all of it together: `serve`
- `disclosure`: prints everything that a relay holds
"""

from skvoz.server.home import RelayHome, create_home, hold_home
from skvoz.server.service import RelayService, Settings

__all__ = ["RelayHome", "RelayService", "Settings", "create_home", "hold_home"]
