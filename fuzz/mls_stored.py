"""Fuzz what a device stored about its groups, as a damaged or a future record would read."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fuzz.target import Part, Target, one_of
from skvoz.codec import Reader
from skvoz.mls import Group, KeyPackageBundle, Remove
from skvoz.mls.commit_processing import OwnUpdate
from skvoz.mls.epoch import OwnSignatureKey
from skvoz.mls.key_schedule import EpochSecrets
from skvoz.mls.proposal_list import SentProposal
from skvoz.mls.secret_tree import LeafRatchets, Ratchet
from skvoz.mls.tree_kem import PrivateTree
from tests.mls.people import bundle, group_of
from tests.mls.synthetic_tree import Counter

_RANDOM: Final = Counter("fuzz stored")


class Stored:
    """A member's stored group, of which one part at a time is replaced."""

    def __init__(self) -> None:
        first, second, _ = group_of(("a", "b", "c"))
        first, self.message = first.protect(b"data", randomness=_RANDOM)
        member = second
        for _ in range(3):
            member, _ = member.protect(b"x", randomness=_RANDOM)
        member, _ = member.propose_update(randomness=_RANDOM)
        member, _ = member.propose(Remove(2), randomness=_RANDOM)
        whole = member.snapshot()
        self.parts: dict[str, bytes] = {
            "members": whole.members or b"",
            "epoch": whole.epoch or b"",
            "secrets": whole.secrets or b"",
            "tree": whole.tree or b"",
        }
        self.ratchets: Mapping[int, bytes] = whole.ratchets

    def restore(self, name: str, data: bytes) -> None:
        """Put the group together with one part replaced, and hold that part to what is stored again."""
        parts = {**self.parts, name: data}
        ratchets = dict(self.ratchets)
        if name == "ratchet":
            ratchets = dict.fromkeys(ratchets, data)
        group = Group.restore(
            members=parts["members"],
            epoch=parts["epoch"],
            secrets=parts["secrets"],
            ratchets=ratchets,
            load_tree=lambda: parts["tree"],
        )
        group.state.members.signatory(0)
        group.members()
        for leaf in ratchets:
            group.secret_tree.leaf(leaf)
        again = group.snapshot()
        if name == "epoch" and again.epoch is not None and len(again.epoch) > len(data):
            raise AssertionError("a stored epoch grows when it is stored again")

    def part(self, name: str) -> Callable[[bytes], None]:
        """Return the target of one part."""
        return lambda data: self.restore(name, data)


def _whole(parse: Callable[[Reader], Any]) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        reader = Reader(data)
        encoded = parse(reader).encode()
        # Keys by node may have been stored in another order, or twice.
        if len(encoded) > reader.position or parse(Reader(encoded)).encode() != encoded:
            raise AssertionError("what was stored does not encode back")

    return target


def _bundle(data: bytes) -> None:
    found = KeyPackageBundle.parse(data)
    if found.encode() != data:
        raise AssertionError("a stored KeyPackage does not encode back")


def _ratchets(data: bytes) -> None:
    if LeafRatchets.parse(data).encode() != data:
        raise AssertionError("stored ratchets do not encode back")


def make() -> Target:
    """Return the target."""
    stored = Stored()
    ratchets = list(stored.ratchets.values())
    _, member, _ = group_of(("a", "b", "c"))
    state = member.state
    member, _ = member.propose_update(randomness=_RANDOM)
    parts = [Part(stored.part(name), [data]) for name, data in stored.parts.items()]
    parts += [
        Part(stored.part("ratchet"), ratchets),
        Part(_ratchets, ratchets),
        Part(_bundle, [bundle("d", _RANDOM).encode()]),
        Part(_whole(Ratchet.parse), [ratchet[1:] for ratchet in ratchets]),
        Part(_whole(PrivateTree.parse), [state.private.encode()]),
        Part(_whole(EpochSecrets.parse), [state.secrets.encode()]),
        Part(_whole(OwnSignatureKey.parse), [state.signature_key.encode()]),
        Part(_whole(SentProposal.parse), [sent.encode() for sent in member.proposals]),
        Part(_whole(OwnUpdate.parse), [update.encode() for update in member.own_updates]),
    ]
    return one_of(parts)
