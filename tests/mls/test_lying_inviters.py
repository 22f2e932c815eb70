"""Welcomes of members who sign and seal a group that breaks one rule (RFC 9420 §§ 7.9.2, 11, 12.4.3.1).

Signature, tree hash and encryption are right, so that nothing but the rule itself can refuse.
"""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, Malformed, PeerError
from skvoz.codec import opaque
from skvoz.crypto.suites import suite
from skvoz.mls import (
    Add,
    Credential,
    Extension,
    Group,
    KeyPackageBundle,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeys,
    ReInit,
    ResumptionUsage,
    parse_welcome,
    reinitialise,
)
from skvoz.mls.commit_creation import create_group_info
from skvoz.mls.epoch import EpochState
from skvoz.mls.key_schedule import (
    confirmation_tag,
    derive_epoch,
    derive_welcome_secret,
    welcome_key_and_nonce,
)
from skvoz.mls.members import Members
from skvoz.mls.message import encode_message
from skvoz.mls.nodes import ExtensionType, LeafNodeSource, ParentNode, sign_leaf
from skvoz.mls.pre_shared_keys import psk_secret
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_validation import RequiredCapabilities
from skvoz.mls.welcome import Joiner, seal_welcome
from tests.mls.people import LIFETIME, SUITE, Counter, agree, bundle, follow, group_of, with_state

RANDOM = Counter("lying inviters")
JOINER_SECRET = bytes(32)


def changed_tree(tree: RatchetTree, node: int, parent: ParentNode) -> RatchetTree:
    changed = tree._copy()
    changed._set_parent(node >> 1, parent)
    return RatchetTree.parse(SUITE, changed.encode())  # without the hashes that it remembers


def lie(
    state: EpochState,
    bob: KeyPackageBundle,
    *,
    psks: tuple[PreSharedKeyId, ...] = (),
    known: PreSharedKeys | None = None,
    path_secret: bytes | None = None,
) -> bytes:
    """Describe and seal whatever `state` says, with every hash, tag and signature right."""
    used = state.suite
    context = replace(state.context, tree_hash=state.members.tree.root_hash())
    mixed = psk_secret(used, [(psk, (known or PreSharedKeys()).find(psk)) for psk in psks])
    schedule = derive_epoch(used, JOINER_SECRET, mixed, context.encode())
    tag = confirmation_tag(used, schedule.confirmation_key, context.confirmed_transcript_hash)
    info = create_group_info(replace(state, context=context, confirmation_tag=tag), with_tree=True)
    joiner = Joiner(key_package=bob.key_package, path_secret=path_secret)
    return encode_message(seal_welcome(used, schedule, info, [joiner], psks=psks, randomness=RANDOM))


class Party:
    """Alice has added Bob to a group of five in which others have committed."""

    def __init__(self) -> None:
        self.bob = bundle("bob", RANDOM)
        groups = group_of(("alice", "carol", "dave", "erin"))
        for place in (1, 3):
            pending = groups[place].stage_commit(randomness=RANDOM, path=True)
            groups = [
                pending.next if number == place else follow(group, pending)
                for number, group in enumerate(groups)
            ]
        pending = groups[0].stage_commit(randomness=RANDOM, proposals=[Add(self.bob.key_package)], path=False)
        self.alice = pending.next

    def welcome(self, tree: RatchetTree) -> bytes:
        return lie(replace(self.alice.state, members=Members.of(tree)), self.bob)


@pytest.fixture
def party() -> Party:
    return Party()


def test_the_inviter_of_these_tests_is_right_in_everything_else(party: Party) -> None:
    joined = Group.join(party.welcome(party.alice.state.members.tree), party.bob).group
    assert joined.own_leaf_index == 4
    assert [parent for _, parent in party.alice.state.members.tree.parents()]


def _parent_hash(tree: RatchetTree) -> RatchetTree:
    parent = tree.parent(1)
    assert parent is not None
    return changed_tree(tree, 1, ParentNode.of(parent.encryption_key, b"\x01" * 32, parent.unmerged_leaves))


def _from_nowhere(tree: RatchetTree) -> RatchetTree:
    return changed_tree(tree, 7, ParentNode.of(SUITE.derive_key_pair(b"evil").public_key, b""))


def _unmerged_blank(tree: RatchetTree) -> RatchetTree:
    parent = tree.parent(3)
    assert parent is not None
    return changed_tree(tree, 3, ParentNode.of(parent.encryption_key, parent.parent_hash, (7,)))


def _key_twice(tree: RatchetTree) -> RatchetTree:
    parent = tree.parent(5)
    assert parent is not None
    return changed_tree(
        tree, 5, ParentNode.of(tree.member(0).encryption_key, parent.parent_hash, parent.unmerged_leaves)
    )


