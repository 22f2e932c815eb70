"""Secrets: used ones are gone from what is kept and stored, and none shows in a text or a pickle."""

import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import skvoz.crypto
import skvoz.mls
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.crypto.suites import SUITES, CipherSuite, suite
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Extension,
    Group,
    OwnEcho,
    PreSharedKey,
    PreSharedKeyId,
    PreSharedKeys,
    Remove,
    StagedCommit,
    parse_message,
)
from skvoz.mls.private_message import PrivateMessage, open_sender_data
from skvoz.mls.secret_tree import SKIPPED_KEYS_MAX, _step
from tests.mls.people import Counter, agree, bundle, follow, founder, group_of

RANDOM = Counter("secrets")


def private_bytes(group: Group) -> bytes:
    """Return what a device stores of a group and shows nobody."""
    parts = group.snapshot()
    assert parts.epoch is not None
    assert parts.secrets is not None
    return b"|".join((parts.epoch, parts.secrets, *parts.ratchets.values()))


def stored_bytes(group: Group) -> bytes:
    """Return everything that a device stores of a group."""
    parts = group.snapshot()
    assert parts.tree is not None
    assert parts.members is not None
    return b"|".join((parts.tree, parts.members, private_bytes(group)))


def windows(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(len(data) - size + 1):
        yield data[start : start + size]


def derivable(used: CipherSuite, stored: bytes, depth: int, generations: int) -> set[bytes]:
    """Return every message key that somebody with the stored bytes could derive, whatever is a secret."""
    expand, size = used.expand_with_label, used.hash_size
    found = set(windows(stored, used.aead_key_size))
    secrets = set(windows(stored, size))
    inner = secrets
    for _ in range(depth):
        inner = {expand(secret, "tree", side, size) for secret in inner for side in (b"left", b"right")}
        secrets |= inner
    ratchets = secrets | {
        expand(secret, kind, b"", size) for secret in secrets for kind in ("handshake", "application")
    }
    for start in ratchets:
        secret = start
        for generation in range(generations):
            key, _, secret = _step(used, secret, generation)
            found.add(key)
    return found


def key_of(receiver: Group, message: bytes) -> bytes:
    """Return the key under which a message is encrypted, as its receiver would draw it."""
    parsed = parse_message(message)
    assert isinstance(parsed, PrivateMessage)
    sender = open_sender_data(receiver.suite, parsed, receiver.state.secrets.sender_data_secret)
    ratchets, _ = receiver.secret_tree.leaf(sender.leaf_index)
    return ratchets.application.take(receiver.suite, sender.generation)[0]


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 0xF0A2])
def test_a_read_message_cannot_be_read_again_with_what_is_stored(number: int) -> None:
    alice, bob = group_of(("alice", "bob"), own_suite=suite(number))
    for generation in range(2):
        alice, message = alice.protect(b"data", randomness=RANDOM)
        key = key_of(bob, message)
        received = bob.receive(message)
        assert isinstance(received, ApplicationMessage)
        if generation == 0:  # the search finds it where it is
            assert key in derivable(bob.suite, private_bytes(bob), depth=1, generations=1)
        for group in (received.group, alice):
            assert key not in derivable(group.suite, private_bytes(group), depth=1, generations=2)
        bob = received.group


def test_skipped_keys_are_kept_until_they_are_used_or_too_many() -> None:
    alice, bob = group_of(("alice", "bob"))
    messages: list[bytes] = []
    for _ in range(SKIPPED_KEYS_MAX + 10):
        alice, message = alice.protect(b"data", randomness=RANDOM)
        messages.append(message)
    keys = [key_of(bob, message) for message in (messages[0], messages[20])]
    received = bob.receive(messages[-1])
    assert isinstance(received, ApplicationMessage)
    kept = stored_bytes(received.group)
    assert [key in kept for key in keys] == [False, True]
    used = received.group.receive(messages[20])
    assert isinstance(used, ApplicationMessage)
    assert keys[1] not in stored_bytes(used.group)


