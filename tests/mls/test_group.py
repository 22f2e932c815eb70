"""Groups that everybody plays fairly in: every suite, every way in and out, and what is stored."""

import pytest

from skvoz.base.errors import Conflict, Invalid, Malformed
from skvoz.codec import Reader, opaque
from skvoz.crypto.suites import SUITES, suite
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Duplicate,
    Extension,
    Future,
    Group,
    GroupContextExtensions,
    KeyPackageBundle,
    LeafTemplate,
    OwnEcho,
    Proposal,
    ProposalStored,
    Remove,
    SelfRemove,
    StagedCommit,
    Stale,
)
from skvoz.mls.framing import ContentType
from skvoz.mls.tree_validation import RequiredCapabilities
from tests.mls.people import Counter, agree, bundle, follow, founder, group_of

RANDOM = Counter("test_group")


def _deliver(sender: Group, receiver: Group, data: bytes) -> tuple[Group, Group]:
    sender, message = sender.protect(data, randomness=RANDOM, authenticated_data=b"aad", padding_size=7)
    received = receiver.receive(message)
    assert isinstance(received, ApplicationMessage)
    assert (received.sender, received.data, received.authenticated_data) == (
        sender.own_leaf_index,
        data,
        b"aad",
    )
    return sender, received.group


@pytest.mark.parametrize("number", sorted(SUITES))
def test_three_people_talk_in_every_suite(number: int) -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"), own_suite=suite(number))
    agree(alice, bob, carol)
    alice, bob = _deliver(alice, bob, b"hello")
    bob, carol = _deliver(bob, carol, b"")
    pending = bob.stage_commit(randomness=RANDOM, path=True)
    alice, bob, carol = follow(alice, pending), pending.next, follow(carol, pending)
    agree(alice, bob, carol)
    pending = carol.stage_commit(randomness=RANDOM, proposals=[Remove(1)])
    left = bob.receive(pending.commit)
    assert isinstance(left, StagedCommit)
    assert left.next is None
    assert [gone.leaf_index for gone in left.effects.removed] == [1]
    alice, carol = follow(alice, pending), pending.next
    agree(alice, carol)
    _deliver(carol, alice, b"just us")


@pytest.mark.parametrize("public", [False, True])
def test_proposals_by_reference_are_committed_by_somebody_else(public: bool) -> None:  # noqa: FBT001 - a parameter
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    old_key = bob.state.private.keys[2]
    bob, update = bob.propose_update(randomness=RANDOM, public=public)
    dave = bundle("dave", RANDOM)
    carol, add = carol.propose(Add(dave.key_package), randomness=RANDOM, public=public)
    views = [alice, bob, carol]
    for message in (update, add):
        for place, view in enumerate(views):
            received = view.receive(message)
            if isinstance(received, ProposalStored):
                views[place] = received.group
            else:
                assert isinstance(received, OwnEcho)
    alice, bob, carol = views
    with pytest.raises(Conflict):
        alice.protect(b"proposals go first", randomness=RANDOM)
    pending = alice.stage_commit(randomness=RANDOM, public=public)
    assert [changed.leaf_index for changed in pending.effects.updated] == [1]
    alice, bob, carol = pending.next, follow(bob, pending), follow(carol, pending)
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, dave)
    assert joined.sender == 0
    assert joined.key_package_ref == dave.reference
    agree(alice, bob, carol, joined.group)
    assert bob.state.private.keys[2] != old_key
    _deliver(bob, joined.group, b"welcome")


def test_a_commit_without_a_path_adds_and_keeps_the_tree_inside_or_apart() -> None:
    alice = founder("alice", RANDOM)
    bob = bundle("bob", RANDOM)
    pending = alice.stage_commit(
        randomness=RANDOM, proposals=[Add(bob.key_package)], path=False, welcome_with_tree=False
    )
    assert pending.effects.path_leaf is None
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, bob, ratchet_tree=pending.next.ratchet_tree())
    agree(pending.next, joined.group)
    with pytest.raises(Invalid, match="without the ratchet tree"):
        Group.join(pending.welcome, bob)


