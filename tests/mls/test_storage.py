"""What a device stores of a group comes back whole, or is refused as Malformed."""

from collections.abc import Callable, Mapping

import pytest

from skvoz.base.errors import Invalid, Malformed
from skvoz.codec import Reader
from skvoz.mls import Group, KeyPackageBundle, ReInit, Remove, StagedCommit
from skvoz.mls.epoch import EpochState
from skvoz.mls.members import Members
from skvoz.mls.secret_tree import LeafRatchets, SecretTree
from tests.mls.people import SUITE, Counter, agree, bundle, follow, group_of

RANDOM = Counter("storage")


def parts_of(group: Group) -> tuple[bytes, bytes, bytes, bytes, Mapping[int, bytes]]:
    """Return tree, members, epoch, secrets and ratchets."""
    parts = group.snapshot()
    assert parts.tree is not None
    assert parts.members is not None
    assert parts.epoch is not None
    assert parts.secrets is not None
    return parts.tree, parts.members, parts.epoch, parts.secrets, parts.ratchets


def restored(
    group: Group, *, members: bytes | None = None, epoch: bytes | None = None, secrets: bytes | None = None
) -> Group:
    """Store and restore a group, with a part changed on the way."""
    tree, *stored, ratchets = parts_of(group)
    return Group.restore(
        members=stored[0] if members is None else members,
        epoch=stored[1] if epoch is None else epoch,
        secrets=stored[2] if secrets is None else secrets,
        ratchets=ratchets,
        load_tree=lambda: tree,
    )


def test_a_whole_group_comes_back_through_every_step() -> None:
    alice, bob = (restored(group) for group in group_of(("alice", "bob")))
    for number in range(6):
        sender, receiver = (alice, bob) if number % 2 else (bob, alice)
        pending = sender.stage_commit(randomness=RANDOM, path=True)
        sender, receiver = restored(pending.next), restored(follow(receiver, pending))
        agree(sender, receiver)
        common = sender.resumption_psks.keys() & receiver.resumption_psks.keys()
        assert len(common) == number + 2
        assert all(sender.resumption_psks[key] == receiver.resumption_psks[key] for key in common)
        alice, bob = (sender, receiver) if number % 2 else (receiver, sender)


CHANGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: b"\x09" + data[1:],
    lambda data: data[:-1],
    lambda _: b"",
)


@pytest.mark.parametrize("change", CHANGES, ids=("version", "truncated", "empty"))
def test_parts_of_another_version_or_length_are_malformed(change: Callable[[bytes], bytes]) -> None:
    alice, _ = group_of(("alice", "bob"))
    _, members, epoch, secrets, _ = parts_of(alice)
    with pytest.raises(Malformed):
        restored(alice, members=change(members)).credential(1)
    with pytest.raises(Malformed):
        restored(alice, epoch=change(epoch))
    with pytest.raises(Malformed):
        restored(alice, secrets=change(secrets))


def test_nothing_follows_a_stored_epoch() -> None:
    alice, _ = group_of(("alice", "bob"))
    _, _, epoch, _, _ = parts_of(alice)
    with pytest.raises(Malformed, match="left over"):
        restored(alice, epoch=epoch + b"\x00")


def test_a_stored_state_has_a_version_of_its_own() -> None:
    alice, _ = group_of(("alice", "bob"))
    tree, members, _, _, _ = parts_of(alice)
    state = alice.state.encode()
    assert EpochState.parse(Reader(state), members, lambda: tree).context == alice.context
    with pytest.raises(Malformed, match="version"):
        EpochState.parse(Reader(b"\x09" + state[1:]), members, lambda: tree)


def test_a_group_that_has_ended_stays_ended() -> None:
    alice, _ = group_of(("alice", "bob"))
    reinit = ReInit(group_id=b"next", version=1, cipher_suite=3)
    ended = alice.stage_commit(randomness=RANDOM, proposals=[reinit]).next
    assert restored(ended).reinit == reinit
    tree, members, _, _, _ = parts_of(ended)
    state = ended.state.encode()
    other = state[: -len(reinit.encode())] + Remove(1).encode()
    with pytest.raises(Malformed, match="something else than a reinit"):
        EpochState.parse(Reader(other), members, lambda: tree)


def test_the_table_of_members_names_nobody_where_nobody_is() -> None:
    alice, bob, carol, dave = group_of(("alice", "bob", "carol", "dave"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(1)])
    alice, dave = restored(pending.next), follow(dave, pending)
    for leaf_index in (1, 4, 1000, -1):
        with pytest.raises(Invalid, match="no member"):
            alice.credential(leaf_index)
    assert [alice.credential(leaf).content for leaf in (0, 2, 3)] == [b"alice", b"carol", b"dave"]
    gone = bob.receive(pending.commit)
    assert isinstance(gone, StagedCommit)
    agree(alice, dave, follow(carol, pending))


@pytest.mark.parametrize("size", range(5))
def test_a_table_of_members_has_a_head(size: int) -> None:
    with pytest.raises(Malformed):
        Members.stored(SUITE, (b"\x01" + bytes(4))[:size], bytes)
    with pytest.raises(Invalid, match="no member"):
        Members.stored(SUITE, b"\x01" + bytes(4), bytes).signatory(0)


def test_a_stored_key_package_comes_back_or_is_malformed() -> None:
    offer = bundle("bob", RANDOM)
    stored = offer.encode()
    assert KeyPackageBundle.parse(stored) == offer
    for changed, text in ((b"\x09" + stored[1:], "version"), (stored + b"\x00", "left over")):
        with pytest.raises(Malformed, match=text):
            KeyPackageBundle.parse(changed)


def test_a_stored_ratchet_has_a_version_and_an_end() -> None:
    _, tree = SecretTree.start(SUITE, bytes(32), 2).leaf(1)
    stored = tree.ratchet_part(1)
    assert LeafRatchets.parse(stored).encode() == stored
    for changed, text in ((b"\x09" + stored[1:], "version"), (stored + b"\x00", "left over")):
        with pytest.raises(Malformed, match=text):
            SecretTree.restore(SUITE, tree.tree_part(), {1: changed}).leaf(1)
