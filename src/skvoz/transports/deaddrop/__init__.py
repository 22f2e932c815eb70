"""No relay at all: the relay's rules run at everybody's over storage that all of them reach.

- `names`: the keys that follow from a drop's secret; where objects belong, and the names they have
- `objects`: sealing, padded to a few sizes
- `records`: what stands in a slot of the journal
- `rows`, `replica`: what the records come to, by the rules of `skvoz.logs`
- `pace`: when to look again; bytes a day
- `journal`: reading and writing slots; mending what a provider loses
- `mirror`: this home's copy of the objects
- `states`: what the journal comes to, as objects, so that what has expired can be swept
- `pieces`: bytes of blobs
- `host`: `DropHost`, the relay over it all; its `connect()` gives a `DropConnection`
- `handing`: a drop's key as text; `setting_up`, `probe`: what is tried before a drop is used
- `storage`: what keeps objects; `opening` finds one by its URL; `folder` is one

`docs/protocol/drops.md` says the same for a second implementation.
"""

from skvoz.transports.deaddrop.handing import DropKey, parse_drop_key
from skvoz.transports.deaddrop.host import DropConnection, DropHost
from skvoz.transports.deaddrop.journal import Patience, make_mark
from skvoz.transports.deaddrop.mirror import Mirror
from skvoz.transports.deaddrop.names import DropKeys, drop_keys
from skvoz.transports.deaddrop.opening import needs_password, open_storage, place_shown, settled
from skvoz.transports.deaddrop.pace import Pace, Polls, Spent
from skvoz.transports.deaddrop.probe import is_exclusive
from skvoz.transports.deaddrop.setting_up import Found, find_drop, make_drop
from skvoz.transports.deaddrop.storage import Storage, StorageFull, StorageRefuses

__all__ = [
    "DropConnection",
    "DropHost",
    "DropKey",
    "DropKeys",
    "Found",
    "Mirror",
    "Pace",
    "Patience",
    "Polls",
    "Spent",
    "Storage",
    "StorageFull",
    "StorageRefuses",
    "drop_keys",
    "find_drop",
    "is_exclusive",
    "make_drop",
    "make_mark",
    "needs_password",
    "open_storage",
    "parse_drop_key",
    "place_shown",
    "settled",
]
