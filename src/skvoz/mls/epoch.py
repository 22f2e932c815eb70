"""Everything that a member knows during one epoch and that no message of the epoch changes."""

from collections.abc import Callable, Mapping

from skvoz.base.errors import Malformed
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, optional, uint8, uint64, vector
from skvoz.crypto.ports import Signer
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import EpochSecrets
from skvoz.mls.members import Members
from skvoz.mls.pre_shared_keys import RESUMPTION_PSKS_KEPT
from skvoz.mls.proposals import ReInit, parse_proposal
from skvoz.mls.tree_kem import PrivateTree

_STORAGE_VERSION = 1


class OwnSignatureKey(NeverPickled):
    """This client's signature key pair; the private key is parsed once."""

    __slots__ = ("_signer", "private_key", "public_key")

    def __init__(self, private_key: bytes, public_key: bytes) -> None:
        self.private_key = private_key
        self.public_key = public_key
        self._signer: Signer | None = None

    def __repr__(self) -> str:
        return "OwnSignatureKey()"

    def signer(self, suite: CipherSuite) -> Signer:
        """Return the key ready to sign."""
        if self._signer is None:
            self._signer = suite.signer(self.private_key)
        return self._signer

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return opaque(self.private_key) + opaque(self.public_key)

    @staticmethod
    def parse(reader: Reader) -> "OwnSignatureKey":
        """Parse what `encode` wrote."""
        return OwnSignatureKey(reader.opaque(), reader.opaque())


class EpochState(Value, NeverPickled, frozen=True, kw_only=True):
    """A member's state at the start of an epoch; `context_bytes` is the encoding of `context`."""

    suite: CipherSuite
    context: GroupContext
    context_bytes: bytes
    secrets: EpochSecrets
    interim_transcript_hash: bytes
    confirmation_tag: bytes
    members: Members
    private: PrivateTree
    signature_key: OwnSignatureKey
    past_resumption_psks: tuple[tuple[int, bytes], ...] = ()
    """(epoch, resumption PSK) of the epochs before this one, oldest first."""
    reinit: ReInit | None = None
    """Set once a commit has ended the group: nothing more is sent in it (RFC 9420 §11.2)."""

    @property
    def own_leaf_index(self) -> int:
        """This client's leaf."""
        return self.private.leaf_index

    def resumption_psks(self) -> Mapping[tuple[bytes, int], bytes]:
        """Return the resumption PSKs of this epoch and of those before, by group id and epoch."""
        known = (*self.past_resumption_psks, (self.context.epoch, self.secrets.resumption_psk))
        return {(self.context.group_id, epoch): psk for epoch, psk in known}

    def resumption_history(self) -> tuple[tuple[int, bytes], ...]:
        """Return what the next epoch remembers as `past_resumption_psks`."""
        known = (*self.past_resumption_psks, (self.context.epoch, self.secrets.resumption_psk))
        return known[-RESUMPTION_PSKS_KEPT:]

    def encode(self) -> bytes:
        """Encode everything but the members, for storage on this device."""
        past = vector(uint64(epoch) + opaque(psk) for epoch, psk in self.past_resumption_psks)
        return b"".join(
            (
                uint8(_STORAGE_VERSION),
                opaque(self.context_bytes),
                self.secrets.encode(),
                opaque(self.interim_transcript_hash),
                opaque(self.confirmation_tag),
                self.private.encode(),
                self.signature_key.encode(),
                past,
                optional(None if self.reinit is None else self.reinit.encode()),
            )
        )

    @staticmethod
    def parse(
        reader: Reader,
        members_table: bytes,
        load_tree: Callable[[], bytes],
        own_suite: CipherSuite | None = None,
    ) -> "EpochState":
        """Parse what `encode` wrote; `own_suite` stands in for the suite of that number."""
        if reader.uint8() != _STORAGE_VERSION:
            raise Malformed("a stored epoch has an unknown version")
        context_bytes = reader.opaque()
        inner = Reader(context_bytes)
        context = GroupContext.parse(inner)
        inner.finish()
        used = suite(context.cipher_suite) if own_suite is None else own_suite
        return EpochState(
            suite=used,
            context=context,
            context_bytes=context_bytes,
            secrets=EpochSecrets.parse(reader),
            interim_transcript_hash=reader.opaque(),
            confirmation_tag=reader.opaque(),
            members=Members.stored(used, members_table, load_tree),
            private=PrivateTree.parse(reader),
            signature_key=OwnSignatureKey.parse(reader),
            past_resumption_psks=reader.vector(lambda item: (item.uint64(), item.opaque())),
            reinit=reader.optional(_parse_reinit),
        )


def _parse_reinit(reader: Reader) -> ReInit:
    proposal = parse_proposal(reader)
    if not isinstance(proposal, ReInit):
        raise Malformed("a stored group ended by something else than a reinit")
    return proposal
