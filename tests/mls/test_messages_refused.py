"""Messages that no member may accept (RFC 9420 §6): each is refused, and the group stays as it was."""

from contextlib import suppress

import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, DecryptFailed, Invalid, Malformed
from skvoz.codec import uint32
from skvoz.mls import (
    Add,
    ApplicationMessage,
    Extension,
    ExternalSender,
    Future,
    Group,
    Policy,
    ProposalStored,
    Remove,
    SelfRemove,
    SenderType,
    StagedCommit,
    Stale,
    Update,
    encode_external_senders,
    encode_message,
    parse_message,
    propose_from_outside,
    propose_to_join,
)
from skvoz.mls.framing import AuthenticatedContent, ContentType, FramedContent, Sender, WireFormat
from skvoz.mls.private_message import PrivateMessage, SenderData, place_of, seal_private
from skvoz.mls.public_message import PublicMessage
from tests.mls.people import Counter, agree, bundle, commit, follow, group_of, protect, say

RANDOM = Counter("refused")

Kind = type[Exception] | tuple[type[Exception], ...]


def _refused(group: Group, message: bytes, kind: Kind, text: str | None = None) -> None:
    before = group.snapshot()
    with pytest.raises(kind, match=text):
        group.receive(message)
    assert group.snapshot() == before


def test_an_empty_or_foreign_signature_is_refused() -> None:
    alice, bob = group_of(("alice", "bob"))
    content = FramedContent.of(
        group_id=alice.group_id,
        epoch=alice.epoch,
        sender=Sender.member(0),
        authenticated_data=b"",
        body=b"data",
    )
    for signature in (b"", bytes(64)):
        unsigned = AuthenticatedContent(
            wire_format=WireFormat.PRIVATE_MESSAGE, content=content, signature=signature
        )
        _refused(bob, protect(alice, unsigned), DecryptFailed)
    foreign = alice.suite.generate_signature_key_pair(RANDOM)
    _refused(bob, say(alice, b"data", private_key=foreign.private_key), DecryptFailed)
    assert isinstance(bob.receive(say(alice, b"data")), ApplicationMessage)


def test_a_member_cannot_speak_for_another() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    forged = replace(alice, state=replace(alice.state, private=carol.state.private))
    _refused(bob, say(forged, b"data"), DecryptFailed)
    _refused(bob, say(alice, Remove(0), public=True, sender=Sender.member(2)), DecryptFailed)
    _refused(bob, say(alice, Remove(0), public=True, sender=Sender.member(9)), Invalid)


def test_a_changed_bit_anywhere_is_refused() -> None:
    alice, bob = group_of(("alice", "bob"))
    for message in (
        alice.protect(b"data", randomness=RANDOM)[1],
        alice.propose(Remove(1), randomness=RANDOM, public=True)[1],
    ):
        for place in range(len(message)):
            changed = bytearray(message)
            changed[place] ^= 1
            before = bob.snapshot()
            with suppress(DecryptFailed, Invalid, Malformed):
                assert isinstance(bob.receive(bytes(changed)), Stale | Future)
            assert bob.snapshot() == before


def test_trailing_bytes_and_other_kinds_of_messages_are_refused() -> None:
    alice, bob = group_of(("alice", "bob"))
    _, message = alice.protect(b"data", randomness=RANDOM)
    _refused(bob, message + b"\x00", Malformed)
    _refused(bob, message[:-1], Malformed)
    _refused(bob, b"\x00\x02" + message[2:], Malformed, "version")
    _refused(bob, b"\x00\x01\x00\x09" + message[4:], Malformed, "kind")
    _refused(bob, alice.group_info(), Malformed, "not one to a group")


def test_a_length_that_is_not_minimal_is_refused() -> None:
    alice, bob = group_of(("alice", "bob"))
    _, message = alice.protect(b"data", randomness=RANDOM)
    size = len(alice.group_id)
    assert message[4] == size
    _refused(bob, message[:4] + bytes((0x40, size)) + message[5:], Malformed, "shortest")


