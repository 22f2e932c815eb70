"""Fuzz members of small groups with changed messages, welcomes, trees and paths.

python fuzz/mls_group.py --seconds 60 [--seed 7]

Only `PeerError` may escape; a changed message never counts as somebody's; and a member still agrees with
the others after everything that it refused.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fuzz.mls_parsers import Mutator
from skvoz.base.errors import PeerError
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

    def __init__(self, mutator: Mutator) -> None:
        self.mutator = mutator
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
        original = self.mutator.chance.choice(self.messages)
        changed = self.mutator.change(original)
        received = self.member.receive(changed)
        taken = isinstance(received, ApplicationMessage | ProposalStored | StagedCommit)
        if taken and changed not in self.messages:
            raise AssertionError("a changed message was taken")

    def try_welcome(self) -> None:
        """Join by a changed welcome."""
        changed = self.mutator.change(self.welcome)
        Group.join(changed, self.offer)
        # Other joiners' parts, of which there are none here, are all that a change could touch unseen.
        if changed != self.welcome:
            raise AssertionError("a changed welcome was taken")

    def try_tree_apart(self) -> None:
        """Join with a changed tree beside the welcome, which brings its own."""
        Group.join(self.welcome, self.offer, ratchet_tree=self.mutator.change(self.tree))

    def try_external_join(self) -> None:
        """Join from outside by a changed group info."""
        changed = self.mutator.change(self.group_info)
        Group.external_join(suite(1), changed, b"outside", self.keys, randomness=self.randomness)
        if changed != self.group_info:
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

    def __init__(self, mutator: Mutator) -> None:
        self.mutator = mutator
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
        changed = self.mutator.change(self.mutator.chance.choice(self.trees))
        check_tree(RatchetTree.parse(suite(1), changed), group_id=GROUP_ID, group_extensions=())

    def try_path(self) -> None:
        """Merge and decrypt a changed path; changed ciphertexts are all that may be merged."""
        which = self.mutator.chance.randrange(len(self.worlds))
        world = self.worlds[which]
        path = UpdatePath.parse(Reader(self.mutator.change(self.paths[which])))
        after = apply_path(world.tree, sender=0, path=path, group_id=GROUP_ID)
        receiver = self.mutator.chance.randrange(1, 6)
        decrypt_path(after, world.private(receiver), sender=0, path=path, group_context=context_of(after))

    def targets(self) -> tuple[Callable[[], None], ...]:
        """Return everything to be tried."""
        return (self.try_tree, self.try_path)


def main() -> int:
    """Run for as long as asked; print how many inputs were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    options = arguments.parse_args()
    mutator = Mutator(Random(options.seed))
    group = GroupSubject(mutator)
    targets = (*group.targets(), *TreeSubject(mutator).targets())
    executions = accepted = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        for target in targets:
            executions += 1
            try:
                target()
            except PeerError:
                continue
            except Exception:
                print(f"seed {options.seed}, execution {executions}, {target.__name__}")
                raise
            accepted += 1
        group.check()
    print(f"mls_group: {executions} executions, {accepted} accepted, seed {options.seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
