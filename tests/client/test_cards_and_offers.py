import pytest
from msgspec.structs import replace

from skvoz.base.errors import DecryptFailed, Invalid, Malformed
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.client.cards import CLOCK_SKEW_MS_MAX, LIFETIME_MS_MAX, Card, issue_card, verify_card
from skvoz.client.certificates import issue_account_key
from skvoz.client.inbox_mail import (
    INVITATION,
    InboxAddress,
    open_mail,
    parse_inbox_address,
    seal_mail,
)
from skvoz.client.offers import Offer, check_offer, open_offer, seal_offer
from skvoz.codec import pad
from skvoz.crypto import (
    DEFAULT_SUITE,
    ED25519,
    SUITES,
    ZERO_NONCE,
    KeyPair,
    hkdf_sha256,
    seal,
    sign_labeled,
    suite,
)

NOW_MS = 1_800_000_000_000
INBOX = LogId(b"i" * 16)
SECRET = b"s" * 32


def randomness(length: int) -> bytes:
    return b"\x05" * length


def account(seed: int) -> tuple[KeyPair, Card, bytes]:
    root = ED25519.generate(lambda length: bytes([seed]) * length)
    key, private_key = issue_account_key(root, 1, lambda length: bytes([seed + 100]) * length)
    card = issue_card(key, private_key, name="Аня", sequence=3, inbox_public_key=b"k" * 1216, now_ms=NOW_MS)
    return root, card, private_key


ROOT, CARD, PRIVATE_KEY = account(1)
OFFER = Offer(card=CARD, key_packages=(b"package",))


def test_a_card_comes_back() -> None:
    assert verify_card(CARD.encoded) == CARD


def test_any_changed_byte_of_a_card_is_found() -> None:
    for place in range(0, len(CARD.encoded), 7):
        changed = bytearray(CARD.encoded)
        changed[place] ^= 1
        with pytest.raises((Invalid, Malformed)):
            verify_card(bytes(changed))


def test_a_cut_or_longer_card_is_refused() -> None:
    for data in (CARD.encoded[:-1], CARD.encoded + b"\x00", b"", CARD.encoded + bytes(5000)):
        with pytest.raises((Invalid, Malformed)):
            verify_card(data)


def test_a_card_that_is_signed_and_wrong_is_refused() -> None:
    """Its own account signed it, so that nothing but the check of the field refuses it."""
    content = CARD.encoded[:-64]
    until = CARD.valid_until_ms.to_bytes(8)

    def refusal(changed: bytes) -> str:
        with pytest.raises(Malformed) as refused:
            verify_card(changed + sign_labeled(PRIVATE_KEY, "card", changed))
        return str(refused.value)

    assert content.count(until) == 1
    for wrong in (CARD.valid_until_ms + 1, CARD.valid_from_ms - 1):
        assert "too long" in refusal(content.replace(until, wrong.to_bytes(8)))
    assert "version" in refusal(b"\x02" + content[1:])


def test_a_card_of_another_account_key_is_refused() -> None:
    _, other, _ = account(2)
    spliced = other.encoded[:133] + CARD.encoded[133:]
    with pytest.raises(Invalid):
        verify_card(spliced)


@pytest.mark.parametrize(
    ("now_ms", "valid"),
    [
        (NOW_MS, True),
        (NOW_MS + LIFETIME_MS_MAX, True),
        (NOW_MS - CLOCK_SKEW_MS_MAX - 1, False),
        (NOW_MS + LIFETIME_MS_MAX + CLOCK_SKEW_MS_MAX + 1, False),
    ],
)
def test_a_card_is_valid_for_a_time(now_ms: int, valid: bool) -> None:  # noqa: FBT001  # a table
    if valid:
        CARD.check_dates(now_ms)
    else:
        with pytest.raises(Invalid):
            CARD.check_dates(now_ms)


def test_a_name_is_not_in_a_repr() -> None:
    assert "Аня" not in repr(CARD)
    assert "Аня" not in repr(OFFER)


def test_an_offer_comes_back() -> None:
    sealed = seal_offer(SECRET, INBOX, OFFER, randomness)
    assert open_offer(SECRET, INBOX, CARD.account_id, sealed) == OFFER


