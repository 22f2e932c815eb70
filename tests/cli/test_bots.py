"""`skvoz bot`: a program is let in, listed and shut out."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from skvoz.api.access import TOKEN_PREFIX, TOKEN_SIZE
from tests.cli.terminal import Terminal


@pytest.mark.slow
def test_a_bot_is_let_in_listed_and_shut_out(person: Callable[[str], Terminal]) -> None:
    anna = person("Anna")
    assert "No bots" in anna.type("bot", "list").stderr
    anna.does("group", "create", "Notes")
    anna.does("group", "create", "Diary")
    made = anna.type("bot", "new", "echo", "--chat", "Notes")
    token = made.stdout.strip()
    assert token.startswith(TOKEN_PREFIX)
    assert len(token) >= len(TOKEN_PREFIX) + TOKEN_SIZE
    assert token not in made.stderr
    assert "shown this once" in made.stderr
    assert "SKVOZ_BOT_TOKEN" in made.stderr
    [reader] = anna.objects("bot", "new", "reader", "--read-only")
    assert reader["token"] != token
    assert (reader["can_write"], reader["chats"]) == (False, None)

    listed = anna.does("bot", "list")
    assert "echo  reads and writes in: Notes  never used" in listed
    assert "reader  reads all chats  never used" in listed
    shown = anna.objects("bot", "list")
    assert [one["name"] for one in shown] == ["echo", "reader"]
    for secret in (token, reader["token"], b64encode(token.encode()).decode()):
        assert secret not in listed + repr(shown)

    assert "Diary" not in listed
    assert anna.refused("bot", "new", "echo") == "a bot has that name already"
    assert anna.refused("bot", "new", "other", "--chat", "Elsewhere") == "there is no such chat"
    assert anna.refused("bot", "revoke", "nobody") == "there is no such bot"
    assert "echo is not let in any more" in anna.type("bot", "revoke", "echo").stderr
    assert anna.objects("bot", "revoke", "reader") == []
