"""Inboxes of ours: behind links, and the one whose address contacts get; with offers and pools beside them.

An inbox is made, then opened at the relay, then stocked with KeyPackages, and read for as long as it exists.
A single-use link's inbox has one offer; the others have a pool, and a last package for when it is dry.
"""

from typing import Final

import msgspec

from skvoz.base.errors import NotFound, PeerError
from skvoz.base.ids import LogId
from skvoz.client import account as accounts
from skvoz.client import invitations, policy
from skvoz.client.commands import Answer, CreateLink, RevokeLink
from skvoz.client.effects import Attach, Channel, DropLog, OpenLog, Put
from skvoz.client.events import LinkCreated
from skvoz.client.inbox_mail import InboxAddress, open_mail
from skvoz.client.inputs import EntriesRead
from skvoz.client.links import link_of
from skvoz.client.offers import Offer, seal_offer
from skvoz.client.records import Inbox, InboxKind, KeyPackageSecret, Relay
from skvoz.client.step import Step
from skvoz.crypto import KeyPair, sha256
from skvoz.mls import KeyPackageBundle, Lifetime

POOL_SIZE: Final = 16
"""Packages laid down at once: enough for a busy day of invitations."""
DROPPED_COUNTER: Final = "inbox_mail_dropped"
RENEW_ALARM: Final = "inbox.renew"
RENEW_MS: Final = 20 * 24 * 3600 * 1000
"""Cards are valid for 30 days, so new offers are laid down after 20."""
_LIFETIME_S: Final = 60 * 24 * 3600
_CLOCK_SKEW_S: Final = 24 * 3600


def create(step: Step, kind: InboxKind) -> Inbox:
    """Make an inbox at the home relay."""
    account = step.account()
    keys = step.environment.suite.generate_key_pair(step.randomness)
    inbox = Inbox(
        log_id=LogId(step.randomness(16)),
        kind=kind,
        relay_id=account.home_relay_id,
        owner_key=step.randomness(32),
        post_key=step.randomness(32),
        link_secret=step.randomness(32),
        private_key=keys.private_key,
        public_key=keys.public_key,
        created_ms=step.now_ms,
    )
    step.transaction.put(inbox)
    _take_up(step, inbox)
    return inbox


def create_link(step: Step, command: CreateLink) -> Answer:
    """Make a link; it can be handed on at once, and works once the relay has its inbox."""
    inbox = create(step, InboxKind.LASTING if command.lasting else InboxKind.SINGLE_USE)
    relay = step.transaction.get(Relay, inbox.relay_id)
    if relay is None:
        raise NotFound("there is no relay for this link")
    step.tell(LinkCreated(log_id=inbox.log_id, ready=False))
    link = link_of(inbox, relay, step.account().account_id)
    return Answer(link=link.encode(), log_id=inbox.log_id)


def revoke_link(step: Step, command: RevokeLink) -> Answer:
    """Let a link lead nowhere: the relay forgets its inbox, and we its keys."""
    inbox = step.transaction.get(Inbox, command.log_id)
    if inbox is None or inbox.kind is InboxKind.CONTACTS:
        raise NotFound("there is no such link")
    for secret in step.transaction.select(KeyPackageSecret, log_id=inbox.log_id):
        step.transaction.delete(KeyPackageSecret, secret.reference)
    step.transaction.put(msgspec.structs.replace(inbox, revoked=True, private_key=b""))
    step.clear_alarm(RENEW_ALARM, inbox.log_id)
    step.connect(inbox.relay_id, Channel.INBOX)
    step.emit(
        DropLog(
            relay_id=inbox.relay_id,
            channel=Channel.INBOX,
            log_id=inbox.log_id,
            owner_key=inbox.owner_key,
        )
    )
    return Answer(log_id=inbox.log_id)


def started(step: Step) -> None:
    """Take all inboxes up again."""
    for inbox in step.transaction.select(Inbox):
        if not inbox.revoked:
            _take_up(step, inbox)


def _take_up(step: Step, inbox: Inbox) -> None:
    step.connect(inbox.relay_id, Channel.INBOX)
    if inbox.opened:
        _attach(step, inbox)
        return
    relay = step.transaction.get(Relay, inbox.relay_id)
    step.emit(
        OpenLog(
            relay_id=inbox.relay_id,
            channel=Channel.INBOX,
            log_id=inbox.log_id,
            is_inbox=True,
            key_hash=sha256(inbox.post_key),
            owner_hash=sha256(inbox.owner_key),
            ticket=b"" if relay is None else relay.ticket,
        )
    )


def _attach(step: Step, inbox: Inbox) -> None:
    step.emit(
        Attach(
            relay_id=inbox.relay_id,
            channel=Channel.INBOX,
            log_id=inbox.log_id,
            key=inbox.owner_key,
            after=inbox.cursor,
        )
    )


