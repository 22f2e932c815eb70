"""Account keys that change: announced, and the one before is not taken any more."""

from skvoz.base.ids import AccountId
from skvoz.client import contacts
from skvoz.client.cards import issue_card
from skvoz.client.certificates import issue_account_key, issue_certificate
from skvoz.client.events import ContactChanged
from skvoz.client.records import (
    Account,
    Contact,
    ContactState,
)
from skvoz.client.step import Step
from skvoz.crypto import KeyPair
from tests.client.people_world import (
    accept,
    contact,
    dropped,
    events,
    friends,
    link_of,
)


def next_key(step: Step) -> None:
    """Answer a theft: the next account key, and a device under it."""
    account = step.account()
    assert account.root_private_key is not None
    root = KeyPair(private_key=account.root_private_key, public_key=account.root_public_key)
    key, private_key = issue_account_key(root, 2, step.randomness)
    step.transaction.put(
        Account(
            account_id=account.account_id,
            name=account.name,
            root_public_key=account.root_public_key,
            root_private_key=None,
            account_key_number=2,
            account_public_key=key.public_key,
            account_private_key=private_key,
            account_key_statement=key.statement,
            device_public_key=account.device_public_key,
            device_private_key=account.device_private_key,
            device_certificate=issue_certificate(key, private_key, account.device_public_key),
            card_sequence=account.card_sequence,
            home_relay_id=account.home_relay_id,
            created_ms=account.created_ms,
        )
    )


def test_a_changed_key_is_announced_and_the_old_one_is_not_taken_any_more() -> None:
    world, anna, boris = friends()
    boris.act(lambda step: step.transaction.put(_verified(step, anna.account_id)))
    old = anna.act(lambda step: step.account())
    anna.act(next_key)
    accept(anna, link_of(boris, lasting=True), "new key")
    world.advance(10_000)
    changed = contact(boris, anna.account_id)
    assert changed.account_key_number == 2
    assert changed.verified_ms is None
    assert changed.key_changed_ms is not None
    assert [event.key_changed for event in events(boris, ContactChanged)].count(True) == 1
    anna.act(lambda step: step.transaction.put(old))
    before = dropped(boris)
    accept(anna, link_of(boris, lasting=True), "the thief")
    world.advance(10_000)
    assert "the thief" not in boris.texts()
    assert dropped(boris) == before + 1


def test_a_card_under_the_next_key_counts_whatever_the_thief_numbered_theirs() -> None:
    world, anna, boris = friends()
    root = anna.act(lambda step: step.account())
    assert root.root_private_key is not None
    pair_of_keys = KeyPair(private_key=root.root_private_key, public_key=root.root_public_key)
    random = world.environment.randomness
    keys = {number: issue_account_key(pair_of_keys, number, random) for number in (1, 2)}
    names: list[str] = []
    for number, sequence in ((1, 2**32 - 1), (2, 1), (2, 0)):
        key, private_key = keys[number]
        card = issue_card(
            key,
            private_key,
            name=f"key {number}, card {sequence}",
            sequence=sequence,
            inbox_public_key=b"k",
            now_ms=world.now_ms,
        )
        boris.act(lambda step, card=card: contacts.learn_card(step, card, state=ContactState.KNOWN))
        names.append(contact(boris, anna.account_id).name)
    assert names == ["key 1, card 4294967295", "key 2, card 1", "key 2, card 1"]


def _verified(step: Step, account_id: AccountId) -> Contact:
    known = step.transaction.get(Contact, account_id)
    assert known is not None
    return Contact(
        account_id=account_id,
        state=known.state,
        name=known.name,
        root_public_key=known.root_public_key,
        account_key_number=known.account_key_number,
        account_public_key=known.account_public_key,
        inbox=known.inbox,
        verified_ms=step.now_ms,
        created_ms=known.created_ms,
    )
