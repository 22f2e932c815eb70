"""Help, refusals, exit codes, protection of homes, and a relay's commands."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from skvoz.api.views import MemberView
from skvoz.base.ids import AccountId
from skvoz.cli.app import COMMANDS, UNLISTED, app
from skvoz.cli.naming import mentions_in
from skvoz.cli.output import one_line, plain
from tests.cli.terminal import COMMAND, Running, Terminal, environment

Make = Callable[[str], Terminal]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    with click.Context(group) as ctx:
        for name in [*group.list_commands(ctx), *(UNLISTED if not path else ())]:
            command = group.get_command(ctx, name)
            assert command is not None
            found.append((*path, name))
            if isinstance(command, click.Group):
                found += commands(command, (*path, name))
    return found


def found_command(path: tuple[str, ...]) -> click.Command:
    command: click.Command = app
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


def test_commands_load_no_part_of_a_node() -> None:
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(f'skvoz.cli.{name}')\n"
        "for name in ('skvoz.mls', 'skvoz.node', 'skvoz.store', 'starlette'):\n"
        "    if name in sys.modules: print(name)\n"
    )
    names = sorted({module for module, _, _ in COMMANDS.values()})
    done = subprocess.run([sys.executable, "-c", program, *names], capture_output=True, text=True, check=True)
    assert done.stdout == ""


@pytest.mark.parametrize("path", commands(app), ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    command = found_command(path)
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, (path, parameter.name)


SILENT = {
    ("account", "protect"),
    ("demo",),
    ("drop", "forget"),
    ("home", "remove"),
    ("lock",),
    ("try",),
    ("unlock",),
}
"""They have nothing to tell a program; a relay's commands print lines of their own."""


@pytest.mark.parametrize("path", [one for one in commands(app) if one[0] != "relay"], ids=" ".join)
def test_every_command_speaks_with_programs(path: tuple[str, ...]) -> None:
    command = found_command(path)
    if isinstance(command, click.Group) or path in SILENT:
        return
    assert "as_json" in {parameter.name for parameter in command.params}


def test_the_list_says_what_the_commands_say() -> None:
    for name, (_, _, line) in COMMANDS.items():
        command = app.get_command(click.Context(app), name)
        assert command is not None
        assert command.help is not None
        first = command.help.split("\n\n")[0]
        assert first.split(";")[0].rstrip(".") == line.split(";")[0].rstrip("."), name


NOWHERE = "ws://127.0.0.1:9/#" + "A" * 43
OUT_OF_RANGE = (
    ("read", "a", "--before", "99999999999999999999"),
    ("read", "a", "--before", "-3"),
    ("send", "a", "b", "--reply-to", "0"),
    ("links", "--revoke", "x"),
    ("edit", "0", "x"),
    ("listen", "--after", "-5"),
    ("listen", "--seconds", "-1"),
    ("listen", "--seconds", "nan"),
)


@pytest.mark.parametrize("arguments", OUT_OF_RANGE, ids=" ".join)
def test_a_number_that_names_nothing_is_not_understood(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.BadParameter, match="is not a number from"):
        app.main(["--home", "/nowhere/at/all", *arguments], standalone_mode=False)


def test_a_number_is_both_the_same_and_different() -> None:
    both = ["--home", "/nowhere/at/all", "contact", "number", "a", "--same", "--different"]
    with pytest.raises(click.UsageError, match="don't go together"):
        app.main(both, standalone_mode=False)


def test_a_closed_input_and_a_full_disk_cause_no_traceback(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path / "home")]
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *COMMAND, *home, "send", "a", "-"],
        stderr=subprocess.PIPE,
        env=environment(),
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"skvoz: there is no input to read from\n")
    full = Path("/dev/full")
    if full.exists():
        with full.open("wb") as out:
            done = subprocess.run(
                [*COMMAND, "--help"],
                stdout=out,
                stderr=subprocess.PIPE,
                env=environment(LANGUAGE="ru"),
                check=False,
            )
        expected = "skvoz: вывести не получилось: на диске нет места\n"
        assert (done.returncode, done.stderr.decode()) == (1, expected)


