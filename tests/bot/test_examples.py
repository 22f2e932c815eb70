"""The examples are what docs/bots.md shows, and the test that stands there passes."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from examples.test_echo_bot import test_it_repeats_what_it_is_told
from skvoz.bot.testing import stage
from tests.node.people import until

TOP = Path(__file__).resolve().parents[2]
EXAMPLES = TOP / "examples"

__all__ = ["test_it_repeats_what_it_is_told"]


def test_the_page_shows_the_examples() -> None:
    page = (TOP / "docs" / "bots.md").read_text("utf-8")
    shown = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert shown == [(EXAMPLES / name).read_text("utf-8") for name in ("echo_bot.py", "test_echo_bot.py")]
    lines = [line for line in shown[0].splitlines() if line]
    assert len(lines) <= 10 - 2  # two more only start it where it is a program


@pytest.mark.slow
def test_the_echo_bot_is_a_program_that_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    async def has_begun() -> bool:
        return (tmp_path / "echo_bot.state").exists()

    async def scenario() -> None:
        async with stage() as here:
            token = await here.new_token("echo", here.owner.chat_id)
            program = [sys.executable, str(EXAMPLES / "echo_bot.py")]
            variables = {"SKVOZ_HOME": str(here.home), "SKVOZ_BOT_TOKEN": token, "PATH": os.environ["PATH"]}
            for text in ("one", "two"):
                process = await asyncio.create_subprocess_exec(*program, cwd=tmp_path, env=variables)
                await until(has_begun, 20)
                await here.friend.says(text)
                assert await here.friend.hears() == text
                process.send_signal(signal.SIGKILL)
                await process.wait()

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "the node does not know this token; was it revoked?"),
        ("ru", "узел не знает этого токена: не отозван ли он?"),
    ],
)
def test_a_token_that_is_wrong_ends_the_program_with_one_line(
    tmp_path: Path, language: str, line: str
) -> None:
    async def scenario() -> None:
        async with stage() as here:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(EXAMPLES / "echo_bot.py"),
                cwd=tmp_path,
                env={"SKVOZ_HOME": str(here.home), "SKVOZ_BOT_TOKEN": "wrong", "LANGUAGE": language},
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(20):
                _, errors = await process.communicate()
            assert process.returncode == 1
            assert errors.decode() == f"bot: {line}\n"

    asyncio.run(scenario())
