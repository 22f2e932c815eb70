"""How long MLS takes in big groups, beside mls-rs in the same run.

./dev bench mls [--members 1000] [--suite 1 --suite 61602]

Trees are built with known keys instead of a thousand joins: every path in them is one that a member
drew, signed and hashed, so they pass the same checks as any other. Times are the best of several
runs, in milliseconds. Limits are held against processor time, which for our single thread is what a run
takes when no other program is in its way; mls-rs uses several threads, so ratios are of time on the wall.
"""

import argparse
import gc
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import mls_rs_uniffi as mls_rs

from bench.machine import machine
from skvoz.crypto.suites import CipherSuite, suite
from skvoz.mls import Add, ApplicationMessage, Group, GroupContext, KeyPackageBundle, StagedCommit
from skvoz.mls.epoch import EpochState, OwnSignatureKey
from skvoz.mls.key_schedule import confirmation_tag, epoch_from_secret
from skvoz.mls.members import Members
from skvoz.mls.secret_tree import SecretTree
from skvoz.mls.transcript import interim_transcript_hash
from tests.mls.synthetic_tree import GROUP_ID, LIFETIME, World, full_world, new_world

MESSAGE_SIZE: Final = 200
SUITES: Final = (1, 0xF0A2)
LIMITS: Final = {
    (1, "path commit, full tree"): 5.0,
    (1, "process it, full tree"): 4.0,
    (1, "join, full tree"): 300.0,
    (0xF0A2, "path commit, full tree"): 7.0,
    (0xF0A2, "process it, full tree"): 5.0,
    (0xF0A2, "join, full tree"): 350.0,
}
"""Milliseconds at 1,000 members."""
RATES: Final = {"encrypted": 8_000, "decrypted and verified": 4_000}
"""Application messages of 200 bytes a second, suite 1."""
RATIOS: Final = {"update commit, fresh tree": 1.0, "process it, fresh tree": 3.0, "join, fresh tree": 3.0}
"""At most this many times what mls-rs takes."""


@dataclass(frozen=True, slots=True)
class Took:
    """The best of several runs, milliseconds."""

    wall: float
    processor: float


def best(run: Callable[[], object], times: int) -> Took:
    """Return the shortest duration of a call."""
    wall: list[float] = []
    processor: list[float] = []
    gc.collect()
    for _ in range(times):
        start, start_processor = time.perf_counter(), time.process_time()
        run()
        processor.append((time.process_time() - start_processor) * 1e3)
        wall.append((time.perf_counter() - start) * 1e3)
    return Took(min(wall), min(processor))


def group_at(world: World, leaf_index: int, epoch_secret: bytes) -> Group:
    """Return the view of one member of a synthetic tree, in an epoch that all of them agree on."""
    used = world.suite
    context = GroupContext(
        cipher_suite=used.number,
        group_id=GROUP_ID,
        epoch=world.tree.leaf_count,
        tree_hash=world.tree.root_hash(),
        confirmed_transcript_hash=bytes(used.hash_size),
    )
    schedule = epoch_from_secret(used, epoch_secret)
    tag = confirmation_tag(used, schedule.confirmation_key, context.confirmed_transcript_hash)
    keys = world.clients[leaf_index].signature
    state = EpochState(
        suite=used,
        context=context,
        context_bytes=context.encode(),
        secrets=schedule.secrets,
        interim_transcript_hash=interim_transcript_hash(used, context.confirmed_transcript_hash, tag),
        confirmation_tag=tag,
        members=Members.of(world.tree),
        private=world.private(leaf_index),
        signature_key=OwnSignatureKey(keys.private_key, keys.public_key),
    )
    width = world.tree.leaf_count
    return Group(state=state, secret_tree=SecretTree.start(used, schedule.encryption_secret, width))


