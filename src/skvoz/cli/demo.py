"""`./dev demo`: people talking in this terminal, with the relay killed in the middle and nothing lost.

Everything is real: each person's node and the relay are processes of their own, and the talking is
done by the same calls that all commands make.
"""

import contextlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import msgspec

from skvoz.api.caller import Caller, socket_file
from skvoz.api.params import MessagePageParams, NoParams
from skvoz.api.views import AccountView, ContactListView, MessagePageView
from skvoz.base.errors import SkvozError, TransportError
from skvoz.base.value import Value
from skvoz.cli.command import Command
from skvoz.cli.naming import all_chats
from skvoz.cli.output import one_line
from skvoz.cli.wishes import settle, wish
from skvoz.client.relay_addresses import parse_relay_address
from skvoz.texts import say

_PATIENCE_S: Final = 30.0
_POLL_S: Final = 0.02
_WIDTH: Final = 11
_LAST_LINES: Final = 20


@dataclass(slots=True)
class Person:
    """Somebody with a home, a node and a column on the screen."""

    name: str = field(repr=False)
    folder: Path = field(repr=False)
    caller: Caller
    process: subprocess.Popen[bytes]
    chats: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def texts(self, chat: str) -> list[str]:
        """Return what stands in a chat, in order."""
        page = MessagePageParams(chat_id=self.chats[chat], limit=200)
        found = self.caller.call("message.list", page, MessagePageView).messages
        return [message.text for message in reversed(found)]


class Stage:
    """The people, the relay, and the screen with a column for each person."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ending = contextlib.ExitStack()
        self._relay: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._screen = threading.Lock()
        self.people: list[Person] = []
        self.said: dict[str, list[str]] = {}

    def start_relay(self, listen: str = "127.0.0.1:0") -> None:
        """Start the relay and learn its address."""
        home = str(self._folder / "relay")
        self._relay = subprocess.Popen(
            [sys.executable, "-m", "skvoz.cli", "relay", "--home", home, "--listen", listen],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if self._relay.stdout is None:
            raise AssertionError("the relay has no output")
        self._address = self._relay.stdout.readline().decode().strip()

    def kill_relay(self) -> str:
        """Kill the relay with -9; return where it listened."""
        if self._relay is None:
            raise AssertionError("there is no relay")
        self._relay.send_signal(signal.SIGKILL)
        self._relay.wait()
        return self._address.removeprefix("ws://").partition("/")[0]

    def enter(self, name: str) -> Person:
        """Let somebody come: a home, a node, an account."""
        folder = self._folder / name
        with (self._folder / f"{name}.errors").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "skvoz.cli", "--home", str(folder)],
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        person = Person(name, folder, Caller(socket_file(folder)), process)
        self.people.append(person)
        until(person.caller.is_answered)
        wish(person.caller, "account.create", name=name, relay=parse_relay_address(self._address))
        threading.Thread(target=self._follow, args=(person,), daemon=True).start()
        return person

    def _follow(self, person: Person) -> None:
        with contextlib.suppress(TransportError):
            for event in person.caller.events(0):
                if event.kind == "message.received":
                    self._arrived(person, msgspec.json.decode(event.data))

    def _arrived(self, person: Person, about: dict[str, str]) -> None:
        with contextlib.suppress(SkvozError):
            message = person.caller.call("message.get", {"message_id": about["message_id"]}, _Said)
            self.show(person, f"{one_line(message.author_name)}: {message.text}")

    def show(self, person: Person, text: str) -> None:
        """Print a line in a person's column."""
        column = " " * (_WIDTH * self.people.index(person))
        with self._screen:
            click.echo(f"{column}{click.style(f'{person.name:<{_WIDTH - 1}}', bold=True)} {text}")

    def tell(self, text: str) -> None:
        """Print what happens around the people."""
        with self._screen:
            click.secho(f"\n-- {text}", fg="cyan")

    def send(self, person: Person, chat: str, text: str) -> None:
        """Let a person write to a chat."""
        self.show(person, f"> {text}")
        wish(person.caller, "message.send", chat_id=person.chats[chat], text=text)
        self.said.setdefault(chat, []).append(text)

    def wait_until_all_have(self, chat: str, people: list[Person]) -> None:
        """Wait until everybody has all that was said in a chat."""
        said = sorted(self.said[chat])
        until(lambda: all(sorted(person.texts(chat)) == said for person in people))

    def end(self) -> None:
        """End all processes; print the last words of a node that ended by itself."""
        for person in self.people:
            if person.process.poll() is not None:
                words = (self._folder / f"{person.name}.errors").read_text("utf-8", "replace")
                self.tell(say("The node of {name} has ended by itself:", name=person.name))
                click.echo("\n".join(words.splitlines()[-_LAST_LINES:]), err=True)
        processes = [person.process for person in self.people]
        if self._relay is not None:
            processes.append(self._relay)
        for process in processes:
            process.terminate()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


