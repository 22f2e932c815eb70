"""The client machine: one door for facts and one for wishes.

The driver gives a transaction over what is stored, stores its changes, and only then lets the effects out. If
it could not store them it calls `undo_command` for a command, and for facts `forget`, and begins anew.
"""

from collections.abc import Callable
from typing import Final, TypeVar, assert_never

import msgspec

from skvoz.base.errors import ClientIdUsed, PeerError
from skvoz.base.ids import GroupId
from skvoz.client import (
    attachments,
    bots,
    carried_in,
    closers,
    commits,
    composing,
    conversations,
    entries,
    epochs,
    far_alarms,
    file_transfers,
    forgotten_rooms,
    groups,
    knocks,
    leaving,
    outbox,
    people,
    recovery,
)
from skvoz.client.commands import Answer, Command
from skvoz.client.environment import Environment
from skvoz.client.inputs import (
    Attached,
    BaseMoved,
    BotUsed,
    CarriedRead,
    DownloadDone,
    EntriesRead,
    EntryRefused,
    EntryStored,
    Input,
    Knocked,
    KnocksRead,
    LogOpened,
    PackagesStored,
    RelayConnected,
    RelayLost,
    RequestRefused,
    Started,
    Taken,
    TakeRefused,
    TimePassed,
    TransferRefused,
    UploadDone,
)
from skvoz.client.records import Alarm, Answered, Conversation
from skvoz.client.step import Caches, Outcome, Step
from skvoz.client.transaction import Transaction
from skvoz.crypto import sha256

T = TypeVar("T")
ALARMS_PER_STEP_MAX: Final = 256
"""Bounds one step after a long sleep; the rest comes in the next one."""
_NEVER_MS: Final = 2**62
_encode = msgspec.msgpack.Encoder().encode
_answers = msgspec.msgpack.Decoder(Answer)


class Machine:
    """Everything a person's device decides; the records are the truth, and what it keeps is only a cache."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.caches = Caches()
        self._before_command = self.caches.outside()

    def forget(self) -> None:
        """Drop what is cached: a transaction was not stored. A `Started` has to come next."""
        self.caches.forget()

    def undo_command(self) -> None:
        """Drop what the last command cached: it was refused, or not stored, and its effects stay inside."""
        self.caches.forget()
        self.caches.put_back(self._before_command)

    def handle(self, transaction: Transaction, input: Input, now_ms: int) -> Outcome:  # noqa: A002 - the domain's word
        """Take a fact. Nothing that comes from outside makes it raise."""
        step = Step(transaction, self._environment, now_ms, self.caches)
        try:
            self._handle(step, input)
        except PeerError:
            transaction.next_number(entries.DROPPED_COUNTER)
        return step.outcome()

    def look(self, transaction: Transaction, work: Callable[[Step], T], now_ms: int) -> T:
        """Return what `work` reads; the transaction is not to be stored."""
        return work(Step(transaction, self._environment, now_ms, self.caches))

    def command(self, transaction: Transaction, command: Command, now_ms: int) -> tuple[Answer, Outcome]:
        """Take a wish; a repeat, which has the same `client_id`, gets the first one's answer.

        Raises `CallerError` (`ClientIdUsed` for a `client_id` that stood for another wish), after which the
        transaction is to be dropped and `undo_command` called.
        """
        self._before_command = self.caches.outside()
        step = Step(transaction, self._environment, now_ms, self.caches)
        wish = sha256(type(command).__name__.encode() + _encode(command))
        known = transaction.get(Answered, command.client_id)
        if known is not None:
            if known.command != wish:
                raise ClientIdUsed("this client id was used for another command")
            return _answers.decode(known.answer), step.outcome()
        answer = groups.command(step, command)
        if answer is None:
            answer = composing.command(step, command)
        if answer is None:
            answer = people.command(step, command)
        transaction.put(
            Answered(
                client_id=command.client_id,
                command=wish,
                answer=_encode(answer),
                created_ms=now_ms,
            )
        )
        return answer, step.outcome()

    def _handle(self, step: Step, fact: Input) -> None:
        match fact:
            case Started():
                self.caches.forget()
                far_alarms.bring_near(step)
                conversations.started(step)
                people.started(step)
                _wake_for_next(step)
            case TimePassed():
                _ring(step)
            case BotUsed():
                bots.used(step, fact)
            case CarriedRead():
                carried_in.read_entries(step, fact.group_id, fact.entries)
            case RelayConnected():
                far_alarms.bring_near(step)
                forgotten_rooms.relay_connected(step, fact)
                people.handle_input(step, fact)
            case RelayLost():
                people.handle_input(step, fact)
            case Taken() | TakeRefused() | PackagesStored():
                people.handle_input(step, fact)
            case UploadDone() | DownloadDone() | TransferRefused():
                file_transfers.handle(step, fact)
            case _:
                conversation = step.conversation_of_log(fact.log_id)
                if conversation is None:
                    people.handle_input(step, fact)
                else:
                    _room(step, conversation, fact)


def _room(
    step: Step,
    conversation: Conversation,
    fact: LogOpened
    | Attached
    | EntriesRead
    | BaseMoved
    | EntryStored
    | EntryRefused
    | RequestRefused
    | Knocked
    | KnocksRead,
) -> None:
    """Take a fact about a conversation's room."""
    if fact.relay_id != conversation.relay_id:
        return
    match fact:
        case LogOpened():
            conversations.opened(step, conversation)
        case Attached():
            attachments.attached(step, conversation, fact)
        case EntriesRead():
            entries.read(step, conversation, fact)
        case BaseMoved():
            attachments.base_moved(step, conversation, fact)
        case EntryStored():
            outbox.stored(step, conversation, fact)
        case EntryRefused():
            outbox.refused(step, conversation, fact)
        case RequestRefused():
            _refused(step, conversation, fact)
        case KnocksRead():
            knocks.heard(step, conversation, fact)
        case Knocked():
            pass
        case _:
            assert_never(fact)


