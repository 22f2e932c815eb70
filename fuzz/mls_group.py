"""Fuzz members of small groups with changed messages, welcomes, trees and paths.

A changed message never counts as somebody's; and a member still agrees with the others after everything
that it refused.
"""

from collections.abc import Callable
from functools import cache
from random import Random

from fuzz.target import Script, Target, changed, scripts
from skvoz.codec import Reader
from skvoz.crypto.suites import suite
from skvoz.mls import Add, ApplicationMessage, Group, ProposalStored, Remove, StagedCommit
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_kem import UpdatePath, apply_path, decrypt_path, encrypt_path
from skvoz.mls.tree_validation import check_tree
from tests.mls.people import bundle, group_of
from tests.mls.synthetic_tree import GROUP_ID, Counter, context_of, fresh_world, full_world


class GroupSubject:
    """A member who gets changed messages, and a joiner who gets changed welcomes."""

    def __init__(self) -> None:
        self.chance = Random(0)
        randomness = Counter("fuzz groups")
        self.randomness = randomness
        sender, self.member, _ = group_of(("a", "b", "c"))
        self.before = self.member.snapshot()
        self.offer = bundle("d", randomness)
        added = sender.stage_commit(randomness=randomness, proposals=[Add(self.offer.key_package)])
        self.welcome = added.welcome or b""
        self.tree = added.next.ratchet_tree()
        self.keys = sender.suite.generate_signature_key_pair(randomness)
        self.group_info = sender.group_info()
        self.messages = [sender.protect(b"data", randomness=randomness)[1], added.commit]
        for public in (True, False):
            commit = sender.stage_commit(
                randomness=randomness, proposals=[Remove(2)], path=True, public=public
            )
            self.messages += [
                commit.commit,
                sender.propose(Remove(2), randomness=randomness, public=public)[1],
            ]

    def try_message(self) -> None:
        """Receive a changed message."""
        original = self.chance.choice(self.messages)
        message = changed(self.chance, original)
        received = self.member.receive(message)
        taken = isinstance(received, ApplicationMessage | ProposalStored | StagedCommit)
        if taken and message not in self.messages:
            raise AssertionError("a changed message was taken")

    def try_welcome(self) -> None:
        """Join by a changed welcome."""
        welcome = changed(self.chance, self.welcome)
        Group.join(welcome, self.offer)
        # Other joiners' parts, of which there are none here, are all that a change could touch unseen.
        if welcome != self.welcome:
            raise AssertionError("a changed welcome was taken")

    def try_tree_apart(self) -> None:
        """Join with a changed tree beside the welcome, which brings its own."""
        Group.join(self.welcome, self.offer, ratchet_tree=changed(self.chance, self.tree))

    def try_external_join(self) -> None:
        """Join from outside by a changed group info."""
        info = changed(self.chance, self.group_info)
        Group.external_join(suite(1), info, b"outside", self.keys, randomness=self.randomness)
        if info != self.group_info:
            raise AssertionError("a changed group info was taken")

    def check(self) -> None:
        """Raise unless the member is where it was."""
        if self.member.snapshot() != self.before:
            raise AssertionError("a refused message changed a member")

    def targets(self) -> tuple[Callable[[], None], ...]:
        """Return everything to be tried."""
        return (self.try_message, self.try_welcome, self.try_tree_apart, self.try_external_join)


class TreeSubject:
    """Trees and paths that are changed beneath the signatures which usually hide them."""

    def __init__(self) -> None:
        self.chance = Random(0)
        self.worlds = (full_world(suite(1), 6), fresh_world(suite(1), 7))
        self.trees = [world.tree.encode() for world in self.worlds]
        self.paths: list[bytes] = []
        for world in self.worlds:
            staged = world.stage(0)
            context = context_of(staged.tree)
            path = encrypt_path(staged, group_context=context, randomness=world.randomness)
            self.paths.append(path.encode())

    def try_tree(self) -> None:
        """Check a changed tree, whose hash nobody signed."""
        tree = changed(self.chance, self.chance.choice(self.trees))
        check_tree(RatchetTree.parse(suite(1), tree), group_id=GROUP_ID, group_extensions=())

    def try_path(self) -> None:
        """Merge and decrypt a changed path; changed ciphertexts are all that may be merged."""
        which = self.chance.randrange(len(self.worlds))
        world = self.worlds[which]
        path = UpdatePath.parse(Reader(changed(self.chance, self.paths[which])))
        after = apply_path(world.tree, sender=0, path=path, group_id=GROUP_ID)
        receiver = self.chance.randrange(1, 6)
        decrypt_path(after, world.private(receiver), sender=0, path=path, group_context=context_of(after))

    def targets(self) -> tuple[Callable[[], None], ...]:
        """Return everything to be tried."""
        return (self.try_tree, self.try_path)


@cache
def _group() -> GroupSubject:
    return GroupSubject()


@cache
def _trees() -> TreeSubject:
    return TreeSubject()


def _try(subject: GroupSubject | TreeSubject, data: bytes) -> None:
    subject.chance = script = Script(data)
    script.choice(subject.targets())()


def messages() -> Target:
    """Return the target of what members and joiners receive."""
    subject = _group()
    return Target(run=lambda data: _try(subject, data), seeds=scripts(60), check=subject.check)


def trees() -> Target:
    """Return the target of trees and paths beneath the signatures that usually hide them."""
    subject = _trees()
    return Target(run=lambda data: _try(subject, data), seeds=scripts(60))
