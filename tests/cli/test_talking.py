"""Two people and a group, by commands alone."""

import base64
import signal
import time
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from skvoz.api.caller import Caller, socket_file
from skvoz.api.params import NoParams
from skvoz.api.views import ProgressView
from skvoz.client.commands import Answer
from tests.cli.terminal import PATIENCE_S, Terminal

pytestmark = pytest.mark.slow

Make = Callable[[str], Terminal]


def meet(inviter: Terminal, guest: Terminal, text: str = "hello") -> None:
    link = inviter.does("invite").strip()
    guest.does("accept", link, "--text", text)
    inviter.until(text, "chats")


def test_two_people_talk(person: Make) -> None:
    anna, boris = person("Anna"), person("Boris")
    link = anna.does("invite").strip()
    assert link.startswith("skvoz:")
    assert "Anna" in boris.does("accept", link, "--text", "Привет, всё хорошо")
    assert "Boris" in anna.until("Привет", "chats")
    anna.does("send", "boris", "Hello Boris")
    boris.until("Hello Boris", "read", "Anna")
    [mine] = [one for one in anna.objects("read", "Boris") if one["own"]]
    number = str(mine["sequence"])
    anna.does("edit", number, "Hello, Boris!")
    boris.until("Hello, Boris!", "read", "Anna")
    [theirs] = [one for one in boris.objects("read", "Anna") if not one["own"]]
    boris.does("react", str(theirs["sequence"]), "👍")
    boris.does("pin", str(theirs["sequence"]))
    assert theirs["text"] in boris.does("pins", "Anna")
    boris.does("pin", str(theirs["sequence"]), "--remove")
    assert boris.does("pins", "Anna") == ""
    boris.does("poll", "ask", "Anna", "When?", "at six", "at seven")
    asked = boris.objects("read", "Anna")[-1]
    assert "2. at seven: 1" in boris.does("poll", "vote", str(asked["sequence"]), "2")
    anna.until("2. at seven: 1", "read", "Boris")
    assert "(closed)" in boris.does("poll", "close", str(asked["sequence"]))
    boris.does("location", "Anna", "55.7539, 37.6208", "--label", "the lake")
    anna.until("📍 the lake", "read", "Boris")
    anna.until("👍 1", "read", "Boris")
    boris.does("send", "Anna", "an answer", "--reply-to", str(theirs["sequence"]))
    anna.until("an answer", "read", "Boris")
    answer = anna.objects("read", "Boris")[-1]
    assert answer["reply_to"] == mine["message_id"]
    assert f"Boris: > #{mine['sequence']} you: " in anna.does("read", "Boris")
    boris.does("send", "Anna", "-", typed="two\nlines\n")
    anna.until("lines", "read", "Boris")
    assert "#" in anna.does("search", "ВСЕ", "хорошо")  # ё is found as е
    assert [one["message_id"] for one in anna.objects("delete", number)] == [mine["message_id"]]
    boris.until("[deleted]", "read", "Anna")
    boris.until("read", "read", "Anna")  # a report has come


def test_safety_numbers_are_the_same_on_both_sides(person: Make) -> None:
    anna, boris = person("Anna"), person("Boris")
    meet(anna, boris)
    anna.until("Boris", "contacts")
    shown = anna.does("contact", "number", "Boris")
    assert shown == boris.does("contact", "number", "Anna")
    assert len(shown.split()) == 12
    anna.does("contact", "number", "Boris", "--same")
    assert "compared" in anna.does("contacts")
    anna.does("contact", "rename", "Boris", "Борис Ильич")
    assert "says Boris" in anna.does("contacts")
    anna.does("send", "борис", "by a name of one's own")