def bundle(used: CipherSuite) -> KeyPackageBundle:
    """Make a stranger's KeyPackage."""
    keys = used.generate_signature_key_pair(secrets.token_bytes)
    return KeyPackageBundle.create(used, b"stranger", keys, lifetime=LIFETIME, randomness=secrets.token_bytes)


@dataclass(frozen=True, slots=True)
class Times:
    """Times for one kind of tree, milliseconds, and the commit's size in bytes."""

    commit: Took
    process: Took
    join: Took
    commit_size: int


def measure_tree(world: World, committer: int, times: int) -> Times:
    """Measure a commit with fresh keys, another member's processing of it, and a join."""
    secret = secrets.token_bytes(world.suite.hash_size)
    sender = group_at(world, committer, secret)
    receiver = group_at(world, max(world.clients), secret)
    pending = sender.stage_commit(randomness=secrets.token_bytes, path=True)
    received = receiver.receive(pending.commit)
    if not isinstance(received, StagedCommit) or received.next is None:
        raise TypeError("the receiver does not follow")
    if received.next.epoch_authenticator != pending.next.epoch_authenticator:
        raise ValueError("the receiver came elsewhere")
    commit = best(lambda: sender.stage_commit(randomness=secrets.token_bytes, path=True), times)
    process = best(lambda: receiver.receive(pending.commit), times)
    offer = bundle(world.suite)
    added = sender.stage_commit(randomness=secrets.token_bytes, proposals=[Add(offer.key_package)])
    welcome = added.welcome or b""
    join = best(lambda: Group.join(welcome, offer), 3)
    return Times(commit, process, join, len(pending.commit))