def opened(step: Step, inbox: Inbox) -> None:
    """Stock and read an inbox that the relay holds now."""
    if inbox.opened or inbox.revoked:
        return
    inbox = msgspec.structs.replace(inbox, opened=True)
    step.transaction.put(inbox)
    stock(step, inbox)
    _attach(step, inbox)
    if inbox.kind is not InboxKind.CONTACTS:
        step.tell(LinkCreated(log_id=inbox.log_id, ready=True))


def stock(step: Step, inbox: Inbox) -> None:
    """Lay down a fresh offer, or fresh packages, under a fresh card."""
    card = accounts.fresh_card(step, inbox.public_key)

    def package(*, is_last_resort: bool = False) -> bytes:
        bundle = key_package(step, inbox, is_last_resort=is_last_resort)
        offer = Offer(card=card, key_packages=(bundle.message(),))
        return seal_offer(inbox.link_secret, inbox.log_id, offer, step.randomness)

    if inbox.kind is InboxKind.SINGLE_USE:
        put = _put(inbox, offer=package())
    else:
        packages = tuple(package() for _ in range(POOL_SIZE))
        put = _put(inbox, packages=packages, last_package=package(is_last_resort=True))
    step.emit(put)
    step.set_alarm(RENEW_ALARM, inbox.log_id, step.now_ms + RENEW_MS)


def _put(
    inbox: Inbox,
    *,
    packages: tuple[bytes, ...] = (),
    last_package: bytes | None = None,
    offer: bytes | None = None,
) -> Put:
    return Put(
        relay_id=inbox.relay_id,
        channel=Channel.INBOX,
        log_id=inbox.log_id,
        owner_key=inbox.owner_key,
        packages=packages,
        last_package=last_package,
        offer=offer,
    )


def renew(step: Step, log_id: LogId) -> None:
    """Lay down new offers before the cards in the old ones expire; a used single-use link gets none."""
    inbox = step.transaction.get(Inbox, log_id)
    if inbox is None or inbox.revoked or (inbox.kind is InboxKind.SINGLE_USE and inbox.used_ms):
        return
    for secret in step.transaction.select(KeyPackageSecret, log_id=log_id):
        if secret.expires_ms < step.now_ms:
            step.transaction.delete(KeyPackageSecret, secret.reference)
    stock(step, inbox)


def key_package(step: Step, inbox: Inbox, *, is_last_resort: bool) -> KeyPackageBundle:
    """Make a KeyPackage whose Welcome is to come into this inbox."""
    account = step.account()
    suite = step.environment.suite
    now_s = step.now_ms // 1000
    bundle = KeyPackageBundle.create(
        suite,
        account.device_certificate,
        KeyPair(private_key=account.device_private_key, public_key=account.device_public_key),
        lifetime=Lifetime(not_before=max(0, now_s - _CLOCK_SKEW_S), not_after=now_s + _LIFETIME_S),
        randomness=step.randomness,
        capabilities=policy.capabilities(suite),
    )
    step.transaction.put(
        KeyPackageSecret(
            reference=bundle.reference,
            log_id=inbox.log_id,
            bundle=bundle.encode(),
            is_last_resort=is_last_resort,
            expires_ms=step.now_ms + (_LIFETIME_S + _CLOCK_SKEW_S) * 1000,
        )
    )
    return bundle


def address_of(step: Step, inbox: Inbox) -> InboxAddress:
    """Return what others need to write to an inbox."""
    relay = step.transaction.get(Relay, inbox.relay_id)
    if relay is None:
        raise NotFound("there is no relay for this inbox")
    return InboxAddress(
        relay_id=inbox.relay_id,
        addresses=relay.addresses,
        inbox_id=inbox.log_id,
        post_key=inbox.post_key,
        link_secret=inbox.link_secret,
    )


def contacts_inbox(step: Step) -> Inbox:
    """Return the inbox whose address contacts get."""
    for inbox in step.transaction.select(Inbox):
        if inbox.kind is InboxKind.CONTACTS:
            return inbox
    raise NotFound("there is no account here yet")


def read(step: Step, inbox: Inbox, fact: EntriesRead) -> None:
    """Take mail up, each whole or not at all; junk is dropped and counted."""
    account_id = step.account().account_id
    for entry in fact.entries:
        inbox = step.transaction.get(Inbox, inbox.log_id) or inbox
        if entry.position <= inbox.cursor or inbox.revoked:
            continue
        step.transaction.put(msgspec.structs.replace(inbox, cursor=entry.position))
        try:
            kind, content = open_mail(
                step.environment.suite,
                private_key=inbox.private_key,
                inbox_id=inbox.log_id,
                recipient=account_id,
                mail=entry.body or b"",
            )
            invitations.received(step, inbox.log_id, kind, content)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
