"""What the application decides about members and messages.

Every hook is a pure function of its arguments: whether a commit is valid may depend on the group's
state and on bytes alone, never on a clock or on what one member happens to know.
"""

from collections.abc import Callable

from skvoz.base.value import Value
from skvoz.mls.nodes import Credential, LeafNode


def _accept_credential(_credential: Credential, _signature_key: bytes) -> None:
    """Accept any credential."""


def _accept_replacement(_old: LeafNode, _new: LeafNode) -> None:
    """Accept any change of a leaf."""


def _credential_as_identity(leaf: LeafNode) -> bytes:
    return leaf.credential.encode()


class Policy(Value, frozen=True, kw_only=True):
    """Hooks of the application; each raises `Invalid` (or another `PeerError`) to refuse."""

    validate_credential: Callable[[Credential, bytes], None] = _accept_credential
    """Called with the credential and signature key of everybody who is added, joins or is met on joining."""
    validate_replacement: Callable[[LeafNode, LeafNode], None] = _accept_replacement
    """Called with the old and the new leaf of an update, a path, or a member who comes back by itself."""
    identity_of: Callable[[LeafNode], bytes] = _credential_as_identity
    """Names the client behind a leaf: a branch may hold only clients that the group before held."""
    public_handshakes: bool = True
    """Whether members' proposals and commits may come unencrypted."""
    external_commits: bool = True
    """Whether anybody with a GroupInfo may join by an external commit."""


OPEN: Policy = Policy()
"""Everything that RFC 9420 allows: for tests and interoperability, where credentials are mere names."""
