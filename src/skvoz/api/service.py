"""The methods over a node: who answers a call, whoever calls and by whatever way."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from skvoz import __version__
from skvoz.api import protocol
from skvoz.api.access import OWNER, Access, Tokens
from skvoz.api.acts import ACTS, UNLOCK
from skvoz.api.checkup_views import CheckupView
from skvoz.api.checkups import CHECKUPS, shown
from skvoz.api.drops import DROP_LIST, drop_list
from skvoz.api.file_tickets import FileTickets
from skvoz.api.lookups import known_file
from skvoz.api.methods import COMMANDS, METHODS, QUESTIONS, event_list, stored_status
from skvoz.api.params import EventPageParams, FileParams, NoParams, Subscribe
from skvoz.api.proxies import PROXIES
from skvoz.api.views import (
    DraftView,
    EventPageView,
    FileAddressView,
    FileProgressView,
    PageView,
    ProgressView,
    RelayStatusView,
    StatusView,
    SubscriptionView,
)
from skvoz.api.visits import Visits
from skvoz.base.errors import BadRequest, Conflict, Locked, NotFound, SkvozError
from skvoz.client.commands import KeepDraft
from skvoz.node.node import Node, system_clock_ms
from skvoz.store import Protection

EVENTS_PER_STEP: Final = 200
"""Events handed to a subscriber before others get their turn."""
_log = logging.getLogger("skvoz.api")

Act = Callable[[Any], Awaitable[msgspec.Struct]]
Subscriber = Callable[[int], None]
"""Has events after this sequence told to the caller, once the present call is answered."""


class Service:
    """Answers calls by asking a node."""

    def __init__(
        self, node: Node | None, suggested_relay: str = "", clock_ms: Callable[[], int] = system_clock_ms
    ) -> None:
        """Serve a node; `suggested_relay` is the address of a relay to live at, as people write it."""
        self._suggested_relay = suggested_relay
        self._clock_ms = clock_ms
        self.visits = Visits()
        self.acts: dict[str, Act] = {}
        """Who does what is in `skvoz.api.acts`; nobody where a command runs the node for a moment."""
        self.pages: set[Callable[[DraftView], None]] = set()
        """Who is told what is begun in chats."""
        self.serve(node)
        self.removed = asyncio.Event()
        """Set once the home was removed, and the app is to end."""
        self.page_address: Callable[[], str] | None = None
        """Makes an address that opens the page once; nothing where no page is served."""

    def serve(self, node: Node | None) -> None:
        """Serve this node from now on; none while the home is locked."""
        self._node = node
        self._tokens = None if node is None else Tokens(node, self._clock_ms)
        self.tickets = FileTickets()
        """What opens files to a page where it can send no header."""

    @property
    def node(self) -> Node:
        """The node; raises `Locked`."""
        if self._node is None:
            raise Locked("this home is locked")
        return self._node

    @property
    def tokens(self) -> Tokens:
        """The tokens of bots; raises `Locked`."""
        if self._tokens is None:
            raise Locked("this home is locked")
        return self._tokens

    async def call(
        self, text: bytes | str, subscriber: Subscriber | None = None, access: Access = OWNER
    ) -> bytes:
        """Answer one call of somebody with this access; errors are answers too."""
        try:
            request = protocol.parse_request(text)
        except protocol.NotACall as error:
            return protocol.refusal(error.request_id, error.error)
        try:
            return protocol.answer(request.id, await self._result(request, subscriber, access))
        except SkvozError as error:
            return protocol.refusal(request.id, protocol.error_of(error))
        except Exception as error:  # noqa: BLE001  # a bug: the caller must not wait for ever
            # Its words may hold anything, so only its kind is told.
            _log.error("a call met a defect: %s", type(error).__name__)
            defect = protocol.plain_error(protocol.INTERNAL_ERROR, "this is a defect of the node", "defect")
            return protocol.refusal(request.id, defect)

    async def _result(
        self, request: protocol.Request, subscriber: Subscriber | None, access: Access
    ) -> object:
        name = request.method
        if name not in METHODS:
            unknown = protocol.plain_error(
                protocol.METHOD_NOT_FOUND, "there is no such method", "unknown_method"
            )
            raise protocol.CallFailed(unknown)
        access.admit(name)
        if name in COMMANDS:
            command = protocol.parse_params(request.params, COMMANDS[name])
            done = await self.node.command(command, lambda queries: access.check(name, command, queries))
            if isinstance(command, KeepDraft):
                for hear in tuple(self.pages):
                    hear(DraftView(chat_id=command.chat_id, text=command.text))
            return done
        if name in QUESTIONS:
            question = QUESTIONS[name]
            params = protocol.parse_params(request.params, question.params)
            return await self.node.query(lambda queries: question.read(access.reading(name, queries), params))
        if name == "node.status":
            protocol.parse_params(request.params, NoParams)
            return await self._status()
        if name == "node.page":
            protocol.parse_params(request.params, NoParams)
            return self._page()
        if name in ACTS:
            return await self._act(name, request.params)
        if name in CHECKUPS:
            params, doing = CHECKUPS[name]
            return await doing(self.node, protocol.parse_params(request.params, params))
        if name == DROP_LIST:
            protocol.parse_params(request.params, NoParams)
            return await drop_list(self.node)
        if name in PROXIES:
            params, doing = PROXIES[name]
            return await doing(self.node, protocol.parse_params(request.params, params))
        if name == "file.address":
            return await self._file_address(protocol.parse_params(request.params, FileParams))
        if name == "file.progress":
            protocol.parse_params(request.params, NoParams)
            return self.progress()
        if name == "event.subscribe":
            wished = protocol.parse_params(request.params, Subscribe)
            return await self._subscribe(wished, subscriber, access)
        raise AssertionError("a method that nobody answers")

    async def _act(self, name: str, raw: msgspec.Raw) -> msgspec.Struct:
        params = protocol.parse_params(raw, ACTS[name].params)
        if self._node is None and name != UNLOCK:
            raise Locked("this home is locked")
        if name not in self.acts:
            raise Conflict("a command runs this node for a moment: only the app does this")
        return await self.acts[name](params)

    def _page(self) -> PageView:
        if self.page_address is None:
            raise NotFound("this node serves no page")
        return PageView(address=self.page_address())

    async def _file_address(self, params: FileParams) -> FileAddressView:
        file = await self.node.query(lambda queries: known_file(queries, params.file_id))
        return FileAddressView(path=self.tickets.path_to(file.file_id))

    async def _subscribe(
        self, wished: Subscribe, subscriber: Subscriber | None, access: Access
    ) -> SubscriptionView:
        if subscriber is None:
            raise BadRequest("events are told on a WebSocket only; ask for a list of them here")
        node = self.node
        last = node.last_event
        after = last if wished.after is None else wished.after
        if after > last:
            # A number of another home, or of one that was made anew: waiting would be for ever.
            raise BadRequest("there has been no such event yet")
        if not await node.query(
            lambda queries: access.reading("event.subscribe", queries).keeps_events_after(after)
        ):
            raise NotFound("events that old are not kept any more: read everything anew, then listen")
        subscriber(after)
        return SubscriptionView(after=after, last_event=last)

    async def _status(self) -> StatusView:
        node = self._node
        if node is None:
            return LOCKED_STATUS
        stored = await node.query(stored_status)
        return StatusView(
            version=__version__,
            relays=tuple(
                RelayStatusView(
                    relay_id=state.relay_id,
                    channel=state.channel.value,
                    address=state.address,
                    state=state.state,
                    problem=state.problem,
                )
                for state in node.relay_states()
            ),
            suggested_relay=self._suggested_relay,
            last_event=node.last_event,
            key_protection=node.key_protection,
            store_problem=node.store_problem,
            has_account=stored.has_account,
            unsent=stored.unsent,
            dropped=stored.dropped,
            lan_relays=0 if node.nearby is None else node.nearby.lenders,
            lan_problem="" if node.nearby is None else node.nearby.problem,
        )

    def progress(self) -> ProgressView:
        """Return how far each file has come that moves."""
        return ProgressView(
            files=tuple(
                FileProgressView(file_id=file_id, done=one.done, total=one.total)
                for file_id, one in self.node.transfers.progress.items()
            )
        )

    def checkup(self) -> CheckupView:
        """Return the latest look at the network."""
        return shown(self.node.checkup.report)

    async def events(self, after: int, access: Access) -> EventPageView:
        """Wait until there is an event after `after`, and return a page of what is told to this caller."""
        node = self.node
        await node.event_after(after)
        params = EventPageParams(after=after, limit=EVENTS_PER_STEP)
        return await node.query(
            lambda queries: event_list(access.reading("event.subscribe", queries), params)
        )


LOCKED_STATUS: Final = StatusView(
    version=__version__,
    has_account=True,
    relays=(),
    suggested_relay="",
    last_event=0,
    unsent=0,
    key_protection=Protection.PASSPHRASE.value,
    store_problem="",
    dropped={},
    locked=True,
)
"""All that a locked home tells."""
