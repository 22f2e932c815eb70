"""Commits that are right in everything but one rule: path, transcript and tag fit, and the receiver notices.

The committer here checks nothing, so that nothing but the receiver's own check can refuse.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Invalid, Malformed, PeerError
from skvoz.crypto.ports import KeyPair
from skvoz.mls import (
    Add,
    Credential,
    Extension,
    ExternalInit,
    ExternalSender,
    Group,
    GroupContextExtensions,
    KeyPackage,
    LeafTemplate,
    PendingCommit,
    Policy,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeys,
    Proposal,
    ProposalStored,
    ReInit,
    Remove,
    RequiredCapabilities,
    ResumptionUsage,
    SelfRemove,
    StagedCommit,
    Update,
    commit_creation,
    default_capabilities,
    encode_external_senders,
    proposal_list,
)
from skvoz.mls.commit_creation import create_own_update
from skvoz.mls.framing import Sender, SenderType
from skvoz.mls.nodes import LeafNode, LeafNodeSource, sign_key_package, sign_leaf
from skvoz.mls.proposals import ProposalRef
from tests.mls.people import LIFETIME, SUITE, Counter, agree, bundle, commit, follow, group_of, say

RANDOM = Counter("careless")
UNKNOWN = 0xF0F0


def unchecked(*_: object, **__: object) -> None:
    """Accept."""


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let committers check nothing; receivers look their checks up elsewhere."""
    for check in ("check_members", "check_proposal"):
        monkeypatch.setattr(commit_creation, check, unchecked)


def key_package(
    *, signature: KeyPair | None = None, encryption_key: bytes | None = None, **changes: object
) -> KeyPackage:
    """Make a KeyPackage that is sound by itself."""
    keys = signature or SUITE.generate_signature_key_pair(RANDOM)
    fields = {
        "credential": Credential.basic(b"dave"),
        "capabilities": default_capabilities(SUITE),
        "source": LeafNodeSource.KEY_PACKAGE,
        "lifetime": LIFETIME,
    } | changes
    leaf = sign_leaf(
        SUITE,
        keys.private_key,
        encryption_key=encryption_key or SUITE.generate_key_pair(RANDOM).public_key,
        signature_key=keys.public_key,
        **fields,  # type: ignore[arg-type] - the keywords vary
    )
    init_key = SUITE.generate_key_pair(RANDOM).public_key
    return sign_key_package(SUITE, keys.private_key, init_key=init_key, leaf_node=leaf)


def required(**lists: tuple[int, ...]) -> GroupContextExtensions:
    return GroupContextExtensions((Extension(kind=3, data=RequiredCapabilities(**lists).encode()),))


def refused(group: Group, message: bytes, text: str, kind: type[PeerError] = Invalid) -> None:
    """Assert that a message is refused, that nothing has changed, and that the group goes on."""
    before = group.snapshot()
    with pytest.raises(kind, match=text):
        group.receive(message)
    assert group.snapshot() == before


def signature_of(group: Group) -> KeyPair:
    key = group.state.signature_key
    return KeyPair(private_key=key.private_key, public_key=key.public_key)


Making = Callable[[Group, Group], list[Proposal]]
CASES: tuple[tuple[str, Making, str], ...] = (
    (
        "somebody is in the group already",
        lambda _, bob: [Add(key_package(signature=signature_of(bob)))],
        "share a signature key",
    ),
    (
        "a member's encryption key again",
        lambda _, bob: [Add(key_package(encryption_key=bob.members()[1].leaf_node.encryption_key))],
        "two nodes share",
    ),
    (
        "a parent's encryption key again",
        lambda _, bob: [Add(key_package(encryption_key=bob.state.members.tree.encryption_key(5) or b""))],
        "two nodes share",
    ),
    (
        "a credential type that the others don't know",
        lambda _, __: [
            Add(
                key_package(
                    credential=Credential(kind=UNKNOWN, content=b""),
                    capabilities=replace(default_capabilities(SUITE), credentials=(1, UNKNOWN)),
                )
            )
        ],
        "credential type in use",
    ),
    (
        "a newcomer who does not know the others' credential type",
        lambda _, __: [
            Add(
                key_package(
                    credential=Credential(kind=UNKNOWN, content=b""),
                    capabilities=replace(default_capabilities(SUITE), credentials=(UNKNOWN,)),
                )
            )
        ],
        "credential type in use",
    ),
    ("an extension that nobody knows", lambda _, __: [required(extensions=(UNKNOWN,))], "extension that"),
    (
        "a proposal type of nobody's",
        lambda _, __: [required(proposals=(UNKNOWN,))],
        "proposal type that",
    ),
    (
        "a credential type that nobody needs to know",
        lambda _, __: [required(credentials=(UNKNOWN,))],
        "credential type that",
    ),
    (
        "an extension in the group that nobody knows",
        lambda _, __: [GroupContextExtensions((Extension(kind=UNKNOWN, data=b""),))],
        "extension that",
    ),
    (
        "a newcomer who lacks what the same commit begins to require",
        lambda _, __: [
            Add(key_package(capabilities=replace(default_capabilities(SUITE), proposals=()))),
            required(proposals=(0x000A,)),
        ],
        "proposal type that",
    ),
)


