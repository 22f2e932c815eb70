"""How long MLS takes in big groups, beside mls-rs in the same run.

python bench/mls.py [--members 1000] [--suite 1 --suite 61602]

Trees are built with known keys instead of a thousand joins: every path in them is one that a member
drew, signed and hashed, so they pass the same checks as any other. Times are medians, in milliseconds.
"""

import argparse
import gc
import os
import platform
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cryptography
import mls_rs_uniffi as mls_rs
from cryptography.hazmat.backends.openssl import backend

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

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


def milliseconds(run: Callable[[], object], times: int) -> float:
    """Return the median duration of a call."""
    samples: list[float] = []
    gc.collect()
    for _ in range(times):
        start = time.perf_counter()
        run()
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


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
    tag = confirmation_tag(used, schedule.secrets.confirmation_key, context.confirmed_transcript_hash)
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
    """Medians for one kind of tree, milliseconds, and the commit's size in bytes."""

    commit: float
    process: float
    join: float
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
    commit = milliseconds(lambda: sender.stage_commit(randomness=secrets.token_bytes, path=True), times)
    process = milliseconds(lambda: receiver.receive(pending.commit), times)
    offer = bundle(world.suite)
    added = sender.stage_commit(randomness=secrets.token_bytes, proposals=[Add(offer.key_package)])
    welcome = added.welcome or b""
    join = milliseconds(lambda: Group.join(welcome, offer), 3)
    return Times(commit, process, join, len(pending.commit))


def measure_messages(used: CipherSuite, count: int) -> tuple[float, float]:
    """Return application messages a second: encrypted, and decrypted and verified."""
    world = full_world(used, 2)
    secret = secrets.token_bytes(used.hash_size)
    sender, receiver = group_at(world, 0, secret), group_at(world, 1, secret)
    data = bytes(MESSAGE_SIZE)
    messages: list[bytes] = []
    start = time.perf_counter()
    for _ in range(count):
        sender, message = sender.protect(data, randomness=secrets.token_bytes)
        messages.append(message)
    encrypted = count / (time.perf_counter() - start)
    start = time.perf_counter()
    for message in messages:
        received = receiver.receive(message)
        if not isinstance(received, ApplicationMessage):
            raise TypeError("a message was not read")
        receiver = received.group
    return encrypted, count / (time.perf_counter() - start)


def measure_mls_rs(members: int, times: int) -> Times:
    """Measure the same in mls-rs, whose creator adds everybody; its wheel has suite 1 only."""
    number = mls_rs.CipherSuite.CURVE25519_AES128

    def client(name: str) -> mls_rs.Client:
        keys = mls_rs.generate_signature_keypair(number)
        return mls_rs.Client(name.encode(), keys, mls_rs.client_config_default())

    group = client("creator").create_group(None)
    packages = [client(f"member {index}").generate_key_package_message() for index in range(members - 2)]
    group.process_incoming_message(group.add_members(packages).commit_message)
    joiner = client("joiner")
    added = group.add_members([joiner.generate_key_package_message()])
    group.process_incoming_message(added.commit_message)
    if added.welcome_message is None:
        raise TypeError("mls-rs made no welcome")
    started = time.perf_counter()
    receiver = joiner.join_group(None, added.welcome_message).group
    join = (time.perf_counter() - started) * 1e3
    commits: list[float] = []
    processed: list[float] = []
    size = 0
    for _ in range(times):
        start = time.perf_counter()
        message = group.commit().commit_message
        commits.append((time.perf_counter() - start) * 1e3)
        size = len(message.to_bytes())
        group.process_incoming_message(message)
        start = time.perf_counter()
        receiver.process_incoming_message(message)
        processed.append((time.perf_counter() - start) * 1e3)
    return Times(statistics.median(commits), statistics.median(processed), join, size)


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


def verdict(name: str, value: float, limit: float | None) -> str:
    """Return a line of the table."""
    judged = "" if limit is None else f"   at most {limit:g}: {'holds' if value <= limit else 'MISSED'}"
    return f"    {name:<32}{value:>10.2f} ms{judged}"


def report_suite(used: CipherSuite, members: int, times: int, *, limited: bool) -> Times:
    """Print one suite's figures; return those for the fresh tree."""
    print(f"\n{used.name}, {members} members")
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
    print("\nmls-rs (agentvault-mls-rs-uniffi), suite 1, fresh tree, and ours over it")
    pairs = (
        ("update commit, fresh tree", ours.commit, theirs.commit),
        ("process it, fresh tree", ours.process, theirs.process),
        ("join, fresh tree", ours.join, theirs.join),
    )
    for name, own, other in pairs:
        ratio, limit = own / other, RATIOS[name]
        judged = "holds" if ratio <= limit else "MISSED"
        print(f"    {name:<32}{other:>10.2f} ms   ratio {ratio:.2f}, at most {limit:g}: {judged}")


def report_messages(used: CipherSuite, count: int) -> None:
    """Print rates of application messages."""
    print(f"\n{used.name}, application messages of {MESSAGE_SIZE} bytes")
    for name, rate in zip(RATES, measure_messages(used, count), strict=True):
        limit = RATES[name] if used.number == 1 else None
        judged = "" if limit is None else f"   at least {limit:,}: {'holds' if rate >= limit else 'MISSED'}"
        print(f"    {name:<32}{rate:>10,.0f} /s{judged}")


def machine() -> str:
    """Return what the figures were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "")
    return (
        f"{model or platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, cryptography {cryptography.__version__}, "
        f"{backend.openssl_version_text()}"
    )


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
