"""A public relay's settings are written once, and what the world finds of it is checked."""

import stat
from pathlib import Path

from tests.cli.terminal import Running, Terminal


def site(folder: Path) -> Path:
    made = folder / "site"
    made.mkdir()
    (made / "index.html").write_text("<html>Pots</html>")
    return made


def test_setup_writes_everything_once_and_says_what_is_left_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    terminal = Terminal(tmp_path / "me", SKVOZ_RELAY_HOME=str(folder))
    setup = ("relay", "setup", "Relay.Example", "--site", str(site(tmp_path)))
    printed = terminal.does(*setup).splitlines()
    settings = {
        name: (folder / name).read_text() for name in ("relay.toml", "Caddyfile", "skvoz-relay.service")
    }
    path = settings["relay.toml"].partition('path = "')[2].partition('"')[0]
    assert len(path) == 23
    assert f"handle {path} {{" in settings["Caddyfile"]
    assert settings["Caddyfile"].count("relay.example {") == 1
    assert f"relay --home {folder}" in settings["skvoz-relay.service"]
    assert printed[-1].startswith(f"wss://relay.example{path}#")
    assert all(stat.S_IMODE((folder / name).stat().st_mode) == 0o600 for name in settings)
    assert terminal.refused(*setup) == ("something of that name is in the relay's folder already: relay.toml")
    assert {name: (folder / name).read_text() for name in settings} == settings
    with Running("relay", "--home", str(folder), "--listen", "127.0.0.1:0") as relay:
        assert path in relay.first_line
        assert "Caddyfile" in terminal.does("relay", "disclose")


def test_setup_refuses_what_makes_no_relay(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path / "me", SKVOZ_RELAY_HOME=str(tmp_path / "relay"))
    pots = str(site(tmp_path))
    assert "domain" in terminal.refused("relay", "setup", "https://a.example/x", "--site", pots)
    assert "index.html" in terminal.refused("relay", "setup", "a.example", "--site", str(tmp_path))
    assert "HOST:PORT" in terminal.refused("relay", "setup", "a.example", "--site", pots, "--listen", "x")
    assert not (tmp_path / "relay").exists()


def test_check_says_what_is_wrong_and_fails_then(tmp_path: Path) -> None:
    folder = tmp_path / "relay"
    terminal = Terminal(tmp_path / "me", SKVOZ_RELAY_HOME=str(folder))
    with Running("relay", "--home", str(folder), "--listen", "127.0.0.1:0"):
        assert terminal.refused("relay", "check").startswith("relay.toml names no wss: address")
        (folder / "relay.toml").write_text('address = "wss://localhost:1/secret"\n')
        done = terminal.type("relay", "check")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "localhost: leads to this machine",
        "WebSocket: the relay's address can't be reached",
        "single requests: the relay's address can't be reached",
    ]
    assert not done.stderr
