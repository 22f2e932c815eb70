"""Fuzz everything in MLS that parses bytes: only `PeerError` may escape, and what parses encodes back.

python fuzz/mls_parsers.py --seconds 60 [--seed 7]

With atheris installed and no seed given, libFuzzer chooses the inputs by coverage; else a seeded loop
mutates messages of small groups, and the official vectors where they are at hand.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from skvoz.base.errors import PeerError
from skvoz.codec import Reader
from skvoz.crypto.suites import suite
from skvoz.mls import Remove, RequiredCapabilities, encode_message, parse_message
from skvoz.mls.framing import AuthenticatedContent
from skvoz.mls.group_context import GroupContext
from skvoz.mls.members import encode_external_senders, parse_external_senders
from skvoz.mls.nodes import Capabilities, Credential, KeyPackage, LeafNode, ParentNode
from skvoz.mls.proposals import Commit, parse_proposal
from skvoz.mls.ratchet_tree import RatchetTree
from skvoz.mls.tree_kem import UpdatePath
from skvoz.mls.welcome import GroupInfo, GroupSecrets, Welcome
from tests.mls.people import bundle, group_of
from tests.mls.synthetic_tree import Counter, context_of, fresh_world, full_world
from tests.vectors_folder import vectors_folder

_CORPUS_INPUT_MAX: Final = 8192
"""Bytes: longer samples are mutated too slowly to find much."""


class Mutator:
    """Changes bytes at random, in ways that parsers of length-prefixed formats mind."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def change(self, original: bytes) -> bytes:
        """Return the bytes with one to eight changes."""
        data = bytearray(original)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3, 8))):
            self._once(data)
        return bytes(data)

    def _once(self, data: bytearray) -> None:
        chance = self.chance
        at = chance.randrange(len(data) + 1)
        match chance.randrange(8):
            case 0:
                del data[at : at + chance.randrange(1, 40)]
            case 1:
                data[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                del data[at:]
            case 3:
                start = chance.randrange(len(data) + 1)
                data[at:at] = data[start : start + chance.randrange(64)]
            case 4:
                data[at : at + 4] = chance.choice(
                    (b"\xff" * 4, b"\x00" * 4, b"\x80\x00\x00\x01", b"\xbf\xff\xff\xff")
                )
            case 5 if at < len(data):
                data[at] = chance.choice((0, 1, 2, 3, 0x3F, 0x40, 0x7F, 0x80, 0xC0, 0xFF))
            case _ if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case _:
                data.append(chance.randrange(256))


def _whole(parse: Callable[[Reader], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], None]:
    """Return a target: parse one value, and hold its encoding to the bytes that it was parsed from."""

    def target(data: bytes) -> None:
        reader = Reader(data)
        value = parse(reader)
        if encode(value) != data[: reader.position]:
            raise AssertionError("what was parsed does not encode back")

    return target


def _message(data: bytes) -> None:
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


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
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
    return samples


def vector_samples() -> Iterator[bytes]:
    """Return what the official vectors hold, where they are at hand."""
    names = ("messages", "tree-validation", "tree-operations", "treekem", "passive-client-welcome")
    for name in names:
        path = vectors_folder() / "mls" / f"{name}.json"
        if path.exists():
            yield from _strings(json.loads(path.read_bytes())[:12])


def _strings(value: Any) -> Iterator[bytes]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str) and 8 < len(value) <= 2 * _CORPUS_INPUT_MAX:
        yield bytes.fromhex(value)
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType] - the same
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] - the same
            yield from _strings(item)


def run_all(data: bytes) -> int:
    """Give one input to every target; return how many took it."""
    accepted = 0
    for target in TARGETS.values():
        try:
            target(data)
        except PeerError:
            continue
        accepted += 1
    return accepted


def run_atheris(seconds: float) -> None:
    """Let libFuzzer choose inputs; it ends the process."""
    atheris: Any = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={int(seconds)}"], run_all)
    atheris.Fuzz()


def main() -> int:
    """Run for as long as asked; print how many inputs were tried."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--seed", type=int)
    options = arguments.parse_args()
    if options.seed is None and importlib.util.find_spec("atheris"):
        run_atheris(options.seconds)
    seed = time.time_ns() % 2**32 if options.seed is None else options.seed
    chance = Random(seed)
    corpus = [*own_samples(), *vector_samples()]
    mutator = Mutator(chance)
    executions = accepted = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = mutator.change(chance.choice(corpus))
        try:
            accepted += run_all(data)
        except Exception:
            print(f"seed {seed}, execution {executions}, input {data.hex()}")
            raise
        executions += len(TARGETS)
    print(f"mls_parsers: {executions} executions, {accepted} accepted, seed {seed}, nothing escaped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