def test_a_staged_commit_changes_nothing_and_can_be_given_up() -> None:
    alice, bob = group_of(("alice", "bob"))
    before = alice.snapshot()
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    assert alice.snapshot() == before
    other = bob.stage_commit(randomness=RANDOM, path=True)
    alice_follows, bob_follows = follow(pending.group, other), other.next
    agree(alice_follows, bob_follows)
    again = pending.group.stage_commit(randomness=RANDOM, path=True)
    assert again.group.secret_tree.leaf(0)[0].handshake.generation == 2


def test_own_messages_come_back_as_echoes_and_a_fork_shows() -> None:
    alice, _ = group_of(("alice", "bob"))
    advanced, message = alice.protect(b"x", randomness=RANDOM)
    assert advanced.receive(message) == OwnEcho(
        content_type=ContentType.APPLICATION, generation=0, unknown=False
    )
    forked = alice.receive(message)
    assert isinstance(forked, OwnEcho)
    assert forked.unknown


def test_other_epochs_are_named_and_replays_are_duplicates() -> None:
    alice, bob = group_of(("alice", "bob"))
    alice, early = alice.protect(b"early", randomness=RANDOM)
    received = bob.receive(early)
    assert isinstance(received, ApplicationMessage)
    assert isinstance(received.group.receive(early), Duplicate)
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    after = follow(bob, pending)
    assert after.receive(early) == Stale(epoch=1)
    _, late = pending.next.protect(b"late", randomness=RANDOM)
    assert bob.receive(late) == Future(epoch=2)


def test_messages_may_come_in_any_order() -> None:
    alice, bob = group_of(("alice", "bob"))
    messages: list[bytes] = []
    for number in range(5):
        alice, message = alice.protect(bytes([number]), randomness=RANDOM)
        messages.append(message)
    for number in (3, 0, 4, 1, 2):
        received = bob.receive(messages[number])
        assert isinstance(received, ApplicationMessage)
        assert received.data == bytes([number])
        bob = received.group
    assert bob.secret_tree.leaf(0)[0].application.skipped == ()


def test_an_external_joiner_comes_in_and_comes_back() -> None:
    alice, bob = group_of(("alice", "bob"))
    keys = alice.suite.generate_signature_key_pair(RANDOM)
    joined = Group.external_join(alice.suite, alice.group_info(), b"carol", keys, randomness=RANDOM)
    received = bob.receive(joined.commit)
    assert isinstance(received, StagedCommit)
    assert received.sender == 2
    assert received.effects.external_join
    assert received.next is not None
    followed = alice.receive(joined.commit)
    assert isinstance(followed, StagedCommit)
    assert followed.next is not None
    agree(received.next, followed.next, joined.group)
    assert joined.group.own_leaf_index == 2
    back = Group.external_join(
        alice.suite,
        followed.next.group_info(with_tree=False),
        b"carol",
        keys,
        randomness=RANDOM,
        proposals=[Remove(2)],
        ratchet_tree=followed.next.ratchet_tree(),
    )
    again = received.next.receive(back.commit)
    assert isinstance(again, StagedCommit)
    assert again.next is not None
    agree(again.next, back.group)
    _deliver(back.group, again.next, b"back again")


def test_who_asks_to_leave_is_removed_by_the_next_commit() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    carol, leave = carol.propose(SelfRemove(), randomness=RANDOM)
    with pytest.raises(Conflict):
        carol.stage_commit(randomness=RANDOM)
    asked = [view.receive(leave) for view in (alice, bob)]
    assert isinstance(asked[0], ProposalStored)
    assert isinstance(asked[1], ProposalStored)
    pending = asked[0].group.stage_commit(randomness=RANDOM, include_stored=False)
    assert [(gone.leaf_index, gone.by_itself) for gone in pending.effects.removed] == [(2, True)]
    agree(pending.next, follow(asked[1].group, pending))
    gone = carol.receive(pending.commit)
    assert isinstance(gone, StagedCommit)
    assert gone.next is None
    unaware = alice.stage_commit(randomness=RANDOM, path=True)
    noticed = asked[1].group.receive(unaware.commit)
    assert isinstance(noticed, StagedCommit)
    assert noticed.effects.omitted_self_removes == (2,)


