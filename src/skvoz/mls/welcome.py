"""How somebody new learns the group's secrets: GroupInfo and Welcome (RFC 9420 §§ 12.4.3, 12.4.3.1)."""

from collections.abc import Sequence

from skvoz.base.errors import Invalid
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, optional, uint16, uint32, vector
from skvoz.crypto.ports import Signer
from skvoz.crypto.suites import CipherSuite
from skvoz.mls.group_context import GroupContext
from skvoz.mls.key_schedule import KeySchedule, derive_welcome_secret, welcome_key_and_nonce
from skvoz.mls.nodes import Extensions, KeyPackage, encode_extensions, find_extension, parse_extensions
from skvoz.mls.pre_shared_keys import PreSharedKeyId
from skvoz.mls.tree_kem import PathCiphertext

_WELCOME_LABEL = "Welcome"
_GROUP_INFO_LABEL = "GroupInfoTBS"


class GroupInfo(Value, frozen=True, kw_only=True):
    """A member's signed description of a group at an epoch; `signed` is `GroupInfoTBS` as it was received."""

    group_context: GroupContext
    extensions: Extensions
    confirmation_tag: bytes
    signer: int
    signature: bytes
    signed: bytes

    @staticmethod
    def parse(reader: Reader) -> "GroupInfo":
        """Parse `GroupInfo`; its signature is checked once the signer's leaf is known."""
        start = reader.position
        group_context = GroupContext.parse(reader)
        extensions = parse_extensions(reader)
        confirmation_tag, signer = reader.opaque(), reader.uint32()
        signed = reader.data[start : reader.position]
        return GroupInfo(
            group_context=group_context,
            extensions=extensions,
            confirmation_tag=confirmation_tag,
            signer=signer,
            signature=reader.opaque(),
            signed=signed,
        )

    @staticmethod
    def sign(
        suite: CipherSuite,
        signer_key: bytes | Signer,
        *,
        group_context: GroupContext,
        extensions: Extensions,
        confirmation_tag: bytes,
        signer: int,
    ) -> "GroupInfo":
        """Describe a group of which the signer is a member."""
        signed = b"".join(
            (
                group_context.encode(),
                encode_extensions(extensions),
                opaque(confirmation_tag),
                uint32(signer),
            )
        )
        return GroupInfo(
            group_context=group_context,
            extensions=extensions,
            confirmation_tag=confirmation_tag,
            signer=signer,
            signature=suite.sign_with_label(signer_key, _GROUP_INFO_LABEL, signed),
            signed=signed,
        )

    def verify(self, suite: CipherSuite, signature_key: bytes) -> None:
        """Raise `DecryptFailed` unless this key signed the received bytes."""
        suite.verify_with_label(signature_key, _GROUP_INFO_LABEL, self.signed, self.signature)

    def encode(self) -> bytes:
        """Encode `GroupInfo`."""
        return self.signed + opaque(self.signature)

    def extension(self, kind: int) -> bytes | None:
        """Return the content of the GroupInfo's own extension of type `kind`, or None."""
        return find_extension(self.extensions, kind)


class GroupSecrets(Value, NeverPickled, frozen=True, kw_only=True):
    """What a Welcome tells one joiner."""

    joiner_secret: bytes
    path_secret: bytes | None
    psks: tuple[PreSharedKeyId, ...] = ()

    @staticmethod
    def parse(reader: Reader) -> "GroupSecrets":
        """Parse `GroupSecrets`."""
        return GroupSecrets(
            joiner_secret=reader.opaque(),
            path_secret=reader.optional(Reader.opaque),
            psks=reader.vector(PreSharedKeyId.parse),
        )

    def encode(self) -> bytes:
        """Encode `GroupSecrets`."""
        path_secret = None if self.path_secret is None else opaque(self.path_secret)
        psks = vector(psk.encode() for psk in self.psks)
        return opaque(self.joiner_secret) + optional(path_secret) + psks


