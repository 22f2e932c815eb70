"""Commits that break a rule of RFC 9420 §§ 12.1, 12.2 or 12.4.2: refused, and the group stays as it was."""

from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, DecryptFailed, Invalid, PeerError
from skvoz.mls import (
    Add,
    Credential,
    Extension,
    ExternalInit,
    Group,
    GroupContextExtensions,
    LeafTemplate,
    Policy,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeyType,
    Proposal,
    ProposalStored,
    ReInit,
    Remove,
    ResumptionUsage,
    SelfRemove,
    StagedCommit,
    Update,
    default_capabilities,
)
from skvoz.mls.commit_creation import CommitWishes, ExternalStart, create_commit, create_own_update
from skvoz.mls.epoch import OwnSignatureKey
from skvoz.mls.framing import AuthenticatedContent, FramedContent, Sender, SenderType, WireFormat
from skvoz.mls.key_schedule import external_init_sender, external_public_key
from skvoz.mls.message import encode_message
from skvoz.mls.nodes import KeyPackage, LeafNode, LeafNodeSource, sign_key_package, sign_leaf
from skvoz.mls.policy import OPEN
from skvoz.mls.proposals import Commit, ProposalRef
from skvoz.mls.public_message import PublicMessage
from skvoz.mls.tree_validation import RequiredCapabilities
from tests.mls.people import (
    LIFETIME,
    NOW_MS,
    SUITE,
    Counter,
    agree,
    bundle,
    commit,
    follow,
    group_of,
    say,
)

RANDOM = Counter("commits")


Kind = type[Exception] | tuple[type[Exception], ...]


def _refused(
    group: Group,
    message: bytes,
    kind: Kind = Invalid,
    text: str | None = None,
) -> None:
    before = group.snapshot()
    with pytest.raises(kind, match=text):
        group.receive(message)
    assert group.snapshot() == before


def _add(name: str = "dave", **changes: object) -> Add:
    return Add(bundle(name, RANDOM, **changes).key_package)  # type: ignore[arg-type] - the keywords vary


def _psk(name: bytes = b"psk", nonce: bytes = bytes(32)) -> PreSharedKey:
    return PreSharedKey(PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=name, nonce=nonce))


def _resumption(usage: ResumptionUsage) -> PreSharedKey:
    return PreSharedKey(PreSharedKeyId.resumption(b"people", 0, SUITE, RANDOM, usage))


REINIT = ReInit(group_id=b"next", version=1, cipher_suite=1)


CAROL = _add("carol 2")


@pytest.mark.parametrize(
    ("proposals", "text"),
    [
        ([Remove(0)], "its own leaf"),
        ([Remove(2), Remove(2)], "twice"),
        ([Remove(7)], "no member"),
        ([CAROL, CAROL], "share a signature key"),
        ([_psk(), _psk()], "pre-shared key twice"),
        ([_psk(nonce=b"short")], "nonce"),
        ([_resumption(ResumptionUsage.REINIT)], "first commit"),
        ([_resumption(ResumptionUsage.BRANCH)], "first commit"),
        ([_psk()], "not known"),
        ([GroupContextExtensions(()), GroupContextExtensions(())], "extensions twice"),
        ([REINIT, CAROL], "beside other"),
        ([replace(REINIT, version=0)], "older version"),
        ([ExternalInit(b"kem")], "not come from this sender"),
        ([SelfRemove()], "not come from this sender"),
        ([], "lacks the path"),
        ([Remove(2)], "lacks the path"),
        ([GroupContextExtensions(())], "lacks the path"),
        ([GroupContextExtensions((Extension(kind=0xF0A3, data=b""),))], "lacks the path"),
    ],
)
def test_a_bad_list_of_proposals_is_refused(proposals: list[Proposal], text: str) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    _refused(bob, say(alice, commit(*proposals)), Invalid, text)


