"""Any history of a group, in every suite: all agree after each step, and what is refused changes nothing."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skvoz.base.errors import PeerError
from skvoz.crypto.suites import SUITES, CipherSuite, suite
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Credential,
    Extension,
    ExternalSender,
    Group,
    GroupContextExtensions,
    PendingCommit,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeys,
    Proposal,
    ProposalStored,
    ReInit,
    Remove,
    SelfRemove,
    StagedCommit,
    branch,
    encode_external_senders,
    reinitialise,
)
from skvoz.mls.pre_shared_keys import RESUMPTION_PSKS_KEPT
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_validation import check_tree
from tests.mls.people import GROUP_ID, LIFETIME, NOW_MS, Counter, bundle, founder

MEMBERS_MAX = 7
DOOR = PreSharedKeys(external={b"door": b"a key from elsewhere"})


@dataclass
class Company:
    """Everybody's view of one group; numbers choose who does something, and to whom."""

    suite: CipherSuite
    randomness: Counter
    views: list[Group] = field(default_factory=list[Group])
    hired: int = 0

    def who(self, number: int) -> Group:
        return self.views[number % len(self.views)]

    def name(self) -> str:
        self.hired += 1
        return f"member {self.hired}"

    def follow(self, pending: PendingCommit, committer: Group, newcomers: Iterable[Group] = ()) -> None:
        """Let everybody follow a commit; who is removed goes."""
        after: list[Group] = []
        for view in self.views:
            if view.own_leaf_index == committer.own_leaf_index:
                after.append(pending.next)
                continue
            received = view.receive(pending.commit, psks=DOOR)
            assert isinstance(received, StagedCommit)
            assert received.effects == pending.effects
            if received.next is None:
                assert view.own_leaf_index in {gone.leaf_index for gone in received.effects.removed}
            else:
                after.append(received.next)
        self.views = [*after, *newcomers]

    def commit(
        self, by: int, *proposals: Proposal, path: bool | None = None, public: bool = False
    ) -> PendingCommit:
        committer = self.who(by)
        pending = committer.stage_commit(
            randomness=self.randomness,
            proposals=proposals,
            path=path,
            psks=DOOR,
            public=public,
            now_ms=NOW_MS,
        )
        self.follow(pending, committer)
        return pending

    def share(self, by: int, say: Callable[[Group], tuple[Group, bytes]]) -> None:
        """Let everybody store a member's proposal."""
        place = by % len(self.views)
        self.views[place], message = say(self.views[place])
        for other, view in enumerate(self.views):
            if other != place:
                received = view.receive(message, now_ms=NOW_MS)
                assert isinstance(received, ProposalStored)
                self.views[other] = received.group

    # What may happen

    def update(self, by: int, flavour: int) -> None:
        self.commit(by, path=True, public=bool(flavour % 2))

    def add(self, by: int, flavour: int) -> None:
        if len(self.views) >= MEMBERS_MAX:
            return
        offers = [bundle(self.name(), self.randomness, own_suite=self.suite) for _ in range(1 + flavour % 2)]
        committer = self.who(by)
        with_tree = flavour % 3 > 0
        pending = committer.stage_commit(
            randomness=self.randomness,
            proposals=[Add(offer.key_package) for offer in offers],
            path=bool(flavour % 5),
            welcome_with_tree=with_tree,
            now_ms=NOW_MS,
        )
        assert pending.welcome is not None
        tree = None if with_tree else pending.next.ratchet_tree()
        joined = [Group.join(pending.welcome, offer, ratchet_tree=tree).group for offer in offers]
        self.follow(pending, committer, joined)

    def remove(self, by: int, flavour: int) -> None:
        whom = self.who(by + 1 + flavour)
        if whom is not self.who(by):
            self.commit(by, Remove(whom.own_leaf_index))

    def leave(self, by: int, flavour: int) -> None:
        if len(self.views) > 1:
            self.share(by, lambda view: view.propose(SelfRemove(), randomness=self.randomness))
            self.commit(by + 1, path=True if flavour % 2 else None)

    def propose(self, by: int, flavour: int) -> None:
        """Proposals of several members, which another one commits by reference."""
        self.share(by, lambda view: view.propose_update(randomness=self.randomness, public=bool(flavour % 2)))
        psk = PreSharedKey(PreSharedKeyId.external(b"door", self.suite, self.randomness))
        self.share(by + 1, lambda view: view.propose(psk, randomness=self.randomness))
        self.commit(by + 1 + flavour)

    def resume(self, by: int, flavour: int) -> None:
        """Mix in a resumption key that everybody still has."""
        kept = {epoch for _, epoch in self.views[0].resumption_psks}
        for view in self.views:
            kept &= {epoch for _, epoch in view.resumption_psks}
        epoch = sorted(kept)[flavour % len(kept)]
        named = PreSharedKeyId.resumption(self.who(by).group_id, epoch, self.suite, self.randomness)
        self.commit(by, PreSharedKey(named))

    def extend(self, by: int, flavour: int) -> None:
        sender = ExternalSender(
            self.suite.generate_signature_key_pair(self.randomness).public_key,
            Credential.basic(b"server %d" % flavour),
        )
        self.commit(by, GroupContextExtensions((Extension(kind=5, data=encode_external_senders((sender,))),)))

    def join_externally(self, by: int, flavour: int) -> None:
        """Somebody new, or a member that lost its state, comes in from outside."""
        inviter, back = self.who(by), flavour % 2 == 1 and len(self.views) > 1
        lost = self.who(by + 1)
        if not back and len(self.views) >= MEMBERS_MAX:
            return
        joined = Group.external_join(
            self.suite,
            inviter.group_info(),
            lost.credential(lost.own_leaf_index) if back else self.name().encode(),
            self.suite.generate_signature_key_pair(self.randomness),
            randomness=self.randomness,
            proposals=[Remove(lost.own_leaf_index)] if back else [],
        )
        after: list[Group] = []
        for view in self.views:
            received = view.receive(joined.commit)
            assert isinstance(received, StagedCommit)
            assert received.effects == joined.effects
            after += [received.next] if received.next else []
        self.views = [*after, joined.group]

    def talk(self, by: int, flavour: int) -> None:
        """Messages that arrive in another order, and one that never does."""
        place = by % len(self.views)
        messages: list[bytes] = []
        for number in range(4):
            self.views[place], message = self.views[place].protect(
                bytes([number]), randomness=self.randomness, padding_size=flavour, despite_proposals=True
            )
            messages.append(message)
        for other in range(len(self.views)):
            for number in (2, 0, 3) if other != place else ():
                received = self.views[other].receive(messages[number])
                assert isinstance(received, ApplicationMessage)
                assert received.data == bytes([number])
                self.views[other] = received.group

    def race(self, by: int, flavour: int) -> None:
        """Two commit at once: one wins, the other gives its commit up and follows."""
        loser = self.who(by + 1 + flavour % 3)
        if loser is not self.who(by):
            given_up = loser.stage_commit(randomness=self.randomness, path=True)
            place = self.views.index(loser)
            self.views[place] = given_up.group
        self.commit(by, path=True)

    def restart(self, by: int, flavour: int) -> None:
        for place, view in enumerate(self.views):
            if (by + place * flavour) % 2:
                continue
            parts = view.snapshot()
            tree, members, epoch, secrets = parts.tree, parts.members, parts.epoch, parts.secrets
            assert tree is not None
            assert members is not None
            assert epoch is not None
            assert secrets is not None

            def load(tree: bytes = tree) -> bytes:
                return tree

            self.views[place] = Group.restore(
                members=members, epoch=epoch, secrets=secrets, ratchets=parts.ratchets, load_tree=load
            )

    def tamper(self, by: int, flavour: int) -> None:
        """A commit and a message with one bit changed: refused, and everybody is as before."""
        sender = self.who(by)
        pending = sender.stage_commit(randomness=self.randomness, path=True, public=bool(flavour % 2))
        _, said = sender.protect(b"data", randomness=self.randomness, despite_proposals=True)
        for message in (pending.commit, said):
            changed = bytearray(message)
            changed[(flavour * 7919) % len(changed)] ^= 1 << flavour % 8
            for view in self.views:
                before = view.snapshot()
                with suppress(PeerError):
                    received = view.receive(bytes(changed))
                    assert not isinstance(received, ApplicationMessage | StagedCommit | ProposalStored)
                assert view.snapshot() == before
        self.follow(pending, sender)

    def check(self) -> None:
        """Assert that all views are of one valid group, and that each member has its keys and no others."""
        first = self.views[0]
        for values in (
            {view.epoch_authenticator for view in self.views},
            {view.tree_hash for view in self.views},
            {view.export("label", b"context", 50) for view in self.views},
            {view.ratchet_tree() for view in self.views},
            {view.resumption_psks[first.group_id, first.epoch] for view in self.views},
        ):
            assert len(values) == 1
        tree = RatchetTree.parse(self.suite, first.ratchet_tree())
        assert tree.root_hash() == first.tree_hash
        check_tree(tree, group_id=first.group_id, group_extensions=first.context.extensions)
        assert sorted(view.own_leaf_index for view in self.views) == [leaf for leaf, _ in tree.leaves()]
        for view in self.views:
            assert len(view.resumption_psks) <= RESUMPTION_PSKS_KEPT + 1
            for node, key in view.state.private.keys.items():
                assert self.suite.kem.public_key_of(key) == tree.encryption_key(node)


