"""Checkers of the vectors for the cryptography itself: crypto-basics, HPKE, X-Wing."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from skvoz.codec import uint32
from skvoz.crypto import Kem, hpke_open, suite
from skvoz.crypto.aead import AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, Aead
from skvoz.crypto.hpke import HpkeContext, hpke_context
from skvoz.crypto.kdf import HKDF_SHA256, HKDF_SHA384, HKDF_SHA512, Kdf
from skvoz.crypto.kem_curves import DHKEM_P256, DHKEM_P384, DHKEM_P521, DHKEM_X448, DHKEM_X25519
from skvoz.crypto.kem_xwing import XWING
from tests.vectors.one_stage import ONE_STAGE_KDFS, OneStageContext, one_stage_context
from tests.vectors.outcome import NotOursError, expect

_KEMS: Final[dict[int, Kem]] = {
    kem.id: kem for kem in (DHKEM_P256, DHKEM_P384, DHKEM_P521, DHKEM_X25519, DHKEM_X448, XWING)
}
_KDFS: Final = {kdf.id: kdf for kdf in (HKDF_SHA256, HKDF_SHA384, HKDF_SHA512)}
_EXPORT_ONLY: Final = Aead(id=0xFFFF, key_size=0, nonce_size=0, cipher=AES_256_GCM.cipher)
_AEADS: Final = {aead.id: aead for aead in (AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, _EXPORT_ONLY)}


@dataclass(frozen=True)
class _Parts:
    kem: Kem
    kdf: Kdf
    aead: Aead


def check_crypto_basics(case: dict[str, Any]) -> None:
    """Check one cipher suite's labelled functions, hashes, signatures and public key encryption."""
    chosen = suite(case["cipher_suite"])
    part = _Fields(case["ref_hash"])
    expect("ref_hash", chosen.ref_hash(part.text("label"), part["value"]), part["out"])
    part = _Fields(case["expand_with_label"])
    expanded = chosen.expand_with_label(
        part["secret"], part.text("label"), part["context"], part.number("length")
    )
    expect("expand_with_label", expanded, part["out"])
    part = _Fields(case["derive_secret"])
    expect("derive_secret", chosen.derive_secret(part["secret"], part.text("label")), part["out"])
    part = _Fields(case["derive_tree_secret"])
    generation = uint32(part.number("generation"))
    expanded = chosen.expand_with_label(part["secret"], part.text("label"), generation, part.number("length"))
    expect("derive_tree_secret", expanded, part["out"])
    part = _Fields(case["sign_with_label"])
    label, content = part.text("label"), part["content"]
    chosen.verify_with_label(part["pub"], label, content, part["signature"])
    own = chosen.sign_with_label(part["priv"], label, content)
    chosen.verify_with_label(part["pub"], label, content, own)
    expect("signature key", chosen.signature.public_key_of(part["priv"]), part["pub"])
    part = _Fields(case["encrypt_with_label"])
    label, context = part.text("label"), part["context"]
    opened = chosen.decrypt_with_label(part["priv"], label, context, part["kem_output"], part["ciphertext"])
    expect("decrypt_with_label", opened, part["plaintext"])
    sealed = chosen.encrypt_with_label(part["pub"], label, context, part["plaintext"], secrets.token_bytes)
    opened = chosen.decrypt_with_label(part["priv"], label, context, sealed.kem_output, sealed.ciphertext)
    expect("encrypt_with_label", opened, part["plaintext"])


def check_hpke(case: dict[str, Any]) -> None:
    """Check one HPKE setup in base mode: keys, shared secret, key schedule, messages, exports."""
    kem = _KEMS.get(case["kem_id"])
    if kem is None:
        raise NotOursError(f"KEM {case['kem_id']:#06x}")
    if case["mode"] != 0:
        raise NotOursError("a mode other than base")
    fields = _Fields(case)
    recipient = kem.derive(fields["ikmR"])
    expect("derived public key", recipient.public_key, fields["pkRm"])
    # Some vectors hold X448 keys with the bits set that the curve sets anyway: equal in effect.
    expect("derived private key", kem.public_key_of(fields["skRm"]), recipient.public_key)
    encapsulation = fields["enc"]
    shared_secret = kem.decapsulate(recipient.private_key, encapsulation)
    expect("shared secret by the given key", kem.decapsulate(fields["skRm"], encapsulation), shared_secret)
    expect("shared secret", shared_secret, fields["shared_secret"])
    if kem is not XWING:  # ML-KEM's half draws its own randomness
        made = kem.encapsulate(recipient.public_key, lambda _: fields["ikmE"])
        expect("encapsulation", made, (shared_secret, encapsulation))
    info, aead = fields["info"], _AEADS.get(case["aead_id"])
    if aead is None:
        raise NotOursError(f"AEAD {case['aead_id']:#06x}")
    context: HpkeContext | OneStageContext
    if one_stage := ONE_STAGE_KDFS.get(case["kdf_id"]):
        context = one_stage_context(kem.id, one_stage, aead, shared_secret, info)
    elif (kdf := _KDFS.get(case["kdf_id"])) is None:
        raise NotOursError(f"KDF {case['kdf_id']:#06x}")
    else:
        parts = _Parts(kem, kdf, aead)
        context = hpke_context(parts, shared_secret, info)
        for message in case["encryptions"][:1]:
            first = _Fields(message)
            opened = hpke_open(parts, recipient.private_key, encapsulation, info, first["aad"], first["ct"])
            expect("single-shot open", opened, first["pt"])
    if "suite_id" in case:
        expect("suite id", context.suite_id, fields["suite_id"])
    expect("key", context.key, fields["key"])
    expect("base nonce", context.base_nonce, fields["base_nonce"])
    expect("exporter secret", context.exporter_secret, fields["exporter_secret"])
    _check_messages(case, context)


def _check_messages(case: dict[str, Any], context: HpkeContext | OneStageContext) -> None:
    for number, message in enumerate(case["encryptions"]):
        part = _Fields(message)
        sequence = int.from_bytes(part["nonce"], "big") ^ int.from_bytes(context.base_nonce, "big")
        sealed = context.seal(part["aad"], part["pt"], sequence=sequence)
        expect(f"ciphertext {number}", sealed, part["ct"])
        opened = context.open(part["aad"], part["ct"], sequence=sequence)
        expect(f"plaintext {number}", opened, part["pt"])
    for number, exported in enumerate(case["exports"]):
        part = _Fields(exported)
        value = context.export(part["exporter_context"], part.number("L"))
        expect(f"export {number}", value, part["exported_value"])


def check_xwing(case: dict[str, Any]) -> None:
    """Check X-Wing's key generation and decapsulation against its draft."""
    part = _Fields(case)
    expect("private key", part["sk"], part["seed"])
    pair = XWING.generate(lambda _: part["seed"])
    expect("public key", pair.public_key, part["pk"])
    expect("shared secret", XWING.decapsulate(pair.private_key, part["ct"]), part["ss"])
    shared, encapsulation = XWING.encapsulate(part["pk"], lambda _: part["eseed"][32:])
    expect("ephemeral key", encapsulation[1088:], part["ct"][1088:])
    expect("round trip", XWING.decapsulate(part["sk"], encapsulation), shared)


class _Fields:
    """The fields of a case, with hex turned to bytes."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> bytes:
        return bytes.fromhex(self._fields[name])

    def text(self, name: str) -> str:
        return self._fields[name]

    def number(self, name: str) -> int:
        return self._fields[name]


KINDS: Final[dict[str, Callable[[Any], None]]] = {
    "crypto-basics": check_crypto_basics,
    "hpke": check_hpke,
    "xwing": check_xwing,
}
