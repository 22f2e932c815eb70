"""From one epoch's init secret to the next epoch's secrets (RFC 9420 §§ 8, 8.3, 8.5)."""

from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque
from skvoz.crypto.suites import CipherSuite

_EXTERNAL_INIT_LABEL = b"MLS 1.0 external init secret"


class EpochSecrets(Value, NeverPickled, frozen=True, kw_only=True):
    """The secrets that a member keeps during an epoch, each `suite.hash_size` bytes.

    Not among them: the encryption secret, which the secret tree takes and consumes, and the confirmation
    key, which serves once.
    """

    init_secret: bytes
    sender_data_secret: bytes
    exporter_secret: bytes
    epoch_authenticator: bytes
    external_secret: bytes
    membership_key: bytes
    resumption_psk: bytes

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return b"".join([opaque(getattr(self, name)) for name in _STORED])

    @staticmethod
    def parse(reader: Reader) -> "EpochSecrets":
        """Parse what `encode` wrote."""
        return EpochSecrets(**{name: reader.opaque() for name in _STORED})


_STORED = (
    "init_secret",
    "sender_data_secret",
    "exporter_secret",
    "epoch_authenticator",
    "external_secret",
    "membership_key",
    "resumption_psk",
)


class KeySchedule(Value, NeverPickled, frozen=True, kw_only=True):
    """One run of the key schedule: what is kept, and what is used up while the epoch begins."""

    joiner_secret: bytes
    welcome_secret: bytes
    encryption_secret: bytes
    confirmation_key: bytes
    secrets: EpochSecrets


def welcome_key_and_nonce(suite: CipherSuite, welcome_secret: bytes) -> tuple[bytes, bytes]:
    """Return the AEAD key and nonce that open a Welcome's GroupInfo."""
    return (
        suite.expand_with_label(welcome_secret, "key", b"", suite.aead_key_size),
        suite.expand_with_label(welcome_secret, "nonce", b"", suite.aead_nonce_size),
    )


def derive_joiner_secret(
    suite: CipherSuite, init_secret: bytes, commit_secret: bytes, group_context: bytes
) -> bytes:
    """Mix the last epoch's init secret with the commit secret; `group_context` is that of the new epoch."""
    extracted = suite.extract(init_secret, commit_secret)
    return suite.expand_with_label(extracted, "joiner", group_context, suite.hash_size)


def derive_welcome_secret(suite: CipherSuite, joiner_secret: bytes, psk_secret: bytes) -> bytes:
    """Return what protects a Welcome's GroupInfo; a joiner needs it before it knows the group context."""
    return suite.derive_secret(suite.extract(joiner_secret, psk_secret), "welcome")


def derive_epoch(
    suite: CipherSuite, joiner_secret: bytes, psk_secret: bytes, group_context: bytes
) -> KeySchedule:
    """Derive all secrets of the epoch that `group_context` describes."""
    member_secret = suite.extract(joiner_secret, psk_secret)
    epoch_secret = suite.expand_with_label(member_secret, "epoch", group_context, suite.hash_size)
    return epoch_from_secret(
        suite,
        epoch_secret,
        joiner_secret=joiner_secret,
        welcome_secret=suite.derive_secret(member_secret, "welcome"),
    )


def epoch_from_secret(
    suite: CipherSuite, epoch_secret: bytes, *, joiner_secret: bytes = b"", welcome_secret: bytes = b""
) -> KeySchedule:
    """Derive what follows from the epoch secret alone; a new group starts from a random one (§11)."""
    derive = suite.derive_secret
    return KeySchedule(
        joiner_secret=joiner_secret,
        welcome_secret=welcome_secret,
        encryption_secret=derive(epoch_secret, "encryption"),
        confirmation_key=derive(epoch_secret, "confirm"),
        secrets=EpochSecrets(
            init_secret=derive(epoch_secret, "init"),
            sender_data_secret=derive(epoch_secret, "sender data"),
            exporter_secret=derive(epoch_secret, "exporter"),
            epoch_authenticator=derive(epoch_secret, "authentication"),
            external_secret=derive(epoch_secret, "external"),
            membership_key=derive(epoch_secret, "membership"),
            resumption_psk=derive(epoch_secret, "resumption"),
        ),
    )


def export_secret(
    suite: CipherSuite, exporter_secret: bytes, label: str, context: bytes, length: int
) -> bytes:
    """MLS-Exporter (RFC 9420 §8.5): `length` bytes for whatever the application names by `label`."""
    secret = suite.derive_secret(exporter_secret, label)
    return suite.expand_with_label(secret, "exported", suite.hash(context), length)


def confirmation_tag(suite: CipherSuite, confirmation_key: bytes, confirmed_transcript_hash: bytes) -> bytes:
    """Return the MAC by which a committer shows that it derived the same epoch (RFC 9420 §6.1)."""
    return suite.mac(confirmation_key, confirmed_transcript_hash)


def external_public_key(suite: CipherSuite, external_secret: bytes) -> bytes:
    """Return the key to which those who join by an external commit encapsulate (RFC 9420 §8.3)."""
    return suite.derive_key_pair(external_secret).public_key


def external_init_sender(
    suite: CipherSuite, external_public: bytes, randomness: Randomness
) -> tuple[bytes, bytes]:
    """Return the KEM output for an ExternalInit proposal, and the init secret that it stands for."""
    return suite.hpke_export_sender(external_public, b"", _EXTERNAL_INIT_LABEL, suite.hash_size, randomness)


def external_init_receiver(suite: CipherSuite, external_secret: bytes, kem_output: bytes) -> bytes:
    """Return the init secret that an ExternalInit proposal stands for; raise `DecryptFailed`."""
    private_key = suite.derive_key_pair(external_secret).private_key
    return suite.hpke_export_receiver(private_key, kem_output, b"", _EXTERNAL_INIT_LABEL, suite.hash_size)
