"""What lies in an inbox: HPKE-sealed to its key, bound to the inbox and to whom it is for.

    mail = enc ‖ ciphertext    of HPKE (base mode, the suite of 0xF0A2) with
    info = "skvoz inbox mail 1" ‖ inbox id ‖ recipient's account id
    plaintext = pad(version ‖ kind ‖ content)

The inbox's own address is what contacts tell each other inside of conversations, to invite to groups.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.base.limits import ADDRESS_SIZE_MAX, ENTRY_SIZE_MAX
from skvoz.base.ports import Randomness
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, pad, uint8, unpad, vector
from skvoz.crypto import CipherSuite, hpke_open, hpke_seal

VERSION: Final = 1
INVITATION: Final = 1
JOIN_REQUEST: Final = 2
"""The kinds of mail."""
INVITATION_VERSION: Final = 1
INVITATION_LABEL: Final = "invitation"
INVITATION_PARTS_MAX: Final = 128
"""Parts of one invitation: some 4 MB."""
_INFO: Final = b"skvoz inbox mail 1"
_ADDRESSES_MAX: Final = 8


class InboxAddress(Value, frozen=True, kw_only=True):
    """Where somebody's mail goes, and the key to seal it to."""

    relay_id: RelayId
    addresses: tuple[str, ...]
    inbox_id: LogId
    post_key: bytes
    link_secret: bytes
    """Opens the offers of the pool beside it."""

    def encode(self) -> bytes:
        """Encode with a version."""
        addresses = vector(opaque(address.encode()) for address in self.addresses)
        return uint8(VERSION) + self.relay_id + self.inbox_id + self.post_key + self.link_secret + addresses


def parse_inbox_address(data: bytes) -> InboxAddress:
    """Parse what `InboxAddress.encode` wrote; raise `Malformed`."""
    reader = Reader(data)
    if reader.uint8() != VERSION:
        raise Malformed("an inbox address has an unknown version")
    relay_id = RelayId(reader.take(32))
    inbox_id = LogId(reader.take(16))
    post_key = reader.take(32)
    link_secret = reader.take(32)
    addresses = reader.vector(_address)
    reader.finish()
    if not 1 <= len(addresses) <= _ADDRESSES_MAX:
        raise Malformed("an inbox has no address, or too many")
    return InboxAddress(
        relay_id=relay_id,
        addresses=addresses,
        inbox_id=inbox_id,
        post_key=post_key,
        link_secret=link_secret,
    )


def _address(reader: Reader) -> str:
    data = reader.opaque()
    if not 0 < len(data) <= ADDRESS_SIZE_MAX:
        raise Malformed("an address exceeds its limit")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("an address is not UTF-8") from None


def signed_invitation(inbox_id: LogId, recipient: AccountId, content: bytes) -> bytes:
    """Return what the signature of an invitation covers."""
    return inbox_id + recipient + content


def seal_mail(
    suite: CipherSuite,
    *,
    public_key: bytes,
    inbox_id: LogId,
    recipient: AccountId,
    kind: int,
    content: bytes,
    randomness: Randomness,
) -> bytes:
    """Seal mail for an inbox; raise `Malformed` for a bad key or too much content."""
    plaintext = pad(uint8(VERSION) + uint8(kind) + content)
    enc, ciphertext = hpke_seal(suite, public_key, _INFO + inbox_id + recipient, b"", plaintext, randomness)
    mail = enc + ciphertext
    if len(mail) > ENTRY_SIZE_MAX:
        raise Malformed("mail is too long for an inbox")
    return mail


def open_mail(
    suite: CipherSuite, *, private_key: bytes, inbox_id: LogId, recipient: AccountId, mail: bytes
) -> tuple[int, bytes]:
    """Return kind and content; raise `DecryptFailed` or `Malformed`."""
    size = suite.kem.encapsulation_size
    if len(mail) <= size:
        raise DecryptFailed
    info = _INFO + inbox_id + recipient
    reader = Reader(unpad(hpke_open(suite, private_key, mail[:size], info, b"", mail[size:])))
    if reader.uint8() != VERSION:
        raise Malformed("mail has an unknown version")
    kind = reader.uint8()
    return kind, reader.take(reader.remaining)