@pytest.mark.parametrize("path", [True, False], ids=["with a path", "without"])
@pytest.mark.parametrize(("make", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_members_must_suit_each_other_after_a_commit(
    make: Making,
    text: str,
    path: bool,  # noqa: FBT001 - a parameter
    careless: None,
) -> None:
    alice, bob, carol, _ = group_of(("alice", "bob", "carol", "dave"))
    updated = carol.stage_commit(randomness=RANDOM, path=True)
    alice, bob, carol = follow(alice, updated), follow(bob, updated), updated.next
    proposals = make(alice, bob)
    needs_path = any(isinstance(proposal, GroupContextExtensions) for proposal in proposals)
    pending = alice.stage_commit(randomness=RANDOM, proposals=proposals, path=path or needs_path)
    refused(bob, pending.commit, text)
    honest = alice.stage_commit(randomness=RANDOM, path=True)
    agree(honest.next, follow(bob, honest), follow(carol, honest))


def test_a_path_leaf_must_suit_the_members_too(careless: None) -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    old = alice.members()[0].leaf_node
    taken = LeafTemplate(
        signature_key=signature_of(carol).public_key, credential=old.credential, capabilities=old.capabilities
    )
    pending = alice.stage_commit(randomness=RANDOM, template=taken, signature_key_pair=signature_of(carol))
    refused(bob, pending.commit, "share a signature key")
    foreign = replace(
        LeafTemplate.of(old),
        credential=Credential(kind=UNKNOWN, content=b""),
        capabilities=replace(old.capabilities, credentials=(1, UNKNOWN)),
    )
    refused(bob, alice.stage_commit(randomness=RANDOM, template=foreign).commit, "credential type in use")


def _changed_at_its_end(package: KeyPackage) -> KeyPackage:
    return replace(package, encoded=package.encoded[:-1] + bytes((package.encoded[-1] ^ 1,)))


def _psk(usage: ResumptionUsage) -> PreSharedKey:
    return PreSharedKey(PreSharedKeyId.resumption(b"people", 1, SUITE, RANDOM, usage))


@pytest.mark.parametrize(
    ("proposal", "text"),
    [
        (_psk(ResumptionUsage.REINIT), "first commit"),
        (_psk(ResumptionUsage.BRANCH), "first commit"),
        (ReInit(group_id=b"next", version=0, cipher_suite=1), "older version"),
        (Add(_changed_at_its_end(key_package())), "decryption failed"),
        (ExternalInit(bytes(32)), "not come from this sender"),
    ],
)
def test_a_proposal_by_value_is_checked_by_itself(proposal: Proposal, text: str, careless: None) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[proposal], path=True)
    refused(bob, pending.commit, text, PeerError)


def test_a_reinit_stands_alone_and_keys_and_extensions_come_once(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    known = PreSharedKeys(external={b"door": b"key"})
    psk = PreSharedKey(PreSharedKeyId.external(b"door", SUITE, RANDOM))
    reinit = ReInit(group_id=b"next", version=1, cipher_suite=1)
    nothing = GroupContextExtensions(())
    check = proposal_list._check_list
    for proposals, text in (
        ([reinit, psk], "beside other"),
        ([psk, psk], "pre-shared key twice"),
        ([nothing, nothing], "extensions twice"),
    ):
        monkeypatch.setattr(proposal_list, "_check_list", unchecked)
        pending = alice.stage_commit(randomness=RANDOM, proposals=proposals, psks=known, path=True)
        assert isinstance(bob.receive(pending.commit, psks=known), StagedCommit)
        monkeypatch.setattr(proposal_list, "_check_list", check)
        with pytest.raises(Invalid, match=text):
            bob.receive(pending.commit, psks=known)


def test_who_is_added_or_removed_need_not_know_a_proposals_type() -> None:
    bare = replace(default_capabilities(SUITE), proposals=())
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    newcomer = bundle("dave", RANDOM, capabilities=bare)
    carol, leave = carol.propose(SelfRemove(), randomness=RANDOM)
    asked, seen = (_stored(group, leave) for group in (alice, bob))
    pending = asked.stage_commit(randomness=RANDOM, proposals=[Add(newcomer.key_package)])
    assert pending.welcome is not None
    alice, bob, dave = pending.next, follow(seen, pending), Group.join(pending.welcome, newcomer).group
    agree(alice, bob, dave)
    bob, leave = bob.propose(SelfRemove(), randomness=RANDOM)
    asked = _stored(alice, leave)
    with pytest.raises(Invalid, match="does not support a proposal's type"):
        asked.stage_commit(randomness=RANDOM)
    pending = asked.stage_commit(randomness=RANDOM, proposals=[Remove(dave.own_leaf_index)])
    assert {gone.leaf_index for gone in pending.effects.removed} == {1, 2}


def _stored(group: Group, message: bytes) -> Group:
    received = group.receive(message)
    assert isinstance(received, ProposalStored)
    return received.group


def test_a_type_that_somebody_does_not_know_is_refused_by_receivers(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    bare = bundle("dave", RANDOM, capabilities=replace(default_capabilities(SUITE), proposals=()))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Add(bare.key_package)])
    alice, bob, carol = pending.next, follow(bob, pending), follow(carol, pending)
    carol, leave = carol.propose(SelfRemove(), randomness=RANDOM)
    asked, seen = _stored(alice, leave), _stored(bob, leave)
    check = proposal_list._check_support
    monkeypatch.setattr(proposal_list, "_check_support", unchecked)
    pending = asked.stage_commit(randomness=RANDOM)
    monkeypatch.setattr(proposal_list, "_check_support", check)
    refused(seen, pending.commit, "does not support a proposal's type")


def test_an_update_has_a_key_that_can_be_encrypted_to_and_an_accepted_credential() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    leaf, _ = create_own_update(alice.state, RANDOM)

    def signed(encryption_key: bytes) -> LeafNode:
        return sign_leaf(
            SUITE,
            alice.state.signature_key.private_key,
            encryption_key=encryption_key,
            signature_key=leaf.signature_key,
            credential=leaf.credential,
            capabilities=leaf.capabilities,
            source=LeafNodeSource.UPDATE,
            group_id=alice.group_id,
            leaf_index=0,
        )

    for key, text in ((bytes(32), "low order"), (b"short", "wrong size")):
        refused(bob, say(alice, Update(signed(key))), text, Malformed)

    def refuse(credential: Credential, _: bytes) -> None:
        raise Invalid("refused by the application") from None

    for message in (
        say(alice, Update(leaf)),
        alice.stage_commit(randomness=RANDOM, path=True).commit,
    ):
        with pytest.raises(Invalid, match="refused by the application"):
            bob.receive(message, policy=Policy(validate_credential=refuse))


def test_a_committed_update_of_ones_own_needs_its_private_key() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    bob, message = bob.propose_update(randomness=RANDOM)
    pending = _stored(alice, message).stage_commit(randomness=RANDOM)
    refused(replace(bob, own_updates=()), pending.commit, "does not know")
    agree(pending.next, follow(bob, pending))


def test_an_external_sender_does_not_commit() -> None:
    keys = SUITE.generate_signature_key_pair(RANDOM)
    listed = encode_external_senders((ExternalSender(keys.public_key, Credential.basic(b"server")),))
    alice, bob = group_of(("alice", "bob"), extensions=(Extension(kind=5, data=listed),))
    outside = Sender(SenderType.EXTERNAL, 0)
    for body in (commit(ExternalInit(b"")), b"data"):
        message = say(alice, body, public=True, sender=outside, private_key=keys.private_key)
        refused(bob, message, "may not send this|unencrypted")


def test_what_a_member_proposes_is_checked_before_it_is_sent() -> None:
    alice, _ = group_of(("alice", "bob"))
    later = (LIFETIME.not_after + 1) * 1000
    odd = GroupContextExtensions((Extension(kind=3, data=b"\x01"),))
    for proposal, now_ms, kind in (
        (Remove(9), None, Invalid),
        (ExternalInit(b""), None, Invalid),
        (_psk(ResumptionUsage.BRANCH), None, Invalid),
        (Add(key_package()), later, Invalid),
        (odd, None, Malformed),
    ):
        with pytest.raises(kind):
            alice.propose(proposal, randomness=RANDOM, now_ms=now_ms)


def test_a_proposal_of_extensions_that_do_not_parse_is_refused_at_once() -> None:
    alice, bob = group_of(("alice", "bob"))
    for kind in (3, 5):
        odd = GroupContextExtensions((Extension(kind=kind, data=b"\x01"),))
        refused(bob, say(alice, odd), "too early|left over", Malformed)


def test_a_commit_refers_to_nothing_of_another_epoch() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    said = say(carol, Remove(1), public=True)
    stored = alice.receive(said)
    assert isinstance(stored, ProposalStored)
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    alice, bob = pending.next, follow(bob, pending)
    refused(bob, say(alice, commit(ProposalRef(stored.reference))), "not known")


def test_data_may_be_sent_despite_proposals_where_the_application_says_so() -> None:
    alice, bob = group_of(("alice", "bob"))
    waiting = _stored(alice, say(bob, Remove(0), public=True))
    _, message = waiting.protect(b"data", randomness=RANDOM, despite_proposals=True)
    assert type(bob.receive(message)).__name__ == "ApplicationMessage"


def test_a_pending_commit_is_what_its_receivers_follow(careless: None) -> None:
    """The careless committer of these tests is right in everything else."""
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    pending: PendingCommit = alice.stage_commit(randomness=RANDOM, proposals=[Add(key_package())], path=True)
    agree(pending.next, follow(bob, pending), follow(carol, pending))
