"""Secrets from outside of a group's own key schedule (RFC 9420 §8.4)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Final

import msgspec

from skvoz.base.errors import Invalid, Malformed
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8, uint16, uint64
from skvoz.crypto.suites import CipherSuite

RESUMPTION_PSKS_KEPT: Final = 8
"""Past epochs whose resumption secret a group remembers: enough to reinitialise, branch or rejoin soon."""


class PreSharedKeyType(IntEnum):
    """Where a pre-shared key comes from."""

    EXTERNAL = 1
    RESUMPTION = 2


class ResumptionUsage(IntEnum):
    """What a resumption key is used for."""

    APPLICATION = 1
    REINIT = 2
    BRANCH = 3


class PreSharedKeyId(Value, frozen=True, kw_only=True):
    """Names a pre-shared key: by its own id if external, else by a group and an epoch; and a fresh nonce."""

    kind: PreSharedKeyType
    psk_id: bytes = b""
    usage: ResumptionUsage | None = None
    group_id: bytes = b""
    epoch: int = 0
    nonce: bytes

    @staticmethod
    def external(psk_id: bytes, suite: CipherSuite, randomness: Randomness) -> "PreSharedKeyId":
        """Name a key that the application handed out under `psk_id`."""
        nonce = randomness(suite.hash_size)
        return PreSharedKeyId(kind=PreSharedKeyType.EXTERNAL, psk_id=psk_id, nonce=nonce)

    @staticmethod
    def resumption(
        group_id: bytes,
        epoch: int,
        suite: CipherSuite,
        randomness: Randomness,
        usage: ResumptionUsage = ResumptionUsage.APPLICATION,
    ) -> "PreSharedKeyId":
        """Name the resumption key of an epoch of a group."""
        return PreSharedKeyId(
            kind=PreSharedKeyType.RESUMPTION,
            usage=usage,
            group_id=group_id,
            epoch=epoch,
            nonce=randomness(suite.hash_size),
        )

    @staticmethod
    def parse(reader: Reader) -> "PreSharedKeyId":
        """Parse `PreSharedKeyID`."""
        try:
            kind = PreSharedKeyType(reader.uint8())
            if kind is PreSharedKeyType.EXTERNAL:
                return PreSharedKeyId(kind=kind, psk_id=reader.opaque(), nonce=reader.opaque())
            usage = ResumptionUsage(reader.uint8())
        except ValueError:
            raise Malformed("a pre-shared key of an unknown type or usage") from None
        return PreSharedKeyId(
            kind=kind,
            usage=usage,
            group_id=reader.opaque(),
            epoch=reader.uint64(),
            nonce=reader.opaque(),
        )

    def encode(self) -> bytes:
        """Encode `PreSharedKeyID`."""
        if self.kind is PreSharedKeyType.EXTERNAL:
            return uint8(self.kind) + opaque(self.psk_id) + opaque(self.nonce)
        place = opaque(self.group_id) + uint64(self.epoch)
        return uint8(self.kind) + uint8(self.usage or 0) + place + opaque(self.nonce)

    def check(self, suite: CipherSuite) -> None:
        """Raise `Invalid` unless the nonce is as long as the suite's hash (RFC 9420 §12.1.4)."""
        if len(self.nonce) != suite.hash_size:
            raise Invalid("a pre-shared key's nonce has a wrong length")


class PreSharedKeys(Value, NeverPickled, frozen=True, kw_only=True):
    """The pre-shared keys that a client holds: external ones by id, resumption ones by group id and epoch."""

    external: Mapping[bytes, bytes] = msgspec.field(default_factory=dict[bytes, bytes])
    resumption: Mapping[tuple[bytes, int], bytes] = msgspec.field(
        default_factory=dict[tuple[bytes, int], bytes]
    )

    def find(self, psk_id: PreSharedKeyId) -> bytes:
        """Return the key; raise `Invalid` where this client doesn't hold it."""
        if psk_id.kind is PreSharedKeyType.EXTERNAL:
            key = self.external.get(psk_id.psk_id)
        else:
            key = self.resumption.get((psk_id.group_id, psk_id.epoch))
        if key is None:
            raise Invalid("a pre-shared key is not known here")
        return key

    def with_more(self, keys: "PreSharedKeys") -> "PreSharedKeys":
        """Return these keys and further ones, which win where both know an id."""
        return PreSharedKeys(
            external={**self.external, **keys.external}, resumption={**self.resumption, **keys.resumption}
        )


def psk_secret(suite: CipherSuite, psks: Sequence[tuple[PreSharedKeyId, bytes]]) -> bytes:
    """Combine (id, key) pairs in order into the `psk_secret` of the key schedule; zeros for none.

    Raises `Invalid` for more than the format can count.
    """
    if len(psks) > 0xFFFF:
        raise Invalid("too many pre-shared keys")
    zeros = bytes(suite.hash_size)
    secret = zeros
    for index, (psk_id, key) in enumerate(psks):
        label = psk_id.encode() + uint16(index) + uint16(len(psks))
        extracted = suite.extract(zeros, key)
        psk_input = suite.expand_with_label(extracted, "derived psk", label, suite.hash_size)
        secret = suite.extract(psk_input, secret)
    return secret
