"""What waits for the admins of a group, over the sockets of real nodes at a real relay."""

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from skvoz.client.commands import SetRole
from tests.api.programs import Words, served
from tests.node.people import Person, client_id, until, world

pytestmark = pytest.mark.slow


async def admins_are(who: Person, group: bytes, *admins: Person) -> None:
    expected = {await admin.account_id() for admin in admins}

    async def look() -> bool:
        return {one for one, admin in (await who.members(group)).items() if admin} == expected

    await until(look)


def test_a_message_is_reported_looked_at_and_dismissed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Анна", "Борис", "Вера")
            group = await here.group(anna, boris, vera)
            said = await boris.send(group, "обидное")
            await vera.wait_for(group, ["обидное"])
            async with served(anna) as one, served(vera) as two, served(boris) as three:
                kind = {"reason": "insult", "note": "не впервые"}
                await two.result("message.report", client_id=client_id(), message_id=said, **kind)

                async def reported() -> list[Words]:
                    return (await one.result("group.reported", chat_id=group))["messages"]

                await until(reported)
                [shown] = await reported()
                assert (shown["text"], shown["author_name"]) == ("обидное", "Борис")
                assert (shown["deleted"], shown["author_member"]) == (False, True)
                [complaint] = shown["complaints"]
                assert (complaint["name"], complaint["member"]) == ("Вера", True)
                assert (complaint["reason"], complaint["note"]) == ("insult", "не впервые")
                assert (await one.result("group.attention"))["groups"] == [
                    {"chat_id": b64encode(group).decode(), "complaints": 1, "askers": 0}
                ]
                for other in (two, three):
                    assert (await other.result("group.reported", chat_id=group))["messages"] == []
                    assert (await other.result("group.attention"))["groups"] == []
                # Who is an admin no more sees none of it.
                ids = [await person.account_id() for person in (anna, boris)]
                make = SetRole(client_id=client_id(), chat_id=group, member=ids[1], admin=True)
                await anna.do(make)
                await admins_are(boris, group, anna, boris)
                await admins_are(anna, group, anna, boris)
                await anna.do(SetRole(client_id=client_id(), chat_id=group, member=ids[0], admin=False))
                await admins_are(boris, group, boris)
                await admins_are(anna, group, boris)
                assert await reported() == []
                assert (await one.result("group.attention"))["groups"] == []
                await boris.do(SetRole(client_id=client_id(), chat_id=group, member=ids[0], admin=True))
                await until(reported)
                message_id = b64decode(shown["message_id"])
                await one.result("message.delete", client_id=client_id(), message_id=message_id)
                assert (await reported())[0]["deleted"] is True
                await one.result("group.dismiss", client_id=client_id(), chat_id=group, message_id=message_id)
                assert await reported() == []

    asyncio.run(scenario())


def test_somebody_asks_by_a_groups_link_and_is_let_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Анна", "Борис")
            vera, gleb = await here.person("Вера"), await here.person("Глеб")
            group = await here.group(anna, boris)
            async with served(anna) as one, served(vera) as two, served(boris) as three:
                made = await one.result("group.make_link", client_id=client_id(), chat_id=group)
                shown = await one.result("group.link", chat_id=group)
                assert (shown["link"], shown["askers"]) == (made["link"], [])
                assert (await three.result("group.link", chat_id=group))["link"] == ""
                refused = await three.refusal("group.make_link", client_id=client_id(), chat_id=group)
                assert refused["data"]["kind"] == "not_allowed"
                opened = await two.result("group.open_link", client_id=client_id(), link=made["link"])
                log_id = b64decode(opened["log_id"])

                async def joining(state: str) -> Words | None:
                    found = (await two.result("group.joining"))["joinings"]
                    return next((one for one in found if one["state"] == state), None)

                await until(lambda: joining("shown"))
                seen = await joining("shown")
                assert seen is not None
                assert (seen["title"], seen["members"], seen["admin_name"]) == ("Дача", 2, "Анна")
                await two.result("group.ask", client_id=client_id(), log_id=log_id)
                await until(lambda: joining("asked"))
                # Both ends are killed before the answer; nothing of it is lost.
                await vera.sleep()
                async with served(gleb) as four:
                    opened = await four.result("group.open_link", client_id=client_id(), link=made["link"])
                    other = b64decode(opened["log_id"])

                    async def shown_to_gleb() -> bool:
                        found = (await four.result("group.joining"))["joinings"]
                        return found[0]["state"] == "shown"

                    await until(shown_to_gleb)
                    await four.result("group.ask", client_id=client_id(), log_id=other)

                    async def both_ask() -> bool:
                        return len((await one.result("group.link", chat_id=group))["askers"]) == 2

                    await until(both_ask)
                    assert (await one.result("group.attention"))["groups"][0]["askers"] == 2
                    await four.result("group.cancel", client_id=client_id(), log_id=other)
                    assert (await four.result("group.joining"))["joinings"] == []
                ids = [
                    await gleb.account_id(),
                    b64decode(
                        next(
                            asker["account_id"]
                            for asker in (await one.result("group.link", chat_id=group))["askers"]
                            if asker["name"] == "Вера"
                        )
                    ),
                ]
                await one.result("group.decline", client_id=client_id(), chat_id=group, account_id=ids[0])
                await one.result("group.approve", client_id=client_id(), chat_id=group, account_id=ids[1])
                assert (await one.result("group.link", chat_id=group))["askers"] == []
                await boris.wait_for_event("chat.changed")
            await anna.sleep()
            await anna.wake()
            await vera.wake()
            for person in (anna, boris, vera):
                await person.wait_for_members(group, anna, boris, vera)
            await vera.send(group, "я здесь")
            await boris.wait_for(group, ["я здесь"])
            async with served(anna) as one:
                await one.result("group.revoke_link", client_id=client_id(), chat_id=group)
                assert (await one.result("group.link", chat_id=group))["link"] == ""

    asyncio.run(scenario())