@pytest.mark.parametrize("extension", [Extension(kind=3, data=b"\x01"), Extension(kind=5, data=b"\x02\x01")])
def test_group_extensions_that_do_not_parse_are_refused(extension: Extension) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    _refused(bob, say(alice, commit(GroupContextExtensions((extension,)))), PeerError)
    with pytest.raises(PeerError):
        alice.stage_commit(randomness=RANDOM, proposals=[GroupContextExtensions((extension,))])


def test_an_update_by_value_or_of_the_committer_is_refused() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    leaf, _ = create_own_update(alice.state, RANDOM)
    _refused(bob, say(alice, commit(Update(leaf))), Invalid, "not come from this sender")
    alice, message = alice.propose_update(randomness=RANDOM)
    stored = bob.receive(message)
    assert isinstance(stored, ProposalStored)
    _refused(stored.group, say(alice, commit(ProposalRef(stored.reference))), Invalid, "its own leaf")
    assert alice.stage_commit(randomness=RANDOM).effects.updated == ()


def test_references_must_be_known_and_used_once() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    _refused(bob, say(alice, commit(ProposalRef(bytes(32)))), Invalid, "not known")
    alice, message = alice.propose(_add(), randomness=RANDOM)
    stored = bob.receive(message)
    assert isinstance(stored, ProposalStored)
    twice = ProposalRef(stored.reference)
    _refused(stored.group, say(alice, commit(twice, twice)), Invalid, "twice to one")


def _key_package(suite_number: int | None = None, **changes: object) -> KeyPackage:
    good = bundle("dave", RANDOM)
    own_suite = SUITE if suite_number is None else replace(SUITE, number=suite_number)
    leaf = changes.pop("leaf_node", good.key_package.leaf_node)
    assert isinstance(leaf, LeafNode)
    init_key = changes.pop("init_key", good.key_package.init_key)
    assert isinstance(init_key, bytes)
    made = sign_key_package(own_suite, good.signature_private_key, init_key=init_key, leaf_node=leaf)
    return replace(made, **changes) if changes else made


def _leaf(source: LeafNodeSource = LeafNodeSource.KEY_PACKAGE, **changes: object) -> LeafNode:
    keys = SUITE.generate_signature_key_pair(RANDOM)
    made = {
        "encryption_key": SUITE.generate_key_pair(RANDOM).public_key,
        "signature_key": keys.public_key,
        "credential": Credential.basic(b"dave"),
        "capabilities": default_capabilities(SUITE),
        "source": source,
        "lifetime": LIFETIME if source is LeafNodeSource.KEY_PACKAGE else None,
    } | changes
    return sign_leaf(SUITE, keys.private_key, **made)  # type: ignore[arg-type] - the keywords vary


def _bad_key_packages() -> list[tuple[str, Callable[[], KeyPackage]]]:
    good = bundle("dave", RANDOM).key_package

    def forged() -> KeyPackage:
        encoded = good.encoded[:-64] + bytes(64)
        return replace(good, signature=bytes(64), encoded=encoded)

    return [
        ("another cipher suite", lambda: _key_package(2)),
        ("a signature that does not fit", forged),
        (
            "one key twice",
            lambda: _key_package(leaf_node=good.leaf_node, init_key=good.leaf_node.encryption_key),
        ),
        ("a leaf of an update", lambda: _key_package(leaf_node=_leaf(LeafNodeSource.UPDATE))),
        ("a leaf signed by another", lambda: _key_package(leaf_node=_leaf())),
    ]


@pytest.mark.parametrize(("name", "make"), _bad_key_packages())
def test_a_bad_key_package_is_refused(name: str, make: Callable[[], KeyPackage]) -> None:
    alice, bob = group_of(("alice", "bob"))
    _refused(bob, say(alice, commit(Add(make()))), PeerError)
    _refused(bob, say(alice, Add(make())), PeerError)
    with pytest.raises(PeerError):
        alice.stage_commit(randomness=RANDOM, proposals=[Add(make())])