def _refused(step: Step, conversation: Conversation, fact: RequestRefused) -> None:
    match fact.request:
        case "Attach":
            attachments.refused(step, conversation, fact)
        case "OpenLog":
            conversations.open_refused(step, conversation, fact)
        case "Knock":
            recovery.knock_refused(step, conversation, fact)
        case _:
            pass  # trims and drops are not missed


def _ring(step: Step) -> None:
    """Do everything that is due; one alarm that a peer's bytes spoil holds no other up."""
    step.caches.wake_at_ms = _NEVER_MS
    for alarm in step.transaction.smallest(Alarm, "due_ms", ALARMS_PER_STEP_MAX):
        if alarm.due_ms > step.now_ms:
            break
        step.transaction.delete(Alarm, alarm.name, alarm.subject)
        try:
            _ring_one(step, alarm)
        except PeerError:
            step.transaction.next_number(entries.DROPPED_COUNTER)
    _wake_for_next(step)


def _ring_one(step: Step, alarm: Alarm) -> None:
    if not alarm.name.startswith("room."):
        people.alarm(step, alarm.name, alarm.subject)
        return
    conversation = step.transaction.get(Conversation, GroupId(alarm.subject))
    if conversation is not None:
        _ring_room(step, alarm.name, conversation)


def _wake_for_next(step: Step) -> None:
    for alarm in step.transaction.smallest(Alarm, "due_ms", 1):
        step.wake_by(alarm.due_ms)


def _ring_room(step: Step, name: str, conversation: Conversation) -> None:
    match name:
        case outbox.RESEND_ALARM:
            outbox.resume(step, conversation.group_id)
        case outbox.GO_ALARM:
            leaving.go(step, conversation)
        case attachments.RETRY_ALARM:
            attachments.retry(step, conversation)
        case conversations.OPEN_ALARM:
            conversations.open_again(step, conversation)
        case epochs.TIDY_ALARM:
            commits.tidy(step, conversation.group_id)
        case epochs.UPDATE_ALARM:
            commits.update(step, conversation.group_id)
        case epochs.CONTEST_ALARM:
            closers.contest(step, conversation)
        case epochs.ECHO_ALARM:
            closers.not_contested(step, conversation)
        case recovery.KNOCK_ALARM:
            recovery.knock(step, conversation)
        case recovery.DOUBT_ALARM:
            recovery.doubt(step, conversation)
        case _:
            pass
