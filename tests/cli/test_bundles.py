"""Messages on a stick that a third machine carries between two, by real programs."""

import shutil
from pathlib import Path

import pytest

from tests.cli.terminal import Running, Terminal
from tests.cli.test_talking import meet

pytestmark = pytest.mark.slow


def relay_at(folder: Path, listen: str) -> Running:
    return Running("relay", "--home", str(folder), "--listen", listen)


def test_a_stick_carries_messages_past_a_relay_that_is_gone(tmp_path: Path) -> None:
    anna, boris, carrier = (Terminal(tmp_path / name) for name in ("anna", "boris", "carrier"))
    with relay_at(tmp_path / "relay", "127.0.0.1:0") as relay:
        address = relay.first_line
        for one in (anna, boris, carrier):
            one.does("account", "create", "--name", one.home.name, "--relay", address)
        anna.start_node()
        boris.start_node()
        meet(boris, anna)
        boris.does("send", "anna", "welcome")
        anna.until("welcome", "read", "boris")
        relay.stop()
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / "holiday.jpg").write_bytes(bytes(65_536))
    anna.does("send", "boris", "over the wall")
    [written] = anna.objects("bundle", "export", str(stick))
    file = Path(written["file"])
    assert written["contents"]
    assert file.stat().st_size == written["size"] == 65_536
    assert "Nothing in it is for you" in carrier.does("bundle", "import", str(file))
    carried = Path(shutil.copy(file, tmp_path / "carried.bin"))
    cut = tmp_path / "cut.bin"
    cut.write_bytes(carried.read_bytes()[:-100])
    assert "a part of one" in boris.refused("bundle", "import", str(cut))
    cut.write_bytes(carried.read_bytes()[:-1] + b"?")
    assert "damaged" in boris.refused("bundle", "import", str(cut))
    assert "can't be read" in boris.refused("bundle", "import", str(tmp_path / "none"))
    assert boris.objects("bundle", "import", str(carried))[0]["new"]
    assert boris.objects("bundle", "import", str(stick))[0]["new"] == 0
    assert boris.does("read", "anna").count("over the wall") == 1
    boris.does("send", "anna", "heard you")
    boris.does("bundle", "export", str(tmp_path / "back.bin"))
    anna.does("bundle", "import", str(tmp_path / "back.bin"))
    assert "heard you" in anna.does("read", "boris")
    listen = address.partition("//")[2].partition("/")[0]
    with relay_at(tmp_path / "relay", listen):
        anna.does("send", "boris", "and the relay is back")
        for one, other in ((boris, "anna"), (anna, "boris")):
            one.until("the relay is back", "read", other)
            said = one.does("read", other)
            assert said.count("over the wall") == said.count("heard you") == 1
        anna.close()
        boris.close()


def test_nothing_is_left_where_a_bundle_does_not_fit(tmp_path: Path) -> None:
    anna = Terminal(tmp_path / "anna")
    nowhere = tmp_path / "no" / "such" / "folder.bin"
    assert "can't be saved" in anna.refused("bundle", "export", str(nowhere))
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no bundle in this folder" in anna.refused("bundle", "import", str(empty))
