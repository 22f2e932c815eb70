"""Groups of three, mixed between ours, ts-mls and mls-rs, through everything that a group does."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.interop.peers import MlsRsPeer, Peer, PeerRefusedError, ProcessPeer, our_command, ts_command

pytestmark = pytest.mark.interop
HYBRID = 0xF0A2


@dataclass
class Company:
    """Peers, and who of them sits at which leaf."""

    suite: int
    stack: ExitStack
    leaves: dict[int, Peer] = field(default_factory=dict[int, Peer])
    hired: int = 0

    def hire(self, kind: str) -> Peer:
        if kind == "mls-rs":
            peer: Peer = MlsRsPeer()
        else:
            command = our_command() if kind == "ours" else ts_command()
            peer = self.stack.enter_context(ProcessPeer(kind, command))
        peer.ask("init", suite=self.suite, name=f"{kind} {self.hired}")
        self.hired += 1
        return peer

    def deliver(self, sender: int, message: bytes) -> None:
        for leaf, peer in self.leaves.items():
            if leaf != sender:
                peer.ask("process", message=message, sender=sender)

    def seat(self, sender: int, leaf: int, peer: Peer) -> None:
        """Let `sender` add `peer`, who is to get `leaf`."""
        offered = peer.ask("key_package")["key_package"]
        made = self.leaves[sender].ask("add", key_packages=[offered])
        self.deliver(sender, made["commit"])
        peer.ask("join", welcome=made["welcome"])
        self.leaves[leaf] = peer
        self.agree()

    def agree(self) -> None:
        fields: dict[str, Any] = {"label": "tried", "context": b"context", "length": 40}
        exported = {peer.ask("export", **fields)["value"] for peer in self.leaves.values()}
        assert len(exported) == 1
        able = [peer for peer in self.leaves.values() if peer.kind != "mls-rs"]
        answers = [peer.ask("epoch_authenticator") for peer in able]
        assert len({answer["value"] for answer in answers}) <= 1
        assert len({answer["tree_hash"] for answer in answers}) <= 1

    def talk(self) -> None:
        for sender, speaker in self.leaves.items():
            for text in (b"", f"from leaf {sender}".encode(), b"x" * 5000):
                message = speaker.ask("encrypt", data=text)["message"]
                for leaf, peer in self.leaves.items():
                    if leaf != sender:
                        assert peer.ask("process", message=message, sender=sender)["data"] == text

    def commit(self, sender: int, operation: str, **fields: object) -> bytes:
        made = self.leaves[sender].ask(operation, **fields)
        self.deliver(sender, made["commit"])
        self.agree()
        return made["commit"]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def company_of(suite: int, kinds: tuple[str, ...], stack: ExitStack) -> Company:
    """Seat the first, who adds the second, who adds the third."""
    company = Company(suite, stack)
    founder = company.hire(kinds[0])
    founder.ask("create", group_id=b"a mixed group")
    company.leaves[0] = founder
    for leaf, kind in enumerate(kinds[1:], start=1):
        company.seat(leaf - 1, leaf, company.hire(kind))
    return company


def life_of(company: Company) -> None:
    company.talk()
    for leaf in company.leaves:
        company.commit(leaf, "update")
    company.talk()
    for remover, removed in ((0, 2), (1, 0), (2, 1)):
        gone = company.leaves.pop(removed)
        commit = company.commit(remover, "remove", leaf=removed)
        try:
            gone.ask("process", message=commit, sender=remover)
        except PeerRefusedError:
            assert gone.kind == "ts-mls"
        message = company.leaves[remover].ask("encrypt", data=b"not for all")["message"]
        with pytest.raises(PeerRefusedError):
            gone.ask("process", message=message, sender=remover)
        company.deliver(remover, message)
        company.seat(remover, removed, company.hire(gone.kind))
        company.talk()


THREE = [
    ("ours", "ts-mls", "mls-rs"),
    ("ts-mls", "mls-rs", "ours"),
    ("mls-rs", "ours", "ts-mls"),
    ("ours", "mls-rs", "ts-mls"),
]


@pytest.mark.parametrize("kinds", THREE, ids="-".join)
def test_three_implementations_live_in_one_group(kinds: tuple[str, ...], stack: ExitStack) -> None:
    life_of(company_of(1, kinds, stack))


@pytest.mark.parametrize("suite", [2, 3, 4, 5, 6, 7, HYBRID])
@pytest.mark.parametrize("kinds", [("ours", "ts-mls", "ours"), ("ts-mls", "ours", "ts-mls")], ids="-".join)
def test_every_suite_lives_between_ours_and_ts_mls(
    suite: int, kinds: tuple[str, ...], stack: ExitStack
) -> None:
    life_of(company_of(suite, kinds, stack))


@pytest.mark.parametrize("suite", [1, 2, HYBRID])
@pytest.mark.parametrize(("inside", "outside"), [("ours", "ts-mls"), ("ts-mls", "ours"), ("ours", "ours")])
def test_an_external_commit_joins(suite: int, inside: str, outside: str, stack: ExitStack) -> None:
    company = company_of(suite, ("ours", inside), stack)
    joiner = company.hire(outside)
    group_info = company.leaves[1].ask("group_info")["group_info"]
    made = joiner.ask("external_join", group_info=group_info)
    company.deliver(2, made["commit"])
    company.leaves[2] = joiner
    company.agree()
    company.talk()
    company.commit(2, "update")
    company.talk()


def test_a_proposal_of_mls_rs_is_committed_by_ours(stack: ExitStack) -> None:
    company = company_of(1, ("mls-rs", "ours", "ts-mls"), stack)
    newcomer = company.hire("mls-rs")
    offered = newcomer.ask("key_package")["key_package"]
    proposal = company.leaves[0].ask("propose_add", key_package=offered)["message"]
    company.deliver(0, proposal)
    made = company.leaves[1].ask("update")
    company.deliver(1, made["commit"])
    newcomer.ask("join", welcome=made["welcome"])
    company.leaves[3] = newcomer
    company.agree()
    company.talk()
