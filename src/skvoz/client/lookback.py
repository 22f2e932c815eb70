"""Looking back at a room that a relay forgot: others may have gone on elsewhere.

Whoever came back to a restored relay first may have closed a segment by a commit that we don't know. Where
our closer was put back behind it, the relay knows our segment, and yet perhaps only somebody who was removed
is in it. So the segments that we left are read with their own keys, oldest first: of the closers of each, but
for those that we know not to hold, ours must be the first.
"""

from skvoz.client import attachments, forgotten_rooms
from skvoz.client.envelope import segment_hash
from skvoz.client.inputs import Attached, EntriesRead, RequestRefused
from skvoz.client.records import Conversation, KeptCloser
from skvoz.client.step import LookBack, Reading, Step


def chain(step: Step, conversation: Conversation) -> list[KeptCloser]:
    """Return the closers that lead to the present segment, as far back as they were kept."""
    kept = step.transaction.select(KeptCloser, group_id=conversation.group_id)
    first_key = conversation.segment_key
    found: list[KeptCloser] = []
    for one in reversed(kept):
        if one.next_hash != segment_hash(first_key):
            break  # from before we were taken out and in, or one between was too long to keep
        first_key = one.segment_key
        found.append(one)
    return found[::-1]


def begin(step: Step, conversation: Conversation) -> None:
    """Look at the segments that we left, if that is not done already; then read on in the present one."""
    if conversation.group_id not in step.caches.looks:
        step.caches.readings.pop(conversation.group_id, None)
        _look(step, conversation, 0)


def _look(step: Step, conversation: Conversation, place: int) -> None:
    group_id = conversation.group_id
    kept = chain(step, conversation)
    if place < len(kept):
        reading = Reading(key=kept[place].segment_key)
        step.caches.looks[group_id] = LookBack(reading=reading, place=place)
        attachments.request(step, conversation, reading)
        return
    step.caches.looks.pop(group_id, None)
    attachments.attach(step, step.change(group_id, unsure=False))


def attached(step: Step, conversation: Conversation, look: LookBack, fact: Attached) -> None:
    """Note that the relay reads a segment that we left; an answer to an older attachment says nothing."""
    if look.reading.key != fact.key or fact.after > look.reading.through:
        return
    look.reading.attached = True
    look.reading.head = fact.head
    if look.reading.caught_up:
        _look(step, conversation, look.place + 1)


def refused(step: Step, conversation: Conversation, look: LookBack, fact: RequestRefused) -> None:
    """Pass over a segment that the relay doesn't know: nobody can have closed it."""
    if fact.key in {b"", look.reading.key}:
        _look(step, conversation, look.place + 1)


def read(step: Step, conversation: Conversation, look: LookBack, fact: EntriesRead) -> None:
    """Look for the first closer that may hold of the segment that we left."""
    if not look.reading.attached:
        return
    kept = chain(step, conversation)[look.place]
    for entry in fact.entries:
        if look.segment < 0:
            look.segment = entry.segment
        if entry.segment != look.segment or not entry.is_closer or entry.next_hash in kept.passed_over:
            continue
        ours = entry.entry_id == kept.entry_id and entry.body in {None, kept.body}
        if ours and entry.next_hash == kept.next_hash:
            _look(step, conversation, look.place + 1)
        else:
            step.caches.looks.pop(conversation.group_id, None)
            forgotten_rooms.overtaken(step, conversation)
        return
    last = fact.entries[-1].position if fact.entries else 0
    look.reading.through = max(look.reading.through, fact.through, last)
    if look.reading.caught_up:
        _look(step, conversation, look.place + 1)