def old_secrets(group: Group) -> list[bytes]:
    """Return what must be gone once an epoch is over: all but the resumption key."""
    secrets = msgspec.structs.asdict(group.state.secrets)
    del secrets["resumption_psk"]
    inner = [*group.secret_tree.inner.values()]
    drawn = group.secret_tree.leaf(0)[0]
    return [*secrets.values(), *inner, drawn.handshake.secret, drawn.application.secret]


@pytest.mark.parametrize("number", [1, 2, 0xF0A2])
def test_an_epochs_secrets_are_gone_after_it(number: int) -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"), own_suite=suite(number))
    for sender in ("alice", "bob", "carol", "alice"):
        groups = {"alice": alice, "bob": bob, "carol": carol}
        pending = groups[sender].stage_commit(randomness=RANDOM, path=True)
        after = {
            name: pending.next if name == sender else follow(group, pending) for name, group in groups.items()
        }
        for name, group in groups.items():
            kept = stored_bytes(after[name])
            assert not [secret for secret in old_secrets(group) if secret in kept]
            gone = set(group.state.private.keys.values()) - set(after[name].state.private.keys.values())
            assert gone or name != sender
            assert not [key for key in gone if key in kept]
        alice, bob, carol = after["alice"], after["bob"], after["carol"]


def test_path_secrets_and_what_begins_an_epoch_are_not_kept() -> None:
    alice, bob, _ = group_of(("alice", "bob", "carol"))
    drawn: list[bytes] = []

    def randomness(length: int, /) -> bytes:
        drawn.append(RANDOM(length))
        return drawn[-1]

    offer = bundle("dave", RANDOM)
    pending = alice.stage_commit(
        randomness=randomness, proposals=[Add(offer.key_package)], path=True, padding_size=3
    )
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, offer).group
    secrets = [secret for secret in drawn if len(secret) >= 16]
    for secret in tuple(secrets):
        node = alice.suite.derive_secret(secret, "node")
        following = alice.suite.derive_secret(secret, "path")
        secrets += [node, following, alice.suite.derive_secret(following, "node")]
    follower = follow(bob, pending)
    for group in (pending.next, follower, joined):
        kept = stored_bytes(group)
        assert not [secret for secret in secrets if secret in kept]
    assert offer.init_private_key not in stored_bytes(joined)
    assert offer.leaf_private_key in stored_bytes(joined)  # the search finds what is there


def test_keys_of_an_update_of_ones_own_are_gone_with_the_epoch() -> None:
    alice, bob = group_of(("alice", "bob"))
    bob, _ = bob.propose_update(randomness=RANDOM)
    (update,) = bob.own_updates
    assert update.private_key in stored_bytes(bob)
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    assert update.private_key not in stored_bytes(follow(bob, pending))


def test_what_a_removed_member_keeps_reads_nothing_more() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(2)])
    gone = carol.receive(pending.commit)
    assert isinstance(gone, StagedCommit)
    assert gone.next is None
    bob = follow(bob, pending)
    alice, message = pending.next.protect(b"just us", randomness=RANDOM)
    key = key_of(bob, message)
    assert key not in derivable(carol.suite, private_bytes(carol) + private_bytes(gone.group), 2, 1)


# Texts and pickles


def modules() -> Iterator[object]:
    for room in (skvoz.mls, skvoz.crypto):
        for found in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
            yield importlib.import_module(found.name)


def classes() -> list[type[Any]]:
    found = {
        member
        for module in modules()
        for member in vars(module).values()
        if inspect.isclass(member) and member.__module__.startswith(("skvoz.mls", "skvoz.crypto"))
    }
    return sorted(found, key=lambda member: (member.__module__, member.__qualname__))


def fields_of(member: type[Any]) -> list[tuple[str, bool]]:
    """Return the names of the fields of a kind of values, each with whether its repr shows it."""
    if issubclass(member, msgspec.Struct):
        quiet = vars(Value)["__repr__"] is member.__repr__
        return [(name, not quiet) for name in member.__struct_fields__]
    if dataclasses.is_dataclass(member):
        return [(field.name, field.repr) for field in dataclasses.fields(member)]
    return []


