"""What a group can be asked in one epoch without changing it."""

from collections.abc import Mapping

from skvoz.base.errors import BadRequest
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.commit_creation import create_group_info
from skvoz.mls.epoch import EpochState
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import export_secret
from skvoz.mls.members import Member
from skvoz.mls.message import encode_message
from skvoz.mls.nodes import Credential
from skvoz.mls.proposals import ReInit


class GroupFacts(Value, NeverPickled, frozen=True, kw_only=True):
    """The facts of an epoch; `Group` adds what changes within it."""

    state: EpochState

    @property
    def suite(self) -> CipherSuite:
        """The group's cipher suite."""
        return self.state.suite

    @property
    def context(self) -> GroupContext:
        """What the group has agreed on."""
        return self.state.context

    @property
    def group_id(self) -> bytes:
        """The group's id."""
        return self.state.context.group_id

    @property
    def epoch(self) -> int:
        """The epoch: how many commits the group has seen."""
        return self.state.context.epoch

    @property
    def tree_hash(self) -> bytes:
        """The hash of the ratchet tree."""
        return self.state.context.tree_hash

    @property
    def epoch_authenticator(self) -> bytes:
        """Equal for two members exactly if they agree on the whole history (RFC 9420 §8.7)."""
        return self.state.secrets.epoch_authenticator

    @property
    def own_leaf_index(self) -> int:
        """This client's leaf."""
        return self.state.own_leaf_index

    @property
    def reinit(self) -> ReInit | None:
        """What ended the group, if something did: then it accepts and sends nothing more."""
        return self.state.reinit

    @property
    def resumption_psks(self) -> Mapping[tuple[bytes, int], bytes]:
        """The resumption keys of this and the last epochs, by (group id, epoch)."""
        return self.state.resumption_psks()

    def credential(self, leaf_index: int) -> Credential:
        """Return a member's credential without loading the tree; raise `Invalid` if nobody is there."""
        return self.state.members.signatory(leaf_index).credential

    def members(self) -> tuple[Member, ...]:
        """Return all members from the left; loads the tree."""
        return tuple(
            Member(
                leaf_index=index,
                credential=leaf.credential,
                signature_key=leaf.signature_key,
                leaf_node=leaf,
            )
            for index, leaf in self.state.members.tree.leaves()
        )

    def ratchet_tree(self) -> bytes:
        """Return the encoded ratchet tree, for whoever gets it apart from a Welcome."""
        return self.state.members.tree.encode()

    def export(self, label: str, context: bytes, length: int) -> bytes:
        """MLS-Exporter: `length` bytes that members of this epoch can derive (RFC 9420 §8.5).

        Raises `BadRequest` beyond 255 hashes of the suite, which is as far as HKDF goes (RFC 5869 §2.3).
        """
        if not 0 <= length <= 255 * self.suite.hash_size:
            raise BadRequest("an exporter gives at most 255 hashes of bytes")
        return export_secret(self.suite, self.state.secrets.exporter_secret, label, context, length)

    def group_info(self, *, with_tree: bool = True, external_pub: bool = True) -> bytes:
        """Return this epoch's signed GroupInfo as an `MLSMessage`."""
        info = create_group_info(self.state, with_tree=with_tree, with_external_key=external_pub)
        return encode_message(info)
