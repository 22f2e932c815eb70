"""Encrypted messages: one key each, and a sender that only members can see (RFC 9420 §6.3)."""

from functools import lru_cache
from typing import Final

from skvoz.base.errors import Malformed
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8, uint16, uint32, uint64
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.framing import (
    AuthenticatedContent,
    ContentType,
    FramedContent,
    Sender,
    WireFormat,
    parse_auth,
    parse_body,
    parse_content_type,
)

REUSE_GUARD_SIZE: Final = 4
"""Random bytes mixed into each nonce, so that a ratchet restored by mistake does not repeat one."""
_SENDER_DATA_SIZE: Final = 4 + 4 + REUSE_GUARD_SIZE


class PrivateMessage(Value, frozen=True, kw_only=True):
    """A `PrivateMessage` as it was received; `head` is `PrivateContentAAD`, which starts with `place`."""

    group_id: bytes
    epoch: int
    content_type: ContentType
    authenticated_data: bytes
    place: bytes
    """Group, epoch and content type: `SenderDataAAD`."""
    head: bytes
    encrypted_sender_data: bytes
    ciphertext: bytes

    @staticmethod
    def parse(reader: Reader) -> "PrivateMessage":
        """Parse `PrivateMessage`."""
        start = reader.position
        group_id, epoch = reader.opaque(), reader.uint64()
        content_type = parse_content_type(reader)
        middle = reader.position
        authenticated_data = reader.opaque()
        end = reader.position
        return PrivateMessage(
            group_id=group_id,
            epoch=epoch,
            content_type=content_type,
            authenticated_data=authenticated_data,
            place=reader.data[start:middle],
            head=reader.data[start:end],
            encrypted_sender_data=reader.opaque(),
            ciphertext=reader.opaque(),
        )

    def encode(self) -> bytes:
        """Encode `PrivateMessage`."""
        return self.head + opaque(self.encrypted_sender_data) + opaque(self.ciphertext)


class SenderData(Value, frozen=True):
    """Who sent a private message, and which key of theirs encrypts it."""

    leaf_index: int
    generation: int
    reuse_guard: bytes


def place_of(group_id: bytes, epoch: int, content_type: int) -> bytes:
    """Return group, epoch and content type: `SenderDataAAD`, and the start of `PrivateContentAAD`."""
    return opaque(group_id) + uint64(epoch) + uint8(content_type)


@lru_cache(maxsize=64)
def _sender_data_labels(suite: CipherSuite) -> tuple[bytes, bytes]:
    """Return the labels for key and nonce, encoded up to the context: ExpandWithLabel with less work."""
    return (
        uint16(suite.aead_key_size) + opaque(b"MLS 1.0 key"),
        uint16(suite.aead_nonce_size) + opaque(b"MLS 1.0 nonce"),
    )


def sender_data_key_and_nonce(
    suite: CipherSuite, sender_data_secret: bytes, ciphertext: bytes
) -> tuple[bytes, bytes]:
    """Derive the key that hides the sender from a sample of the ciphertext (RFC 9420 §6.3.2)."""
    key, nonce = _sender_data_labels(suite)
    sample = opaque(ciphertext[: suite.kdf.hash_size])
    expand = suite.kdf.expand
    return (
        expand(sender_data_secret, key + sample, suite.aead.key_size),
        expand(sender_data_secret, nonce + sample, suite.aead.nonce_size),
    )


def open_sender_data(suite: CipherSuite, message: PrivateMessage, sender_data_secret: bytes) -> SenderData:
    """Find out who sent a message; raise `DecryptFailed`. Any member can forge this: verify the signature."""
    key, nonce = sender_data_key_and_nonce(suite, sender_data_secret, message.ciphertext)
    plain = suite.open(key, nonce, message.place, message.encrypted_sender_data)
    if len(plain) != _SENDER_DATA_SIZE:
        raise Malformed("sender data of a wrong length")
    leaf_index, generation = int.from_bytes(plain[:4], "big"), int.from_bytes(plain[4:8], "big")
    return SenderData(leaf_index, generation, plain[8:])


def _guarded(nonce: bytes, reuse_guard: bytes) -> bytes:
    mixed = int.from_bytes(nonce[:4], "big") ^ int.from_bytes(reuse_guard, "big")
    return mixed.to_bytes(4, "big") + nonce[4:]


def open_private(
    suite: CipherSuite, message: PrivateMessage, sender: SenderData, key: bytes, nonce: bytes
) -> AuthenticatedContent:
    """Decrypt the content; raise `DecryptFailed`, or `Malformed` for padding that isn't zeros.

    The signature comes next: until it is verified the content is anybody's who is in the group.
    """
    plain = suite.open(key, _guarded(nonce, sender.reuse_guard), message.head, message.ciphertext)
    reader = Reader(plain)
    body = parse_body(reader, message.content_type)
    body_size = reader.position
    signature, confirmation_tag = parse_auth(reader, message.content_type)
    if plain.count(0, reader.position) != reader.remaining:
        raise Malformed("a message is padded with something else than zeros")
    member = Sender.member(sender.leaf_index)
    place, head = message.place, message.head
    # FramedContent is group and epoch, the sender, the data outside, the content type, and the body.
    framed = place[:-1] + member.encode() + head[len(place) :] + place[-1:] + plain[:body_size]
    content = FramedContent(
        group_id=message.group_id,
        epoch=message.epoch,
        sender=member,
        authenticated_data=message.authenticated_data,
        content_type=message.content_type,
        body=body,
        encoded=framed,
    )
    return AuthenticatedContent(
        wire_format=WireFormat.PRIVATE_MESSAGE,
        content=content,
        signature=signature,
        confirmation_tag=confirmation_tag,
    )


def seal_private(
    suite: CipherSuite,
    *,
    key: bytes,
    nonce: bytes,
    sender: SenderData,
    sender_data_secret: bytes,
    place: bytes,
    authenticated_data: bytes,
    content: bytes,
) -> bytes:
    """Encrypt `content` (body, authentication and padding, encoded) into an encoded `PrivateMessage`.

    `key` and `nonce` are used once; `place` is what `place_of` returns.
    """
    head = place + opaque(authenticated_data)
    ciphertext = suite.seal(key, _guarded(nonce, sender.reuse_guard), head, content)
    data_key, data_nonce = sender_data_key_and_nonce(suite, sender_data_secret, ciphertext)
    sender_data = uint32(sender.leaf_index) + uint32(sender.generation) + sender.reuse_guard
    hidden = suite.seal(data_key, data_nonce, place, sender_data)
    return b"".join((head, opaque(hidden), opaque(ciphertext)))
