"""A group in parts, as they change: what is stored after each step (see `Group.snapshot`)."""

from collections.abc import Mapping

from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value


class Snapshot(Value, NeverPickled, frozen=True, kw_only=True):
    """A group's parts; None for a part that is as it was in the group compared with.

    A new epoch (`epoch_changed`) makes all earlier ratchet rows worthless: delete those that are not here.
    """

    tree: bytes | None
    """The ratchet tree; needed for commits and to list members in full."""
    members: bytes | None
    """Signature keys and credentials by leaf; changes with the tree."""
    epoch: bytes | None
    """Context, secrets, own keys, stored proposals."""
    secrets: bytes | None
    """The secret tree; changes at the first message of each leaf in an epoch."""
    ratchets: Mapping[int, bytes]
    """Leaf index to that leaf's ratchets: all of them, or those that have moved."""
    epoch_changed: bool = True
