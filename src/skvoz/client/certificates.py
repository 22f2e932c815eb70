"""Who a device belongs to: root key, numbered account keys, and a device's certificate.

The root key signs numbered account keys (the highest number wins); the account key signs devices'
signature keys. A certificate holds both statements and is the identity in the MLS basic credential of every
leaf, so that whoever sees a leaf knows the account without asking anybody. Certificates don't expire:
local clocks must not split what is valid.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import Reader, uint8, uint32
from skvoz.crypto import ED25519, KeyPair, sha256, sign_labeled, verify_labeled

CERTIFICATE_VERSION: Final = 1
CERTIFICATE_SIZE: Final = 1 + 32 + 4 + 32 + 64 + 64
"""Version, root key, number, account key, root key's signature, account key's signature: bytes."""
_ACCOUNT_KEY_LABEL: Final = "account key"
_DEVICE_LABEL: Final = "device"
_ACCOUNT_ID_LABEL: Final = b"skvoz account\x00"
_NUMBER_MAX: Final = 2**32 - 1


class AccountKey(Value, frozen=True, kw_only=True):
    """An account key as the root key vouches for it; only `verify_account_key` and `issue` make one."""

    account_id: AccountId
    root_public_key: bytes
    number: int
    public_key: bytes
    statement: bytes

    def encode(self) -> bytes:
        """Encode root key, number, account key and statement: 132 bytes."""
        return self.root_public_key + uint32(self.number) + self.public_key + self.statement


class Certificate(Value, frozen=True, kw_only=True):
    """A device's certificate that was verified for the device's signature key."""

    account_key: AccountKey
    device_public_key: bytes

    @property
    def account_id(self) -> AccountId:
        """Whose device it is."""
        return self.account_key.account_id


def account_id_of(root_public_key: bytes) -> AccountId:
    """Return the fingerprint of a root key, 32 bytes."""
    return AccountId(sha256(_ACCOUNT_ID_LABEL + root_public_key))


def _account_key_content(number: int, public_key: bytes) -> bytes:
    return uint32(number) + public_key


def issue_account_key(root: KeyPair, number: int, randomness: Randomness) -> tuple[AccountKey, bytes]:
    """Make the account key of this number; return it and its private key (32 bytes)."""
    if not 1 <= number <= _NUMBER_MAX:
        raise Invalid("account keys are numbered from 1")
    pair = ED25519.generate(randomness)
    statement = sign_labeled(
        root.private_key, _ACCOUNT_KEY_LABEL, _account_key_content(number, pair.public_key)
    )
    key = AccountKey(
        account_id=account_id_of(root.public_key),
        root_public_key=root.public_key,
        number=number,
        public_key=pair.public_key,
        statement=statement,
    )
    return key, pair.private_key


def read_account_key(reader: Reader) -> AccountKey:
    """Parse and verify what `AccountKey.encode` wrote; raise `Malformed`, `Invalid` for a signature."""
    root_public_key = reader.take(32)
    number = reader.uint32()
    public_key = reader.take(32)
    statement = reader.take(64)
    if number == 0:
        raise Malformed("account keys are numbered from 1")
    try:
        verify_labeled(
            root_public_key, _ACCOUNT_KEY_LABEL, _account_key_content(number, public_key), statement
        )
    except DecryptFailed:
        raise Invalid("an account key is not signed by its root key") from None
    return AccountKey(
        account_id=account_id_of(root_public_key),
        root_public_key=root_public_key,
        number=number,
        public_key=public_key,
        statement=statement,
    )


def issue_certificate(account_key: AccountKey, account_private_key: bytes, device_public_key: bytes) -> bytes:
    """Return the certificate of a device, `CERTIFICATE_SIZE` bytes."""
    signature = sign_labeled(account_private_key, _DEVICE_LABEL, device_public_key)
    return uint8(CERTIFICATE_VERSION) + account_key.encode() + signature


def read_certificate(data: bytes) -> AccountKey:
    """Return the account key in a certificate that was verified for its device before."""
    reader = Reader(data)
    reader.uint8()
    return read_account_key(reader)


def verify_certificate(data: bytes, device_public_key: bytes) -> Certificate:
    """Return the certificate of the device with this signature key; raise `Malformed` or `Invalid`."""
    if len(data) != CERTIFICATE_SIZE:
        raise Malformed("a certificate has a wrong size")
    reader = Reader(data)
    if reader.uint8() != CERTIFICATE_VERSION:
        raise Malformed("a certificate has an unknown version")
    account_key = read_account_key(reader)
    signature = reader.take(64)
    reader.finish()
    try:
        verify_labeled(account_key.public_key, _DEVICE_LABEL, device_public_key, signature)
    except DecryptFailed:
        raise Invalid("a certificate is not of this device") from None
    return Certificate(account_key=account_key, device_public_key=device_public_key)