def _short_key(tree: RatchetTree) -> RatchetTree:
    parent = tree.parent(5)
    assert parent is not None
    return changed_tree(tree, 5, ParentNode.of(b"short", parent.parent_hash, parent.unmerged_leaves))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_parent_hash, "hash is in no node below"),
        (_from_nowhere, "hash is in no node below"),
        (_unmerged_blank, "unmerged leaf is blank"),
        (_key_twice, "two nodes share"),
        (_short_key, "wrong length"),
    ],
)
def test_a_joiner_checks_the_nodes(
    change: Callable[[RatchetTree], RatchetTree], text: str, party: Party
) -> None:
    with pytest.raises(Invalid, match=text):
        Group.join(party.welcome(change(party.alice.state.members.tree)), party.bob)


def _with_leaf(tree: RatchetTree, **changes: object) -> RatchetTree:
    """Put somebody at leaf 6 whose leaf is sound but for the changes."""
    keys = SUITE.generate_signature_key_pair(RANDOM)
    old = tree.member(0)
    made = {
        "encryption_key": SUITE.generate_key_pair(RANDOM).public_key,
        "signature_key": keys.public_key,
        "credential": old.credential,
        "capabilities": old.capabilities,
        "source": LeafNodeSource.UPDATE,
        "group_id": b"people",
        "leaf_index": 5,
    } | changes
    leaf = sign_leaf(SUITE, keys.private_key, **made)  # type: ignore[arg-type] - the keywords vary
    return tree.with_leaf_added(leaf)[0]


def test_a_joiner_checks_the_leaves(party: Party) -> None:
    tree = party.alice.state.members.tree
    capabilities = tree.member(0).capabilities
    assert Group.join(party.welcome(_with_leaf(tree)), party.bob)
    cases: tuple[tuple[dict[str, object], type[PeerError], str], ...] = (
        ({"leaf_index": 2}, DecryptFailed, "decryption"),
        ({"group_id": b"another"}, DecryptFailed, "decryption"),
        ({"signature_key": tree.member(1).signature_key}, Invalid, "share a signature key"),
        ({"encryption_key": tree.member(1).encryption_key}, Invalid, "two nodes share"),
        ({"capabilities": replace(capabilities, versions=(2,))}, Invalid, "version"),
        ({"capabilities": replace(capabilities, credentials=())}, Invalid, "credential"),
        ({"credential": Credential(kind=0xF0F0, content=b"")}, Invalid, "credential"),
        ({"extensions": (Extension(kind=0xF0F0, data=b""),)}, Invalid, "own extension"),
    )
    for changes, kind, text in cases:
        with pytest.raises(kind, match=text):
            Group.join(party.welcome(_with_leaf(tree, **changes)), party.bob)


def test_a_joiner_checks_what_the_group_requires(party: Party) -> None:
    state = party.alice.state
    for extension, text in (
        (Extension(kind=0xF0F0, data=b""), "extension that"),
        (Extension(kind=3, data=RequiredCapabilities(proposals=(0xF0F0,)).encode()), "proposal type that"),
        (Extension(kind=3, data=RequiredCapabilities(credentials=(7,)).encode()), "credential type that"),
    ):
        context = replace(state.context, extensions=(extension,))
        with pytest.raises(Invalid, match=text):
            Group.join(lie(replace(state, context=context), party.bob), party.bob)


def test_a_path_secret_leads_to_the_keys_in_the_tree(party: Party) -> None:
    with pytest.raises(Invalid, match="does not lead"):
        Group.join(lie(party.alice.state, party.bob, path_secret=bytes(32)), party.bob)


def _continuing(usages: tuple[ResumptionUsage, ...], epoch: int = 1) -> tuple[bytes, KeyPackageBundle, Group]:
    """Seal a Welcome that names a group before once for each usage."""
    alice, carol = group_of(("alice", "carol"))
    offer = bundle("carol", RANDOM)
    founded = Group.create(
        SUITE,
        b"branch",
        b"alice",
        SUITE.generate_signature_key_pair(RANDOM),
        lifetime=LIFETIME,
        randomness=RANDOM,
    )
    pending = founded.stage_commit(randomness=RANDOM, proposals=[Add(offer.key_package)])
    psks = tuple(
        PreSharedKeyId.resumption(alice.group_id, alice.epoch, SUITE, RANDOM, usage) for usage in usages
    )
    state = replace(pending.next.state, context=replace(pending.next.context, epoch=epoch))
    known = PreSharedKeys(resumption=alice.resumption_psks)
    return lie(state, offer, psks=psks, known=known), offer, carol


