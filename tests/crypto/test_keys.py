import dataclasses
import secrets

import pytest

from skvoz.base.errors import DecryptFailed, Malformed
from skvoz.crypto import ED25519, sign_labeled, suite, verify_labeled
from skvoz.crypto.kem_curves import DHKEM_P256, DHKEM_P521, DHKEM_X448, DHKEM_X25519, CurveKem
from skvoz.crypto.kem_xwing import XWING
from skvoz.crypto.signatures import ECDSA_P256, ECDSA_P384, ECDSA_P521, ED448, Ecdsa

P25519 = 2**255 - 19
P448 = 2**448 - 2**224 - 1
LOW_ORDER_U_25519 = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P25519 - 1,
    P25519,
    P25519 + 1,
    2**255,  # zero with the bit set that is to be ignored
    2**255 + P25519 + 1,
]
LOW_ORDER_U_448 = [0, 1, P448 - 1, P448, P448 + 1]


def low_order_cases() -> list[tuple[CurveKem, bytes]]:
    return [
        *((DHKEM_X25519, value.to_bytes(32, "little")) for value in LOW_ORDER_U_25519),
        *((DHKEM_X448, value.to_bytes(56, "little")) for value in LOW_ORDER_U_448),
    ]


@pytest.mark.parametrize(("kem", "point"), low_order_cases())
def test_low_order_points_are_refused_at_both_ends(kem: CurveKem, point: bytes) -> None:
    own = kem.generate(secrets.token_bytes)
    with pytest.raises(Malformed, match="low order"):
        kem.check_public_key(point)
    with pytest.raises(Malformed, match="low order"):
        kem.encapsulate(point, secrets.token_bytes)
    with pytest.raises(DecryptFailed):
        kem.decapsulate(own.private_key, point)


def test_an_xwing_key_or_encapsulation_with_a_low_order_half_is_refused() -> None:
    own = XWING.generate(secrets.token_bytes)
    _, encapsulation = XWING.encapsulate(own.public_key, secrets.token_bytes)
    with pytest.raises(Malformed, match="low order"):
        XWING.check_public_key(own.public_key[:-32] + bytes(32))
    with pytest.raises(DecryptFailed):
        XWING.decapsulate(own.private_key, encapsulation[:-32] + bytes(32))
    sealed = suite(0xF0A2).encrypt_with_label(own.public_key, "l", b"", b"text", secrets.token_bytes)
    with pytest.raises(DecryptFailed):
        suite(0xF0A2).decrypt_with_label(
            own.private_key, "l", b"", sealed.kem_output[:-32] + bytes(32), sealed.ciphertext
        )


def test_an_xwing_key_must_have_reduced_coefficients() -> None:
    own = XWING.generate(secrets.token_bytes)
    with pytest.raises(Malformed, match="ML-KEM"):  # FIPS 203 §7.2, the modulus check
        XWING.check_public_key(b"\xff" * 1152 + own.public_key[1152:])


def test_xwing_agrees_at_both_ends_and_tampering_gives_another_secret() -> None:
    own = XWING.generate(secrets.token_bytes)
    shared, encapsulation = XWING.encapsulate(own.public_key, secrets.token_bytes)
    assert XWING.decapsulate(own.private_key, encapsulation) == shared
    assert XWING.decapsulate(own.private_key, bytes([encapsulation[0] ^ 1]) + encapsulation[1:]) != shared


@pytest.mark.parametrize("kem", [DHKEM_P256, DHKEM_P521])
def test_points_must_be_uncompressed_and_on_the_curve(kem: CurveKem) -> None:
    public_key = kem.generate(secrets.token_bytes).public_key
    half = (len(public_key) - 1) // 2
    off_curve = public_key[:-1] + bytes([public_key[-1] ^ 1])
    compressed = b"\x02" + public_key[1 : 1 + half]
    hybrid = bytes([6 | public_key[-1] & 1]) + public_key[1:]
    infinity = b"\x04" + bytes(2 * half)
    for bad in (off_curve, compressed, hybrid, infinity, b"\x00", b"\x04" + b"\xff" * 2 * half):
        with pytest.raises(Malformed):
            kem.check_public_key(bad)
        with pytest.raises(DecryptFailed):
            kem.decapsulate(kem.generate(secrets.token_bytes).private_key, bad)


def test_scalars_must_be_in_range() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for bad in (0, order, order + 1, 2**256 - 1):
        with pytest.raises(Malformed, match="out of range"):
            DHKEM_P256.public_key_of(bad.to_bytes(32, "big"))
    assert DHKEM_P256.public_key_of((order - 1).to_bytes(32, "big"))
    with pytest.raises(Malformed, match="out of range"):
        DHKEM_P256.public_key_of((order - 1).to_bytes(33, "big"))


