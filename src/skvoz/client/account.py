"""The account of a home: made once, with root key, first account key and this device's certificate."""

import msgspec

from skvoz.base.errors import BadRequest, Conflict
from skvoz.client import inboxes, introductions, relays
from skvoz.client.cards import NAME_SIZE_MAX, Card, issue_card
from skvoz.client.certificates import AccountKey, issue_account_key, issue_certificate
from skvoz.client.commands import (
    Answer,
    ChangeProfile,
    ConfirmRecoveryPhrase,
    CreateAccount,
    KeepFolders,
)
from skvoz.client.events import AccountCreated, FoldersChanged
from skvoz.client.records import Account, Folder, InboxKind
from skvoz.client.recovery_phrase import root_key_of
from skvoz.client.step import Step
from skvoz.crypto import ED25519


def create(step: Step, command: CreateAccount) -> Answer:
    """Make the account, and the inbox for its contacts; raise `Conflict` where there is one already."""
    if step.transaction.get(Account, 0) is not None:
        raise Conflict("this home has an account already")
    name = check_name(command.name)
    relay_id = relays.give_home(step, command.relay)
    root = ED25519.generate(step.randomness)
    account_key, account_private_key = issue_account_key(root, 1, step.randomness)
    device = ED25519.generate(step.randomness)
    account = Account(
        account_id=account_key.account_id,
        name=name,
        root_public_key=root.public_key,
        root_private_key=root.private_key,
        account_key_number=account_key.number,
        account_public_key=account_key.public_key,
        account_private_key=account_private_key,
        account_key_statement=account_key.statement,
        device_public_key=device.public_key,
        device_private_key=device.private_key,
        device_certificate=issue_certificate(account_key, account_private_key, device.public_key),
        card_sequence=0,
        home_relay_id=relay_id,
        created_ms=step.now_ms,
    )
    step.transaction.put(account)
    inboxes.create(step, InboxKind.CONTACTS)
    step.tell(AccountCreated(account_id=account.account_id))
    return Answer(account_id=account.account_id)


def confirm_phrase(step: Step, command: ConfirmRecoveryPhrase) -> Answer:
    """Forget the root key here once its phrase is written down; raise `BadRequest` for another phrase."""
    account = step.account()
    if root_key_of(command.phrase).public_key != account.root_public_key:
        raise BadRequest("this is not the phrase of this account")
    step.transaction.put(msgspec.structs.replace(account, root_private_key=None))
    return Answer()


def change_profile(step: Step, command: ChangeProfile) -> Answer:
    """Change the name that new cards carry, or what this home's person chose."""
    account = step.account()
    if command.name is not None:
        account = msgspec.structs.replace(account, name=check_name(command.name))
    if command.reports_enabled is not None:
        account = msgspec.structs.replace(account, reports_enabled=command.reports_enabled)
    if command.lan_enabled is not None:
        account = msgspec.structs.replace(account, lan_enabled=command.lan_enabled)
    if command.lock_after_minutes is not None:
        account = msgspec.structs.replace(account, lock_after_minutes=command.lock_after_minutes)
    renamed = account.name != step.account().name
    step.transaction.put(account)
    if renamed:
        introductions.introduce_everywhere(step)
    return Answer()


def keep_folders(step: Step, command: KeepFolders) -> Answer:
    """Keep the folders of chats; names are made plain, and a chat is in a folder once."""
    account = step.account()
    folders = tuple(
        Folder(name=check_name(folder.name), chats=tuple(dict.fromkeys(folder.chats)))
        for folder in command.folders
    )
    if folders != account.folders:
        step.transaction.put(msgspec.structs.replace(account, folders=folders))
        step.tell(FoldersChanged())
    return Answer()


def check_name(name: str) -> str:
    """Return a name that a person typed, on one line and without blanks around; raise `BadRequest`."""
    name = " ".join(name.split())
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise BadRequest("the name has characters that can't be sent") from None
    if not 0 < size <= NAME_SIZE_MAX:
        raise BadRequest("a name has 1 to 256 bytes")
    return name


def account_key_of(account: Account) -> AccountKey:
    """Return the account's present key with the root key's statement about it."""
    return AccountKey(
        account_id=account.account_id,
        root_public_key=account.root_public_key,
        number=account.account_key_number,
        public_key=account.account_public_key,
        statement=account.account_key_statement,
    )


def fresh_card(step: Step, inbox_public_key: bytes) -> Card:
    """Issue a card that leads to one of our inboxes, under the next sequence."""
    account = step.account()
    account = msgspec.structs.replace(account, card_sequence=account.card_sequence + 1)
    step.transaction.put(account)
    return issue_card(
        account_key_of(account),
        account.account_private_key,
        name=account.name,
        sequence=account.card_sequence,
        inbox_public_key=inbox_public_key,
        now_ms=step.now_ms,
    )
