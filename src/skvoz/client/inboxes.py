"""Inboxes of ours: behind links, and the one whose address contacts get; with offers and pools beside them.

    made --opened at the relay--> stocked and read --revoked, used or expired--> closed --a month--> forgotten
                                    `--replaced, for contacts--> read for 30 days more --> closed

A single-use link's inbox has one offer and lives for 30 days, as its card does. Lasting links and contacts
have a pool of packages, refilled as they are used and renewed every 20 days, and a last one for a dry pool.
Beside the inbox of a group's link lies what the group is called; beside one for an answer lies nothing.
"""

from typing import Any, Final

import msgspec

from skvoz.base.errors import NotFound, PeerError
from skvoz.base.ids import AccountId, GroupId, LogId
from skvoz.client import account as accounts
from skvoz.client import group_links, joining, policy, welcomes
from skvoz.client.cards import CLOCK_SKEW_MS_MAX, LIFETIME_MS_MAX
from skvoz.client.commands import Answer, CreateLink, RevokeLink
from skvoz.client.effects import Attach, Channel, DropLog, OpenLog, Put, Trim
from skvoz.client.events import GroupAttention, LinkCreated, LinkUsed, RequestFailed
from skvoz.client.inbox_mail import InboxAddress, open_mail
from skvoz.client.inputs import Attached, EntriesRead, RequestRefused
from skvoz.client.links import link_of
from skvoz.client.offers import Offer, seal_offer
from skvoz.client.records import Inbox, InboxKind, KeyPackageSecret, Relay
from skvoz.client.step import Step
from skvoz.crypto import KeyPair, sha256
from skvoz.mls import Extensions, KeyPackageBundle, Lifetime

LINKS: Final = (InboxKind.SINGLE_USE, InboxKind.LASTING)
"""Kinds of inboxes that a link to a person leads to."""
POOL_SIZE: Final = 16
"""Packages laid down at once: enough for a busy day of invitations."""
POOL_LOW: Final = 8
DROPPED_COUNTER: Final = "inbox_mail_dropped"
RENEW_ALARM: Final = "inbox.renew"
RETRY_ALARM: Final = "inbox.retry"
CLOSE_ALARM: Final = "inbox.close"
FORGET_ALARM: Final = "inbox.forget"
RENEW_MS: Final = 20 * 24 * 3600 * 1000
"""Cards are valid for 30 days, so new packages are laid down after 20."""
USED_LIFETIME_MS: Final = 7 * 24 * 3600 * 1000
"""How long a single-use inbox stays after its use: whoever comes late is noticed."""
REPLACED_LIFETIME_MS: Final = 30 * 24 * 3600 * 1000
"""How long an inbox for contacts is read after another took its place: rooms tell of that for so long."""
REPLACED_MAX: Final = 4
"""Replaced inboxes that are read beside the present one; the oldest is closed for more."""
_FORGET_MS: Final = 30 * 24 * 3600 * 1000
_RETRY_MS: Final = 5_000
_REFUSED_RETRY_MS: Final = 600_000
_LIFETIME_S: Final = 60 * 24 * 3600
_CLOCK_SKEW_S: Final = 24 * 3600


def create(step: Step, kind: InboxKind, *, group_id: GroupId | None = None) -> Inbox:
    """Make an inbox at the home relay; `group_id` where a link leads into a group."""
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
        group_id=group_id or GroupId(b""),
    )
    step.transaction.put(inbox)
    if kind in {InboxKind.SINGLE_USE, InboxKind.JOINING}:
        step.set_alarm(CLOSE_ALARM, inbox.log_id, step.now_ms + LIFETIME_MS_MAX + CLOCK_SKEW_MS_MAX)
    _take_up(step, inbox)
    return inbox


def change(step: Step, log_id: LogId, **changes: Any) -> Inbox | None:  # noqa: ANN401 - fields of the record
    """Change fields of an inbox as it is now; None where it is gone."""
    inbox = step.transaction.get(Inbox, log_id)
    if inbox is not None:
        inbox = msgspec.structs.replace(inbox, **changes)
        step.transaction.put(inbox)
    return inbox


# Links


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
    """Let a link lead nowhere; raise `NotFound`."""
    inbox = step.transaction.get(Inbox, command.log_id)
    if inbox is None or inbox.kind not in LINKS:
        raise NotFound("there is no such link")
    close(step, inbox.log_id)
    return Answer(log_id=inbox.log_id)


def used(step: Step, log_id: LogId, account_id: AccountId) -> None:
    """Note that somebody came through a link."""
    inbox = step.transaction.get(Inbox, log_id)
    if inbox is None:
        return
    step.tell(LinkUsed(log_id=log_id, account_id=account_id))
    if inbox.kind is InboxKind.SINGLE_USE and not inbox.used_by:
        step.set_alarm(CLOSE_ALARM, log_id, step.now_ms + USED_LIFETIME_MS)
        change(step, log_id, used_by=account_id, used_ms=step.now_ms)
    else:
        change(step, log_id, used_ms=step.now_ms)