def test_a_group_is_made_changed_and_left(person: Make) -> None:
    anna, boris, vera = person("Anna"), person("Boris"), person("Vera")
    meet(anna, boris)
    meet(anna, vera)
    for guest in (boris, vera):
        guest.does("send", "Anna", "thanks")
        anna.until("thanks", "read", "Boris" if guest is boris else "Vera")
    anna.does("group", "create", "Garden", "boris")
    boris.until("Garden", "chats")
    anna.does("send", "Garden", "Who digs, @Boris?")
    boris.until("Who digs", "read", "Garden")
    [asked] = boris.objects("read", "Garden")
    mention = asked["mentions"][0]
    assert asked["text"][mention["start"] : mention["start"] + mention["length"]] == "@Boris"
    [mine] = anna.objects("read", "Garden")
    assert anna.does("receipts", str(mine["sequence"])) == "Boris  told nothing\n"
    assert boris.refused("receipts", str(asked["sequence"])) == (
        "people report to the author of a message only"
    )
    anna.does("group", "add", "Garden", "vera")
    vera.until("Garden", "chats")
    assert "Who digs" not in vera.does("read", "Garden")  # it was before her time
    assert boris.refused("group", "rename", "Garden", "Yard") == "only an admin of the group may do this"
    anna.does("group", "role", "Garden", "boris", "admin")
    boris.until("Boris  (admin, you)", "group", "members", "Garden")
    [renamed] = boris.objects("group", "rename", "Garden", "Yard")
    assert renamed["kind"] == "group"
    vera.until("Yard", "chats")
    vera.does("group", "leave", "Yard")
    anna.until("you", "group", "members", "Yard")
    boris.does("send", "Yard", "still here")
    anna.until("still here", "read", "Yard")
    assert anna.does("receipts", str(mine["sequence"])).startswith("Boris  has read it, ")
    boris.does("group", "remove", "Yard", "Anna")
    assert "you were removed" in anna.until("you were removed", "chats")
    assert "still here" not in vera.does("read", "Yard")


def test_a_message_is_reported_to_the_admins(person: Make) -> None:
    anna, boris, vera = person("Anna"), person("Boris"), person("Vera")
    for guest in (boris, vera):
        meet(anna, guest)
        guest.does("send", "Anna", "thanks")
        anna.until("thanks", "read", "Boris" if guest is boris else "Vera")
    anna.does("group", "create", "Lake", "boris", "vera")
    for guest in (boris, vera):
        guest.until("Lake", "chats")
    boris.does("send", "Lake", "buy my boats")
    vera.until("buy my boats", "read", "Lake")
    [said] = vera.objects("read", "Lake")
    number = str(said["sequence"])
    assert boris.refused("report", str(boris.objects("read", "Lake")[0]["sequence"])) == (
        "this message is your own"
    )
    assert vera.refused("report", number, "--note", "x" * 501) == "a note has 500 characters at most"
    told = vera.does("report", number, "--reason", "spam", "--note", "again")
    assert told == "It goes to Anna, and to nobody else.\n"
    shown = anna.until("buy my boats", "group", "reported", "Lake")
    assert "Vera: advertising or spam; again" in shown
    assert boris.objects("group", "reported", "Lake") == []
    assert anna.objects("group", "reported", "Lake", "--dismiss", "1") == []
    assert anna.refused("group", "reported", "Lake", "--dismiss", "1") == (
        "nothing is said against this message any more"
    )


def test_somebody_joins_a_group_by_its_link(person: Make) -> None:
    anna, vera = person("Anna"), person("Vera")
    anna.does("group", "create", "Lake")
    link = anna.does("group", "link", "Lake").strip()
    assert "ask to join it" in vera.refused("accept", link)
    assert vera.does("group", "join", link, "--look") == "“Lake”, 1 member, by Anna: not asked yet\n"
    assert vera.does("group", "join", link) == "“Lake”, 1 member, by Anna: asked; they decide\n"
    assert "Lake" in vera.does("group", "joining")
    anna.until("Vera", "group", "asking", "Lake")
    assert anna.refused("group", "asking", "Lake", "--approve", "Boris") == (
        "nobody like that asks to join any more"
    )
    assert anna.objects("group", "asking", "Lake", "--approve", "vera") == []
    vera.until("Lake", "chats")
    vera.does("send", "Lake", "here I am")
    anna.until("here I am", "read", "Lake")
    assert vera.objects("group", "joining") == []
    anna.does("group", "link", "Lake", "--revoke")
    assert anna.refused("group", "link", "Lake", "--revoke") == "this group has no link of yours"