def measure_messages(used: CipherSuite, count: int) -> tuple[float, float]:
    """Return messages a second, encrypted and then decrypted and verified: the best of eight batches."""
    world = full_world(used, 2)
    secret = secrets.token_bytes(used.hash_size)
    sender, receiver = group_at(world, 0, secret), group_at(world, 1, secret)
    data = bytes(MESSAGE_SIZE)
    encrypted = decrypted = 0.0
    for _ in range(8):
        messages: list[bytes] = []
        start = time.process_time()
        for _ in range(count // 8):
            sender, message = sender.protect(data, randomness=secrets.token_bytes)
            messages.append(message)
        encrypted = max(encrypted, len(messages) / (time.process_time() - start))
        start = time.process_time()
        for message in messages:
            received = receiver.receive(message)
            if not isinstance(received, ApplicationMessage):
                raise TypeError("a message was not read")
            receiver = received.group
        decrypted = max(decrypted, len(messages) / (time.process_time() - start))
    return encrypted, decrypted


def measure_mls_rs(members: int, times: int) -> Times:
    """Measure the same in mls-rs, whose creator adds everybody; its wheel has suite 1 only."""
    number = mls_rs.CipherSuite.CURVE25519_AES128

    def client(name: str) -> mls_rs.Client:
        keys = mls_rs.generate_signature_keypair(number)
        return mls_rs.Client(name.encode(), keys, mls_rs.client_config_default())

    group = client("creator").create_group(None)
    packages = [client(f"member {index}").generate_key_package_message() for index in range(members - 4)]
    group.process_incoming_message(group.add_members(packages).commit_message)
    joiners = [client(f"joiner {index}") for index in range(3)]
    added = group.add_members([joiner.generate_key_package_message() for joiner in joiners])
    group.process_incoming_message(added.commit_message)
    welcome = added.welcome_message
    if welcome is None:
        raise TypeError("mls-rs made no welcome")
    join = best(lambda: joiners[1].join_group(None, welcome), 3)
    receiver = joiners[0].join_group(None, welcome).group
    commits: list[Took] = []
    processed: list[Took] = []
    size = 0
    for _ in range(times):
        made: list[mls_rs.Message] = []
        commits.append(best(lambda made=made: made.append(group.commit().commit_message), 1))
        size = len(made[0].to_bytes())
        group.process_incoming_message(made[0])
        processed.append(best(lambda made=made: receiver.process_incoming_message(made[0]), 1))
    return Times(_best_of(commits), _best_of(processed), join, size)


def _best_of(runs: list[Took]) -> Took:
    return Took(min(run.wall for run in runs), min(run.processor for run in runs))


def fresh_world(used: CipherSuite, members: int) -> World:
    """Return a tree to which its creator added 16 members at a time, committing each time."""
    world = new_world(used, 1)
    extra = new_world(used, members)
    names = [extra.clients[index] for index in range(1, members)]
    world.clients[0] = extra.clients[0]
    for start in range(0, len(names), 16):
        world.add(*names[start : start + 16])
        world.keep(world.stage(0))
    return world


def verdict(name: str, took: Took, limit: float | None) -> str:
    """Return a line of the table."""
    held = limit is None or took.processor <= limit
    judged = "" if limit is None else f"   at most {limit:g}: {'holds' if held else 'MISSED'}"
    return f"    {name:<32}{took.processor:>10.2f} ms {took.wall:>10.2f} ms{judged}"


def report_suite(used: CipherSuite, members: int, times: int, *, limited: bool) -> Times:
    """Print one suite's figures; return those for the fresh tree."""
    print(f"\n{used.name}, {members} members: processor, wall")
    full = measure_tree(full_world(used, members), members // 2 + 1, times)
    fresh = measure_tree(fresh_world(used, members), 0, max(3, times // 5))
    rows = (
        ("path commit, full tree", full.commit),
        ("process it, full tree", full.process),
        ("join, full tree", full.join),
        ("update commit, fresh tree", fresh.commit),
        ("process it, fresh tree", fresh.process),
        ("join, fresh tree", fresh.join),
    )
    for name, value in rows:
        print(verdict(name, value, LIMITS.get((used.number, name)) if limited else None))
    print(f"    commit sizes: {full.commit_size:,} bytes (full), {fresh.commit_size:,} bytes (fresh)")
    return fresh


def report_ratios(ours: Times, theirs: Times) -> None:
    """Print our times for the fresh tree over those of mls-rs."""
    print("\nmls-rs (agentvault-mls-rs-uniffi), suite 1, fresh tree: wall, and ours over it")
    pairs = (
        ("update commit, fresh tree", ours.commit, theirs.commit),
        ("process it, fresh tree", ours.process, theirs.process),
        ("join, fresh tree", ours.join, theirs.join),
    )
    for name, own, other in pairs:
        ratio, limit = own.wall / other.wall, RATIOS[name]
        judged = "holds" if ratio <= limit else "MISSED"
        print(f"    {name:<32}{other.wall:>10.2f} ms   ratio {ratio:.2f}, at most {limit:g}: {judged}")


def report_messages(used: CipherSuite, count: int) -> None:
    """Print rates of application messages."""
    print(f"\n{used.name}, application messages of {MESSAGE_SIZE} bytes")
    for name, rate in zip(RATES, measure_messages(used, count), strict=True):
        limit = RATES[name] if used.number == 1 else None
        judged = "" if limit is None else f"   at least {limit:,}: {'holds' if rate >= limit else 'MISSED'}"
        print(f"    {name:<32}{rate:>10,.0f} /s{judged}")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--suite", type=int, action="append", help="an MLS suite's number; may be repeated")
    parser.add_argument("--times", type=int, default=25)
    parser.add_argument("--messages", type=int, default=4000)
    options = parser.parse_args()
    limited = options.members == 1000
    chosen = [suite(number) for number in options.suite or SUITES]
    print(f"machine: {machine()}")
    for used in chosen:
        fresh = report_suite(used, options.members, options.times, limited=limited)
        if used.number == 1:
            report_ratios(fresh, measure_mls_rs(options.members, max(3, options.times // 5)))
        report_messages(used, options.messages)


if __name__ == "__main__":
    main()
