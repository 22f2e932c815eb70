"""The only door to `cryptography`: bytes in, bytes out.

- `suites`: `CipherSuite`, all that MLS does with keys; `suite(number)`, `SUITES`, `DEFAULT_SUITE`
- `hpke`: HPKE in base mode over any `Kem`: single-shot `hpke_seal` and `hpke_open`, contexts, export
- `kem_curves`, `kem_xwing`: the KEMs; `signatures`: Ed25519, Ed448, ECDSA, and Ed25519 with a label
- `symmetric`: AES-256-GCM, SHA-256 and HKDF for everything that is not MLS; `counted`: sequences of messages
- `chunks`: AES-256-GCM from one large buffer into another
- `aead`, `kdf`: what suites and HPKE are put together from; `ports`: `Kem`, `SignatureScheme`

Public keys are checked whenever they are parsed; private keys are never kept. Who signs often keeps
`suite.signer(private_key)`, which `sign_with_label` takes in the key's place.
"""

from skvoz.crypto.hpke import HpkeCiphertext, HpkeContext, HpkeSuite, hpke_open, hpke_seal
from skvoz.crypto.ports import Kem, KeyPair, SignatureScheme, Signer
from skvoz.crypto.signatures import ED25519, sign_labeled, verify_labeled
from skvoz.crypto.suites import DEFAULT_SUITE, SUITES, CipherSuite, suite
from skvoz.crypto.symmetric import (
    KEY_SIZE,
    ZERO_NONCE,
    equal,
    hkdf_sha256,
    seal,
    sha256,
    unseal,
)

__all__ = [
    "DEFAULT_SUITE",
    "ED25519",
    "KEY_SIZE",
    "SUITES",
    "ZERO_NONCE",
    "CipherSuite",
    "HpkeCiphertext",
    "HpkeContext",
    "HpkeSuite",
    "Kem",
    "KeyPair",
    "SignatureScheme",
    "Signer",
    "equal",
    "hkdf_sha256",
    "hpke_open",
    "hpke_seal",
    "seal",
    "sha256",
    "sign_labeled",
    "suite",
    "unseal",
    "verify_labeled",
]
