"""The relay: inputs in, effects out.

Long, because greeting a client, taking its frames and giving it what fits its credit touch the same sessions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from skvoz.base.errors import PeerError
from skvoz.base.limits import CREDIT_BYTES
from skvoz.base.ports import Randomness
from skvoz.crypto import CipherSuite, sha256
from skvoz.logs import Quotas, Rate, Rates
from skvoz.relay.hops import Carriage, Hops
from skvoz.relay.parts import Parts
from skvoz.relay.readers import Readers
from skvoz.relay.seam import (
    Appended,
    Came,
    Close,
    Dropped,
    Effect,
    Execute,
    Executed,
    Gone,
    Granted,
    Input,
    Job,
    Knocked,
    LogRequest,
    Lost,
    Outcome,
    PartOutcome,
    PartsDone,
    Passed,
    Reached,
    Read,
    ReadAnswer,
    ReadDone,
    ReadRequest,
    Received,
    Send,
    Went,
)
from skvoz.relay.session import ATTACHMENTS_MAX, READ_BYTES, READS_MAX, Session
from skvoz.wire.frames import (
    Append,
    Attach,
    Bye,
    Carry,
    Cast,
    Credit,
    Detach,
    Discard,
    Drop,
    Fetch,
    Fill,
    Hello,
    Knock,
    Limits,
    No,
    Open,
    Pass,
    Ping,
    Pong,
    Put,
    Rekey,
    Reserve,
    Take,
    Trim,
    Up,
    Welcome,
)
from skvoz.wire.sealed import SealedSession, answer_key_request, answer_proof_request, receive_greeting

SESSION_S: Final = 300
"""A session without a connection is kept so long, seconds."""
PENDING_MAX: Final = 4_096
"""Requests of one session that the store has not answered; further ones are `slow`."""
_GREETING_S: Final = 30
_TOKEN_SIZE: Final = 32


@dataclass(slots=True)
class _Greeted:
    """A connection whose client has not shown yet that its hello was no replay."""

    sealed: SealedSession = field(repr=False)
    token: bytes = field(repr=False)
    resumes: bool
    received: int
    owed: int
    since_ms: int


class Relay:
    """A relay without sockets and disks.

    Hand in whatever happened since the last call in one `handle`: what goes to one connection is then one
    message. `randomness` makes session tokens and handshakes. `store_id`: 16 bytes. `addresses`: where
    clients are told to look for the relay. `carriage`: where sessions are carried to; None: nowhere.
    """

    def __init__(
        self,
        *,
        suite: CipherSuite,
        private_key: bytes,
        store_id: bytes,
        quotas: Quotas,
        randomness: Randomness,
        addresses: Sequence[str] = (),
        carriage: Carriage | None = None,
    ) -> None:
        self._suite = suite
        self._private_key = private_key
        self._public_key = suite.kem.public_key_of(private_key)
        self._store_id = store_id
        self._randomness = randomness
        self._addresses = list(addresses)
        self._carries = carriage is not None
        self._limits = Limits(
            quotas.entry_size_max,
            quotas.rekey_size_max,
            CREDIT_BYTES,
            ATTACHMENTS_MAX,
            quotas.retention_s,
            SESSION_S,
        )
        self._rates = Rates()
        self._cast_rate = Rate.of(quotas.casts_per_s, quotas.cast_burst)
        self._last_number = 0
        self._greeted: dict[int, _Greeted] = {}
        self._connected: dict[int, Session] = {}
        self._sessions: dict[int, Session] = {}
        self._by_token: dict[bytes, Session] = {}
        self._touched: dict[int, Session] = {}
        self._readers = Readers(self._touched)
        self._jobs: list[Job] = []
        self._parts = Parts()
        self._hops = Hops(carriage or Carriage(sessions_max=0, ports=frozenset()), self._touched)
        self._effects: list[Effect] = []

    def is_confirmed(self, connection: int) -> bool:
        """Tell whether a connection has a session."""
        return connection in self._connected

    def handle(self, inputs: Iterable[Input], now_ms: int) -> list[Effect]:
        """Take in what happened, and return what to do, in order."""
        for happened in inputs:
            match happened:
                case Received():
                    self._receive(happened.connection, happened.message, now_ms)
                case Executed():
                    for outcome in happened.outcomes:
                        self._conclude(outcome)
                case ReadDone():
                    for answer in happened.answers:
                        self._take_read(answer)
                case PartsDone():
                    for outcome in happened.outcomes:
                        self._take_part(outcome)
                case Lost():
                    self._lose(happened.connection, now_ms)
                case Passed():
                    self._sweep(now_ms)
                case Reached() | Came() | Went() | Gone():
                    self._hops.handle(happened)
                case _:
                    assert_never(happened)
        return self._flush()

    def _receive(self, connection: int, message: bytes, now_ms: int) -> None:
        session = self._connected.get(connection)
        try:
            if session is not None and session.sealed is not None:
                frames = session.sealed.open_up(message)
            elif connection in self._greeted:
                frames = self._greeted[connection].sealed.open_up(message)
                session = self._confirm(connection)
            else:
                self._greet(connection, message, now_ms)
                return
        except PeerError:
            self._expel(connection, now_ms)
            return
        if session is None:
            self._expel(connection, now_ms)
            return
        self._touched[session.number] = session
        for frame in frames:
            if isinstance(frame, Pass) and self._hops.hand_on(session, frame):
                continue
            if isinstance(frame, Hello | Pass):
                session.say(Bye("bad"))
                self._send_messages(session)
                self._expel(connection, now_ms)
                return
            self._take_frame(session, frame, now_ms)

    def _greet(self, connection: int, message: bytes, now_ms: int) -> None:
        key = answer_key_request(self._public_key, message)
        if key is not None:
            self._effects.append(Send(connection, key))
            return
        proof = answer_proof_request(self._suite, self._private_key, self._public_key, message)
        if proof is not None:
            self._effects.append(Send(connection, proof))
            return
        arrival = receive_greeting(self._suite, self._private_key, message)
        hello = arrival.hello
        known = None if hello.token is None else self._by_token.get(hello.token)
        resumes = known is not None and hello.received <= known.sent
        token = known.token if known is not None and resumes else self._randomness(_TOKEN_SIZE)
        welcome = Welcome(token, self._store_id, resumes, self._limits, self._addresses, self._carries)
        answer, sealed = arrival.answer(welcome, self._randomness)
        self._greeted[connection] = _Greeted(sealed, token, resumes, hello.received, hello.owed, now_ms)
        self._effects.append(Send(connection, answer))

    def _confirm(self, connection: int) -> Session | None:
        """Let a client in that has proven to hold the keys of this very connection."""
        greeted = self._greeted.pop(connection)
        session = self._by_token.get(greeted.token)
        if not greeted.resumes:
            self._last_number += 1
            session = Session(self._last_number, greeted.token)
            self._sessions[session.number] = session
            self._by_token[session.token] = session
        elif session is not None:
            if session.connection is not None:
                self._hops.lost(session)
                self._effects.append(Close(session.connection))
                del self._connected[session.connection]
            session.rewind(min(greeted.received, session.sent), greeted.owed)
            self._readers.resume(session)
        else:
            return None
        session.connection = connection
        session.sealed = greeted.sealed
        self._connected[connection] = session
        return session

    def _take_frame(self, session: Session, frame: Up, now_ms: int) -> None:
        match frame:
            case Append() | Rekey() | Open() | Knock() | Trim() | Drop() | Put() | Take():
                self._submit(session, frame)
            case Reserve() | Discard():
                self._submit(session, frame)
            case Fill() | Fetch():
                self._parts.submit(session, frame)
            case Attach():
                if session.expect_attach(frame.log, frame.request):
                    self._submit(session, frame)
                else:
                    session.say(No(frame.request, "full", 0))
            case Detach():
                session.forget_attach(frame.log)
                self._readers.detach(session, frame.log)
            case Cast():
                self._cast(session, frame, now_ms)
            case Credit():
                session.pay(frame.cost)
            case Ping():
                session.say(Pong(frame.number))
            case Carry():
                self._hops.begin(session, frame, now_ms)
            case Hello() | Pass():
                raise AssertionError("these are taken before")
            case _:
                assert_never(frame)

    def _submit(self, session: Session, request: LogRequest) -> None:
        if session.pending >= PENDING_MAX:
            session.put_off(request.request)
            return
        session.pending += 1
        self._jobs.append(Job(session.number, request))

    def _take_part(self, outcome: PartOutcome) -> None:
        session = self._sessions.get(outcome.session)
        noting = self._parts.conclude(session, outcome)
        if noting is not None:
            self._jobs.append(noting)
        elif session is not None:
            self._touched[session.number] = session

    def _cast(self, session: Session, cast: Cast, now_ms: int) -> None:
        own = session.attachments.get(cast.log)
        segment = None if own is None else own.open_segment_of(sha256(cast.key))
        # Each segment by itself: who was removed may have opened one, and must not silence those who go on.
        if segment is None or self._rates.wait_ms((cast.log, segment), self._cast_rate, now_ms):
            return
        self._readers.cast(session, cast, segment)

    def _conclude(self, outcome: Outcome) -> None:
        session = self._sessions.get(outcome.session)
        attaches = False
        if session is not None:
            session.pending -= 1
            session.say(outcome.answer)
            self._touched[session.number] = session
            attaches = bool(session.attaching) and session.conclude_attach(outcome.answer.request)
        match outcome.notice:
            case Appended() as appended:
                self._readers.spread(appended, session)
            case Granted() as granted:
                if session is not None and attaches:
                    self._readers.attach(session, granted)
            case Knocked(log):
                self._readers.knocked(log)
            case Dropped(log):
                self._readers.drop(log)
            case None:
                pass
            case _:
                assert_never(outcome.notice)

    def _take_read(self, answer: ReadAnswer) -> None:
        session = self._sessions.get(answer.session)
        if session is None:
            return
        session.reads -= 1
        session.reserved -= answer.bytes_max
        self._touched[session.number] = session
        attachment = session.attachments.get(answer.log)
        if attachment is None or attachment.number != answer.attachment:
            return
        attachment.reading = False
        if session.connection is not None:
            session.tell_base(attachment, answer.base)
            for entry in answer.entries:
                attachment.learn(entry)
                session.deliver(attachment, entry)
            session.advance(attachment, answer.through)
            if answer.with_knocks:
                for knock in answer.knocks:
                    session.deliver_knock(attachment, knock)
        elif answer.with_knocks:
            attachment.knocks_due = True
        if attachment.cursor < attachment.tail or attachment.knocks_due:
            session.enqueue(attachment)

    def _lose(self, connection: int, now_ms: int) -> None:
        self._greeted.pop(connection, None)
        session = self._connected.pop(connection, None)
        if session is not None:
            self._hops.lost(session)
            session.abandon()
            session.connection = None
            session.sealed = None
            session.lost_at_ms = now_ms

    def _expel(self, connection: int, now_ms: int) -> None:
        self._lose(connection, now_ms)
        self._effects.append(Close(connection))

    def _sweep(self, now_ms: int) -> None:
        for session in list(self._sessions.values()):
            if session.connection is None and now_ms - session.lost_at_ms >= SESSION_S * 1000:
                for log in list(session.attachments):
                    self._readers.detach(session, log)
                del self._sessions[session.number]
                del self._by_token[session.token]
                self._touched.pop(session.number, None)
        for connection, greeted in list(self._greeted.items()):
            if now_ms - greeted.since_ms >= _GREETING_S * 1000:
                self._expel(connection, now_ms)

    def _flush(self) -> list[Effect]:
        reads: list[ReadRequest] = []
        for session in self._touched.values():
            self._send_messages(session)
            if session.queue and session.connection is not None:
                self._pump(session, reads)
        self._touched.clear()
        if self._jobs:
            self._effects.append(Execute(self._jobs))
            self._jobs = []
        if reads:
            self._effects.append(Read(reads))
        self._effects += self._parts.take_effects()
        self._effects += self._hops.take_effects()
        effects = self._effects
        self._effects = []
        return effects

    def _send_messages(self, session: Session) -> None:
        messages = session.take_messages()
        if session.connection is not None and session.sealed is not None:
            for frames in messages:
                self._effects.append(Send(session.connection, session.sealed.seal_down(frames)))

    def _pump(self, session: Session, reads: list[ReadRequest]) -> None:
        """Read what the session's credit allows, a little of each log in turn."""
        queue = session.queue
        while queue and session.reads < READS_MAX and session.credit - session.reserved > 0:
            attachment = queue.popleft()
            attachment.queued = False
            if session.attachments.get(attachment.log) is not attachment or attachment.reading:
                continue
            bytes_max = min(READ_BYTES, session.credit - session.reserved)
            reads.append(
                ReadRequest(
                    session.number,
                    attachment.log,
                    attachment.number,
                    attachment.cursor,
                    attachment.tail,
                    frozenset(attachment.segments),
                    bytes_max,
                    attachment.knocks_due,
                )
            )
            attachment.reading = True
            attachment.knocks_due = False
            session.reads += 1
            session.reserved += bytes_max
