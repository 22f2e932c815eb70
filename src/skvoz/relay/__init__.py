"""The relay machine, pure: sessions, cursors, credit and admission. It knows no accounts and no names.

- `machine`: `Relay.handle(inputs, now_ms) -> effects`, the whole relay but for sockets and disks
- `session`: one client's attachments, cursors, credit, and what it may have lost with its connection
- `readers`: who reads which log
- `hops`: sessions that are carried to other relays
- `parts`: parts of blobs, as many as may be under way
- `seam`: inputs, effects, and what passes between the machine and the store
- `ports`: what a store must be able to do
- `executor`: runs requests against a store's write transaction by the rules of `skvoz.logs`
- `blobs`: space for blobs, and their bytes in files beside the store
- `pool`: what lies beside an inbox
- `turns`: what keeps the order of one who writes
- `reading`: reads what a session may see

`docs/protocol/relay.md` says the same for a second implementation.
"""

from skvoz.relay.blobs import PartWriter, fetch
from skvoz.relay.executor import Admission, Executor
from skvoz.relay.hops import Carriage
from skvoz.relay.machine import Relay
from skvoz.relay.ports import BlobFiles, BlobRows, LogReader, LogTransaction
from skvoz.relay.reading import read

__all__ = [
    "Admission",
    "BlobFiles",
    "BlobRows",
    "Carriage",
    "Executor",
    "LogReader",
    "LogTransaction",
    "PartWriter",
    "Relay",
    "fetch",
    "read",
]