def test_another_groups_message_is_refused() -> None:
    _, bob = group_of(("alice", "bob"))
    stranger, _ = group_of(("alice", "bob"), seed="another")
    _refused(bob, say(stranger, b"data"), DecryptFailed)
    elsewhere = replace(
        stranger, state=replace(stranger.state, context=replace(stranger.context, group_id=b"elsewhere"))
    )
    _refused(bob, say(elsewhere, b"data"), Invalid, "another group")


def _sealed(alice: Group, content: bytes) -> bytes:
    ratchets, _ = alice.secret_tree.leaf(0)
    key, nonce, _ = ratchets.application.draw(alice.suite)
    return b"\x00\x01\x00\x02" + seal_private(
        alice.suite,
        key=key,
        nonce=nonce,
        sender=SenderData(0, 0, b"rand"),
        sender_data_secret=alice.state.secrets.sender_data_secret,
        place=place_of(alice.group_id, alice.epoch, ContentType.APPLICATION),
        authenticated_data=b"",
        content=content,
    )


def test_padding_is_zeros() -> None:
    alice, bob = group_of(("alice", "bob"))
    _refused(bob, _sealed(alice, b"\x04data\x01s\x00\x01"), Malformed, "zeros")
    _refused(bob, _sealed(alice, b"\x04data"), Malformed)
    _refused(bob, _sealed(alice, b""), Malformed)
    with pytest.raises(BadRequest):
        alice.protect(b"data", randomness=RANDOM, padding_size=-1)


def test_sender_data_has_its_length_and_names_a_member() -> None:
    alice, bob = group_of(("alice", "bob"))
    parsed = parse_message(alice.protect(b"data", randomness=RANDOM)[1])
    assert isinstance(parsed, PrivateMessage)
    suite = alice.suite
    secret = alice.state.secrets.sender_data_secret
    sample = parsed.ciphertext[: suite.hash_size]
    key = suite.expand_with_label(secret, "key", sample, suite.aead_key_size)
    nonce = suite.expand_with_label(secret, "nonce", sample, suite.aead_nonce_size)
    place = place_of(alice.group_id, alice.epoch, ContentType.APPLICATION)
    for plain, kind in (
        (b"short", Malformed),
        (bytes(13), Malformed),
        (uint32(7) + bytes(8), Invalid),
        (uint32(0) + uint32(5000) + b"rand", Invalid),
        (uint32(0) + uint32(3) + b"rand", DecryptFailed),
    ):
        changed = replace(parsed, encrypted_sender_data=suite.seal(key, nonce, place, plain))
        _refused(bob, encode_message(changed), kind)


def test_application_data_never_comes_unencrypted() -> None:
    alice, bob = group_of(("alice", "bob"))
    _refused(bob, say(alice, b"data", public=True), Invalid, "unencrypted")


def test_a_members_public_message_needs_its_membership_tag() -> None:
    alice, bob = group_of(("alice", "bob"))
    message = parse_message(say(alice, Remove(1), public=True))
    assert isinstance(message, PublicMessage)
    _refused(bob, encode_message(replace(message, membership_tag=bytes(32))), DecryptFailed)
    _refused(bob, encode_message(replace(message, membership_tag=b"")), DecryptFailed)
    assert isinstance(bob.receive(encode_message(message)), ProposalStored)


def test_the_policy_may_forbid_public_handshakes_and_external_commits() -> None:
    alice, bob = group_of(("alice", "bob"))
    closed = Policy(public_handshakes=False, external_commits=False)
    with pytest.raises(Invalid, match="unencrypted"):
        bob.receive(say(alice, Remove(1), public=True), policy=closed)
    only_members = Policy(external_commits=False)
    assert isinstance(bob.receive(say(alice, Remove(1), public=True), policy=only_members), ProposalStored)
    keys = alice.suite.generate_signature_key_pair(RANDOM)
    joined = Group.external_join(alice.suite, alice.group_info(), b"carol", keys, randomness=RANDOM)
    with pytest.raises(Invalid, match="external commits"):
        bob.receive(joined.commit, policy=closed)