def test_an_expired_key_package_is_not_added_and_does_not_split_the_group() -> None:
    alice, bob = group_of(("alice", "bob"))
    later = (LIFETIME.not_after + 1) * 1000
    add = _add()
    with pytest.raises(Invalid, match="lifetime"):
        alice.stage_commit(randomness=RANDOM, proposals=[add], now_ms=later)
    with pytest.raises(Invalid, match="lifetime"):
        bob.receive(say(alice, add), now_ms=later)
    stored = bob.receive(say(alice, add), now_ms=NOW_MS)
    assert isinstance(stored, ProposalStored)
    assert stored.group.stage_commit(randomness=RANDOM, now_ms=later).effects.added == ()
    beside = stored.group.receive(say(alice, Remove(0), public=True))
    assert isinstance(beside, ProposalStored)
    effects = beside.group.stage_commit(randomness=RANDOM, now_ms=later).effects
    assert ([gone.leaf_index for gone in effects.removed], effects.added) == ([0], ())
    pending = alice.stage_commit(randomness=RANDOM, proposals=[add], now_ms=NOW_MS)
    assert isinstance(bob.receive(pending.commit, now_ms=later), StagedCommit)


def test_a_client_is_added_once() -> None:
    alice, bob = group_of(("alice", "bob"))
    leaf = bob.state.members.tree.member(1)
    keys = bob.state.signature_key
    again = bundle("bob", RANDOM, keys=SUITE.generate_signature_key_pair(RANDOM))
    assert again.key_package.leaf_node.credential == leaf.credential
    twin_keys = type(SUITE.generate_signature_key_pair(RANDOM))(
        private_key=keys.private_key, public_key=keys.public_key
    )
    twin = bundle("bob", RANDOM, keys=twin_keys)
    _refused(bob, say(alice, commit(Add(twin.key_package))), Invalid, "share a signature key")
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(1), Add(twin.key_package)])
    assert pending.welcome is not None
    agree(Group.join(pending.welcome, twin).group, pending.next)


def test_a_key_of_a_node_is_nobodys_leaf_key() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    alice, bob = pending.next, follow(bob, pending)
    _, parent = next(iter(alice.state.members.tree.parents()))
    keys = SUITE.generate_signature_key_pair(RANDOM)
    leaf = sign_leaf(
        SUITE,
        keys.private_key,
        encryption_key=parent.encryption_key,
        signature_key=keys.public_key,
        credential=Credential.basic(b"dave"),
        capabilities=default_capabilities(SUITE),
        source=LeafNodeSource.KEY_PACKAGE,
        lifetime=LIFETIME,
    )
    init_key = SUITE.generate_key_pair(RANDOM).public_key
    taken = Add(sign_key_package(SUITE, keys.private_key, init_key=init_key, leaf_node=leaf))
    _refused(bob, say(alice, commit(taken)), Invalid, "two nodes share")


def test_members_support_what_the_group_uses() -> None:
    alice, bob = group_of(("alice", "bob"))
    bare = replace(default_capabilities(SUITE), proposals=())
    pending = alice.stage_commit(randomness=RANDOM, proposals=[_add(capabilities=bare)])
    alice, bob = pending.next, follow(bob, pending)
    bob, leave = bob.propose(SelfRemove(), randomness=RANDOM)
    stored = alice.receive(leave)
    assert isinstance(stored, ProposalStored)
    with pytest.raises(Invalid, match="type"):
        stored.group.stage_commit(randomness=RANDOM)
    required = RequiredCapabilities(proposals=(0x000A,)).encode()
    _refused_to_make(alice, GroupContextExtensions((Extension(kind=3, data=required),)))
    _refused_to_make(alice, GroupContextExtensions((Extension(kind=0xF0A3, data=b""),)))
    odd = replace(default_capabilities(SUITE), credentials=(1, 0xF000))
    stranger = _leaf()
    assert stranger.capabilities != odd
    _refused_to_make(alice, _add(capabilities=replace(odd, credentials=(0xF000,))))


def _refused_to_make(group: Group, *proposals: Proposal) -> None:
    with pytest.raises(Invalid):
        group.stage_commit(randomness=RANDOM, proposals=proposals)