class _Said(Value, frozen=True):
    author_name: str
    text: str


def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened; raise `TransportError` where it doesn't."""
    deadline = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            raise TransportError("what the demonstration waits for did not happen in time")
        time.sleep(_POLL_S)


@contextlib.contextmanager
def staged() -> Generator[Stage]:
    """Give a stage in a folder of its own, which goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="skvoz-demo-") as folder:
        stage = Stage(Path(folder))
        try:
            yield stage
        finally:
            stage.end()


@click.command(cls=Command, hidden=True)
def demo() -> None:
    """Show people talking, and nothing lost when the relay is killed."""
    with staged() as stage:
        stage.tell(say("A relay starts. It will know no names, no members, no words."))
        stage.start_relay()
        anna, boris = _two(stage)
        _group(stage, anna, [boris, *_more(stage, anna)])
        _count(stage)


def _two(stage: Stage) -> tuple[Person, Person]:
    stage.tell(say("Anna makes a link and gives it to Boris; he opens it."))
    anna, boris = stage.enter("Anna"), stage.enter("Boris")
    _meet(stage, anna, boris, "Hello Anna, it is Boris")
    stage.send(anna, "Anna+Boris", "Boris! So it does get through")
    stage.send(boris, "Anna+Boris", "And nobody in between can read it")
    stage.wait_until_all_have("Anna+Boris", [anna, boris])
    return anna, boris


def _meet(stage: Stage, anna: Person, guest: Person, text: str) -> None:
    link = wish(anna.caller, "link.create").link
    chat = f"{anna.name}+{guest.name}"
    stage.show(guest, f"> {text}")
    guest.chats[chat] = wish(guest.caller, "link.accept", link=link, text=text).chat_id or b""
    stage.said[chat] = [text]
    guest_id = guest.caller.call("account.get", NoParams(), AccountView).account_id
    anna.chats[chat] = guest_id
    stage.wait_until_all_have(chat, [anna, guest])


def _more(stage: Stage, anna: Person) -> list[Person]:
    stage.tell(say("Vera, Gleb and Dina come, each by a link."))
    more = [stage.enter(name) for name in ("Vera", "Gleb", "Dina")]
    for guest in more:
        _meet(stage, anna, guest, f"Hello, {guest.name} here")
    return more


def _group(stage: Stage, anna: Person, others: list[Person]) -> None:
    stage.tell(say("Anna makes a group of five."))
    chat, everybody = "Five", [anna, *others]
    until(lambda: len(anna.caller.call("contact.list", NoParams(), ContactListView).contacts) == len(others))
    members = list(anna.chats.values())
    # A person can be invited into groups once their first answer has come.
    until(lambda: _made(anna, chat, members))
    for person in everybody:
        until(lambda person=person: _enters(person, chat))
    stage.send(anna, chat, "Everybody here?")
    for person in others:
        stage.send(person, chat, f"{person.name} is here")
    stage.wait_until_all_have(chat, everybody)
    stage.tell(say("The relay is killed with -9 while they write."))
    stage.send(others[0], chat, "Is the relay gone?")
    where = stage.kill_relay()
    for number, person in enumerate(everybody, 1):
        stage.send(person, chat, f"written without a relay, {number}")
    stage.tell(say("The relay is started again."))
    stage.start_relay(where)
    stage.wait_until_all_have(chat, everybody)


def _made(anna: Person, title: str, members: list[bytes]) -> bool:
    try:
        anna.chats[title] = wish(anna.caller, "group.create", title=title, members=members).chat_id or b""
    except SkvozError:
        return False
    return True


def _enters(person: Person, title: str) -> bool:
    for chat in all_chats(person.caller):
        if chat.title == title:
            person.chats[title] = chat.chat_id
            return True
    return False


def _count(stage: Stage) -> None:
    for person in stage.people:
        settle(person.caller)
    lost = doubled = total = 0
    for chat, said in stage.said.items():
        for person in stage.people:
            if chat in person.chats:
                texts = person.texts(chat)
                lost += len(set(said) - set(texts))
                doubled += len(texts) - len(set(texts))
                total += len(texts)
    stage.tell(
        say(
            "{said} messages were written and {total} are on the screens of {people} people: "
            "{lost} lost, {doubled} twice.",
            said=sum(map(len, stage.said.values())),
            total=total,
            people=len(stage.people),
            lost=lost,
            doubled=doubled,
        )
    )
    if lost or doubled:
        raise TransportError("something was lost")
