"""A group in parts, as they change: what is stored after each step (see `Group.snapshot`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from skvoz.base.secrecy import NeverPickled


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(NeverPickled):
    """A group's parts; None for a part that is as it was in the group compared with.

    A new epoch (`epoch_changed`) makes all earlier ratchet rows worthless: delete those that are not here.
    """

    tree: bytes | None = field(repr=False)
    """The ratchet tree; needed for commits and to list members in full."""
    members: bytes | None = field(repr=False)
    """Signature keys and credentials by leaf; changes with the tree."""
    epoch: bytes | None = field(repr=False)
    """Context, secrets, own keys, stored proposals."""
    secrets: bytes | None = field(repr=False)
    """The secret tree; changes at the first message of each leaf in an epoch."""
    ratchets: Mapping[int, bytes] = field(repr=False)
    """Leaf index to that leaf's ratchets: all of them, or those that have moved."""
    epoch_changed: bool = True
