"""The door to everything that is about people and not about one room: account, links, contacts, messages."""

import msgspec

from skvoz.base.ids import EntryId, GroupId, LogId, MessageId
from skvoz.client import (
    account,
    approaches,
    bots,
    carried_in,
    chats,
    chosen_files,
    contacts,
    drops,
    epochs,
    file_transfers,
    files,
    first_contact,
    group_links,
    inboxes,
    invitations,
    joining,
    messages,
    reports,
    upkeep,
    whereabouts,
)
from skvoz.client.commands import (
    AcceptLink,
    AcceptRequest,
    Answer,
    ArchiveChat,
    AttachFile,
    BlockContact,
    ChangeProfile,
    Command,
    ConfirmRecoveryPhrase,
    CreateAccount,
    CreateBot,
    CreateLink,
    DeclineRequest,
    DeleteChat,
    FetchFile,
    ForgetDrop,
    ForgetFile,
    ImportBundle,
    KeepDraft,
    KeepDrop,
    KeepFolders,
    MuteChat,
    PauseFile,
    PinChat,
    RenameContact,
    RevokeBot,
    RevokeLink,
    StageFile,
    VerifyContact,
)
from skvoz.client.inputs import (
    Attached,
    EntriesRead,
    EntryRefused,
    EntryStored,
    Input,
    LogOpened,
    PackagesStored,
    RelayConnected,
    RequestRefused,
    Taken,
    TakeRefused,
)
from skvoz.client.records import Account, Conversation, Inbox, Relay
from skvoz.client.step import Step
from skvoz.crypto import sha256


def command(step: Step, wished: Command) -> Answer:
    """Do what a command asks for; raise a `CallerError`."""
    match wished:
        case CreateAccount():
            return account.create(step, wished)
        case ConfirmRecoveryPhrase():
            return account.confirm_phrase(step, wished)
        case ChangeProfile():
            return account.change_profile(step, wished)
        case KeepFolders():
            return account.keep_folders(step, wished)
        case CreateLink():
            return inboxes.create_link(step, wished)
        case RevokeLink():
            return inboxes.revoke_link(step, wished)
        case AcceptLink():
            return first_contact.accept_link(step, wished)
        case AcceptRequest():
            return chats.accept(step, wished)
        case DeclineRequest():
            return chats.decline(step, wished)
        case BlockContact():
            return chats.block(step, wished)
        case RenameContact():
            return contacts.rename(step, wished)
        case VerifyContact():
            return contacts.verify(step, wished)
        case MuteChat():
            return chats.mute(step, wished)
        case PinChat():
            return chats.pin(step, wished)
        case ArchiveChat():
            return chats.archive(step, wished)
        case KeepDraft():
            return chats.keep_draft(step, wished)
        case DeleteChat():
            return chats.delete(step, wished)
        case AttachFile():
            return chosen_files.attach(step, wished)
        case StageFile():
            return chosen_files.stage(step, wished)
        case FetchFile():
            return files.fetch(step, wished)
        case PauseFile():
            return files.pause(step, wished)
        case ForgetFile():
            return files.forget(step, wished)
        case ImportBundle():
            return carried_in.import_bundle(step, wished)
        case CreateBot():
            return bots.create(step, wished)
        case RevokeBot():
            return bots.revoke(step, wished)
        case KeepDrop():
            return drops.keep(step, wished)
        case ForgetDrop():
            return drops.forget(step, wished)
        case _:
            raise AssertionError("commands about groups and messages go elsewhere")


def started(step: Step) -> None:
    """Take up everything about people that is unfinished."""
    if step.transaction.get(Account, 0) is None:
        return
    inboxes.started(step)
    invitations.started(step)
    approaches.started(step)
    upkeep.started(step)
    file_transfers.started(step)


def handle_input(step: Step, fact: Input) -> None:
    """Take a fact that is not about a room of ours."""
    match fact:
        case RelayConnected():
            _learn_relay_key(step, fact)
            whereabouts.told(step, fact.relay_id, fact.addresses)
            whereabouts.carries(step, fact.relay_id, carries=fact.carries)
        case Taken():
            approaches.taken(step, fact)
        case TakeRefused():
            approaches.refused(step, fact)
        case EntryStored():
            invitations.stored(step, fact)
        case EntryRefused():
            invitations.refused(step, fact)
        case LogOpened() | Attached() | EntriesRead() | PackagesStored() | RequestRefused():
            inbox = step.transaction.get(Inbox, fact.log_id)
            if inbox is not None and inbox.relay_id == fact.relay_id:
                _inbox(step, inbox, fact)
        case _:
            pass


def _inbox(
    step: Step, inbox: Inbox, fact: LogOpened | Attached | EntriesRead | PackagesStored | RequestRefused
) -> None:
    match fact:
        case LogOpened():
            inboxes.opened(step, inbox)
        case PackagesStored():
            inboxes.stocked(step, inbox)
        case Attached():
            inboxes.attached(step, inbox, fact)
        case EntriesRead():
            inboxes.read(step, inbox, fact)
        case RequestRefused():
            inboxes.refused(step, inbox, fact)


def alarm(step: Step, name: str, subject: bytes) -> None:
    """Do what is due."""
    match name:
        case messages.EXPIRE_ALARM:
            messages.expire(step, MessageId(subject))
        case file_transfers.RETRY_ALARM | file_transfers.UNUSED_ALARM:
            file_transfers.alarm(step, name, subject)
        case reports.REPORT_ALARM:
            conversation = step.transaction.get(Conversation, GroupId(subject))
            if conversation is not None:
                reports.send(step, conversation)
        case inboxes.RENEW_ALARM:
            inboxes.renew(step, LogId(subject))
        case inboxes.RETRY_ALARM:
            inboxes.retry(step, LogId(subject))
        case inboxes.CLOSE_ALARM:
            inboxes.close(step, LogId(subject))
            joining.inbox_closed(step, LogId(subject))
        case inboxes.FORGET_ALARM:
            inboxes.forget(step, LogId(subject))
        case epochs.LINK_ALARM:
            group_links.refresh(step, GroupId(subject))
        case invitations.RETRY_ALARM:
            invitations.retry(step, EntryId(subject))
        case approaches.RETRY_ALARM:
            approaches.retry(step, subject)
        case whereabouts.TELL_ALARM:
            whereabouts.alarm(step)
        case upkeep.ALARM:
            upkeep.run(step)
        case _:
            pass


def _learn_relay_key(step: Step, fact: RelayConnected) -> None:
    relay = step.transaction.get(Relay, fact.relay_id)
    if relay is None or relay.public_key or sha256(fact.public_key) != fact.relay_id:
        return
    step.transaction.put(msgspec.structs.replace(relay, public_key=fact.public_key))
