"""A bundle that is cut off, changed, of another version or none at all is refused and does nothing."""

import pytest

from skvoz.base.errors import BadRequest
from skvoz.client import bundle_form
from skvoz.crypto import ZERO_NONCE, hkdf_sha256, seal
from tests.client.carried import bring, export, group_of, say

SALT = bytes(range(32))


def noise(size: int) -> bytes:
    return b"\x5a" * size


def records(count: int, size: int = 528) -> list[bundle_form.Record]:
    return [(bytes([number]) * 16, bytes(size)) for number in range(count)]


def outer(content: bytes) -> bytes:
    """Return a file with this content under the outer key, which everybody knows."""
    key = hkdf_sha256(SALT, info=b"skvoz bundle", length=32)
    return SALT + seal(key, ZERO_NONCE, b"", content)


@pytest.mark.parametrize("count", [0, 1, 117, 118, 500])
def test_what_was_packed_is_there_among_noise(count: int) -> None:
    given = [(number.to_bytes(16), bytes(528)) for number in range(count)]
    file = bundle_form.pack(given, SALT, noise)
    assert len(file).bit_count() == 1
    salt, found = bundle_form.unpack(file)
    assert salt == SALT
    assert set(given) <= set(found)
    assert len(found) > count or count == 118


def test_an_empty_bundle_is_as_large_as_one_with_some_messages() -> None:
    assert len(bundle_form.pack([], SALT, noise)) == len(bundle_form.pack(records(20), SALT, noise))


def test_too_much_is_refused() -> None:
    with pytest.raises(BadRequest, match="more to carry"):
        bundle_form.pack(records(2, bundle_form.BUNDLE_SIZE_MAX // 2), SALT, noise)


@pytest.mark.parametrize("size", [0, 1, 100, 40_000, 65_535, 65_537])
def test_a_part_of_a_bundle_is_refused(size: int) -> None:
    file = bundle_form.pack(records(100), SALT, noise) * 2
    with pytest.raises(BadRequest, match="or a part of one"):
        bundle_form.unpack(file[:size])


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(BadRequest, match="or a part of one"):
        bundle_form.unpack(bytes(2 * bundle_form.BUNDLE_SIZE_MAX))


@pytest.mark.parametrize("place", [0, 31, 32, 40_000, 65_535])
def test_a_changed_bundle_is_refused(place: int) -> None:
    file = bytearray(bundle_form.pack(records(3), SALT, noise))
    file[place] ^= 1
    with pytest.raises(BadRequest, match="damaged"):
        bundle_form.unpack(bytes(file))


def test_another_file_of_the_same_size_is_refused() -> None:
    with pytest.raises(BadRequest, match="is no bundle"):
        bundle_form.unpack(bytes(65_536))


@pytest.mark.parametrize(("version", "words"), [(2, "newer"), (255, "newer"), (0, "too old")])
def test_another_version_is_named(version: int, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        bundle_form.unpack(outer(bytes([version]) + bytes(65_536 - 49)))


@pytest.mark.parametrize("size", [1, 543, 65_536, 2**32 - 1])
def test_a_record_of_a_wrong_size_is_refused(size: int) -> None:
    content = b"\x01" + size.to_bytes(4) + bytes(65_536 - 53)
    with pytest.raises(BadRequest, match="wrongly"):
        bundle_form.unpack(outer(content))


def test_a_refused_bundle_changes_nothing() -> None:
    _, [anna, boris], group_id = group_of(2)
    anna.go_offline()
    say(anna, group_id, "hello")
    file = export(anna)
    before = {kind: dict(table) for kind, table in boris.records.tables.items()}
    for bad in (file[:-1], file[:-1] + bytes([file[-1] ^ 1]), file[: len(file) // 2], b""):
        with pytest.raises(BadRequest):
            bring(boris, bad)
    assert {kind: dict(table) for kind, table in boris.records.tables.items()} == before
    assert bring(boris, file) == (1, 0)