def replace_for_contacts(step: Step) -> None:
    """Make another inbox for contacts, since somebody knows the present one who shall not.

    A key that was given away can't be taken back: only moving away keeps its holder from filling the inbox.
    """
    present = contacts_inbox(step)
    change(step, present.log_id, replaced=True)
    step.clear_alarm(RENEW_ALARM, present.log_id)
    step.set_alarm(CLOSE_ALARM, present.log_id, step.now_ms + REPLACED_LIFETIME_MS)
    create(step, InboxKind.CONTACTS)
    replaced = [one for one in _for_contacts(step) if one.replaced]
    replaced.sort(key=lambda one: (one.created_ms, one.log_id))
    for one in replaced[:-REPLACED_MAX]:
        close(step, one.log_id)


def close(step: Step, log_id: LogId) -> None:
    """Let the relay forget an inbox, and forget its keys."""
    inbox = change(step, log_id, revoked=True, private_key=b"", offer=b"")
    if inbox is None:
        return
    for secret in step.transaction.select(KeyPackageSecret, log_id=log_id):
        step.transaction.delete(KeyPackageSecret, secret.reference)
    for alarm in (RENEW_ALARM, RETRY_ALARM, CLOSE_ALARM):
        step.clear_alarm(alarm, log_id)
    step.set_alarm(FORGET_ALARM, log_id, step.now_ms + _FORGET_MS)
    step.connect(inbox.relay_id, Channel.INBOX)
    step.emit(_drop(inbox))


def forget(step: Step, log_id: LogId) -> None:
    """Forget a closed inbox."""
    step.transaction.delete(Inbox, log_id)


def _drop(inbox: Inbox) -> DropLog:
    return DropLog(
        relay_id=inbox.relay_id, channel=Channel.INBOX, log_id=inbox.log_id, owner_key=inbox.owner_key
    )


# At the relay


def started(step: Step) -> None:
    """Take all inboxes up again."""
    for inbox in step.transaction.select(Inbox):
        if inbox.revoked:
            step.connect(inbox.relay_id, Channel.INBOX)
            step.emit(_drop(inbox))
        else:
            _take_up(step, inbox)


def retry(step: Step, log_id: LogId) -> None:
    """Ask again for what the relay refused."""
    inbox = step.transaction.get(Inbox, log_id)
    if inbox is not None and not inbox.revoked:
        _take_up(step, inbox)


def _take_up(step: Step, inbox: Inbox) -> None:
    step.connect(inbox.relay_id, Channel.INBOX)
    if inbox.opened:
        if not inbox.stocked:
            stock(step, inbox)
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
    step.clear_alarm(RETRY_ALARM, inbox.log_id)
    inbox = msgspec.structs.replace(inbox, opened=True)
    step.transaction.put(inbox)
    stock(step, inbox)
    _attach(step, inbox)
    if inbox.kind is InboxKind.JOINING:
        joining.inbox_opened(step, inbox)


def stocked(step: Step, inbox: Inbox) -> None:
    """Note that the relay holds the offer or the packages."""
    if inbox.stocked or inbox.revoked:
        return
    step.transaction.put(msgspec.structs.replace(inbox, stocked=True, offer=b""))
    if inbox.kind in LINKS:
        step.tell(LinkCreated(log_id=inbox.log_id, ready=True))
    elif inbox.kind is InboxKind.GROUP:
        step.tell(GroupAttention(chat_id=step.conversation(inbox.group_id).chat_id, what="link"))


def attached(step: Step, inbox: Inbox, fact: Attached) -> None:
    """Go back to where a relay is that was restored from a backup."""
    if fact.head < inbox.cursor and not inbox.revoked:
        inbox = msgspec.structs.replace(inbox, cursor=fact.head)
        step.transaction.put(inbox)
        _attach(step, inbox)


def refused(step: Step, inbox: Inbox, fact: RequestRefused) -> None:
    """Try again later what a relay refused; make an inbox anew that it has lost."""
    if inbox.revoked or fact.request not in {"OpenLog", "Attach", "Put"}:
        return
    pause_ms = max(_RETRY_MS, fact.retry_after_ms)
    match fact.request, fact.code:
        case "OpenLog", "denied" | "bad":
            step.tell(RequestFailed(chat_id=b"", reason="relay_refused"))
            pause_ms = _REFUSED_RETRY_MS
        case "Put", "full":
            step.transaction.put(msgspec.structs.replace(inbox, stocked=False))
            pause_ms = max(pause_ms, _REFUSED_RETRY_MS)
        case "Put", "too_big" | "bad":
            step.tell(RequestFailed(chat_id=b"", reason="relay_refused"))
            return
        case _, "denied" | "gone":
            step.transaction.put(msgspec.structs.replace(inbox, opened=False, stocked=False, cursor=0))
        case _:
            pass
    step.set_alarm(RETRY_ALARM, inbox.log_id, step.now_ms + pause_ms)


# Offers and packages


