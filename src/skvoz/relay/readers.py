"""Who reads which log: what is stored there goes on to sessions at once, or when their turn to read comes."""

from typing import TYPE_CHECKING

from skvoz.relay.session import Attachment, Session, without_body

if TYPE_CHECKING:
    from skvoz.relay.seam import Appended, Granted
    from skvoz.wire.frames import Cast


class Readers:
    """The attachments of all sessions by log; every session with something new is put into `touched`."""

    def __init__(self, touched: dict[int, Session]) -> None:
        self._touched = touched
        self._last_number = 0
        self._by_log: dict[bytes, dict[int, Attachment]] = {}

    def attach(self, session: Session, granted: "Granted") -> None:
        """Have a session read a log from where it has come to."""
        self.detach(session, granted.log)
        self._last_number += 1
        attachment = Attachment(
            session=session,
            log=granted.log,
            number=self._last_number,
            cursor=granted.after,
            tail=granted.head,
            segments=dict(granted.segments),
            closed=set(granted.closed),
            knocks_due=False,
        )
        attachment.knocks_due = attachment.has_open_segment
        session.attachments[granted.log] = attachment
        self._by_log.setdefault(granted.log, {})[session.number] = attachment
        if attachment.knocks_due or attachment.cursor < attachment.tail:
            self._enqueue(attachment)

    def resume(self, session: Session) -> None:
        """Have a session that is back read on; what was being read for it is worthless."""
        for attachment in session.attachments.values():
            self._last_number += 1
            attachment.number = self._last_number
            attachment.reading = False
            if attachment.cursor < attachment.tail or attachment.knocks_due:
                session.enqueue(attachment)

    def detach(self, session: Session, log: bytes) -> None:
        """Have a session read a log no more."""
        attachment = session.attachments.pop(log, None)
        if attachment is not None:
            session.discard(attachment)
            readers = self._by_log[log]
            del readers[session.number]
            if not readers:
                del self._by_log[log]

    def drop(self, log: bytes) -> None:
        """Have nobody read a log that is gone."""
        for reader in list(self._by_log.get(log, {}).values()):
            self.detach(reader.session, log)

    def spread(self, appended: "Appended", author: Session | None) -> None:
        """Give an entry to who may read it, or note that it is there for them."""
        readers = self._by_log.get(appended.log)
        if readers is None:
            return
        entry = appended.entry
        position = entry.position
        for reader in readers.values():
            session = reader.session
            if position <= reader.cursor:
                continue
            if reader.cursor < reader.tail or reader.reading:
                reader.tail = max(reader.tail, position)
            elif entry.segment not in reader.segments:
                continue
            elif session.connection is not None and session.credit > 0:
                if entry.flags:
                    reader.learn(entry)
                session.deliver(reader, without_body(entry) if session is author else entry)
                reader.tail = position
                self._touched[session.number] = session
                if reader.knocks_due:
                    self._enqueue(reader)
                continue
            else:
                reader.tail = position
            if session is author:
                reader.remember_own(position)
            self._enqueue(reader)

    def knocked(self, log: bytes) -> None:
        """Have the present members of a log look for knocks."""
        for reader in self._by_log.get(log, {}).values():
            if reader.has_open_segment:
                reader.knocks_due = True
                self._enqueue(reader)

    def cast(self, author: Session, cast: "Cast", segment: int) -> None:
        """Give a cast to who is there and reads its segment, open as far as read."""
        for reader in self._by_log.get(cast.log, {}).values():
            other = reader.session
            may_hear = segment in reader.segments and segment not in reader.closed
            if other is not author and may_hear and other.connection is not None and other.credit > 0:
                other.deliver_cast(cast.log, cast.body)
                self._touched[other.number] = other

    def _enqueue(self, attachment: Attachment) -> None:
        attachment.session.enqueue(attachment)
        self._touched[attachment.session.number] = attachment.session