def test_an_offer_opens_with_its_link_only() -> None:
    sealed = seal_offer(SECRET, INBOX, OFFER, randomness)
    tampered = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for secret, inbox_id, data in (
        (b"t" * 32, INBOX, sealed),
        (SECRET, LogId(b"j" * 16), sealed),
        (SECRET, INBOX, tampered),
        (SECRET, INBOX, sealed[:10]),
        (SECRET, INBOX, b""),
    ):
        with pytest.raises(DecryptFailed):
            open_offer(secret, inbox_id, CARD.account_id, data)


def test_a_card_that_does_not_match_the_fingerprint_is_refused() -> None:
    sealed = seal_offer(SECRET, INBOX, OFFER, randomness)
    with pytest.raises(Invalid, match="fingerprint"):
        open_offer(SECRET, INBOX, AccountId(b"x" * 32), sealed)


def test_an_offer_with_an_old_card_is_refused() -> None:
    sealed = seal_offer(SECRET, INBOX, OFFER, randomness)
    offer = open_offer(SECRET, INBOX, CARD.account_id, sealed)
    for now_ms in (NOW_MS + 3 * LIFETIME_MS_MAX, NOW_MS - 3 * CLOCK_SKEW_MS_MAX):
        with pytest.raises(Invalid, match="valid"):
            check_offer(offer, SUITES[1], now_ms)


def test_an_offer_without_packages_or_of_another_version_is_refused() -> None:
    with pytest.raises(Malformed):
        open_offer(
            SECRET,
            INBOX,
            CARD.account_id,
            seal_offer(SECRET, INBOX, replace(OFFER, key_packages=()), randomness),
        )
    key = hkdf_sha256(SECRET, salt=bytes(16), info=b"skvoz offer 1" + INBOX, length=32)
    foreign = bytes(16) + seal(key, ZERO_NONCE, b"", pad(b"\x02"))
    with pytest.raises(Malformed, match="version"):
        open_offer(SECRET, INBOX, CARD.account_id, foreign)


@pytest.mark.parametrize("number", [1, DEFAULT_SUITE])
def test_mail_reaches_its_inbox_and_no_other(number: int) -> None:
    used = suite(number)
    keys = used.derive_key_pair(b"ikm" * 11)
    recipient = AccountId(b"a" * 32)
    mail = seal_mail(
        used,
        public_key=keys.public_key,
        inbox_id=INBOX,
        recipient=recipient,
        kind=INVITATION,
        content=b"content",
        randomness=lambda length: bytes(range(1, length + 1)),
    )
    opened = open_mail(used, private_key=keys.private_key, inbox_id=INBOX, recipient=recipient, mail=mail)
    assert opened == (INVITATION, b"content")
    for inbox_id, reader, data in (
        (LogId(b"j" * 16), recipient, mail),
        (INBOX, AccountId(b"b" * 32), mail),
        (INBOX, recipient, mail[:-1]),
        (INBOX, recipient, b""),
        (INBOX, recipient, bytes(len(mail))),
    ):
        with pytest.raises(DecryptFailed):
            open_mail(used, private_key=keys.private_key, inbox_id=inbox_id, recipient=reader, mail=data)


def test_mail_that_no_inbox_takes_is_refused() -> None:
    used = suite(1)
    with pytest.raises(Malformed):
        seal_mail(
            used,
            public_key=used.derive_key_pair(b"i" * 32).public_key,
            inbox_id=INBOX,
            recipient=AccountId(bytes(32)),
            kind=INVITATION,
            content=bytes(70_000),
            randomness=randomness,
        )


ADDRESS = InboxAddress(
    relay_id=RelayId(b"r" * 32),
    addresses=("wss://relay.example/",),
    inbox_id=INBOX,
    post_key=b"p" * 32,
    link_secret=SECRET,
)


def test_an_inbox_address_comes_back_and_nonsense_does_not() -> None:
    data = ADDRESS.encode()
    assert parse_inbox_address(data) == ADDRESS
    assert "relay.example" not in repr(ADDRESS)
    for bad in (data[:-1], data + b"\x00", b"\x02" + data[1:], replace(ADDRESS, addresses=()).encode(), b""):
        with pytest.raises(Malformed):
            parse_inbox_address(bad)
