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
                    {"chat_id": b64encode(group).decode(), "complaints": 1}
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
