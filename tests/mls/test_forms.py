"""Bytes of a wrong form: unknown numbers, wrong kinds, something left over, sizes out of bounds."""

import pytest

from skvoz.base.errors import Invalid, Malformed, PeerError
from skvoz.codec import Reader, opaque, uint16
from skvoz.crypto.suites import suite
from skvoz.mls import (
    Capabilities,
    Credential,
    Extension,
    ExternalSender,
    Group,
    GroupContext,
    Remove,
    default_capabilities,
    encode_external_senders,
    nodes,
    parse_key_package,
)
from skvoz.mls.framing import AuthenticatedContent, ContentType, FramedContent, Sender, WireFormat
from skvoz.mls.members import parse_external_senders
from skvoz.mls.message import parse_message
from skvoz.mls.nodes import REMEMBERED_SIZE_MAX, Extensions, LeafNode, encode_extensions, parse_extensions
from skvoz.mls.pre_shared_keys import PreSharedKeyId, PreSharedKeyType, psk_secret
from skvoz.mls.proposals import Commit, parse_proposal
from skvoz.mls.ratchet_tree import LEAVES_MAX, RatchetTree
from tests.mls.people import LIFETIME, SUITE, Counter, bundle, group_of
from tests.mls.synthetic_tree import client

RANDOM = Counter("forms")


def signed(wire_format: WireFormat = WireFormat.PUBLIC_MESSAGE) -> AuthenticatedContent:
    content = FramedContent.of(
        group_id=b"g", epoch=1, sender=Sender.member(0), authenticated_data=b"", body=Remove(1)
    )
    return AuthenticatedContent(wire_format=wire_format, content=content, signature=b"signature")


@pytest.mark.parametrize("kind", [0, 5, 255])
def test_a_sender_has_a_known_type(kind: int) -> None:
    with pytest.raises(Malformed, match="sender of an unknown type"):
        Sender.parse(Reader(bytes((kind,)) + bytes(4)))


@pytest.mark.parametrize("kind", [0, 4, 255])
def test_content_has_a_known_type(kind: int) -> None:
    encoded = signed().content.encoded
    place = encoded.index(b"\x00", len(encoded) - len(Remove(1).encode()) - 2)
    assert encoded[place + 1] == ContentType.PROPOSAL
    changed = encoded[: place + 1] + bytes((kind,)) + encoded[place + 2 :]
    with pytest.raises(Malformed, match="content of an unknown type"):
        FramedContent.parse(Reader(changed))
    private = uint16(1) + uint16(WireFormat.PRIVATE_MESSAGE) + opaque(b"g") + bytes(8) + bytes((kind,))
    with pytest.raises(Malformed, match="content of an unknown type"):
        parse_message(private + opaque(b"") * 3)


@pytest.mark.parametrize("wire_format", [0, 6, 0xFFFF])
def test_authenticated_content_is_of_a_known_kind(wire_format: int) -> None:
    encoded = signed().encode()
    assert AuthenticatedContent.parse(Reader(encoded)).encode() == encoded
    with pytest.raises(Malformed, match="unknown kind"):
        AuthenticatedContent.parse(Reader(uint16(wire_format) + encoded[2:]))


def test_a_group_is_of_a_known_version() -> None:
    context = GroupContext(
        cipher_suite=1, group_id=b"g", epoch=0, tree_hash=b"", confirmed_transcript_hash=b""
    )
    encoded = context.encode()
    assert GroupContext.parse(Reader(encoded)) == context
    for version in (0, 2):
        with pytest.raises(Malformed, match="unknown protocol version"):
            GroupContext.parse(Reader(uint16(version) + encoded[2:]))


@pytest.mark.parametrize("kind", [0, 8, 9, 11, 0x0A0A, 0xFFFF])
def test_a_proposal_has_a_known_type(kind: int) -> None:
    with pytest.raises(Malformed, match="proposal of an unknown type"):
        parse_proposal(Reader(uint16(kind) + bytes(40)))


@pytest.mark.parametrize("form", [0, 3, 255])
def test_a_commit_holds_proposals_and_references(form: int) -> None:
    with pytest.raises(Malformed, match="neither"):
        Commit.parse(Reader(opaque(bytes((form,)) + opaque(b"reference")) + b"\x00"))


@pytest.mark.parametrize("head", [b"\x00", b"\x03", b"\x02\x00", b"\x02\x04"])
def test_a_pre_shared_key_has_a_known_type_and_usage(head: bytes) -> None:
    with pytest.raises(Malformed, match="unknown type or usage"):
        PreSharedKeyId.parse(Reader(head + opaque(b"g") + bytes(8) + opaque(bytes(32))))


