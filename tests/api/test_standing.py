"""How a chat stands is told to programs and in the terminal."""

import asyncio
from pathlib import Path

from skvoz.client.step import Step
from tests.api.programs import served
from tests.cli.terminal import Terminal
from tests.node.people import world


def test_who_may_be_alone_in_a_chat_is_told_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris = await boris.account_id()
            chat = await anna.conversation(to_boris)

            def goes_on_alone(step: Step) -> None:
                step.change(chat.group_id, alone=True)

            async with served(anna) as program:
                terminal = Terminal(anna.folder)
                said = await asyncio.to_thread(terminal.does, "chats")
                assert "perhaps you are alone" not in said
                await anna.act(goes_on_alone)
                assert (await program.result("chat.get", chat_id=to_boris))["alone"]
                assert "perhaps you are alone" in await asyncio.to_thread(terminal.does, "chats")

    asyncio.run(scenario())