@pytest.mark.parametrize(
    ("usages", "epoch"),
    [
        ((ResumptionUsage.BRANCH, ResumptionUsage.BRANCH), 1),
        ((ResumptionUsage.REINIT, ResumptionUsage.BRANCH), 1),
        ((ResumptionUsage.BRANCH,), 2),
        ((ResumptionUsage.BRANCH,), 0),
    ],
)
def test_a_group_continues_one_other_and_only_from_its_first_commit(
    usages: tuple[ResumptionUsage, ...], epoch: int
) -> None:
    message, offer, carol = _continuing(usages, epoch)
    with pytest.raises(Invalid, match="in a way that it may not"):
        Group.join(message, offer, predecessor=carol)
    message, offer, carol = _continuing((ResumptionUsage.BRANCH,))
    assert Group.join(message, offer, predecessor=carol).group.group_id == b"branch"


def test_a_branch_keeps_the_cipher_suite() -> None:
    alice, carol = group_of(("alice", "carol"))
    other = suite(3)
    offer = bundle("carol", RANDOM, own_suite=other)
    founded = Group.create(
        other,
        b"branch",
        b"alice",
        other.generate_signature_key_pair(RANDOM),
        lifetime=LIFETIME,
        randomness=RANDOM,
    )
    psk = PreSharedKeyId.resumption(alice.group_id, alice.epoch, other, RANDOM, ResumptionUsage.BRANCH)
    pending = founded.stage_commit(
        randomness=RANDOM,
        proposals=[Add(offer.key_package), PreSharedKey(psk)],
        psks=PreSharedKeys(resumption=alice.resumption_psks),
    )
    assert pending.welcome is not None
    with pytest.raises(Invalid, match="changes the cipher suite"):
        Group.join(pending.welcome, offer, predecessor=carol)


@pytest.mark.parametrize(
    "promised",
    [
        ReInit(group_id=b"another", version=1, cipher_suite=1),
        ReInit(group_id=b"next", version=1, cipher_suite=3),
        ReInit(group_id=b"next", version=1, cipher_suite=1, extensions=(Extension(kind=5, data=b"\x00"),)),
    ],
)
def test_a_group_that_goes_on_is_the_one_that_was_promised(promised: ReInit) -> None:
    alice, bob = group_of(("alice", "bob"))
    reinit = ReInit(group_id=b"next", version=1, cipher_suite=1)
    ended = alice.stage_commit(randomness=RANDOM, proposals=[reinit])
    offer = bundle("bob", RANDOM)
    pending = reinitialise(ended.next, [offer.key_package], lifetime=LIFETIME, randomness=RANDOM)
    assert pending.welcome is not None
    bob = follow(bob, ended)
    with pytest.raises(Invalid, match="predecessor ended for"):
        Group.join(pending.welcome, offer, predecessor=with_state(bob, reinit=promised))
    agree(Group.join(pending.welcome, offer, predecessor=bob).group, pending.next)


def test_an_invitation_from_outside_ends_where_it_ends() -> None:
    alice, _ = group_of(("alice", "bob"))
    keys = SUITE.generate_signature_key_pair(RANDOM)
    public_key = SUITE.derive_key_pair(alice.state.secrets.external_secret).public_key
    for data, text in ((opaque(public_key) + b"\x00", "left over"), (opaque(bytes(32)), "low order")):
        info = create_group_info(
            alice.state,
            with_tree=True,
            more_extensions=(Extension(kind=ExtensionType.EXTERNAL_PUB, data=data),),
        )
        with pytest.raises(PeerError, match=text):
            Group.external_join(SUITE, encode_message(info), b"dave", keys, randomness=RANDOM)


def test_a_group_info_ends_where_it_ends(party: Party) -> None:
    welcome = parse_welcome(party.welcome(party.alice.state.members.tree))
    mixed = bytes(SUITE.hash_size)
    info = welcome.open_group_info(SUITE, JOINER_SECRET, mixed)
    key, nonce = welcome_key_and_nonce(SUITE, derive_welcome_secret(SUITE, JOINER_SECRET, mixed))
    longer = SUITE.seal(key, nonce, b"", info.encode() + b"\x00")
    with pytest.raises(Malformed, match="left over"):
        replace(welcome, encrypted_group_info=longer).open_group_info(SUITE, JOINER_SECRET, mixed)


def test_an_old_welcome_or_offer_serves_nobody_else(party: Party) -> None:
    message = party.welcome(party.alice.state.members.tree)
    first = parse_welcome(message).secrets[0].new_member
    assert first == party.bob.reference
    for stranger in (bundle("bob", RANDOM), replace(party.bob, init_private_key=RANDOM(32))):
        with pytest.raises(PeerError):
            Group.join(message, stranger)