def test_a_stranger_is_a_request_until_accepted(person: Make) -> None:
    anna, boris = person("Anna"), person("Boris")
    link = anna.does("invite", "--lasting").strip()
    boris.does("accept", link, "--text", "May I?")
    anna.until("a request", "chats")
    assert anna.refused("send", "Boris", "yes") == "accept the request before you answer"
    assert [one["is_request"] for one in anna.objects("chat", "accept", "Boris")] == [False]
    anna.does("send", "Boris", "yes")
    boris.until("yes", "read", "Anna")
    assert [one["state"] for one in anna.objects("contact", "block", "Boris")] == ["blocked"]
    assert "blocked" in anna.does("contacts")
    assert "lasting" in anna.does("links")
    anna.does("links", "--revoke", "1")
    assert anna.does("links") == ""


def test_listening_prints_what_arrives(person: Make) -> None:
    anna, boris = person("Anna"), person("Boris")
    meet(anna, boris, "first words")
    heard = anna.objects("listen", "--after", "0", "--seconds", "0.5")
    received = [one for one in heard if one["kind"] == "message.received"]
    assert [one["message"]["text"] for one in received] == ["first words"]
    assert [one["sequence"] for one in heard] == sorted({one["sequence"] for one in heard})
    assert "first words" in anna.does("listen", "--after", "0", "--seconds", "0.5")


def test_commands_work_without_a_node(tmp_path: Path, relay_address: str) -> None:
    anna, boris = Terminal(tmp_path / "anna"), Terminal(tmp_path / "boris")
    for terminal, name in ((anna, "Anna"), (boris, "Boris")):
        terminal.does("account", "create", "--name", name, "--relay", relay_address)
    link = anna.does("invite").strip()
    boris.does("accept", link, "--text", "Are you there?")
    anna.until("Are you there?", "chats")
    sent = anna.type("send", "Boris", "now and then")
    assert "sent" in sent.stderr
    boris.until("now and then", "read", "Anna")


def test_nothing_written_is_lost_when_a_node_is_killed(person: Make) -> None:
    anna, boris = person("Anna"), person("Boris")
    meet(anna, boris)
    for number in range(5):
        anna.does("send", "Boris", f"word {number}")
        if number % 2:
            anna.stop_node(signal.SIGKILL)
            anna.start_node()
    boris.until("word 4", "read", "Anna")
    texts = [one["text"] for one in boris.objects("read", "Anna") if not one["own"]]
    assert texts == [f"word {number}" for number in range(5)]


def test_what_cannot_leave_yet_is_kept(person: Make, tmp_path: Path) -> None:
    anna = person("Anna")
    link = "skvoz:" + base64.urlsafe_b64encode(b"\x01" + bytes(200)).decode().rstrip("=")
    assert anna.refused("accept", link) == "this link is damaged, or was not copied whole"
    boris = Terminal(tmp_path / "nobody")
    dead = "ws://127.0.0.1:9/#" + base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    made = boris.type("account", "create", "--name", "Boris", "--relay", dead)
    assert made.returncode == 0
    assert "kept" in made.stderr
    said = boris.does("doctor", "--no-network")
    assert "waits for a relay" in said or "wait for a relay" in said
    assert "Your node is not running" in said
    assert said.count("ws://127.0.0.1:9/") == 1


def test_a_node_that_ends_meanwhile_refuses_nothing_that_is_kept(tmp_path: Path) -> None:
    boris = Terminal(tmp_path / "home")
    dead = "ws://127.0.0.1:9/#" + base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
    boris.start_node()
    try:
        with ThreadPoolExecutor() as threads:
            making = threads.submit(boris.type, "account", "create", "--name", "Boris", "--relay", dead)
            while "Boris" not in boris.type("account", "show").stdout:
                assert not making.done()
            boris.stop_node(signal.SIGKILL)
            made = making.result()
    finally:
        boris.close()
    assert made.returncode == 0, made.stderr
    assert "It is kept" in made.stderr


