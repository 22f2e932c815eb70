"""The simulation finds what it is there to find: each of these breaks the client in one place."""

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Invalid
from skvoz.client import closers, epochs, messages, outbox
from skvoz.client.records import Answered, Conversation, GroupPart, KeyPackageSecret
from skvoz.client.step import Step
from skvoz.client.transaction import Transaction
from skvoz.mls import ApplicationMessage, Group
from tests.sim.report import live

if TYPE_CHECKING:
    from collections.abc import Callable

SEEDS_MAX = 60
pytestmark = pytest.mark.slow


def problem_of(*wanted: str) -> None:
    """Live through worlds until one shows a problem of this kind."""
    seen: list[str] = []
    for seed in range(SEEDS_MAX):
        problem = live(seed).problem
        if any(one in problem for one in wanted):
            return
        seen.append(problem)
    raise AssertionError(f"nothing was found but {seen}")


def test_a_ratchet_that_is_not_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    def send(step: Step, conversation: Conversation, intent: Any) -> None:
        group = step.group(conversation.group_id)
        _, message = group.protect(intent.body, randomness=step.randomness, despite_proposals=True)
        outbox._append(step, conversation, group, intent, message)

    monkeypatch.setattr(outbox, "_send", send)
    problem_of("two plaintexts under one key")


def test_a_message_that_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    receive_text = messages._receive_text

    def forgetful(step: Step, *args: Any, **others: Any) -> None:
        if step.transaction.next_number("forgetful") % 5:
            receive_text(step, *args, **others)

    monkeypatch.setattr(messages, "_receive_text", forgetful)
    problem_of("without showing it")


def test_an_outbox_that_sends_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def pump_only(step: Step, group_id: Any) -> None:
        outbox.pump(step, group_id)

    monkeypatch.setattr(outbox, "resume", pump_only)
    problem_of("still has an intent")


def test_an_echo_that_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    verify = closers._verify

    def believing(step: Step, conversation: Conversation, entry: Any) -> Any:
        try:
            return verify(step, conversation, entry)
        except Invalid as refusal:
            if "an old message of ours" in str(refusal):
                raise closers._GivenUp from refusal
            raise

    monkeypatch.setattr(closers, "_verify", believing)
    problem_of("was lost without a cause")


def test_entries_that_are_given_up_with_their_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    take_back = outbox.take_back

    def give_up(step: Step, group_id: Any) -> None:
        for intent in step.transaction.select(outbox.Intent, group_id=group_id):
            if intent.entry_id is not None:
                step.transaction.delete(outbox.Intent, intent.intent_id)
        take_back(step, group_id)

    monkeypatch.setattr(outbox, "take_back", give_up)
    problem_of("stays queued for ever", "is not in the log")


def test_keys_of_the_past_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clear: Callable[..., None] = epochs.clear

    def keep(step: Step, conversation: Conversation) -> None:
        clear(step, conversation)
        old = step.transaction.get(GroupPart, conversation.group_id, "epoch", 0)
        if old is not None:
            step.transaction.put(
                Answered(client_id=f"kept {conversation.epoch}", command=b"", answer=old.body, created_ms=0)
            )

    monkeypatch.setattr(epochs, "clear", keep)
    problem_of("still has a secret of epoch")


def test_a_key_package_that_is_kept_after_use(monkeypatch: pytest.MonkeyPatch) -> None:
    delete = Transaction.delete

    def keep(self: Transaction, kind: Any, *key: Any) -> None:
        if kind is not KeyPackageSecret:
            delete(self, kind, *key)

    monkeypatch.setattr(Transaction, "delete", keep)
    problem_of("keeps a KeyPackage that was used")


def test_a_used_message_key_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    receive = Group.receive

    def keep(self: Group, message: bytes, **others: Any) -> Any:
        received = receive(self, message, **others)
        return replace(received, group=self) if isinstance(received, ApplicationMessage) else received

    monkeypatch.setattr(Group, "receive", keep)
    problem_of("can open again what was read")
