"""Fuzz what clients seal for each other: offers, mail, entries, knocks; changed, or sealed over anything."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from fuzz.client_documents import person
from fuzz.target import Script, Target, changed, scripts
from skvoz.base.errors import DecryptFailed
from skvoz.base.ids import EntryId, LogId
from skvoz.client import group_offers, knocks, policy
from skvoz.client.asking import check_asking, encode_asking, parse_asking
from skvoz.client.envelope import APPLICATION, open_entry, seal_entry
from skvoz.client.group_offers import GroupOffer, open_group_offer, seal_group_offer, signed_group_offer
from skvoz.client.inbox_mail import open_mail, seal_mail
from skvoz.client.invitations import recipient
from skvoz.client.offers import Offer, check_offer, open_offer, seal_offer
from skvoz.codec import opaque, pad, uint8, uint32, vector
from skvoz.crypto import SUITES, ZERO_NONCE, KeyPair, hkdf_sha256, hpke_seal, seal, sign_labeled
from skvoz.mls import Group, KeyPackageBundle, Lifetime
from tests.client.test_policy import a_group
from tests.mls.synthetic_tree import Counter

_RANDOM: Final = Counter("fuzz sealed documents")
_SUITE: Final = SUITES[1]
_INBOX: Final = LogId(b"i" * 16)
_SECRET: Final = b"s" * 32
_ENTRY: Final = EntryId(b"e" * 16)
_SALT: Final = bytes(16)
_NOW_MS: Final = 1_800_000_000_000


def _bundle() -> KeyPackageBundle:
    someone = person()
    return KeyPackageBundle.create(
        _SUITE,
        someone.certificate,
        someone.device,
        lifetime=Lifetime(not_before=0, not_after=2**62),
        randomness=_RANDOM,
        capabilities=policy.capabilities(_SUITE),
    )


@dataclass(slots=True)
class World:
    """An inbox of somebody's, their offer, and a conversation that others knock at."""

    inbox: KeyPair = field(default_factory=lambda: _SUITE.generate_key_pair(_RANDOM))
    bundle: KeyPackageBundle = field(default_factory=_bundle)
    groups: list[Group] = field(default_factory=a_group)


@cache
def _world() -> World:
    return World()


def _plain(script: Script, content: bytes) -> bytes:
    """Return something padded as it should be over changed content, or changed padding."""
    if script.randrange(6) == 0:
        return changed(script, pad(content))
    return pad(content if script.randrange(4) == 0 else changed(script, content))


def try_offer(script: Script) -> None:
    """Open an offer that was sealed over anything, and check the KeyPackages in it."""
    someone = person()
    package = _world().bundle.message()
    if script.randrange(2):
        package = changed(script, package)
    content = uint8(1) + opaque(someone.card.encoded) + vector([opaque(package)] * script.randrange(1, 3))
    key = hkdf_sha256(_SECRET, salt=_SALT, info=b"skvoz offer 1" + _INBOX, length=32)
    sealed = _SALT + seal(key, ZERO_NONCE, b"", _plain(script, content))
    check_offer(open_offer(_SECRET, _INBOX, someone.key.account_id, sealed), _SUITE, _NOW_MS)


def try_changed_offer(script: Script) -> None:
    """Open an offer that was changed on its way."""
    someone = person()
    offer = Offer(card=someone.card, key_packages=(_world().bundle.message(),))
    sealed = seal_offer(_SECRET, _INBOX, offer, Counter("fuzz offer"))
    arrived = changed(script, sealed)
    open_offer(_SECRET, _INBOX, someone.key.account_id, arrived)
    if arrived != sealed:
        raise AssertionError("a changed offer was opened")


def try_group_offer(script: Script) -> None:
    """Open what lies beside a group's link, signed and sealed over anything."""
    someone = person()
    content = uint8(1) + opaque(someone.card.encoded) + opaque("Дача".encode()) + uint32(7)
    if script.randrange(2):
        content = changed(script, content)
    signed = signed_group_offer(_INBOX, content)
    plain = content + sign_labeled(someone.private_key, group_offers.LABEL, signed)
    key = hkdf_sha256(_SECRET, salt=_SALT, info=b"skvoz group offer 1" + _INBOX, length=32)
    sealed = _SALT + seal(key, ZERO_NONCE, b"", _plain(script, plain))
    open_group_offer(_SECRET, _INBOX, someone.key.account_id, sealed).title.encode()


def try_changed_group_offer(script: Script) -> None:
    """Open what lies beside a group's link, changed on its way."""
    someone = person()
    offer = GroupOffer(card=someone.card, title="Дача", members=7)
    sealed = seal_group_offer(_SECRET, _INBOX, offer, someone.private_key, Counter("fuzz group offer"))
    arrived = changed(script, sealed)
    open_group_offer(_SECRET, _INBOX, someone.key.account_id, arrived)
    if arrived != sealed:
        raise AssertionError("a changed group offer was opened")


