"""Offers to be added to groups, with the private keys that belong to them (RFC 9420 §10)."""

from skvoz.base.errors import Malformed
from skvoz.base.ports import Randomness
from skvoz.base.secrecy import NeverPickled
from skvoz.base.value import Value
from skvoz.codec import Reader, opaque, uint8
from skvoz.crypto.ports import KeyPair
from skvoz.crypto.suites import SUITES, CipherSuite, suite
from skvoz.mls.framing import WireFormat
from skvoz.mls.message import wrap
from skvoz.mls.nodes import (
    VERSION_MLS10,
    Capabilities,
    Credential,
    Extensions,
    KeyPackage,
    LeafNodeSource,
    Lifetime,
    sign_key_package,
    sign_leaf,
)
from skvoz.mls.proposals import ProposalType

_STORAGE_VERSION = 1


def default_capabilities(own_suite: CipherSuite, extensions: tuple[int, ...] = ()) -> Capabilities:
    """Return what this implementation supports; `extensions` are the types that the application knows."""
    suites = tuple(sorted({*SUITES, own_suite.number}))
    return Capabilities(
        versions=(VERSION_MLS10,),
        cipher_suites=suites,
        extensions=extensions,
        proposals=(ProposalType.SELF_REMOVE,),
    )


class KeyPackageBundle(Value, NeverPickled, frozen=True, kw_only=True):
    """A KeyPackage of our own, and its private keys; used for one Welcome, then deleted."""

    suite: CipherSuite
    key_package: KeyPackage
    init_private_key: bytes
    leaf_private_key: bytes
    signature_private_key: bytes

    @staticmethod
    def create(
        own_suite: CipherSuite,
        credential: Credential | bytes,
        signature_key_pair: KeyPair,
        *,
        lifetime: Lifetime,
        randomness: Randomness,
        capabilities: Capabilities | None = None,
        extensions: Extensions = (),
        leaf_extensions: Extensions = (),
    ) -> "KeyPackageBundle":
        """Make fresh keys and sign an offer; bytes as `credential` are a basic credential's identity."""
        init = own_suite.generate_key_pair(randomness)
        leaf = own_suite.generate_key_pair(randomness)
        leaf_node = sign_leaf(
            own_suite,
            signature_key_pair.private_key,
            encryption_key=leaf.public_key,
            signature_key=signature_key_pair.public_key,
            credential=as_credential(credential),
            capabilities=capabilities or default_capabilities(own_suite),
            source=LeafNodeSource.KEY_PACKAGE,
            lifetime=lifetime,
            extensions=leaf_extensions,
        )
        return KeyPackageBundle(
            suite=own_suite,
            key_package=sign_key_package(
                own_suite,
                signature_key_pair.private_key,
                init_key=init.public_key,
                leaf_node=leaf_node,
                extensions=extensions,
            ),
            init_private_key=init.private_key,
            leaf_private_key=leaf.private_key,
            signature_private_key=signature_key_pair.private_key,
        )

    @property
    def reference(self) -> bytes:
        """The `KeyPackageRef` by which a Welcome names this offer."""
        return self.key_package.reference(self.suite)

    def message(self) -> bytes:
        """Return the KeyPackage as an `MLSMessage`."""
        return wrap(WireFormat.KEY_PACKAGE, self.key_package.encoded)

    def encode(self) -> bytes:
        """Encode for storage on this device."""
        return b"".join(
            (
                uint8(_STORAGE_VERSION),
                opaque(self.key_package.encoded),
                opaque(self.init_private_key),
                opaque(self.leaf_private_key),
                opaque(self.signature_private_key),
            )
        )

    @staticmethod
    def parse(stored: bytes, own_suite: CipherSuite | None = None) -> "KeyPackageBundle":
        """Parse what `encode` wrote; `own_suite` stands in for the suite of that number."""
        reader = Reader(stored)
        if reader.uint8() != _STORAGE_VERSION:
            raise Malformed("a stored key package has an unknown version")
        inner = Reader(reader.opaque())
        key_package = KeyPackage.parse(inner)
        inner.finish()
        bundle = KeyPackageBundle(
            suite=suite(key_package.cipher_suite) if own_suite is None else own_suite,
            key_package=key_package,
            init_private_key=reader.opaque(),
            leaf_private_key=reader.opaque(),
            signature_private_key=reader.opaque(),
        )
        reader.finish()
        return bundle


def as_credential(credential: Credential | bytes) -> Credential:
    """Return a credential; bytes are the identity of a basic one."""
    return Credential.basic(credential) if isinstance(credential, bytes) else credential
