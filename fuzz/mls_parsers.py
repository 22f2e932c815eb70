"""Fuzz everything in MLS that parses bytes: what parses encodes back."""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from fuzz.target import INPUT_SIZE_MAX, Part, Target, one_of
from skvoz.base.errors import PeerError
from skvoz.codec import Reader
from skvoz.crypto.suites import suite
from skvoz.mls import (
    Add,
    Group,
    KeyPackageBundle,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeyType,
    Remove,
    RequiredCapabilities,
    encode_message,
    parse_key_package,
    parse_message,
)
from skvoz.mls.framing import AuthenticatedContent, WireFormat
from skvoz.mls.group_context import GroupContext
from skvoz.mls.members import ExternalSender, encode_external_senders, parse_external_senders
from skvoz.mls.message import parse_group_info, parse_welcome
from skvoz.mls.nodes import Capabilities, Credential, KeyPackage, LeafNode, ParentNode
from skvoz.mls.proposals import Commit, parse_proposal
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.sending import sign_proposal
from skvoz.mls.tree_kem import UpdatePath
from skvoz.mls.welcome import GroupInfo, GroupSecrets, Welcome
from tests.mls.people import bundle, group_of
from tests.mls.synthetic_tree import Counter, context_of, fresh_world, full_world
from tests.vectors_folder import vectors_folder

_SEEDS_MAX: Final = 40
"""For one parser: libFuzzer finds what the others would add."""


def _whole(parse: Callable[[Reader], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], None]:
    """Return a target: parse one value, and hold its encoding to the bytes that it was parsed from."""

    def target(data: bytes) -> None:
        reader = Reader(data)
        value = parse(reader)
        if encode(value) != data[: reader.position]:
            raise AssertionError("what was parsed does not encode back")

    return target


def _message(data: bytes) -> None:
    for parse in (parse_welcome, parse_group_info, parse_key_package):
        with contextlib.suppress(PeerError):
            parse(data)
    if encode_message(parse_message(data)) != data:
        raise AssertionError("a message does not encode back")


def _tree(data: bytes) -> None:
    tree = RatchetTree.parse(suite(1), data)
    if tree.encode() != data:
        raise AssertionError("a tree does not encode back")
    if len(data) < 4096:
        tree.root_hash()
        tree.resolution(tree.leaf_count - 1)


def _required(data: bytes) -> None:
    if RequiredCapabilities.parse(data).encode() != data:
        raise AssertionError("required capabilities do not encode back")


def _external_senders(data: bytes) -> None:
    if encode_external_senders(parse_external_senders(data)) != data:
        raise AssertionError("external senders do not encode back")


PARSERS: Final[dict[str, Callable[[bytes], None]]] = {
    "message": _message,
    "tree": _tree,
    "leaf": _whole(LeafNode.parse, lambda leaf: leaf.encoded),
    "parent": _whole(ParentNode.parse, lambda parent: parent.encoded),
    "key package": _whole(KeyPackage.parse, lambda package: package.encoded),
    "credential": _whole(Credential.parse, lambda credential: credential.encode()),
    "capabilities": _whole(Capabilities.parse, lambda capabilities: capabilities.encode()),
    "update path": _whole(UpdatePath.parse, lambda path: path.encode()),
    "proposal": _whole(parse_proposal, lambda proposal: proposal.encode()),
    "commit": _whole(Commit.parse, lambda commit: commit.encode()),
    "group context": _whole(GroupContext.parse, lambda context: context.encode()),
    "group info": _whole(GroupInfo.parse, lambda info: info.encode()),
    "group secrets": _whole(GroupSecrets.parse, lambda secrets: secrets.encode()),
    "welcome": _whole(Welcome.parse, lambda welcome: welcome.encode()),
    "authenticated content": _whole(AuthenticatedContent.parse, lambda content: content.encode()),
    "required capabilities": _required,
    "external senders": _external_senders,
    "pre-shared key": _whole(PreSharedKeyId.parse, lambda identity: identity.encode()),
}


def own_samples() -> list[bytes]:
    """Return messages and structs of small groups."""
    randomness = Counter("fuzz")
    samples: list[bytes] = []
    for world in (full_world(suite(1), 5), fresh_world(suite(1), 6)):
        samples += [world.tree.encode(), context_of(world.tree)]
        samples += [leaf.encoded for _, leaf in world.tree.leaves()]
        samples += [parent.encoded for _, parent in world.tree.parents()]
    groups = group_of(("a", "b", "c"))
    offer = bundle("d", randomness)
    samples += [offer.message(), offer.key_package.encoded, groups[0].group_info()]
    for public in (True, False):
        commit = groups[0].stage_commit(
            randomness=randomness, proposals=[Remove(2)], path=True, public=public
        )
        proposal = groups[1].propose(Remove(2), randomness=randomness, public=public)[1]
        samples += [commit.commit, proposal]
    samples.append(groups[0].protect(b"data", randomness=randomness)[1])
    samples += _inner_samples(groups[0], offer)
    return samples


def _inner_samples(group: Group, offer: KeyPackageBundle) -> list[bytes]:
    """Return structs that travel inside of others."""
    leaf = offer.key_package.leaf_node
    identity = PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=b"psk", nonce=bytes(32))
    pending = group.stage_commit(randomness=Counter("inner"), proposals=[Add(offer.key_package)])
    senders = (ExternalSender(signature_key=leaf.signature_key, credential=leaf.credential),)
    required = RequiredCapabilities(extensions=(0xF0A3,), proposals=(), credentials=(1,))
    proposals = (Add(offer.key_package), Remove(1), PreSharedKey(identity))
    return [
        leaf.credential.encode(),
        leaf.capabilities.encode(),
        identity.encode(),
        encode_external_senders(senders),
        required.encode(),
        *(proposal.encode() for proposal in proposals),
        Commit(proposals=proposals, path=None).encode(),
        *([] if pending.welcome is None else [pending.welcome, pending.welcome[4:]]),
        group.group_info()[4:],
        sign_proposal(group.state, Remove(1), b"aad", WireFormat.PUBLIC_MESSAGE).encode(),
        GroupSecrets(joiner_secret=bytes(32), path_secret=bytes(32), psks=(identity,)).encode(),
    ]


def vector_samples() -> Iterator[bytes]:
    """Return what the official vectors hold, where they are at hand."""
    names = ("messages", "tree-validation", "tree-operations", "treekem", "passive-client-welcome")
    for name in names:
        path = vectors_folder() / "mls" / f"{name}.json"
        if path.exists():
            yield from _strings(json.loads(path.read_bytes())[:12])


def _strings(value: Any) -> Iterator[bytes]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str) and 8 < len(value) <= 2 * (INPUT_SIZE_MAX - 1):
        yield bytes.fromhex(value)
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType] - the same
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] - the same
            yield from _strings(item)


def _fitting(parse: Callable[[bytes], None], samples: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for sample in samples:
        with contextlib.suppress(PeerError):
            parse(sample)
            found.append(sample)
    return found[:: 1 + len(found) // _SEEDS_MAX]


def make() -> Target:
    """Return the target."""
    samples = sorted({*own_samples(), *vector_samples()}, key=lambda sample: (len(sample), sample))
    return one_of([Part(parse, _fitting(parse, samples)) for parse in PARSERS.values()])