def test_an_update_is_checked_when_it_comes() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    current = alice.state.members.tree.member(0)
    fresh, _ = create_own_update(alice.state, RANDOM)
    kept = sign_leaf(
        SUITE,
        alice.state.signature_key.private_key,
        encryption_key=current.encryption_key,
        signature_key=current.signature_key,
        credential=current.credential,
        capabilities=current.capabilities,
        source=LeafNodeSource.UPDATE,
        group_id=alice.group_id,
        leaf_index=0,
    )
    _refused(bob, say(alice, Update(kept)), Invalid, "keeps its encryption key")
    _refused(bob, say(alice, Update(current)), Invalid, "source")
    forged = replace(fresh, signature=bytes(64), encoded=fresh.encoded[:-64] + bytes(64))
    _refused(bob, say(alice, Update(forged)), DecryptFailed)
    _refused(bob, say(alice, Remove(9)), Invalid, "no member")
    _refused(bob, say(alice, ExternalInit(b"")), Invalid, "not come from this sender")


def test_the_policy_judges_credentials_and_replacements() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))

    def refuse(*_: object) -> None:
        raise Invalid("refused by the application")

    strict = Policy(validate_credential=refuse)
    constant = Policy(validate_replacement=refuse)
    added = alice.stage_commit(randomness=RANDOM, proposals=[_add()])
    updated = alice.stage_commit(randomness=RANDOM, path=True)
    _, proposed = alice.propose_update(randomness=RANDOM)
    for message, policy in ((added.commit, strict), (updated.commit, constant), (proposed, constant)):
        with pytest.raises(Invalid, match="refused by the application"):
            bob.receive(message, policy=policy)
    with pytest.raises(Invalid, match="refused by the application"):
        alice.stage_commit(randomness=RANDOM, proposals=[_add()], policy=strict)


def test_a_bad_stored_proposal_never_stops_a_commit() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    bare = replace(default_capabilities(SUITE), proposals=())
    group = bob
    for proposal in (
        _add(capabilities=bare),
        Remove(1),
        Remove(2),
        Remove(2),
        _psk(b"a key that nobody has"),
        REINIT,
    ):
        stored = group.receive(say(alice, proposal, public=True))
        if isinstance(stored, ProposalStored):
            group = stored.group
    carol, leave = carol.propose(SelfRemove(), randomness=RANDOM)
    left = group.receive(leave)
    assert isinstance(left, ProposalStored)
    pending = left.group.stage_commit(randomness=RANDOM, path=True)
    assert [gone.by_itself for gone in pending.effects.removed] == [True]


def _external(alice: Group, by_value: Sequence[Proposal | ProposalRef], *, path: bool = True) -> bytes:
    """Sign an external commit with any proposals; the confirmation tag can't fit."""
    keys = SUITE.generate_signature_key_pair(RANDOM)
    start = ExternalStart(
        init_secret=bytes(32),
        template=LeafTemplate(
            signature_key=keys.public_key,
            credential=Credential.basic(b"joiner"),
            capabilities=default_capabilities(SUITE),
        ),
        signature_key=OwnSignatureKey(keys.private_key, keys.public_key),
    )
    public_key = external_public_key(SUITE, alice.state.secrets.external_secret)
    init = ExternalInit(external_init_sender(SUITE, public_key, RANDOM)[0])
    wishes = CommitWishes(by_value=(init,), policy=OPEN, wire_format=WireFormat.PUBLIC_MESSAGE)
    created = create_commit(alice.state, wishes, RANDOM, external=start)
    body = created.authenticated.content.body
    assert isinstance(body, Commit)
    changed = Commit(
        proposals=tuple(init if isinstance(item, ExternalInit) else item for item in by_value),
        path=body.path if path else None,
    )
    return say(
        alice,
        changed,
        public=True,
        sender=Sender(SenderType.NEW_MEMBER_COMMIT),
        private_key=keys.private_key,
    )


INIT = ExternalInit(b"")


