"""Marked secrets go through client, node, relay and API, and are looked for where none may ever be.

STYLE: logs, texts of objects, errors and tracebacks tell nothing; neither does a home's file, nor what a
relay holds of people. Searched are the marked words, and everything of 16 bytes or more that a home knows.
"""

import asyncio
import base64
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skvoz.api.service import Service
from skvoz.base.errors import SkvozError
from skvoz.base.ids import MessageId
from skvoz.client import relay_session
from skvoz.client.commands import (
    AcceptLink,
    Command,
    CreateLink,
    EditMessage,
    React,
    RenameContact,
    RenameGroup,
    SendMessage,
)
from skvoz.client.inputs import Input as Fact
from skvoz.client.machine import Machine
from skvoz.client.records import (
    RECORDS,
    Account,
    Conversation,
    Inbox,
    KeyPackageSecret,
    Message,
    Record,
)
from skvoz.client.step import Outcome
from skvoz.client.transaction import Transaction
from skvoz.crypto import sha256
from skvoz.node.node import open_home
from skvoz.relay import Admission, Executor, Relay
from skvoz.server import Settings, disclose
from skvoz.store import Protection
from skvoz.wire import frames
from tests.node.attackers import Outsider
from tests.node.people import Person, World, client_id, until, world

WORD = "ЖАР-ПТИЦА-firebird"
PASSPHRASE = f"{WORD} passphrase"
TICKET = f"{WORD} ticket".encode()
PEERS_WORDS = b"said by a stranger"
"""An entry of nobody: the relay holds it as it came."""


def forms(secret: bytes) -> Iterator[bytes]:
    """Yield how bytes may show themselves in a text."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield base64.b64encode(secret).rstrip(b"=")
    yield base64.urlsafe_b64encode(secret).rstrip(b"=")
    yield repr(secret)[2:-1].encode()


WORD_FORMS = (WORD.encode(), b"firebird", WORD.encode("unicode_escape"), json.dumps(WORD)[1:-1].encode())


def found_in(text: bytes, secrets: Iterable[bytes]) -> list[str]:
    """Return what of the marked words and of these secrets is in a text."""
    words = [repr(form) for form in WORD_FORMS if form in text]
    return words + [secret.hex() for secret in secrets if any(form in text for form in forms(secret))]


def bytes_in(value: object) -> Iterator[bytes]:
    """Yield all bytes of 16 or more in a record's field."""
    if isinstance(value, bytes) and len(value) >= 16:
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from (*bytes_in(key), *bytes_in(one))  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, tuple | list):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from bytes_in(one)  # pyright: ignore[reportUnknownArgumentType]


async def all_records(person: Person) -> list[Record]:
    return [record for kind in RECORDS for record in await person.records(kind)]


class Ears(logging.Handler):
    """Hears everything that anything logs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s %(args)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@pytest.fixture
def ears() -> Iterator[Ears]:
    made, root = Ears(), logging.getLogger()
    level = root.level
    root.addHandler(made)
    root.setLevel(logging.DEBUG)
    yield made
    root.setLevel(level)
    root.removeHandler(made)


@pytest.fixture
def texts_of_objects(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Gather the `repr` of whatever passes through the machines and over the wire."""
    gathered: list[str] = []

    def note(*values: object) -> None:
        gathered.extend(repr(value) for value in values)
        gathered.extend(str(value) for value in values)

    handle, command = Machine.handle, Machine.command

    def heard(self: Machine, transaction: Transaction, fact: Fact, now_ms: int) -> Outcome:
        outcome = handle(self, transaction, fact, now_ms)
        note(fact, outcome, *outcome.effects, *outcome.events, transaction)
        note(*(record for _, _, record in transaction.changes()))
        note(*self.caches.groups.values(), *(group.state for group in self.caches.groups.values()))
        note(*self.caches.readings.values())
        return outcome

    def wished(self: Machine, transaction: Transaction, wish: Command, now_ms: int) -> tuple[Any, Outcome]:
        note(wish)
        answer, outcome = command(self, transaction, wish, now_ms)
        note(answer, outcome, *outcome.effects, *outcome.events)
        return answer, outcome

    monkeypatch.setattr(Machine, "handle", heard)
    monkeypatch.setattr(Machine, "command", wished)
    relay_handle, execute = Relay.handle, Executor.execute

    def relay_heard(self: Relay, items: Any, now_ms: int) -> Any:
        effects = list(relay_handle(self, items, now_ms))
        note(*items, *effects)
        return effects

    def executed(self: Executor, transaction: Any, jobs: Any, now_ms: int, **more: Any) -> Any:
        outcomes = execute(self, transaction, jobs, now_ms, **more)
        note(*jobs, *outcomes, *(job.request for job in jobs), *(one.notice for one in outcomes))
        return outcomes

    monkeypatch.setattr(Relay, "handle", relay_heard)
    monkeypatch.setattr(Executor, "execute", executed)
    take = relay_session.RelaySession._take

    def took(self: relay_session.RelaySession, frame: frames.Down) -> Any:
        made = take(self, frame)
        note(self, frame, made)
        return made

    monkeypatch.setattr(relay_session.RelaySession, "_take", took)
    return gathered