@pytest.mark.slow
def test_what_is_not_understood_ends_with_2(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    for arguments in (["nonsense"], ["send"], ["read"], ["send", "a", "b", "--nonsense"], ["relay", "what"]):
        done = terminal.type(*arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.slow
def test_refusals_are_one_line_in_the_persons_language(tmp_path: Path) -> None:
    english, russian = Terminal(tmp_path / "home"), Terminal(tmp_path / "home", LANGUAGE="ru")
    assert english.refused("send", "nobody", "hello") == "there is no such chat"
    assert russian.refused("send", "nobody", "hello") == "такого чата нет"
    assert "Использование" in russian.type("send").stderr
    assert "вне пределов 1<=x<=500" in russian.type("read", "a", "--limit", "0").stderr
    assert "возможно только 'on', 'off'" in russian.type("account", "reports", "maybe").stderr
    too_long = Terminal(tmp_path / ("d" * 120), LANGUAGE="ru").refused("chats")
    assert too_long.endswith("путь к нему слишком длинный")
    assert "Написать в чат" in russian.does("send", "--help")
    assert "Написать в чат" in english.does("--language", "ru", "send", "--help")


@pytest.mark.slow
def test_a_home_under_a_passphrase(tmp_path: Path, relay_address: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("правильный пароль\n", encoding="utf-8")
    terminal = Terminal(tmp_path / "home", SKVOZ_PASSPHRASE_FILE=str(secret))
    create = ("account", "create", "--name", "Anna", "--relay", relay_address)
    terminal.does(*create, "--protect", "passphrase")
    assert "passphrase" in terminal.does("doctor", "--no-network")
    assert terminal.refused(*create, "--protect", "file").startswith("this home is there already")
    without = Terminal(tmp_path / "home")
    assert without.refused("chats") == "this home has a passphrase, and there is nobody to ask for it"
    secret.write_text("another\n", encoding="utf-8")
    assert terminal.refused("chats") == "the passphrase does not open this home"
    assert terminal.refused("account", "protect", "file") == "the passphrase does not open this home"
    secret.write_text("правильный пароль\n", encoding="utf-8")
    terminal.does("account", "protect", "file")
    assert without.does("account", "show").startswith("Anna")
    assert stat.S_IMODE((tmp_path / "home" / "key.json").stat().st_mode) == 0o600
    secret.unlink()
    terminal.does("account", "show")


@pytest.mark.slow
def test_the_recovery_phrase_is_shown_until_confirmed(tmp_path: Path, relay_address: str) -> None:
    terminal = Terminal(tmp_path / "home")
    terminal.does("account", "create", "--name", "Anna", "--relay", relay_address)
    phrase = terminal.does("account", "phrase").strip()
    assert len(phrase.split()) == 24
    assert phrase not in terminal.does("account", "show")
    confirm = ("account", "phrase", "--confirm")
    assert terminal.refused(*confirm) == "there is no input to read from"
    wrong = terminal.type(*confirm, typed=phrase.upper().replace(" ", "x ") + "\n")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1), wrong.stderr
    assert phrase in terminal.does("account", "phrase")
    terminal.does(*confirm, typed=phrase + "\n")
    assert "phrase" not in terminal.does("account", "show")
    assert phrase not in terminal.type("account", "phrase").stdout


@pytest.mark.slow
def test_a_second_node_on_a_home_opens_the_firsts_page(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    terminal.start_node()
    try:
        said = terminal.type("--home", str(terminal.home))
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout.startswith("Your node runs already.\n")
        assert "  http://127.0.0.1:" in said.stdout
        assert terminal.refused("account", "protect", "file").startswith("your node runs: end it first")
        assert "Nothing was found" in terminal.type("search", "anything").stderr
        assert "Nobody yet" in terminal.type("contacts").stderr
        assert terminal.refused("links") == "this home has no account yet"
        assert terminal.refused("account", "create", "--name", b"\xff", "--relay", NOWHERE) == (
            "the text is not UTF-8"
        )
    finally:
        assert terminal.stop_node() == 0


@pytest.mark.slow
def test_a_relays_commands(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    terminal = Terminal(tmp_path / "home", SKVOZ_RELAY_HOME=str(folder))
    assert terminal.refused("relay", "disclose") == "there is no relay's database in this folder"
    with Running("relay", "--home", str(folder), "--listen", "127.0.0.1:0") as relay:
        assert relay.first_line.startswith("ws://127.0.0.1:")
        assert terminal.refused("relay") == "another process works on this relay's home"
        assert "entry: 0" in terminal.does("relay", "disclose")
        assert {"table": "entry", "rows": 0} in terminal.objects("relay", "disclose")
        terminal.does("relay", "backup", str(tmp_path / "copy"))
        address = terminal.does("relay", "address", "wss://relay.example/talk").strip()
        assert terminal.refused("relay", "address", "nonsense").startswith("a relay's address starts with")
        taken = ("--listen", relay.first_line.removeprefix("ws://").partition("/")[0])
        refused = Terminal(tmp_path / "home", LANGUAGE="ru", SKVOZ_RELAY_HOME=str(tmp_path / "second"))
        assert refused.refused("relay", *taken).endswith("адрес уже занят")
        assert address == "wss://relay.example/talk#" + relay.first_line.partition("#")[2]
        assert relay.stop() == 0
    assert terminal.refused("relay", "restore", str(tmp_path / "copy")).startswith("there is something")
    folder.rename(tmp_path / "old")
    terminal.does("relay", "restore", str(tmp_path / "copy"))
    with Running("relay", "--home", str(folder), "--listen", "127.0.0.1:0") as again:
        assert again.first_line.partition("#")[2] == relay.first_line.partition("#")[2]
        assert again.stop() == 0
    assert terminal.refused("relay", "--listen", "nowhere") == "an address to listen on is HOST:PORT"
    (folder / "relay.toml").write_text("[quotas]\nfantasy = 3\n")
    assert terminal.refused("relay") == "relay.toml: there is no such quota: fantasy"


@pytest.mark.slow
def test_the_demonstration_loses_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "home")
    shown = terminal.does("demo")
    assert "0 lost, 0 twice" in shown


@pytest.mark.slow
def test_trying_out_starts_a_relay_and_people(tmp_path: Path) -> None:
    folder = str(tmp_path / "here")
    here, there = (Terminal(tmp_path / "here" / "people" / name) for name in ("me", "boris"))
    with (
        Running("try", "--folder", folder, "--name", "Anna") as anna,
        Running("try", "--folder", folder, "--as", "boris", "--name", "Boris") as boris,
    ):
        assert anna.first_line.startswith("Your page is at this address")
        assert boris.first_line == anna.first_line
        there.does("accept", here.does("invite").strip(), "--text", "It works")
        here.until("It works", "chats")
        again = here.type("try", "--folder", folder)
        assert "Your node runs already." in again.stdout
        assert boris.stop() == 0
        assert anna.stop() == 0
    with Running("try", "--folder", folder) as again:
        assert "It works" in here.does("chats")
        assert again.stop() == 0
    words = tmp_path / "words"
    words.write_text("a long passphrase\n")
    Terminal(here.home, SKVOZ_PASSPHRASE_FILE=str(words)).does("account", "protect", "passphrase")
    with Running("try", "--folder", folder) as locked:
        # Nobody can be asked here, so the page asks.
        assert locked.first_line.startswith("Your page is at this address")
        assert "this home is locked" in here.refused("chats")


def test_what_others_wrote_cannot_move_the_cursor() -> None:
    nasty = "a\x1b[2Jb\x07\u202ec\x9bd\r\te\x00"
    assert plain(nasty) == "a[2Jbcde"
    assert one_line("two\nlines  here") == "two lines here"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"


def member(name: str, number: int) -> MemberView:
    return MemberView(
        account_id=AccountId(bytes([number]) * 32),
        name=name,
        admin=False,
        own=False,
        state=None,
        verified=False,
    )


def test_mentions_are_the_longest_names() -> None:
    people = [member("Anna", 1), member("Anna Maria", 2), member("", 3)]
    text = "@anna maria and @Anna, not anna@ or @Boris"
    found = mentions_in(text, people)
    assert [(one["account_id"], one["start"], one["length"]) for one in found] == [
        (bytes([2]) * 32, 0, 11),
        (bytes([1]) * 32, 16, 5),
    ]


def test_a_reader_that_has_enough_causes_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "--help"], stdout=writing, stderr=subprocess.PIPE, env=environment(), check=False
    )
    os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1


@pytest.mark.slow
def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir(mode=0o755)
    (folder / "letter.txt").write_text("dear")
    assert Terminal(folder).refused("chats") == "this folder holds other files: a home needs one of its own"
    refused = Terminal(tmp_path / "home", SKVOZ_RELAY_HOME=str(folder)).refused("relay")
    assert refused == "this folder holds other files: a relay needs one of its own"
    assert [file.name for file in folder.iterdir()] == ["letter.txt"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