class EncryptedGroupSecrets(Value, frozen=True, kw_only=True):
    """Group secrets encrypted to the init key of one KeyPackage, which `new_member` refers to."""

    new_member: bytes
    encrypted: PathCiphertext

    @staticmethod
    def parse(reader: Reader) -> "EncryptedGroupSecrets":
        """Parse `EncryptedGroupSecrets`."""
        return EncryptedGroupSecrets(new_member=reader.opaque(), encrypted=PathCiphertext.parse(reader))

    def encode(self) -> bytes:
        """Encode `EncryptedGroupSecrets`."""
        return opaque(self.new_member) + self.encrypted.encode()


class Welcome(Value, frozen=True, kw_only=True):
    """A `Welcome` for everybody whom a commit added."""

    cipher_suite: int
    secrets: tuple[EncryptedGroupSecrets, ...]
    encrypted_group_info: bytes

    @staticmethod
    def parse(reader: Reader) -> "Welcome":
        """Parse `Welcome`."""
        return Welcome(
            cipher_suite=reader.uint16(),
            secrets=reader.vector(EncryptedGroupSecrets.parse),
            encrypted_group_info=reader.opaque(),
        )

    def encode(self) -> bytes:
        """Encode `Welcome`."""
        secrets = vector(item.encode() for item in self.secrets)
        return uint16(self.cipher_suite) + secrets + opaque(self.encrypted_group_info)

    def open_secrets(self, suite: CipherSuite, reference: bytes, init_private_key: bytes) -> GroupSecrets:
        """Decrypt what is for the KeyPackage `reference`; raise `Invalid` (nothing is) or `DecryptFailed`."""
        found = next((item for item in self.secrets if item.new_member == reference), None)
        if found is None:
            raise Invalid("a welcome is for somebody else")
        plain = suite.decrypt_with_label(
            init_private_key,
            _WELCOME_LABEL,
            self.encrypted_group_info,
            found.encrypted.kem_output,
            found.encrypted.ciphertext,
        )
        reader = Reader(plain)
        secrets = GroupSecrets.parse(reader)
        reader.finish()
        return secrets

    def open_group_info(self, suite: CipherSuite, joiner_secret: bytes, psk_secret: bytes) -> GroupInfo:
        """Decrypt the GroupInfo; raise `DecryptFailed`."""
        welcome_secret = derive_welcome_secret(suite, joiner_secret, psk_secret)
        key, nonce = welcome_key_and_nonce(suite, welcome_secret)
        reader = Reader(suite.open(key, nonce, b"", self.encrypted_group_info))
        group_info = GroupInfo.parse(reader)
        reader.finish()
        return group_info


class Joiner(Value, NeverPickled, frozen=True, kw_only=True):
    """Somebody whom a commit adds: the KeyPackage, and the path secret where the commit has a path."""

    key_package: KeyPackage
    path_secret: bytes | None


def seal_welcome(
    suite: CipherSuite,
    schedule: KeySchedule,
    group_info: GroupInfo,
    joiners: Sequence[Joiner],
    *,
    psks: tuple[PreSharedKeyId, ...],
    randomness: Randomness,
) -> Welcome:
    """Encrypt a Welcome to all joiners."""
    key, nonce = welcome_key_and_nonce(suite, schedule.welcome_secret)
    encrypted_group_info = suite.seal(key, nonce, b"", group_info.encode())
    secrets: list[EncryptedGroupSecrets] = []
    for joiner in joiners:
        plain = GroupSecrets(
            joiner_secret=schedule.joiner_secret, path_secret=joiner.path_secret, psks=psks
        ).encode()
        sealed = suite.encrypt_with_label(
            joiner.key_package.init_key, _WELCOME_LABEL, encrypted_group_info, plain, randomness
        )
        secrets.append(
            EncryptedGroupSecrets(
                new_member=joiner.key_package.reference(suite),
                encrypted=PathCiphertext(kem_output=sealed.kem_output, ciphertext=sealed.ciphertext),
            )
        )
    return Welcome(
        cipher_suite=suite.number, secrets=tuple(secrets), encrypted_group_info=encrypted_group_info
    )