def test_only_who_may_sends_proposals_and_commits_from_outside() -> None:
    alice, bob = group_of(("alice", "bob"))
    carol = bundle("carol", RANDOM)
    key = carol.signature_private_key
    new_member = Sender(SenderType.NEW_MEMBER_PROPOSAL)
    _refused(bob, say(alice, Remove(0), public=True, sender=new_member, private_key=key), Invalid)
    _refused(bob, say(alice, commit(), public=True, sender=new_member, private_key=key), Invalid)
    joiner = Sender(SenderType.NEW_MEMBER_COMMIT)
    _refused(bob, say(alice, Remove(0), public=True, sender=joiner, private_key=key), Invalid)
    _refused(bob, say(alice, commit(), public=True, sender=joiner, private_key=key), Invalid, "no path")
    _refused(bob, say(alice, b"data", public=True, sender=joiner, private_key=key), Invalid)
    outside = Sender(SenderType.EXTERNAL, 0)
    _refused(bob, say(alice, Remove(0), public=True, sender=outside, private_key=key), Invalid, "not listed")
    asked = bob.receive(propose_to_join(carol, bob.group_id, bob.epoch))
    assert isinstance(asked, ProposalStored)
    assert asked.sender.kind is SenderType.NEW_MEMBER_PROPOSAL
    pending = asked.group.stage_commit(randomness=RANDOM)
    assert pending.welcome is not None
    agree(Group.join(pending.welcome, carol).group, pending.next)


def test_external_senders_propose_what_they_may() -> None:
    keys = group_of(("x",))[0].suite.generate_signature_key_pair(RANDOM)
    listed = encode_external_senders(
        (ExternalSender(keys.public_key, bundle("server", RANDOM).key_package.leaf_node.credential),)
    )
    alice, bob = group_of(("alice", "bob"), extensions=(Extension(kind=5, data=listed),))
    group_id, epoch = alice.group_id, alice.epoch
    message = propose_from_outside(alice.suite, keys, 0, Remove(1), group_id=group_id, epoch=epoch)
    stored = alice.receive(message)
    assert isinstance(stored, ProposalStored)
    pending = stored.group.stage_commit(randomness=RANDOM)
    removed = bob.receive(message)
    assert isinstance(removed, ProposalStored)
    gone = removed.group.receive(pending.commit)
    assert isinstance(gone, StagedCommit)
    assert gone.next is None
    with pytest.raises(BadRequest):
        propose_from_outside(alice.suite, keys, 0, SelfRemove(), group_id=group_id, epoch=epoch)
    outside = Sender(SenderType.EXTERNAL, 0)
    leaf = bob.state.members.tree.member(1)
    for forbidden in (SelfRemove(), Update(leaf)):
        said = say(alice, forbidden, public=True, sender=outside, private_key=keys.private_key)
        _refused(bob, said, (DecryptFailed, Invalid))
    wrong = alice.suite.generate_signature_key_pair(RANDOM)
    forged = propose_from_outside(alice.suite, wrong, 0, Remove(1), group_id=group_id, epoch=epoch)
    _refused(bob, forged, DecryptFailed)


def test_a_removed_members_message_is_not_read() -> None:
    alice, bob, carol = group_of(("alice", "bob", "carol"))
    pending = alice.stage_commit(randomness=RANDOM, proposals=[Remove(2)])
    bob = follow(bob, pending)
    assert bob.receive(say(carol, b"I am still here")) == Stale(epoch=1)
    pretending = replace(carol, state=replace(carol.state, context=replace(carol.context, epoch=bob.epoch)))
    _refused(bob, say(pretending, b"I am still here"), DecryptFailed)


def test_stored_proposals_are_bounded_and_kept_once() -> None:
    alice, bob = group_of(("alice", "bob"))
    message = say(alice, Add(bundle("carol", RANDOM).key_package), public=True)
    stored = bob.receive(message)
    assert isinstance(stored, ProposalStored)
    assert type(stored.group.receive(message)).__name__ == "Duplicate"
    full = replace(stored.group, proposals=stored.group.proposals * 1024)
    _refused(full, say(alice, Remove(1), public=True), Invalid, "too many")
