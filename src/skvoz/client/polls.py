"""Polls: what people choose, and until when.

The later vote of a person holds, whichever comes first, and may be taken back by one for nothing. The author
closes a poll; votes that were said later, by their authors' clocks, don't count. So a few earlier votes of
everybody are kept: one of them may be the last before the end, which may come after the votes.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from skvoz.base.errors import BadRequest, Conflict, NotAllowed
from skvoz.base.ids import AccountId, MessageId
from skvoz.client import messages
from skvoz.client.records import Message, MessageState, Votes
from skvoz.client.said import Said
from skvoz.client.step import Step

VOTERS_MAX: Final = 1_000
"""People whose votes in a poll are kept: rooms have 800 devices, and members change."""
_KEPT_OF_ONE: Final = 4


def vote(step: Step, message: Message, said: Said, choices: tuple[int, ...]) -> None:
    """Take what somebody chose; answers that a poll doesn't have are passed over."""
    if not _fits(message, choices):
        return
    known = step.transaction.get(Votes, message.message_id, said.author)
    if known is None and len(step.transaction.select(Votes, message_id=message.message_id)) >= VOTERS_MAX:
        return
    before = () if known is None else known.said
    if any(identity == said.identity for _, identity, _ in before):
        return
    everything = sorted((*before, (_sent_ms(step, said), said.identity, choices)), reverse=True)
    step.transaction.put(
        Votes(
            message_id=message.message_id,
            account_id=said.author,
            said=tuple(everything[:_KEPT_OF_ONE]),
        )
    )
    messages.changed(step, message, "vote")


def close(step: Step, message: Message, said: Said) -> None:
    """Take it that a poll is over; of several ends the first counts."""
    if message.poll is None or message.author != said.author:
        return
    closed_ms = _sent_ms(step, said)
    if message.poll_closed_ms is None or closed_ms < message.poll_closed_ms:
        step.transaction.put(msgspec.structs.replace(message, poll_closed_ms=closed_ms))
        messages.changed(step, message, "vote")


def _sent_ms(step: Step, said: Said) -> int:
    return min(said.sent_ms, step.now_ms + messages.CLOCK_SKEW_MS_MAX)


def _fits(message: Message, choices: tuple[int, ...]) -> bool:
    if message.poll is None:
        return False
    _, options, several = message.poll
    return all(choice < len(options) for choice in choices) and (several or len(choices) <= 1)


def chosen(votes: Votes, message: Message) -> tuple[int, ...]:
    """Return what counts of one person's votes: the last one before the poll was closed."""
    end_ms = message.poll_closed_ms
    return next((one for sent_ms, _, one in votes.said if end_ms is None or sent_ms <= end_ms), ())


def check_vote(step: Step, message: Message, choices: tuple[int, ...]) -> int | None:
    """Return what a vote of ours has to be later than, None where nothing would change.

    Milliseconds since 1970 UTC. Raises `BadRequest` or `Conflict` for what others would pass over.
    """
    if message.poll is None or message.state is MessageState.FAILED:
        raise BadRequest("this message is no poll")
    if message.poll_closed_ms is not None:
        raise Conflict("this poll is closed")
    if not _fits(message, choices):
        raise BadRequest("these answers are not of the poll")
    known = step.transaction.get(Votes, message.message_id, step.account().account_id)
    if choices == (() if known is None else chosen(known, message)):
        return None
    return 0 if known is None else known.said[0][0]


def check_close(step: Step, message: Message) -> bool:
    """Say whether there is something to close; raise `BadRequest` or `NotAllowed` where we can't."""
    if message.poll is None:
        raise BadRequest("this message is no poll")
    if message.author != step.account().account_id:
        raise NotAllowed("only who asked closes a poll")
    return message.poll_closed_ms is None


def drop(step: Step, message_id: MessageId) -> None:
    """Forget the votes in a poll that is not there any more."""
    for one in step.transaction.select(Votes, message_id=message_id):
        step.transaction.delete(Votes, *one.key_values())


def people_by_option(message: Message, votes: Iterable[Votes]) -> list[tuple[AccountId, ...]]:
    """Return who chose each answer of a poll."""
    if message.poll is None:
        return []
    counted = [(one.account_id, chosen(one, message)) for one in votes]
    return [
        tuple(account_id for account_id, choices in counted if number in choices)
        for number in range(len(message.poll[1]))
    ]