STEPS: dict[str, Callable[[Company, int, int], None]] = {
    step.__name__: step
    for step in (
        Company.update,
        Company.add,
        Company.remove,
        Company.leave,
        Company.propose,
        Company.resume,
        Company.extend,
        Company.join_externally,
        Company.talk,
        Company.race,
        Company.restart,
        Company.tamper,
    )
}
Steps = list[tuple[str, int, int]]
histories = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 50), st.integers(0, 50)), max_size=9
)


def company(number: int) -> Company:
    made = Company(suite(number), Counter(f"company {number}"))
    made.views = [founder("founder", made.randomness, own_suite=made.suite)]
    for flavour in (1, 2):
        made.add(0, flavour)
    return made


def live(made: Company, steps: Steps) -> None:
    made.check()
    for step, by, flavour in steps:
        STEPS[step](made, by, flavour)
        made.check()


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(SUITES))
@settings(max_examples=5, deadline=None, derandomize=True)
@given(steps=histories)
def test_members_agree_through_any_history(number: int, steps: Steps) -> None:
    live(company(number), steps)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(steps=histories, number=st.sampled_from([1, 3, 0xF0A2]))
def test_members_agree_through_many_histories(steps: Steps, number: int) -> None:
    live(company(number), steps)


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(SUITES))
def test_every_step_is_taken_in_every_suite(number: int) -> None:
    live(company(number), [(step, place, place % 4) for place, step in enumerate(sorted(STEPS))])


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(SUITES))
@pytest.mark.parametrize("following", [1, 0xF0A2])
def test_a_company_moves_on_together(number: int, following: int) -> None:
    made = company(number)
    ended = made.commit(1, ReInit(group_id=b"next", version=1, cipher_suite=following))
    assert all(view.reinit is not None for view in made.views)
    new_suite = suite(following)
    founder_view, *others = (ended.next, *(view for view in made.views if view is not ended.next))
    offers = [
        bundle(view.credential(view.own_leaf_index).content.decode(), made.randomness, own_suite=new_suite)
        for view in others
    ]
    pending = reinitialise(
        founder_view,
        [offer.key_package for offer in offers],
        lifetime=LIFETIME,
        randomness=made.randomness,
        signature_key_pair=new_suite.generate_signature_key_pair(made.randomness),
        now_ms=NOW_MS,
    )
    assert pending.welcome is not None
    moved = Company(new_suite, made.randomness)
    moved.views = [
        pending.next,
        *(
            Group.join(pending.welcome, offer, predecessor=view).group
            for offer, view in zip(offers, others, strict=True)
        ),
    ]
    live(moved, [("update", 1, 0), ("talk", 2, 3), ("add", 0, 1)])


@pytest.mark.parametrize("number", sorted(SUITES))
def test_a_part_of_a_company_goes_apart_and_the_rest_goes_on(number: int) -> None:
    made = company(number)
    view = made.views[1]
    offer = bundle(
        view.credential(view.own_leaf_index).content.decode(), made.randomness, own_suite=made.suite
    )
    pending = branch(
        made.views[0], b"apart", [offer.key_package], lifetime=LIFETIME, randomness=made.randomness
    )
    assert pending.welcome is not None
    apart = Company(made.suite, made.randomness)
    apart.views = [pending.next, Group.join(pending.welcome, offer, predecessor=view).group]
    live(apart, [("update", 1, 0), ("remove", 0, 0)])
    live(made, [("update", 2, 1), ("talk", 1, 2)])
    assert made.views[0].group_id == GROUP_ID
