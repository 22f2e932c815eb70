"""Fuzz the API with calls that are none, or name nothing: each is answered, and none changes the home.

The same calls are made by a bot with a token for one chat: it learns nothing of another, and changes nothing
there.
"""

import contextlib
import itertools
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec

from fuzz import scratch
from fuzz.client_facts import Chooser, neighbourhood
from fuzz.client_home import copy_of
from fuzz.target import Script, Target
from skvoz.api.access import OWNER, Access, BotAccess, Tokens
from skvoz.api.methods import COMMANDS, QUESTIONS
from skvoz.api.protocol import NotACall, parse_request
from skvoz.api.service import Service
from skvoz.client.commands import Answer, Command
from skvoz.client.environment import Environment
from skvoz.client.machine import Machine
from skvoz.client.records import Bot, Conversation, Message
from skvoz.client.transaction import Transaction
from skvoz.crypto import SUITES
from skvoz.store import Database, RecordTables
from skvoz.store.queries import Queries
from tests.client.fake_relay import START_MS
from tests.mls.synthetic_tree import Counter

T = TypeVar("T")
_SEEDS_OF_ONE: Final = 6
_TOKEN_HASH: Final = bytes(32)
_SAID_ELSEWHERE: Final = (b"to Boris", b"to Anna", b"to Vera")
"""What people say in Anna's direct chats; the bot sees the group only."""


class _Undone(Exception):  # nothing went wrong
    """Takes a transaction back."""


class _Node:
    """Stands in for a node: a real machine over a real database, on this thread, and nothing stays."""

    last_event = 0
    key_protection = "file"
    store_problem = ""

    nearby = None
    """Nothing is lent."""

    def __init__(self) -> None:
        folder = scratch.folder()
        self.database = Database(folder / "skvoz.db", bytes(32))
        self.records = RecordTables(self.database)
        tables = neighbourhood().anna.records.tables
        with self.database.transaction():
            self.records.apply(
                [(kind, key, record) for kind, table in tables.items() for key, record in table.items()]
            )
            bot = Bot(
                bot_id=bytes(16),
                token_hash=_TOKEN_HASH,
                name="bot",
                can_write=True,
                chats=(bytes(neighbourhood().group_id),),
                created_ms=START_MS,
            )
            self.records.apply([(Bot, bot.key_values(), bot)])
        ticks = itertools.count(START_MS, 1_000)  # slow enough for any number of calls
        self.bot = BotAccess(_TOKEN_HASH, Tokens(cast("Any", self), lambda: next(ticks)))

    async def command(self, command: Command, permitted: Callable[[Queries], None]) -> Answer:
        """Fulfil a wish."""
        permitted(Queries(self.records))
        machine = Machine(Environment(suite=SUITES[1], randomness=Counter("fuzz api")))
        transaction = Transaction(self.records)
        answer, _ = machine.command(transaction, command, START_MS + 100_000)
        self.records.apply(transaction.changes())
        return answer

    async def query(self, read: Callable[[Queries], T]) -> T:
        """Read stored records."""
        return read(Queries(self.records))

    def bot_was_at_work(self, bot_id: bytes) -> None:
        """Note nothing."""

    def elsewhere(self) -> set[bytes]:
        """Return what is stored of chats that the bot may not see, each as bytes."""
        group_id = neighbourhood().group_id
        stored = (*self.records.select(Conversation), *self.records.select(Message))
        return {msgspec.msgpack.encode(record) for record in stored if record.group_id != group_id}

    def relay_states(self) -> list[object]:
        """Return nothing: there are no relays."""
        return []


@cache
def _node() -> _Node:
    return _Node()


def run(data: bytes) -> None:
    """Call, and take back whatever came of it."""
    node = _node()
    with contextlib.suppress(_Undone), node.database.transaction():
        _call(node, data, OWNER)
        raise _Undone
    with contextlib.suppress(_Undone), node.database.transaction():
        before = node.elsewhere()
        answer = _call(node, data, node.bot)
        if any(words in answer for words in _SAID_ELSEWHERE):
            raise AssertionError("a bot is told what was said in another chat")
        if node.elsewhere() != before:
            raise AssertionError("a bot changed another chat")
        raise _Undone


def _subscribe(after: int) -> None:
    if after < 0:
        raise AssertionError("a subscription begins before everything")


def _call(node: Any, data: bytes, access: Access) -> bytes:  # noqa: ANN401  # it is no node
    work = Service(node).call(data, _subscribe, access)
    try:
        work.send(None)
    except StopIteration as ended:
        words: bytes = ended.value
        answer: dict[str, Any] = msgspec.json.decode(words)
    else:
        raise AssertionError("a call waits for something")
    if answer["jsonrpc"] != "2.0" or ("result" in answer) == ("error" in answer):
        raise AssertionError("an answer is no JSON-RPC")
    if answer.get("error", {}).get("data", {}).get("kind") == "defect":
        raise AssertionError("a call met a defect")
    with contextlib.suppress(NotACall):
        if answer["id"] != parse_request(data).id:
            raise AssertionError("an answer is to another call")
    return words


def seeds() -> list[bytes]:
    """Return calls of every method, with parameters that mean something."""
    found: list[bytes] = []
    chooser = Chooser(Script(b""), copy_of(neighbourhood().anna))
    kinds: dict[str, type[msgspec.Struct]] = {
        **COMMANDS,
        **{name: question.params for name, question in QUESTIONS.items()},
    }
    for number, (method, kind) in enumerate(kinds.items()):
        for variant in range(_SEEDS_OF_ONE):
            chooser.script = Script(bytes([variant]) * 64)
            params = _params(chooser, kind)
            found.append(
                msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
            )
    return [
        *found,
        b'{"jsonrpc": "2.0", "id": "x", "method": "node.status"}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "event.subscribe", "params": {"after": 0}}',
        b'{"jsonrpc": "2.0", "id": 1, "method": "message.list", "params": {"chat_id": "", "before": 1e30}}',
        b"[" * 5000,
    ]


def _params(chooser: Chooser, kind: type[msgspec.Struct]) -> dict[str, object]:
    values: dict[str, object] = {}
    for one in msgspec.structs.fields(kind):
        if one.name == "client_id":
            values[one.name] = "client"
        elif one.name in {"before", "after", "limit"}:
            values[one.name] = chooser.script.choice((0, 1, -1, 2**63 - 1, 2**63, -(2**63) - 1))
        else:
            values[one.name] = chooser.value(one.name)
    return values


def make() -> Target:
    """Return the target; refusals are answers, so nothing is raised."""
    _node()
    return Target(run=run, seeds=tuple(seeds()), refusals=())
