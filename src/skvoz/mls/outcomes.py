"""What `Group.receive`, `Group.stage_commit` and `Group.join` answer.

Each answer that goes on holds the group to go on with; the group that was asked is as it was. Save
that group before acting on the answer. What isn't authenticated says so.
"""

from typing import TYPE_CHECKING

from skvoz.base.value import Value
from skvoz.mls.effects import CommitEffects
from skvoz.mls.framing import ContentType, Sender
from skvoz.mls.nodes import Credential
from skvoz.mls.pre_shared_keys import PreSharedKeyId
from skvoz.mls.proposals import Proposal
from skvoz.mls.welcome import GroupInfo

if TYPE_CHECKING:
    from skvoz.mls.group import Group


class ApplicationMessage(Value, frozen=True, kw_only=True):
    """Application data of a member, decrypted and verified."""

    sender: int
    """The sender's leaf index: also the leaf whose ratchet has moved in `group`."""
    credential: Credential
    authenticated_data: bytes
    data: bytes
    group: "Group"


class ProposalStored(Value, frozen=True, kw_only=True):
    """A valid proposal; `group` keeps it until a commit."""

    sender: Sender
    proposal: Proposal
    reference: bytes
    authenticated_data: bytes
    group: "Group"


class StagedCommit(Value, frozen=True, kw_only=True):
    """A valid commit. Go on with `next` to follow it; forget this to refuse it (and keep `group`).

    `next` is None exactly where the commit removes this client.
    """

    sender: int
    """The committer's leaf index, in the new epoch for an external commit."""
    effects: CommitEffects
    authenticated_data: bytes
    group: "Group"
    """The present epoch with the commit's own key used up."""
    next: "Group | None"


class OwnEcho(Value, frozen=True, kw_only=True):
    """A message from this very leaf.

    `unknown` is False for one that it sent before: its key is gone, so this is not authenticated, and
    any member could have made it; compare it with what was sent. `unknown` is True for a message that
    verifies and that this state never sent: another copy of this client's state is at work.
    """

    content_type: ContentType
    generation: int | None
    """The ratchet's generation; None for an unencrypted message, which is always verified."""
    unknown: bool


class Stale(Value, frozen=True, kw_only=True):
    """A message of an earlier epoch, not authenticated."""

    epoch: int


class Future(Value, frozen=True, kw_only=True):
    """A message of a later epoch, not authenticated."""

    epoch: int


class Duplicate(Value, frozen=True, kw_only=True):
    """A message whose key was used or dropped before, or a proposal that is stored; not authenticated."""

    sender: int | None
    content_type: ContentType


Received = ApplicationMessage | ProposalStored | StagedCommit | OwnEcho | Stale | Future | Duplicate


class PendingCommit(Value, frozen=True, kw_only=True):
    """A commit of our own, not sent yet.

    Save `group` (the present epoch, with the key of the commit used up) and `next`; send `commit`; go on
    with `next` once the commit is the one that everybody follows, else with `group`. Only then send
    `welcome`.
    """

    commit: bytes
    welcome: bytes | None
    effects: CommitEffects
    group: "Group"
    next: "Group"

    @property
    def group_info(self) -> bytes:
        """The next epoch's GroupInfo as an `MLSMessage`, with tree and external key; made anew each time."""
        return self.next.group_info()


class StagedJoin(Value, frozen=True, kw_only=True):
    """A Welcome that held: go on with `group` to join; delete the KeyPackage's private keys either way."""

    group: "Group"
    sender: int
    """The leaf index of who signed the GroupInfo, and so made the Welcome."""
    sender_credential: Credential
    key_package_ref: bytes
    psks: tuple[PreSharedKeyId, ...]
    group_info: GroupInfo


class ExternalJoin(Value, frozen=True, kw_only=True):
    """An external commit of our own: send `commit`, go on with `group` once everybody follows it."""

    commit: bytes
    effects: CommitEffects
    group: "Group"