async def refused(work: Callable[[], Awaitable[object]]) -> str:
    """Return all that a refusal says."""
    try:
        await work()
    except (SkvozError, msgspec.MsgspecError) as error:
        return "".join(traceback.format_exception(error)) + repr(error) + str(error) + repr(error.args)
    raise AssertionError("nothing was refused")


async def all_refusals(anna: Person, group: bytes, message_id: MessageId) -> str:
    """Let marked words be refused in every way that a person or program can get into."""
    said = [
        await refused(lambda wish=wish: anna.do(wish))
        for wish in (
            AcceptLink(client_id=WORD, link=f"skvoz:{WORD}"),
            AcceptLink(client_id=WORD, link=WORD),
            SendMessage(client_id=WORD, chat_id=WORD.encode(), text=WORD),
            SendMessage(client_id=WORD, chat_id=group, text=WORD * 1000),
            EditMessage(client_id=WORD, message_id=MessageId(WORD.encode()), text=WORD),
            RenameGroup(client_id=WORD, chat_id=group, title=WORD * 100),
            React(client_id=WORD, message_id=message_id, emoji=WORD * 10),
        )
    ]
    service = Service(anna.node)
    for call in (
        {"method": "message.send", "params": {"text": WORD}},
        {"method": WORD, "params": {WORD: WORD}},
        {"method": "chat.read", "params": {"chat_id": WORD}},
        {"method": "link.accept", "params": {"client_id": WORD, "link": WORD}},
        {"method": "message.send", "params": {"client_id": WORD, "chat_id": "AAAA", "text": WORD}},
    ):
        text = json.dumps({"jsonrpc": "2.0", "id": 1, **call})
        said.append((await service.call(text)).decode())
    said.append((await service.call(WORD)).decode())
    said.append(await refused(lambda: asyncio.to_thread(open_home, anna.folder, lambda: WORD)))
    return "\n".join(said)


async def a_life(here: World, anna: Person, boris: Person) -> tuple[bytes, MessageId, str]:
    """Do everything with marked words; return the group, a message in it, and a link."""
    link = (await anna.do(CreateLink(client_id=client_id()))).link
    assert link is not None
    await boris.accept_link(link, f"{WORD} first")
    to_boris, to_anna = await boris.account_id(), await anna.account_id()
    await anna.wait_for(to_boris, [f"{WORD} first"])
    await anna.wait_for_contacts(1)
    await anna.do(RenameContact(client_id=client_id(), account_id=to_boris, own_name=f"{WORD} friend"))
    group = await here.group(anna, boris, title=f"{WORD} title")
    said = await anna.send(group, f"{WORD} text")
    await boris.wait_for(group, [f"{WORD} text"])
    await boris.do(React(client_id=client_id(), message_id=said, emoji="👍"))
    await anna.do(EditMessage(client_id=client_id(), message_id=said, text=f"{WORD} edited"))
    await boris.wait_for(group, [f"{WORD} edited"])
    conversation = await anna.conversation(group)
    outsider = await Outsider.at(here)
    await outsider.write(conversation.log_id, conversation.segment_key, PEERS_WORDS * 30)
    await outsider.close()

    async def dropped() -> bool:
        return await anna.counted("entries_dropped") == 1

    await until(dropped)
    # A break of the connection, and of the relay.
    await here.stop_relay()
    await boris.send(to_anna, f"{WORD} in between")
    await here.start_relay()
    await anna.wait_for(to_boris, [f"{WORD} first", f"{WORD} in between"])
    return group, said, link


