import pytest
from msgspec.structs import replace

from skvoz.base.errors import Invalid, Malformed
from skvoz.client import certificates
from skvoz.client.certificates import (
    CERTIFICATE_SIZE,
    account_id_of,
    issue_account_key,
    issue_certificate,
    verify_certificate,
)
from skvoz.crypto import ED25519, KeyPair, sign_labeled


def pair(seed: int) -> KeyPair:
    return ED25519.generate(lambda length: bytes([seed]) * length)


ROOT = pair(1)
DEVICE = pair(2)
ACCOUNT_KEY, ACCOUNT_PRIVATE_KEY = issue_account_key(ROOT, 1, lambda length: bytes([3]) * length)
CERTIFICATE = issue_certificate(ACCOUNT_KEY, ACCOUNT_PRIVATE_KEY, DEVICE.public_key)


def test_a_certificate_names_its_account() -> None:
    certificate = verify_certificate(CERTIFICATE, DEVICE.public_key)
    assert certificate.account_id == account_id_of(ROOT.public_key)
    assert certificate.account_key == ACCOUNT_KEY
    assert len(CERTIFICATE) == CERTIFICATE_SIZE


def test_a_certificate_of_another_device_is_refused() -> None:
    with pytest.raises(Invalid):
        verify_certificate(CERTIFICATE, pair(9).public_key)


@pytest.mark.parametrize("place", range(CERTIFICATE_SIZE))
def test_any_changed_byte_is_found(place: int) -> None:
    changed = bytearray(CERTIFICATE)
    changed[place] ^= 1
    with pytest.raises((Invalid, Malformed)):
        verify_certificate(bytes(changed), DEVICE.public_key)


@pytest.mark.parametrize("data", [b"", CERTIFICATE[:-1], CERTIFICATE + b"\x00", b"\x02" + CERTIFICATE[1:]])
def test_a_certificate_of_another_size_or_version_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        verify_certificate(data, DEVICE.public_key)


def test_an_account_key_signed_by_another_root_is_refused() -> None:
    foreign, private_key = issue_account_key(pair(7), 1, lambda length: bytes([8]) * length)
    mixed = replace(foreign, root_public_key=ROOT.public_key)
    with pytest.raises(Invalid, match="root"):
        verify_certificate(issue_certificate(mixed, private_key, DEVICE.public_key), DEVICE.public_key)


def test_a_device_signed_by_another_account_key_is_refused() -> None:
    forged = issue_certificate(ACCOUNT_KEY, pair(5).private_key, DEVICE.public_key)
    with pytest.raises(Invalid, match="device"):
        verify_certificate(forged, DEVICE.public_key)


def test_account_keys_are_numbered_from_one() -> None:
    with pytest.raises(Invalid):
        issue_account_key(ROOT, 0, bytes)
    statement = sign_labeled(
        ROOT.private_key,
        certificates._ACCOUNT_KEY_LABEL,
        certificates._account_key_content(0, ACCOUNT_KEY.public_key),
    )
    zeroth = replace(ACCOUNT_KEY, number=0, statement=statement)
    with pytest.raises(Malformed, match="from 1"):
        verify_certificate(
            issue_certificate(zeroth, ACCOUNT_PRIVATE_KEY, DEVICE.public_key), DEVICE.public_key
        )


def test_nothing_secret_is_in_a_repr() -> None:
    assert ACCOUNT_PRIVATE_KEY.hex() not in repr(ACCOUNT_KEY)
    assert repr(ACCOUNT_KEY.statement) not in repr(ACCOUNT_KEY)
