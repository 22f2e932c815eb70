"""Who means harm, for tests: somebody with a member's keys and another client, and a relay that lies."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from skvoz.base.ids import EntryId, GroupId, LogId
from skvoz.client import closers, epochs
from skvoz.client.effects import Append, Channel, Rekey
from skvoz.client.envelope import CLOSER, seal_entry, segment_hash
from skvoz.client.inputs import EntryRefused, EntryStored, Input
from skvoz.client.records import Conversation
from skvoz.client.step import Step
from skvoz.mls import Proposal
from skvoz.relay.session import Session
from skvoz.wire.frames import Down
from tests.node.people import World
from tests.server.real_relay import Client


@dataclass(frozen=True, kw_only=True)
class ForgedCloser:
    """A commit past the rules, as a closer."""

    entry_id: EntryId = field(default_factory=lambda: EntryId(secrets.token_bytes(16)))
    body: bytes
    next_hash: bytes


def forged_commit(
    group_id: GroupId, proposals: Callable[[Step], Sequence[Proposal]]
) -> Callable[[Step], ForgedCloser]:
    """Make a commit with a member's keys that the member's client would refuse to make; changes nothing."""

    def make(step: Step) -> ForgedCloser:
        group = step.group(group_id)
        pending = group.stage_commit(proposals=proposals(step), path=True, randomness=step.randomness)
        entry_id = EntryId(secrets.token_bytes(16))
        content = closers.pack([], pending.commit)
        return ForgedCloser(
            entry_id=entry_id,
            body=seal_entry(group.suite, step.envelope_secret(group), entry_id, CLOSER, content),
            next_hash=segment_hash(epochs.access_key(pending.next)),
        )

    return make


class Outsider(Client):
    """A session of somebody who has keys out of a member's home."""

    @classmethod
    async def at(cls, world: World) -> "Outsider":
        made = cls(world.relay.public_key, world.url)
        await made.connect()
        return made

    async def close_segment(
        self, conversation: Conversation, closer: ForgedCloser, *, carry: bool = False, contest: bool = False
    ) -> Input:
        """Send a closer; return the relay's answer."""
        self.session.request(
            Rekey(
                relay_id=self.relay_id,
                channel=Channel.ROOMS,
                log_id=conversation.log_id,
                key=conversation.segment_key,
                entry_id=closer.entry_id,
                body=closer.body,
                since=0,
                next_hash=closer.next_hash,
                carry=carry,
                contest=contest,
            )
        )
        return await self._answer(closer.entry_id)

    async def write(self, log_id: LogId, key: bytes, body: bytes, entry_id: EntryId | None = None) -> Input:
        """Append any bytes to a room or an inbox; return the relay's answer."""
        entry_id = entry_id or EntryId(secrets.token_bytes(16))
        self.session.request(
            Append(
                relay_id=self.relay_id,
                channel=Channel.ROOMS,
                log_id=log_id,
                key=key,
                entry_id=entry_id,
                body=body,
                since=0,
            )
        )
        return await self._answer(entry_id)

    async def _answer(self, entry_id: EntryId) -> Input:
        def answers() -> list[Input]:
            return [
                one
                for one in self.inputs
                if isinstance(one, EntryStored | EntryRefused) and one.entry_id == entry_id
            ]

        await self.until(lambda _: bool(answers()))
        return answers()[-1]


Lie = Callable[[Session, Down], Down | None]
"""What a relay says instead of a frame to a session; None: nothing."""


def lying(lie: Lie) -> Callable[[Session], list[list[Down]]]:
    """Return a replacement of `Session.take_messages` for a relay that lies."""
    honest = Session.take_messages

    def take_messages(session: Session) -> list[list[Down]]:
        return [
            [said for frame in message if (said := lie(session, frame)) is not None]
            for message in honest(session)
        ]

    return take_messages
