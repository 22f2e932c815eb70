import sys
from pathlib import Path

import pytest

from skvoz.base.errors import BadRequest
from skvoz.bot import Bot
from skvoz.bot.place import Place, place_in, state_file_in

TOKEN = "skvoz-bot-" + "A" * 43


def test_the_environment_says_where_the_node_is() -> None:
    assert place_in({"SKVOZ_HOME": "/h"}) == Place(socket=Path("/h/api.sock"))
    with_token = Place(socket=Path("/h/api.sock"), token=TOKEN)
    assert place_in({"SKVOZ_HOME": "/h", "SKVOZ_BOT_TOKEN": f" {TOKEN}\n"}) == with_token
    page = {"SKVOZ_BOT_NODE": "http://127.0.0.1:4711/", "SKVOZ_BOT_TOKEN": TOKEN}
    assert place_in({**page, "SKVOZ_HOME": "/h"}) == Place(authority="127.0.0.1:4711", token=TOKEN)
    default = place_in({"SKVOZ_BOT_TOKEN": TOKEN})
    assert default.socket is not None
    assert default.socket.parts[-2:] == ("skvoz", "api.sock")
    assert TOKEN not in repr(with_token)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SKVOZ_BOT_TOKEN": "two words"},
        {"SKVOZ_BOT_TOKEN": "x\r\nheader: y"},
        {"SKVOZ_BOT_TOKEN": "токен"},
        {"SKVOZ_BOT_TOKEN": "x" * 201},
        {"SKVOZ_BOT_NODE": "http://127.0.0.1:4711"},
        {"SKVOZ_BOT_NODE": "http://127.0.0.1:4711", "SKVOZ_HOME": "/h"},
        *(
            {"SKVOZ_BOT_NODE": node, "SKVOZ_BOT_TOKEN": TOKEN}
            for node in (
                "127.0.0.1:4711",
                "http://192.0.2.1:4711",
                "http://node.example:4711",
                "https://127.0.0.1:4711",
                "http://127.0.0.1",
                "http://127.0.0.1:4711@node.example",
                "http://127.0.0.1:4711/path",
                "http://127.0.0.1:4711\nx",
            )
        ),
    ],
)
def test_what_is_missing_or_leads_off_this_machine_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as refused:
        place_in(environment)
    assert TOKEN not in str(refused.value)


def test_the_state_is_named_as_the_program_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/echo_bot.py"])
    assert state_file_in({}) == Path("echo_bot.state")
    assert state_file_in({"SKVOZ_BOT_STATE": "/s/x"}) == Path("/s/x")


def test_a_bot_that_can_not_begin_says_why_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    for name in ("SKVOZ_HOME", "SKVOZ_BOT_TOKEN", "SKVOZ_BOT_NODE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        Bot.from_env().run()
    assert str(ended.value.code).startswith("bot: SKVOZ_BOT_TOKEN is wanted")
