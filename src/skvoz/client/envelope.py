"""The envelope of a room's entry: nobody without the epoch's secret sees that it is MLS at all.

    entry = AEAD(key, zero nonce, aad = "", pad(MLSMessage))
    key   = ExpandWithLabel(envelope secret of the epoch, "skvoz entry", entry id ‖ kind, AEAD key size)

One key per entry id, and an id is used for one ciphertext only, so no nonce can repeat. The kind is 0 for
application entries and 1 for closers: a relay that calls one the other is found out.
"""

from typing import Final

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.base.ids import EntryId
from skvoz.base.limits import TAG_SIZE
from skvoz.codec import pad, unpad
from skvoz.crypto import CipherSuite, sha256

APPLICATION: Final = 0
CLOSER: Final = 1
ENVELOPE_LABEL: Final = "skvoz envelope"
"""MLS exporter label of an epoch's envelope secret."""
ACCESS_LABEL: Final = "skvoz access"
"""MLS exporter label of the access key of an epoch's segment."""
SECRET_SIZE: Final = 32
_ENTRY_LABEL: Final = "skvoz entry"


def _key(suite: CipherSuite, secret: bytes, entry_id: EntryId, kind: int) -> bytes:
    return suite.expand_with_label(secret, _ENTRY_LABEL, entry_id + bytes([kind]), suite.aead_key_size)


def seal_entry(suite: CipherSuite, secret: bytes, entry_id: EntryId, kind: int, message: bytes) -> bytes:
    """Return the entry's bytes: `message` padded to 512, 1024, … bytes, and a tag."""
    key = _key(suite, secret, entry_id, kind)
    return suite.seal(key, bytes(suite.aead_nonce_size), b"", pad(message))


def open_entry(suite: CipherSuite, secret: bytes, entry_id: EntryId, kind: int, body: bytes) -> bytes:
    """Return the MLSMessage; raise `DecryptFailed`, or `Malformed` for padding that is not ours."""
    if len(body) <= TAG_SIZE:
        raise DecryptFailed
    key = _key(suite, secret, entry_id, kind)
    padded = suite.open(key, bytes(suite.aead_nonce_size), b"", body)
    message = unpad(padded)
    if not message:
        raise Malformed("an entry holds nothing")
    return message


def segment_hash(access_key: bytes) -> bytes:
    """Return what a relay knows of a segment's access key."""
    return sha256(access_key)
