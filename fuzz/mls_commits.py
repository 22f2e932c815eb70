"""Fuzz a member with what a malicious member frames, signs and seals: anything at all inside of MLS.

Leaves and KeyPackages in it are signed again after they were changed, so that checks behind the signatures
are reached; what the malicious member may say is not decided here, only that nothing but a `PeerError`
escapes, and that a member is where it was after what it refused.
"""

from functools import cache
from random import Random
from typing import Final

from msgspec.structs import replace

from fuzz.target import Script, Target, changed, scripts
from skvoz.codec import Reader, opaque
from skvoz.mls import (
    OPEN,
    Add,
    Extension,
    ExternalInit,
    GroupContextExtensions,
    KeyPackage,
    LeafNode,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeyType,
    Proposal,
    ReInit,
    Remove,
    SelfRemove,
    StagedCommit,
    Update,
)
from skvoz.mls.commit_creation import CommitWishes, create_commit, create_own_update
from skvoz.mls.framing import Sender, SenderType
from skvoz.mls.proposals import Commit, ProposalRef, parse_proposal
from skvoz.mls.tree_kem import UpdatePath
from tests.mls.people import SUITE, bundle, group_of, say
from tests.mls.synthetic_tree import Counter

_RANDOM: Final = Counter("fuzz commits")


def signed_leaf(leaf: LeafNode, private_key: bytes, group_id: bytes, leaf_index: int) -> LeafNode:
    """Sign a leaf's bytes anew, whatever is in them."""
    content = leaf.encoded[: -len(opaque(leaf.signature))]
    signature = SUITE.sign_with_label(private_key, "LeafNodeTBS", leaf.signed_content(group_id, leaf_index))
    return replace(leaf, signature=signature, encoded=content + opaque(signature))


class Malicious:
    """A member of a group of four who says anything, and another one who hears it."""

    def __init__(self) -> None:
        self.sender, self.member, *_ = group_of(("a", "b", "c", "d"))
        self.before = self.member.snapshot()
        self.offer = bundle("e", _RANDOM)
        self.sender_key = self.sender.state.signature_key.private_key
        self.proposals = [proposal.encode() for proposal in self._proposals()]
        self.paths = [self._path(()), self._path((Remove(2),)), self._path((Add(self.offer.key_package),))]
        self.chance: Random = Random(0)

    def _proposals(self) -> list[Proposal]:
        identity = PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=b"psk", nonce=bytes(32))
        own_update, _ = create_own_update(self.sender.state, _RANDOM)
        return [
            Add(self.offer.key_package),
            Update(own_update),
            Remove(2),
            SelfRemove(),
            PreSharedKey(identity),
            ReInit(group_id=b"next", version=1, cipher_suite=1),
            ExternalInit(bytes(32)),
            GroupContextExtensions(()),
            GroupContextExtensions((Extension(kind=3, data=b"\x00\x00\x02\x00\x01"),)),
        ]

    def _path(self, by_value: tuple[Proposal, ...]) -> bytes:
        wishes = CommitWishes(by_value=by_value, path=True, policy=OPEN)
        body = create_commit(self.sender.state, wishes, _RANDOM).authenticated.content.body
        if not isinstance(body, Commit) or body.path is None:
            raise AssertionError("a commit has no path")
        return body.path.encode()

    def _maybe_changed(self, data: bytes) -> bytes:
        return data if self.chance.randrange(3) == 0 else changed(self.chance, data)

    def proposal(self) -> Proposal:
        """Return some proposal; a KeyPackage or leaf in it is signed by who it says it is."""
        chance = self.chance
        found = parse_proposal(Reader(self._maybe_changed(chance.choice(self.proposals))))
        group_id = self.sender.group_id
        match found:
            case Add(key_package=package) if chance.randrange(4):
                leaf = signed_leaf(package.leaf_node, self.offer.signature_private_key, b"", 0)
                return Add(self._signed_package(package, leaf))
            case Update(leaf_node=leaf) if chance.randrange(4):
                return Update(signed_leaf(leaf, self.sender_key, group_id, 0))
            case _:
                return found

    def _signed_package(self, package: KeyPackage, leaf: LeafNode) -> KeyPackage:
        content = package.encoded[: -len(opaque(package.signature))]
        content = content.replace(package.leaf_node.encoded, leaf.encoded, 1)
        signature = SUITE.sign_with_label(self.offer.signature_private_key, "KeyPackageTBS", content)
        return KeyPackage.parse(Reader(content + opaque(signature)))

    def path(self) -> UpdatePath | None:
        """Return no path, or one whose leaf is signed anew."""
        if self.chance.randrange(3) == 0:
            return None
        path = UpdatePath.parse(Reader(self._maybe_changed(self.chance.choice(self.paths))))
        if self.chance.randrange(4) == 0:
            return path
        return replace(path, leaf_node=signed_leaf(path.leaf_node, self.sender_key, self.sender.group_id, 0))

    def _sender(self) -> Sender:
        kind = self.chance.choice((SenderType.MEMBER, SenderType.MEMBER, *SenderType))
        if kind in {SenderType.NEW_MEMBER_PROPOSAL, SenderType.NEW_MEMBER_COMMIT}:
            return Sender(kind)
        return Sender(kind, self.chance.choice((0, 0, 0, 1, 2, 9, 2**32 - 1)))

    def message(self) -> bytes:
        """Return something framed, signed and protected."""
        chance = self.chance
        public = chance.randrange(4) == 0
        sender = self._sender() if public else None
        data = chance.randbytes(chance.randrange(9))
        match chance.randrange(4):
            case 0:
                body = chance.randbytes(chance.randrange(40))
            case 1:
                body = self.proposal()
            case _:
                items = [self.proposal() for _ in range(chance.randrange(4))]
                references = [ProposalRef(chance.randbytes(32)) for _ in range(chance.randrange(8) // 7)]
                body = Commit(proposals=(*items, *references), path=self.path())
        return say(self.sender, body, sender=sender, public=public, authenticated_data=data)

    def run(self, data: bytes) -> None:
        """Let the other member receive something."""
        self.chance = Script(data)
        received = self.member.receive(self.message())
        if isinstance(received, StagedCommit):
            raise AssertionError("a commit without the right confirmation tag was taken")

    def check(self) -> None:
        """Raise unless the member is where it was."""
        if self.member.snapshot() != self.before:
            raise AssertionError("a message changed a member in place")


@cache
def _malicious() -> Malicious:
    return Malicious()


def make() -> Target:
    """Return the target."""
    subject = _malicious()
    return Target(run=subject.run, seeds=scripts(200), check=subject.check)
