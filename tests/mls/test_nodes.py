"""Leaves, parents and KeyPackages: their form, and what is signed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.codec import Reader, opaque, uint32
from skvoz.crypto.suites import SUITES, CipherSuite, suite
from skvoz.mls.nodes import (
    Capabilities,
    Credential,
    Extension,
    KeyPackage,
    LeafNode,
    LeafNodeSource,
    Lifetime,
    ParentNode,
    encode_extensions,
    find_extension,
    parse_extensions,
    sign_key_package,
    sign_leaf,
    verify_leaf,
)
from tests.mls.synthetic_tree import GROUP_ID, LIFETIME, Client, Counter, client

SUITE = suite(1)


def leaf_of(source: LeafNodeSource, who: Client, **changes: Any) -> LeafNode:
    fields: dict[str, Any] = {
        "encryption_key": who.encryption.public_key,
        "signature_key": who.signature.public_key,
        "credential": who.leaf.credential,
        "capabilities": who.leaf.capabilities,
        "source": source,
        "lifetime": LIFETIME if source is LeafNodeSource.KEY_PACKAGE else None,
        "parent_hash": b"hash" if source is LeafNodeSource.COMMIT else b"",
        "extensions": (Extension(kind=1, data=b"an id"),),
        "group_id": GROUP_ID,
        "leaf_index": 3,
    } | changes
    return sign_leaf(SUITE, who.signature.private_key, **fields)


@pytest.mark.parametrize("source", LeafNodeSource)
def test_a_leaf_comes_back_from_its_bytes(source: LeafNodeSource) -> None:
    leaf = leaf_of(source, client(SUITE, "a"))
    reader = Reader(leaf.encoded)
    assert LeafNode.parse(reader) == leaf
    reader.finish()


@pytest.mark.parametrize("used", SUITES.values(), ids=lambda used: used.name)
def test_leaves_and_key_packages_are_signed_in_every_suite(used: CipherSuite) -> None:
    who = client(used, "a")
    verify_leaf(who.leaf, used, b"any group", 7)
    package = sign_key_package(
        used, who.signature.private_key, init_key=b"key", leaf_node=who.leaf, extensions=()
    )
    assert KeyPackage.parse(Reader(package.encoded)) == package
    used.verify_with_label(
        who.leaf.signature_key, "KeyPackageTBS", package.signed_content(), package.signature
    )
    assert len(package.reference(used)) == used.hash_size


@pytest.mark.parametrize("source", [LeafNodeSource.UPDATE, LeafNodeSource.COMMIT])
def test_a_leaf_of_another_group_or_place_is_refused(source: LeafNodeSource) -> None:
    leaf = leaf_of(source, client(SUITE, "a"))
    verify_leaf(leaf, SUITE, GROUP_ID, 3)
    for group_id, leaf_index in ((b"another", 3), (GROUP_ID, 4)):
        with pytest.raises(DecryptFailed):
            verify_leaf(leaf, SUITE, group_id, leaf_index)


def test_a_changed_or_foreign_or_empty_signature_is_refused() -> None:
    who = client(SUITE, "a")
    leaf = leaf_of(LeafNodeSource.UPDATE, who)
    foreign = client(SUITE, "b").signature.private_key
    for signature in (
        b"",
        bytes(64),
        SUITE.sign_with_label(foreign, "LeafNodeTBS", leaf.signed_content(GROUP_ID, 3)),
        SUITE.sign_with_label(who.signature.private_key, "KeyPackageTBS", leaf.signed_content(GROUP_ID, 3)),
    ):
        changed = leaf.encoded[: -len(opaque(leaf.signature))] + opaque(signature)
        with pytest.raises(DecryptFailed):
            verify_leaf(LeafNode.parse(Reader(changed)), SUITE, GROUP_ID, 3)


def test_the_received_bytes_are_what_is_verified() -> None:
    leaf = leaf_of(LeafNodeSource.UPDATE, client(SUITE, "a"))
    place = leaf.encoded.index(b"an id")
    changed = leaf.encoded[:place] + b"my id" + leaf.encoded[place + 5 :]
    with pytest.raises(DecryptFailed):
        verify_leaf(LeafNode.parse(Reader(changed)), SUITE, GROUP_ID, 3)


def test_lifetimes_belong_to_key_packages() -> None:
    who = client(SUITE, "a")
    for source, lifetime in ((LeafNodeSource.KEY_PACKAGE, None), (LeafNodeSource.UPDATE, LIFETIME)):
        with pytest.raises(ValueError, match="lifetime"):
            leaf_of(source, who, lifetime=lifetime)


def test_unknown_sources_are_malformed() -> None:
    leaf = leaf_of(LeafNodeSource.UPDATE, client(SUITE, "a"))
    place = len(leaf.encoded) - len(opaque(leaf.signature)) - len(encode_extensions(leaf.extensions)) - 1
    assert leaf.encoded[place] == LeafNodeSource.UPDATE
    for source in (0, 4, 255):
        with pytest.raises(Malformed, match="source"):
            LeafNode.parse(Reader(leaf.encoded[:place] + bytes((source,)) + leaf.encoded[place + 1 :]))


def test_every_truncated_leaf_and_key_package_is_malformed() -> None:
    who = client(SUITE, "a")
    package = sign_key_package(SUITE, who.signature.private_key, init_key=b"key", leaf_node=who.leaf)
    for length in range(len(who.leaf.encoded)):
        with pytest.raises(Malformed):
            LeafNode.parse(Reader(who.leaf.encoded[:length]))
    for length in range(len(package.encoded)):
        with pytest.raises(Malformed):
            KeyPackage.parse(Reader(package.encoded[:length]))


def test_unknown_credentials_stay_as_they_are() -> None:
    credential = Credential(kind=0xF000, content=b"whatever")
    assert Credential.parse(Reader(credential.encode())) == credential


def test_an_extension_type_appears_once() -> None:
    one = Extension(kind=7, data=b"1")
    encoded = encode_extensions((one, Extension(kind=8, data=b""), one))
    with pytest.raises(Malformed, match="twice"):
        parse_extensions(Reader(encoded))


def test_extensions_are_found_by_type() -> None:
    extensions = (Extension(kind=7, data=b"1"), Extension(kind=8, data=b"2"))
    assert parse_extensions(Reader(encode_extensions(extensions))) == extensions
    assert find_extension(extensions, 8) == b"2"
    assert find_extension(extensions, 9) is None


def test_lists_of_numbers_have_even_lengths() -> None:
    good = Capabilities(versions=(1,), cipher_suites=(1, 2), extensions=(3,), proposals=(4,)).encode()
    assert Capabilities.parse(Reader(good)).encode() == good
    with pytest.raises(Malformed, match="odd"):
        Capabilities.parse(Reader(opaque(b"\x00\x01\x02") + good))


@pytest.mark.parametrize("leaves", [(3, 3), (4, 3), (1, 2, 2), (0, 5, 1)])
def test_unmerged_leaves_rise(leaves: tuple[int, ...]) -> None:
    encoded = opaque(b"key") + opaque(b"") + opaque(b"".join(uint32(leaf) for leaf in leaves))
    with pytest.raises(Malformed, match="rising"):
        ParentNode.parse(Reader(encoded))


def test_unmerged_leaves_are_whole_numbers() -> None:
    with pytest.raises(Malformed, match="odd"):
        ParentNode.parse(Reader(opaque(b"key") + opaque(b"") + opaque(b"\x00\x00\x00")))


@given(st.binary(max_size=40), st.binary(max_size=40), st.sets(st.integers(0, 2**32 - 1), max_size=5))
def test_a_parent_comes_back_from_its_bytes(key: bytes, parent_hash: bytes, leaves: set[int]) -> None:
    parent = ParentNode.of(key, parent_hash, tuple(sorted(leaves)))
    assert ParentNode.parse(Reader(parent.encoded)) == parent


@given(st.lists(st.tuples(st.integers(0, 2**16 - 1), st.binary(max_size=30)), unique_by=lambda pair: pair[0]))
def test_extensions_come_back_from_their_bytes(pairs: list[tuple[int, bytes]]) -> None:
    extensions = tuple(Extension(kind=kind, data=data) for kind, data in pairs)
    reader = Reader(encode_extensions(extensions))
    assert parse_extensions(reader) == extensions
    reader.finish()


def test_a_shown_leaf_hides_nothing_but_its_bytes() -> None:
    leaf = client(SUITE, "a").leaf
    assert "encoded" not in repr(leaf)
    assert replace(leaf, lifetime=Lifetime(not_before=0, not_after=1)) != leaf


def test_signing_depends_on_the_place() -> None:
    randomness = Counter()
    pair = SUITE.generate_signature_key_pair(randomness)
    leaf = client(SUITE, "a", signature=pair).leaf
    assert leaf.signed_content(b"x", 1) == leaf.signed_content(b"y", 2)
    update = leaf_of(LeafNodeSource.UPDATE, client(SUITE, "a"))
    assert update.signed_content(b"x", 1).endswith(opaque(b"x") + uint32(1))
