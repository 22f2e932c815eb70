"""Small groups whose members' states a test holds, and messages that no honest member would send."""

from collections.abc import Sequence

from msgspec.structs import replace

from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls import (
    Add,
    Capabilities,
    Credential,
    Extensions,
    Group,
    KeyPackageBundle,
    PendingCommit,
    Proposal,
    StagedCommit,
    default_capabilities,
)
from skvoz.mls.framing import AuthenticatedContent, Body, FramedContent, Sender, WireFormat, sign_content
from skvoz.mls.proposals import Commit, ProposalRef
from skvoz.mls.sending import seal_handshake
from skvoz.mls.tree_kem import UpdatePath
from tests.mls.synthetic_tree import LIFETIME, NOW_MS, Counter

__all__ = ["LIFETIME", "NOW_MS", "Counter"]

SUITE = suite(1)
GROUP_ID = b"people"


def bundle(
    name: str,
    randomness: Counter,
    *,
    own_suite: CipherSuite = SUITE,
    keys: KeyPair | None = None,
    capabilities: Capabilities | None = None,
    leaf_extensions: Extensions = (),
) -> KeyPackageBundle:
    """Make a KeyPackage for a name."""
    return KeyPackageBundle.create(
        own_suite,
        Credential.basic(name.encode()),
        keys or own_suite.generate_signature_key_pair(randomness),
        lifetime=LIFETIME,
        randomness=randomness,
        capabilities=capabilities,
        leaf_extensions=leaf_extensions,
    )


def founder(
    name: str,
    randomness: Counter,
    *,
    own_suite: CipherSuite = SUITE,
    extensions: Extensions = (),
    capabilities: Capabilities | None = None,
) -> Group:
    """Start a group of one."""
    return Group.create(
        own_suite,
        GROUP_ID,
        name.encode(),
        own_suite.generate_signature_key_pair(randomness),
        lifetime=LIFETIME,
        randomness=randomness,
        extensions=extensions,
        capabilities=capabilities,
    )


def group_of(
    names: Sequence[str],
    *,
    seed: str = "people",
    own_suite: CipherSuite = SUITE,
    extensions: Extensions = (),
    known_extensions: tuple[int, ...] = (),
) -> list[Group]:
    """Return each member's view of one group, in the order of their leaves."""
    randomness = Counter(seed)
    capabilities = default_capabilities(own_suite, known_extensions)
    first = founder(
        names[0], randomness, own_suite=own_suite, extensions=extensions, capabilities=capabilities
    )
    if len(names) == 1:
        return [first]
    bundles = [bundle(name, randomness, own_suite=own_suite, capabilities=capabilities) for name in names[1:]]
    pending = first.stage_commit(
        randomness=randomness, proposals=[Add(offer.key_package) for offer in bundles]
    )
    assert pending.welcome is not None
    welcome = pending.welcome
    return [pending.next, *(Group.join(welcome, offer).group for offer in bundles)]


def follow(group: Group, pending: PendingCommit) -> Group:
    """Let a member follow somebody's commit."""
    received = group.receive(pending.commit)
    assert isinstance(received, StagedCommit)
    assert received.next is not None
    return received.next


def agree(*groups: Group) -> None:
    """Assert that all members are in the same epoch of the same history."""
    assert len({group.epoch_authenticator for group in groups}) == 1
    assert len({group.tree_hash for group in groups}) == 1
    assert len({group.export("agree", b"", 16) for group in groups}) == 1


def say(
    group: Group,
    body: Body,
    *,
    sender: Sender | None = None,
    private_key: bytes | None = None,
    public: bool = False,
    confirmation_tag: bytes | None = None,
    padding_size: int = 0,
    authenticated_data: bytes = b"",
) -> bytes:
    """Frame, sign and protect anything at all as a member, without any check."""
    wire_format = WireFormat.PUBLIC_MESSAGE if public else WireFormat.PRIVATE_MESSAGE
    content = FramedContent.of(
        group_id=group.group_id,
        epoch=group.epoch,
        sender=sender or Sender.member(group.own_leaf_index),
        authenticated_data=authenticated_data,
        body=body,
    )
    signature = sign_content(
        group.suite,
        private_key or group.state.signature_key.private_key,
        content,
        wire_format=wire_format,
        group_context=group.state.context_bytes,
    )
    if isinstance(body, Commit) and confirmation_tag is None:
        confirmation_tag = bytes(group.suite.hash_size)
    signed = AuthenticatedContent(
        wire_format=wire_format, content=content, signature=signature, confirmation_tag=confirmation_tag
    )
    return protect(group, signed, padding_size=padding_size)


def protect(group: Group, signed: AuthenticatedContent, *, padding_size: int = 0) -> bytes:
    """Protect something signed, whatever it is."""
    _, message = seal_handshake(
        group.state, group.secret_tree, signed, padding_size=padding_size, randomness=Counter("say")
    )
    return message


def commit(*items: Proposal | ProposalRef, path: UpdatePath | None = None) -> Commit:
    """Return a commit of anything."""
    return Commit(proposals=items, path=path)


def with_state(group: Group, **changes: object) -> Group:
    """Return a group that lies about a part of its epoch's state."""
    return replace(group, state=replace(group.state, **changes))
