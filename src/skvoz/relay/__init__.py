"""The relay machine, pure: sessions, cursors, credit and admission. It knows no accounts and no names.

- `machine`: `Relay.handle(inputs, now_ms) -> effects`, the whole relay but for sockets and disks
- `session`: one client's attachments, cursors, credit, and what it may have lost with its connection
- `seam`: inputs, effects, and what passes between the machine and the store
- `ports`: what a store must be able to do
- `executor`: runs requests against a store's write transaction by the rules of `skvoz.logs`
- `pool`: what lies beside an inbox
- `turns`: what keeps the order of one who writes
- `reading`: reads what a session may see

`docs/protocol/relay.md` says the same for a second implementation.
"""

from skvoz.relay.executor import Admission, Executor
from skvoz.relay.machine import Relay
from skvoz.relay.ports import LogReader, LogTransaction
from skvoz.relay.reading import read

__all__ = ["Admission", "Executor", "LogReader", "LogTransaction", "Relay", "read"]