def try_asking(script: Script) -> None:
    """Check a request to be let in that its device signed over anything."""
    someone = person()
    package = _world().bundle.message()
    if script.randrange(2):
        package = changed(script, package)
    request = encode_asking(
        inbox_id=_INBOX,
        admin=someone.key.account_id,
        asked_ms=script.choice((0, _NOW_MS, 2**64 - 1)),
        card=someone.card,
        address=someone.address,
        key_package=package,
        device_private_key=someone.device.private_key,
    )
    arrived = changed(script, request) if script.randrange(4) == 0 else request
    asking = parse_asking(arrived)
    check_asking(asking, _SUITE, inbox_id=_INBOX, admin=someone.key.account_id, now_ms=_NOW_MS)
    if arrived != request:
        raise AssertionError("a changed request holds")


def try_mail(script: Script) -> None:
    """Open mail that was sealed over anything."""
    account_id = person().key.account_id
    info = b"skvoz inbox mail 1" + _INBOX + account_id
    plaintext = _plain(script, uint8(1) + uint8(1) + b"content")
    enc, ciphertext = hpke_seal(_SUITE, _world().inbox.public_key, info, b"", plaintext, Counter("fuzz mail"))
    open_mail(
        _SUITE,
        private_key=_world().inbox.private_key,
        inbox_id=_INBOX,
        recipient=account_id,
        mail=enc + ciphertext,
    )


def try_changed_mail(script: Script) -> None:
    """Open mail that was changed on its way."""
    account_id = person().key.account_id
    mail = seal_mail(
        _SUITE,
        public_key=_world().inbox.public_key,
        inbox_id=_INBOX,
        recipient=account_id,
        kind=1,
        content=b"content",
        randomness=Counter("fuzz mail"),
    )
    arrived = changed(script, mail)
    open_mail(
        _SUITE, private_key=_world().inbox.private_key, inbox_id=_INBOX, recipient=account_id, mail=arrived
    )
    if arrived != mail:
        raise AssertionError("changed mail was opened")


def try_entry(script: Script) -> None:
    """Open an entry that was changed on its way, or sealed over anything, or called another kind."""
    body = seal_entry(_SUITE, _SECRET, _ENTRY, APPLICATION, b"message")
    arrived = changed(script, body)
    kind = script.randrange(2)
    if arrived != body or kind != APPLICATION:
        try:
            open_entry(_SUITE, _SECRET, _ENTRY, kind, arrived)
        except DecryptFailed:
            return
        raise AssertionError("a changed entry was opened")
    key = _SUITE.expand_with_label(_SECRET, "skvoz entry", _ENTRY + b"\x00", _SUITE.aead_key_size)
    sealed = _SUITE.seal(key, bytes(_SUITE.aead_nonce_size), b"", _plain(script, b"message"))
    open_entry(_SUITE, _SECRET, _ENTRY, APPLICATION, sealed)


def try_knock(script: Script) -> None:
    """Hear a knock that a member sealed and signed over anything."""
    admin, member, _ = _world().groups
    key_package, to = _world().bundle.message(), recipient(person().address.encode(), person().card)
    if script.randrange(2):
        key_package = changed(script, key_package)
    if script.randrange(2):
        to = changed(script, to)
    leaf = script.choice((member.own_leaf_index, 0, 7, 2**32 - 1))
    signed = opaque(admin.group_id) + uint32(leaf) + opaque(key_package) + opaque(to)
    signature = sign_labeled(member.state.signature_key.private_key, "knock", signed)
    content = uint8(1) + signed.removeprefix(opaque(admin.group_id)) + signature
    key = hkdf_sha256(
        policy.info_of(admin).knock_key, salt=_SALT, info=b"skvoz knock 1" + admin.group_id, length=32
    )
    sealed = _SALT + seal(key, ZERO_NONCE, b"", _plain(script, content))
    knocks.read(admin, 1, changed(script, sealed) if script.randrange(4) == 0 else sealed)


_TRIES: Final[tuple[Callable[[Script], None], ...]] = (
    try_offer,
    try_changed_offer,
    try_group_offer,
    try_changed_group_offer,
    try_asking,
    try_mail,
    try_changed_mail,
    try_entry,
    try_knock,
)


def run(data: bytes) -> None:
    """Try one thing, as the input says."""
    script = Script(data)
    script.choice(_TRIES)(script)


def make() -> Target:
    """Return the target."""
    _world()
    return Target(run=run, seeds=scripts(100, 80))