def test_no_field_of_bytes_shows_in_a_repr() -> None:
    """Keys and plaintext are secrets; ids, credentials and contents of extensions are nobody's business."""
    showing: list[str] = []
    checked = 0
    for member in classes():
        hints = typing.get_type_hints(member, vars(importlib.import_module("skvoz.mls")))
        for name, shows in fields_of(member):
            kind = str(hints[name])
            if "bytes" in kind and "Callable" not in kind:
                checked += 1
                showing += [f"{member.__name__}.{name}"] if shows else []
    assert checked > 100
    assert not showing


def test_a_group_shows_none_of_what_it_holds() -> None:
    marked = [b"CANARY%d" % number for number in range(6)]
    group_id, name, data, aad, psk_name, psk_value = marked
    extension = Extension(kind=5, data=b"\x00")
    alice = founder(name.decode(), RANDOM, extensions=(extension,))
    alice = replace(alice, state=replace(alice.state, context=replace(alice.context, group_id=group_id)))
    offer = bundle(name.decode(), RANDOM)
    psk = PreSharedKey(PreSharedKeyId.external(psk_name, alice.suite, RANDOM))
    known = PreSharedKeys(external={psk_name: psk_value})
    pending = alice.stage_commit(
        randomness=RANDOM,
        proposals=[Add(offer.key_package), psk],
        psks=known,
        authenticated_data=aad,
        group_info_extensions=(Extension(kind=0xF0F0, data=data),),
    )
    assert pending.welcome is not None
    joined = Group.join(pending.welcome, offer, psks=known)
    sender, message = pending.next.protect(data, randomness=RANDOM, authenticated_data=aad)
    received = joined.group.receive(message)
    echo = sender.receive(message)
    assert isinstance(echo, OwnEcho)
    shown = "".join(
        repr(value) + str(value)
        for value in (
            alice, offer, psk, known, pending, joined, sender, received, echo, joined.group_info,
            joined.group.members(), joined.group.snapshot(), parse_message(message), pending.effects,
            parse_message(pending.welcome), joined.group.state, joined.group.state.members,
            joined.group.state.signature_key, joined.group.secret_tree, joined.group.state.private,
        )
    )  # fmt: skip
    assert "CANARY" not in shown
    assert "\\x" not in shown


def test_what_holds_secrets_is_not_pickled() -> None:
    alice, _ = group_of(("alice", "bob"))
    alice, _ = alice.propose_update(randomness=RANDOM)
    offer = bundle("carol", RANDOM)
    held = (
        alice,
        alice.state,
        alice.state.secrets,
        alice.state.private,
        alice.state.signature_key,
        alice.secret_tree,
        alice.secret_tree.leaf(0)[0].handshake,
        alice.own_updates[0],
        alice.snapshot(),
        offer,
        PreSharedKeys(),
        alice.suite.generate_key_pair(RANDOM),
    )
    for value in held:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="holds secrets is not pickled"):
                pickle.dumps(value, protocol)


def test_classes_with_private_keys_or_secrets_are_among_those() -> None:
    telling = ("_secret", "secret_", "private_key", "resumption", "base_nonce", "joiner")
    safe = {"Opened", "UpdatePathNode"}  # a secret tree, which refuses itself; ciphertexts
    missing = {
        member.__name__
        for member in classes()
        if not issubclass(member, NeverPickled)
        for name, _ in fields_of(member)
        if any(word in name for word in telling) and "size" not in name
    }
    assert missing == safe


@pytest.mark.parametrize("number", sorted(SUITES))
def test_every_suite_forgets(number: int) -> None:
    alice, bob = group_of(("alice", "bob"), own_suite=suite(number))
    pending = alice.stage_commit(randomness=RANDOM, path=True)
    after = follow(bob, pending)
    agree(after, pending.next)
    kept = stored_bytes(after)
    assert not [secret for secret in old_secrets(bob) if secret in kept]