def test_a_node_that_knows_a_relay_tells_it(tmp_path: Path, relay_address: str) -> None:
    anna = Terminal(tmp_path / "home")
    assert anna.refused("account", "create", "--name", "Anna") == (
        "no relay is known here: say which one by --relay"
    )
    anna.start_node("--relay", relay_address)
    try:
        assert "Anna" in anna.does("account", "create", "--name", "Anna")
        anna.until(f"{relay_address.partition('#')[0]}", "doctor", "--no-network")
    finally:
        anna.close()


def test_files_are_sent_and_saved(person: Make, tmp_path: Path) -> None:
    anna, boris = person("Anna"), person("Boris")
    meet(anna, boris)
    boris.does("send", "Anna", "hi")
    anna.until("hi", "read", "Boris")
    photo, notes = tmp_path / "лето.jpg", tmp_path / "notes.txt"
    photo.write_bytes(Random(1).randbytes(3_000_000))
    notes.write_text("заметки")
    anna.does("send", "Boris", "look", "--file", str(photo), "--file", str(notes))
    assert "[лето.jpg: 3.0 MB]" in boris.until("look", "read", "Anna")
    [message] = [one for one in boris.objects("read", "Anna") if one["files"]]
    assert [file["state"] for file in message["files"]] == ["remote", "remote"]
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    number = str(message["sequence"])
    saved = [Path(line) for line in boris.does("save", number, str(folder)).splitlines()]
    assert saved == [folder / "лето.jpg", folder / "notes (2).txt"]
    assert saved[0].read_bytes() == photo.read_bytes()
    assert saved[1].read_text() == "заметки"
    assert (folder / "notes.txt").read_text() == "mine"
    assert len(list(folder.iterdir())) == 3
    assert "several files" in boris.refused("save", number, str(folder / "one"))
    assert "no files" in boris.refused("save", "1", str(folder))
    assert "can't be read" in anna.refused("send", "Boris", "x", "--file", str(tmp_path / "nowhere"))


def test_nodes_killed_in_the_middle_of_a_file_go_on_with_it(person: Make, tmp_path: Path) -> None:
    anna, boris = person("Anna"), person("Boris")
    meet(anna, boris)
    boris.does("send", "Anna", "hi")
    anna.until("hi", "read", "Boris")
    film = tmp_path / "film.mp4"
    film.write_bytes(Random(5).randbytes(80_000_000))
    caller = Caller(socket_file(anna.home))
    with film.open("rb") as opened:
        file_id = caller.put_file(opened, film.stat().st_size, film.name, "video/mp4")
    [chat] = anna.objects("chats")
    files = [{"file_id": file_id}]
    caller.call(
        "message.send",
        {"client_id": "x", "chat_id": b64decode(chat["chat_id"]), "text": "film", "files": files},
        Answer,
    )
    kill_in_the_middle(anna, caller)
    anna.start_node()
    boris.until("film", "read", "Anna")
    [message] = [one for one in boris.objects("read", "Anna") if one["files"]]
    other = Caller(socket_file(boris.home))
    arrived = b64decode(message["files"][0]["file_id"])
    other.call("file.fetch", {"client_id": "y", "file_id": arrived}, Answer)
    kill_in_the_middle(boris, other)
    boris.start_node()
    boris.does("save", str(message["sequence"]), str(tmp_path / "saved"))
    assert (tmp_path / "saved").read_bytes() == film.read_bytes()
    assert anna.objects("read", "Boris")[-1]["state"] != "failed"


def kill_in_the_middle(whose: Terminal, caller: Caller) -> None:
    """Kill a node with -9 once some of a file has moved."""
    until = time.monotonic() + PATIENCE_S
    while not any(one.done > 0 for one in caller.call("file.progress", NoParams(), ProgressView).files):
        assert time.monotonic() < until
    whose.stop_node(signal.SIGKILL)