def stock(step: Step, inbox: Inbox) -> None:
    """Lay down the offer, or fresh packages under a fresh card."""
    if inbox.kind is InboxKind.SINGLE_USE:
        if not inbox.offer:
            inbox = msgspec.structs.replace(inbox, offer=_package(step, inbox))
            step.transaction.put(inbox)
        step.emit(_put(inbox, offer=inbox.offer))
        return
    if inbox.kind is InboxKind.JOINING:
        change(step, inbox.log_id, stocked=True)  # nothing lies beside it
        return
    if inbox.kind is InboxKind.GROUP:
        step.emit(_put(inbox, last_package=group_links.offer(step, inbox)))
        step.set_alarm(RENEW_ALARM, inbox.log_id, step.now_ms + RENEW_MS)
        return
    packages = tuple(_package(step, inbox) for _ in range(POOL_SIZE))
    step.emit(_put(inbox, packages=packages, last_package=_package(step, inbox, is_last_resort=True)))
    change(step, inbox.log_id, packages_left=POOL_SIZE)
    step.set_alarm(RENEW_ALARM, inbox.log_id, step.now_ms + RENEW_MS)


def _package(step: Step, inbox: Inbox, *, is_last_resort: bool = False) -> bytes:
    bundle = key_package(step, inbox, is_last_resort=is_last_resort)
    card = accounts.fresh_card(step, inbox.public_key)
    offer = Offer(card=card, key_packages=(bundle.message(),))
    return seal_offer(inbox.link_secret, inbox.log_id, offer, step.randomness)


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


def package_used(step: Step, log_id: LogId) -> None:
    """Note that a package of a pool was used, and refill the pool before it is dry."""
    inbox = step.transaction.get(Inbox, log_id)
    has_pool = inbox is not None and inbox.kind in {InboxKind.LASTING, InboxKind.CONTACTS}
    if inbox is None or inbox.revoked or inbox.replaced or not has_pool:
        return
    left = max(0, inbox.packages_left - 1)
    if left <= POOL_LOW:
        step.emit(_put(inbox, packages=tuple(_package(step, inbox) for _ in range(POOL_SIZE - left))))
        left = POOL_SIZE
    change(step, log_id, packages_left=left)


def renew(step: Step, log_id: LogId) -> None:
    """Lay down new packages before the cards in the old ones expire, and forget keys that nobody can use."""
    inbox = step.transaction.get(Inbox, log_id)
    if inbox is None or inbox.revoked or not inbox.opened:
        return
    for secret in step.transaction.select(KeyPackageSecret, log_id=log_id):
        if secret.expires_ms < step.now_ms:
            step.transaction.delete(KeyPackageSecret, secret.reference)
    stock(step, inbox)


def key_package(
    step: Step, inbox: Inbox, *, is_last_resort: bool, extensions: Extensions = ()
) -> KeyPackageBundle:
    """Make a KeyPackage whose Welcome comes into this inbox, and keep its keys."""
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
        extensions=extensions,
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


# Addresses and mail


def address_of(step: Step, inbox: Inbox) -> InboxAddress:
    """Return what others need to write to an inbox."""
    relay = step.transaction.get(Relay, inbox.relay_id)
    if relay is None:
        raise NotFound("there is no relay for this inbox")
    return InboxAddress(
        relay_id=inbox.relay_id,
        addresses=relay.for_others,
        inbox_id=inbox.log_id,
        post_key=inbox.post_key,
        link_secret=inbox.link_secret,
    )


def contacts_inbox(step: Step) -> Inbox:
    """Return the inbox whose address contacts get."""
    for inbox in _for_contacts(step):
        if not inbox.replaced:
            return inbox
    raise NotFound("there is no account here yet")


def _for_contacts(step: Step) -> list[Inbox]:
    return [one for one in step.transaction.select(Inbox, kind=InboxKind.CONTACTS) if not one.revoked]


def read(step: Step, inbox: Inbox, fact: EntriesRead) -> None:
    """Take mail up, each whole or not at all; junk is dropped and counted.

    The relay may forget what was read.
    """
    before = inbox.cursor
    for entry in fact.entries:
        present = step.transaction.get(Inbox, inbox.log_id)
        if present is None or present.revoked:
            return
        if entry.position <= present.cursor:
            continue
        change(step, inbox.log_id, cursor=entry.position)
        try:
            kind, content = open_mail(
                step.environment.suite,
                private_key=present.private_key,
                inbox_id=present.log_id,
                recipient=step.account().account_id,
                mail=entry.body or b"",
            )
            welcomes.received(step, present, kind, content)
        except PeerError:
            step.transaction.next_number(DROPPED_COUNTER)
    present = step.transaction.get(Inbox, inbox.log_id)
    if present is not None and present.cursor > before:
        step.emit(
            Trim(
                relay_id=present.relay_id,
                channel=Channel.INBOX,
                log_id=present.log_id,
                owner_key=present.owner_key,
                before=present.cursor,
            )
        )