def test_new_signature_keys_and_extensions_take_effect() -> None:
    kind = 0xF0A3
    alice, bob = group_of(("alice", "bob"), known_extensions=(kind,))
    keys = alice.suite.generate_signature_key_pair(RANDOM)
    leaf = alice.state.members.tree.member(0)
    template = LeafTemplate(
        signature_key=keys.public_key, credential=leaf.credential, capabilities=leaf.capabilities
    )
    extensions = (Extension(kind=kind, data=b"title"),)
    pending = alice.stage_commit(
        randomness=RANDOM,
        template=template,
        signature_key_pair=keys,
        proposals=[GroupContextExtensions(extensions)],
    )
    received = bob.receive(pending.commit)
    assert isinstance(received, StagedCommit)
    assert received.effects.extensions == extensions
    assert received.effects.path_leaf is not None
    assert received.effects.path_leaf.new.signature_key == keys.public_key
    assert received.next is not None
    assert received.next.context.extension(kind) == b"title"
    _deliver(pending.next, received.next, b"signed anew")


def test_required_capabilities_hold_for_everybody() -> None:
    required = RequiredCapabilities(proposals=(0x000A,)).encode()
    alice, bob = group_of(("alice", "bob"), extensions=(Extension(kind=3, data=required),))
    agree(alice, bob)


def test_a_stored_group_reads_and_writes_without_its_tree() -> None:
    alice, bob = group_of(("alice", "bob"))
    parts = bob.snapshot()
    assert parts.tree is not None
    assert parts.members is not None
    assert parts.epoch is not None
    assert parts.secrets is not None
    tree = parts.tree
    loads: list[int] = []

    def load_tree() -> bytes:
        loads.append(1)
        return tree

    restored = Group.restore(
        members=parts.members,
        epoch=parts.epoch,
        secrets=parts.secrets,
        ratchets=parts.ratchets,
        load_tree=load_tree,
    )
    alice, restored_after = _deliver(alice, restored, b"one")
    changed = restored_after.snapshot(since=restored)
    assert (changed.tree, changed.members, changed.epoch) == (None, None, None)
    assert changed.secrets is not None
    assert set(changed.ratchets) == {0}
    assert not changed.epoch_changed
    alice, more = _deliver(alice, restored_after, b"two")
    changed = more.snapshot(since=restored_after)
    assert changed.secrets is None
    assert set(changed.ratchets) == {0}
    spoken, message = more.protect(b"three", randomness=RANDOM)
    assert set(spoken.snapshot(since=more).ratchets) == {1}
    assert isinstance(alice.receive(message), ApplicationMessage)
    assert spoken.credential(0).content == b"alice"
    assert spoken.snapshot(since=None).members == parts.members
    assert loads == [1]  # by the whole snapshot only
    pending = spoken.stage_commit(randomness=RANDOM, path=True)
    agree(follow(alice, pending), pending.next)
    assert pending.next.snapshot(since=spoken).epoch_changed
    with pytest.raises(Invalid):
        restored.credential(2)


def test_stored_proposals_and_own_updates_outlive_a_restart() -> None:
    alice, bob = group_of(("alice", "bob"))
    bob, update = bob.propose_update(randomness=RANDOM)
    parts = bob.snapshot()
    tree, members, epoch, secrets = parts.tree, parts.members, parts.epoch, parts.secrets
    assert tree is not None
    assert members is not None
    assert epoch is not None
    assert secrets is not None
    restored = Group.restore(
        members=members, epoch=epoch, secrets=secrets, ratchets=parts.ratchets, load_tree=lambda: tree
    )
    stored = alice.receive(update)
    assert isinstance(stored, ProposalStored)
    pending = stored.group.stage_commit(randomness=RANDOM)
    agree(pending.next, follow(restored, pending))