def test_a_curve_without_a_fitting_candidate_derives_no_key() -> None:
    with pytest.raises(ValueError, match="no key could be derived"):
        dataclasses.replace(DHKEM_P256, private_key_size=48).derive(b"ikm")


@pytest.mark.parametrize("place", [0, 600, 1183, 1184, 1215])
def test_each_half_of_an_xwing_key_and_encapsulation_has_its_size(place: int) -> None:
    own = XWING.generate(secrets.token_bytes)
    _, encapsulation = XWING.encapsulate(own.public_key, secrets.token_bytes)
    for bad in (own.public_key[:place], own.public_key + bytes(1 + place)):
        with pytest.raises(Malformed):
            XWING.check_public_key(bad)
    for bad in (encapsulation[: min(place, 1119)], encapsulation + bytes(1 + place)):
        with pytest.raises(DecryptFailed):
            XWING.decapsulate(own.private_key, bad)


@pytest.mark.parametrize("scheme", [ECDSA_P256, ECDSA_P384, ECDSA_P521])
def test_ecdsa_signatures_are_strict_der(scheme: Ecdsa) -> None:
    pair = scheme.generate(secrets.token_bytes)
    signature = b""
    while len(signature) > 127 + 3 or not signature or signature[1] > 0x7F:
        signature = scheme.load(pair.private_key)(b"content")
        if scheme is ECDSA_P521:
            break
    scheme.verify(pair.public_key, b"content", signature)
    header = 3 if signature[1] == 0x81 else 2
    body = signature[header:]
    r_size = body[1]
    first, second = body[2 : 2 + r_size], body[4 + r_size :]
    size = (scheme.curve.key_size + 7) // 8
    raw = b"".join(int.from_bytes(part, "big").to_bytes(size, "big") for part in (first, second))
    padded_body = b"\x02" + bytes([r_size + 1]) + b"\x00" + body[2:]
    for bad in (
        raw,
        signature + b"\x00",
        b"\x30\x82" + len(body).to_bytes(2, "big") + body,  # a length in more bytes than it needs
        b"\x30\x80" + body + b"\x00\x00",  # indefinite
        b"\x31" + signature[1:],
        signature[: header - 1] + bytes([len(padded_body)]) + padded_body,  # a zero too many before r
        signature[:header] + b"\x02\x01\x00\x02\x01\x00",
        b"\x30\x06\x02\x01\x00\x02\x01\x00",
        b"\x30\x00",
    ):
        with pytest.raises(DecryptFailed):
            scheme.verify(pair.public_key, b"content", bad)


SMALL_ED25519 = [
    (1).to_bytes(32, "little"),
    bytes(32),
    bytes(31) + b"\x80",
    (P25519 - 1).to_bytes(32, "little"),
    P25519.to_bytes(32, "little"),
    (P25519 + 1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
]


@pytest.mark.parametrize("key", SMALL_ED25519)
def test_signature_keys_of_low_order_are_refused(key: bytes) -> None:
    with pytest.raises(Malformed, match="low order"):
        ED25519.check_public_key(key)
    forged = (1).to_bytes(32, "little") + bytes(32)  # fits every message under the neutral element
    with pytest.raises(DecryptFailed):
        ED25519.verify(key, b"anything", forged)


@pytest.mark.parametrize("value", [0, 1, P448 - 1, P448, 1 + (1 << 455)])
def test_ed448_keys_of_low_order_are_refused(value: int) -> None:
    with pytest.raises(Malformed, match="low order"):
        ED448.check_public_key(value.to_bytes(57, "little"))


def test_an_ed25519_signature_has_one_form() -> None:
    pair = ED25519.generate(secrets.token_bytes)
    signature = ED25519.load(pair.private_key)(b"content")
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = int.from_bytes(signature[32:], "little") + order
    with pytest.raises(DecryptFailed):
        ED25519.verify(pair.public_key, b"content", signature[:32] + shifted.to_bytes(32, "little"))


def test_labels_keep_signatures_of_accounts_apart() -> None:
    pair = ED25519.generate(secrets.token_bytes)
    signature = sign_labeled(pair.private_key, "card", b"content")
    assert len(signature) == 64
    verify_labeled(pair.public_key, "card", b"content", signature)
    for label, content in (("account key", b"content"), ("card", b"Content"), ("cardc", b"ontent")):
        with pytest.raises(DecryptFailed):
            verify_labeled(pair.public_key, label, content, signature)
    with pytest.raises(DecryptFailed):  # nor may it pass for a signature of MLS
        suite(1).verify_with_label(pair.public_key, "card", b"content", signature)