@pytest.mark.parametrize(
    ("proposals", "text"),
    [
        ([], "exactly one external init"),
        ([INIT, INIT], "exactly one external init"),
        ([INIT, Remove(1), Remove(2)], "more than the joiner"),
        ([INIT, CAROL], "that it may not"),
        ([INIT, GroupContextExtensions(())], "that it may not"),
        ([INIT, REINIT], "that it may not"),
        ([INIT, SelfRemove()], "not come from this sender"),
        ([INIT, Remove(9)], "no member"),
    ],
)
def test_a_bad_external_commit_is_refused(proposals: list[Proposal], text: str) -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    _refused(bob, _external(alice, proposals), Invalid, text)


def test_an_external_commit_needs_a_path_a_right_init_and_no_references() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    _refused(bob, _external(alice, [INIT], path=False), Invalid, "no path")
    _refused(bob, _external(alice, [INIT]), DecryptFailed)
    message = say(alice, Remove(2), public=True)
    stored = bob.receive(message)
    assert isinstance(stored, ProposalStored)
    by_reference = [INIT, ProposalRef(stored.reference)]
    _refused(stored.group, _external(alice, by_reference), Invalid, "that it may not")


def test_an_external_commit_takes_along_who_asked_to_leave() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    _, leave = carol.propose(SelfRemove(), randomness=RANDOM, public=True)
    stored = bob.receive(leave)
    assert isinstance(stored, ProposalStored)
    with_leaver = [INIT, ProposalRef(stored.reference)]
    # The tree is that without the leaver's removal, so the path can't fit: the list itself was accepted.
    with pytest.raises(PeerError) as refused:
        stored.group.receive(_external(alice, with_leaver))
    assert "that it may not" not in str(refused.value)


def test_a_committer_is_a_member_of_the_tree() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(2)])
    after = follow(bob, pending)
    ghost = replace(pending.next, state=replace(pending.next.state, private=carol.state.private))
    _refused(after, say(ghost, commit(CAROL), public=True), Invalid, "no member")


def test_nothing_is_said_after_a_reinit() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[REINIT])
    bob, alice = follow(bob, pending), pending.next
    assert bob.reinit == REINIT
    for act in (
        lambda: bob.protect(b"", randomness=RANDOM),
        lambda: bob.propose(Remove(0), randomness=RANDOM),
        lambda: bob.stage_commit(randomness=RANDOM),
    ):
        with pytest.raises(Conflict):
            act()
    _refused(bob, say(alice, commit(CAROL)), Invalid, "after the group's end")


def test_impossible_wishes_are_refused() -> None:
    alice, _ = group_of(("alice", "bob"))
    keys = SUITE.generate_signature_key_pair(RANDOM)
    with pytest.raises(BadRequest):
        alice.stage_commit(randomness=RANDOM, path=False)
    with pytest.raises(BadRequest):
        alice.stage_commit(randomness=RANDOM, signature_key_pair=keys)
    template = LeafTemplate.of(alice.members()[0].leaf_node)
    with pytest.raises(BadRequest, match="needs a path"):
        alice.stage_commit(randomness=RANDOM, proposals=[_add()], path=False, template=template)
    leaf, _ = create_own_update(alice.state, RANDOM)
    with pytest.raises(BadRequest):
        alice.propose(Update(leaf), randomness=RANDOM)
    twin = _add(keys=alice.suite.generate_signature_key_pair(RANDOM))
    for path in (True, False):
        with pytest.raises(Invalid, match="share a signature key"):
            alice.stage_commit(randomness=RANDOM, proposals=[twin, twin], path=path)


def test_a_proposal_is_not_a_commit() -> None:
    alice, bob = group_of(("alice", "bob"))
    content = FramedContent.of(
        group_id=alice.group_id,
        epoch=alice.epoch,
        sender=Sender(SenderType.NEW_MEMBER_COMMIT),
        authenticated_data=b"",
        body=Remove(0),
    )
    message = PublicMessage(
        authenticated=AuthenticatedContent(
            wire_format=WireFormat.PUBLIC_MESSAGE, content=content, signature=b""
        ),
        membership_tag=None,
    )
    _refused(bob, encode_message(message), Invalid, "may not send this")