def test_what_is_stored_ends_where_it_says() -> None:
    _, bob = group_of(("alice", "bob"))
    parts = bob.snapshot()
    assert parts.epoch is not None
    reader = Reader(parts.epoch[1:])
    state, rest = reader.opaque(), parts.epoch[1 + reader.position :]
    context = Reader(state[1:])
    content, secrets = context.opaque(), state[1 + context.position :]
    longer = state[:1] + opaque(content + b"\x00") + secrets
    for changed in (state + b"\x00", longer):
        with pytest.raises(Malformed):
            Group.restore(
                members=parts.members or b"",
                epoch=parts.epoch[:1] + opaque(changed) + rest,
                secrets=parts.secrets or b"",
                ratchets=parts.ratchets,
                load_tree=lambda: parts.tree or b"",
            )


def test_a_stored_key_package_ends_where_it_says() -> None:
    offer = bundle("dave", RANDOM)
    assert KeyPackageBundle.parse(offer.encode()) == offer
    package = offer.key_package.encoded
    longer = offer.encode().replace(opaque(package), opaque(package + b"\x00"), 1)
    with pytest.raises(Malformed):
        KeyPackageBundle.parse(longer)


def test_a_big_group_shrinks_and_grows() -> None:
    names = [f"member {number}" for number in range(9)]
    groups = group_of(names)
    agree(*groups)
    first = groups[0]
    pending = first.stage_commit(randomness=RANDOM, proposals=[Remove(8), Remove(3)])
    rest = [follow(groups[place], pending) for place in (1, 5, 7)]
    agree(pending.next, *rest)
    newcomer = bundle("newcomer", RANDOM)
    pending = rest[0].stage_commit(randomness=RANDOM, proposals=[Add(newcomer.key_package)], path=True)
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, newcomer).group
    assert joined.own_leaf_index == 3
    agree(joined, pending.next, follow(rest[1], pending))


def test_secrets_stay_out_of_texts() -> None:
    alice, _ = group_of(("alice", "bob"))
    shown = repr(alice) + repr(alice.snapshot())
    for secret in (alice.state.secrets.init_secret, alice.state.signature_key.private_key):
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown


def _propose(groups: list[Group], who: int, proposal: Proposal | None) -> None:
    """Let everybody have a proposal; None: an update."""
    if proposal is None:
        groups[who], message = groups[who].propose_update(randomness=RANDOM)
    else:
        groups[who], message = groups[who].propose(proposal, randomness=RANDOM)
    for place, group in enumerate(groups):
        received = group.receive(message)
        if isinstance(received, ProposalStored):
            groups[place] = received.group


def test_a_committer_takes_up_all_stored_proposals_that_fit_together() -> None:
    groups = group_of(("alice", "bob", "carol", "dave"))
    offers = [Add(bundle(name, RANDOM).key_package) for name in ("erin", "frank")]
    said: list[tuple[int, Proposal | None]] = [
        (0, None),  # the committer's own: its path does that
        (1, None),
        (1, None),
        (2, Remove(3)),
        (1, Remove(3)),
        (2, offers[0]),
        (2, offers[1]),
        (1, offers[0]),
    ]
    for who, proposal in said:
        _propose(groups, who, proposal)
    pending = groups[0].stage_commit(randomness=RANDOM)
    effects = pending.effects
    assert [changed.leaf_index for changed in effects.updated] == [1]
    assert [gone.leaf_index for gone in effects.removed] == [3]
    assert len(effects.added) == 2
    agree(pending.next, *(follow(group, pending) for group in groups[1:3]))