def test_as_many_keys_are_mixed_in_as_the_format_counts() -> None:
    psk = PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=b"", nonce=b"")
    assert len(psk_secret(SUITE, [(psk, b"")] * 0xFFFF)) == 32
    with pytest.raises(Invalid, match="too many"):
        psk_secret(SUITE, [(psk, b"")] * 0x10000)


def test_a_list_of_external_senders_ends_where_it_ends() -> None:
    listed = encode_external_senders((ExternalSender(b"key", Credential.basic(b"server")),))
    assert parse_external_senders(listed) == (ExternalSender(b"key", Credential.basic(b"server")),)
    with pytest.raises(Malformed, match="left over"):
        parse_external_senders(listed + b"\x00")


def test_a_message_is_of_the_kind_that_is_asked_for() -> None:
    alice, _ = group_of(("alice", "bob"))
    with pytest.raises(Malformed, match="not a key package"):
        parse_key_package(alice.group_info())
    offer = bundle("carol", RANDOM)
    assert parse_key_package(offer.message()) == offer.key_package


def test_a_tree_is_no_wider_than_the_limit() -> None:
    leaf = client(SUITE, "a").leaf
    present = b"\x01\x01" + leaf.encoded

    def tree(leaf_count: int) -> bytes:
        return opaque(present + bytes(2 * leaf_count - 3) + present)

    assert RatchetTree.parse(SUITE, tree(LEAVES_MAX)).leaf_count == LEAVES_MAX
    with pytest.raises(Malformed, match="too wide"):
        RatchetTree.parse(SUITE, tree(LEAVES_MAX + 1))


def test_a_tree_that_is_as_wide_as_can_be_takes_nobody_in() -> None:
    leaf = client(SUITE, "a").leaf
    leaves: list[LeafNode | None] = [leaf] * LEAVES_MAX
    full = RatchetTree(SUITE, leaves, [None] * (LEAVES_MAX - 1), [None] * (2 * LEAVES_MAX - 1))
    with pytest.raises(Invalid, match="no room"):
        full.with_leaf_added(client(SUITE, "b").leaf)
    with pytest.raises(Invalid, match="no room"):
        full.with_room()


def test_long_lists_are_not_remembered() -> None:
    """What a stranger sends must not stay in memory: a GroupInfo's extensions hold a whole tree."""

    def parsed(size: int) -> Extensions:
        encoded = encode_extensions((Extension(kind=0xF0F0, data=bytes(size)),))
        return parse_extensions(Reader(encoded))

    assert parsed(8) is parsed(8)
    assert parsed(REMEMBERED_SIZE_MAX) is not parsed(REMEMBERED_SIZE_MAX)

    def supports(count: int) -> Capabilities:
        encoded = Capabilities(versions=(1,), cipher_suites=(1,) * count).encode()
        return Capabilities.parse(Reader(encoded))

    assert supports(8) is supports(8)
    assert supports(REMEMBERED_SIZE_MAX) is not supports(REMEMBERED_SIZE_MAX)
    assert nodes.REMEMBERED_SIZE_MAX <= 4096


@pytest.mark.parametrize(
    ("extensions", "leaf_extensions", "capabilities", "text"),
    [
        ((Extension(kind=0xF0F0, data=b""),), (), default_capabilities(SUITE), "extension that the group"),
        ((Extension(kind=3, data=b"\x01"),), (), default_capabilities(SUITE), "too early"),
        ((Extension(kind=5, data=b"\x01"),), (), default_capabilities(SUITE), "too early"),
        ((), (Extension(kind=0xF0F0, data=b""),), default_capabilities(SUITE), "its own extension"),
        ((), (), Capabilities(versions=(2,), cipher_suites=(1,)), "version"),
        ((), (), Capabilities(versions=(1,), cipher_suites=(1,), credentials=()), "own credential"),
    ],
)
def test_a_creator_must_suit_its_own_group(
    extensions: Extensions, leaf_extensions: Extensions, capabilities: Capabilities, text: str
) -> None:
    with pytest.raises(PeerError, match=text):
        Group.create(
            suite(1),
            b"g",
            b"alice",
            SUITE.generate_signature_key_pair(RANDOM),
            lifetime=LIFETIME,
            randomness=RANDOM,
            extensions=extensions,
            leaf_extensions=leaf_extensions,
            capabilities=capabilities,
        )