def secret_from_the_relay(records: list[Record]) -> set[bytes]:
    """Return what a relay must not hold of a home's records, in any form."""
    found: set[bytes] = set()
    for record in records:
        match record:
            case Account():
                found |= {
                    record.account_id,
                    record.root_public_key,
                    record.root_private_key or b"",
                    record.account_public_key,
                    record.account_private_key,
                    record.device_public_key,
                    record.device_private_key,
                    record.device_certificate,
                }
            case Conversation():
                found |= {record.group_id, record.owner_key, record.segment_key}
            case Inbox():
                found |= {record.owner_key, record.post_key, record.link_secret, record.private_key}
            case KeyPackageSecret():
                found |= {record.bundle, record.reference}
            case Message():
                found.add(record.message_id)
            case _:
                pass
    return {secret for secret in found if secret}


@pytest.mark.slow
def test_secrets_are_in_no_log_text_error_or_file(
    tmp_path: Path,
    ears: Ears,
    texts_of_objects: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    known: set[bytes] = set()
    hidden: set[bytes] = set()
    said: list[str] = []

    async def scenario() -> None:
        admission = Admission(ticket_hashes=frozenset({sha256(TICKET)}))
        settings = Settings(port=0, reserve_bytes=0, admission=admission)
        async with world(tmp_path, settings) as here:
            people = [
                Person(tmp_path / name, Protection.PASSPHRASE, lambda: PASSPHRASE)
                for name in ("anna", "boris")
            ]
            here.people += people
            for person in people:
                await here.settle(person, f"{WORD} name", ticket=TICKET)
            anna, boris = people
            group, message_id, link = await a_life(here, anna, boris)
            said.append(await all_refusals(anna, group, message_id))
            said.append(repr(anna.node.relay_states()) + repr(anna.node) + repr(anna.node._core))
            for person in people:
                records = await all_records(person)
                said.extend(repr(record) for record in records)
                known.update(one for record in records for one in bytes_in(msgspec.structs.astuple(record)))
                hidden.update(secret_from_the_relay(records))
            known.update({link.encode()[10:], f"127.0.0.1:{here.settings.port}".encode()})
            known.update({here.relay._held.private_key, PEERS_WORDS})
            lines = await asyncio.to_thread(lambda: list(disclose(here.relay_folder)))
            assert found_in("\n".join(lines).encode(), hidden) == []

    asyncio.run(scenario())
    assert len(known) > 100
    assert len(hidden) > 40
    assert texts_of_objects
    output = capfd.readouterr()
    places = {
        "logs": "\n".join(ears.heard),
        "output": output.out + output.err,
        "objects": "\n".join(set(texts_of_objects)),
        "refusals": "\n".join(said),
    }
    assert {place: found for place, text in places.items() if (found := found_in(text.encode(), known))} == {}
    for file in (tmp_path / "relay").rglob("*"):
        if file.is_file() and file.name != "relay.key":
            assert found_in(file.read_bytes(), hidden) == [], file.name
    for name in ("anna", "boris"):
        for file in (tmp_path / name).rglob("*"):
            if file.is_file():
                assert found_in(file.read_bytes(), known) == [], file.name


def test_the_search_finds_what_is_there() -> None:
    secret = bytes(range(100, 132))
    for form in forms(secret):
        assert found_in(b"x" + form + b"y", [secret]) == [secret.hex()]
    for form in WORD_FORMS:
        assert found_in(b"x" + form + b"y", [])
    assert found_in(b"nothing", [secret]) == []
    assert list(bytes_in((b"short", {"a": (secret,)}, [secret]))) == [secret, secret]
