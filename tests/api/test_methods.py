"""Every method over the real socket of a real node, with a real relay."""

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from skvoz.api.methods import METHODS
from skvoz.base.ids import AccountId, MessageId
from skvoz.client.records import Gap, MessageState
from tests.api.programs import Program, Words, served
from tests.node.people import Person, World, client_id, until, world


class Recorder(Program):
    """A program that remembers which methods were answered with a result."""

    used: set[str]

    async def result(self, method: str, **params: object) -> Words:
        answer = await super().result(method, **params)
        self.used.add(method)
        return answer

    async def wish(self, method: str, **params: object) -> Words:
        return await self.result(method, client_id=client_id(), **params)


@pytest.mark.slow
def test_each_method_does_what_it_says(tmp_path: Path) -> None:
    used: set[str] = set()

    async def scenario() -> None:
        async with world(tmp_path) as here:
            boris = await here.person("Борис")
            anna = Person(tmp_path / "anna")
            here.people.append(anna)
            await anna.wake()
            async with served(anna) as plain, served(boris) as friend:
                one, two = recording(plain.websocket, used), recording(friend.websocket, used)
                await account(one, here.address)
                chat_id = await links(one, two, boris)
                await people(one, chat_id, await boris.account_id())
                await messages(anna, boris, one, two, chat_id)
                await groups(anna, boris, one, chat_id)
                await requests(here, one)
                await asked_of_the_node(one)
                await end_of_a_chat(one, two, chat_id)

    asyncio.run(scenario())
    # test_page, test_files, test_bots, test_locking, test_storage, test_checkups, test_looking_after,
    # test_proxies, and cli/test_dead_drop
    subjects = ("bot.", "drop.", "file.", "folder.", "home.", "network.", "proxy.", "storage.")
    elsewhere = {name for name in METHODS if name.startswith(subjects)} | {"node.page"}
    elsewhere |= {"message.report", "group.reported", "group.attention", "group.dismiss"}
    elsewhere |= {"group.link", "group.make_link", "group.revoke_link", "group.approve", "group.decline"}
    elsewhere |= {"group.joining", "group.open_link", "group.ask", "group.cancel"}
    elsewhere |= {"contact.compare", "chat.attached"}
    assert set(METHODS) - used == elsewhere


def recording(websocket: ClientConnection, used: set[str]) -> Recorder:
    made = Recorder(websocket)
    made.used = used
    return made


async def account(one: Recorder, relay: object) -> None:
    assert (await one.result("node.status"))["has_account"] is False
    assert (await one.refusal("account.get"))["data"]["kind"] == "not_found"
    made = await one.wish("account.create", name="Анна", relay=relay)
    shown = await one.result("account.get")
    assert (shown["account_id"], shown["name"]) == (made["account_id"], "Анна")
    assert len(shown["relay_addresses"]) == 1
    assert shown["phrase_confirmed"] is False
    phrase = (await one.result("account.phrase"))["phrase"]
    assert len(phrase.split()) == 24
    wrong = await one.refusal("account.confirm_phrase", client_id=client_id(), phrase="wrong words")
    assert wrong["data"]["kind"] == "bad_request"
    await one.wish("account.confirm_phrase", phrase=phrase)
    assert (await one.refusal("account.phrase"))["data"]["kind"] == "not_found"
    await one.wish("account.change", name="Аня", reports_enabled=True)
    assert (await one.result("account.get"))["name"] == "Аня"


def written_address(relay: Words) -> str:
    fingerprint = relay["relay_id"].rstrip("=").replace("+", "-").replace("/", "_")
    return f"{relay['addresses'][0]}#{fingerprint}"


async def links(one: Recorder, two: Recorder, boris: Person) -> bytes:
    assert (await one.refusal("node.page"))["data"]["kind"] == "not_found"
    lasting = await one.wish("link.create", lasting=True)
    assert [link["log_id"] for link in (await one.result("link.list"))["links"]] == [lasting["log_id"]]
    relay = await one.result("relay.parse", text=f" {lasting['link']}\n")
    assert (relay["addresses"], relay["shown"]) == (
        (await one.result("account.get"))["relay_addresses"],
        "127.0.0.1",
    )
    assert await one.result("relay.parse", text=written_address(relay)) == relay
    assert (await one.refusal("relay.parse", text="https://example.org"))["data"]["kind"] == "bad_request"
    rows = (await one.result("qr.draw", text=lasting["link"]))["rows"]
    assert {len(row) for row in rows} == {len(rows)}
    assert rows[0].startswith("11111110")
    assert (await one.refusal("qr.draw", text="x" * 4000))["data"]["kind"] == "bad_request"
    await one.wish("link.revoke", log_id=b64decode(lasting["log_id"]))
    assert (await one.result("link.list"))["links"] == []
    gone = await one.refusal("link.get", log_id=b64decode(lasting["log_id"]))
    assert gone["data"]["kind"] == "not_found"
    made = await one.wish("link.create")
    shown = await one.result("link.get", log_id=b64decode(made["log_id"]))
    assert (shown["link"], shown["lasting"], shown["used"]) == (made["link"], False, False)
    accepted = await two.wish("link.accept", link=made["link"], text="это Борис")
    own = (await one.result("account.get"))["account_id"]
    assert accepted["chat_id"] == own
    chat_id = await boris.account_id()

    async def asked() -> bool:
        chats = (await one.result("chat.list"))["chats"]
        return bool(chats) and chats[0]["last_message"] is not None

    await until(asked)
    chat = await one.result("chat.get", chat_id=chat_id)
    assert (chat["title"], chat["is_request"]) == ("Борис", False)
    assert (chat["unread"], chat["read_sequence"], chat["kind"]) == (1, 0, "direct")
    return chat_id


async def people(one: Recorder, chat_id: bytes, boris_id: bytes) -> None:
    [contact] = (await one.result("contact.list"))["contacts"]
    assert contact == await one.result("contact.get", account_id=boris_id)
    assert (contact["name"], contact["state"], contact["verified"]) == ("Борис", "accepted", False)
    await one.wish("contact.rename", account_id=boris_id, own_name="Боря")
    renamed = await one.result("contact.get", account_id=boris_id)
    assert (renamed["name"], renamed["card_name"]) == ("Боря", "Борис")
    number = await one.result("contact.safety_number", account_id=boris_id)
    assert len(number["digits"].replace(" ", "")) == 60
    await one.wish("contact.verify", account_id=boris_id)
    assert (await one.result("contact.safety_number", account_id=boris_id))["verified"] is True
    members = (await one.result("chat.members", chat_id=chat_id))["members"]
    assert {(member["name"], member["own"], member["verified"]) for member in members} == {
        ("Аня", True, False),
        ("Боря", False, True),
    }


async def messages(anna: Person, boris: Person, one: Recorder, two: Recorder, chat_id: bytes) -> None:
    to_anna = await anna.account_id()
    [hello] = (await one.result("message.list", chat_id=chat_id))["messages"]
    assert (hello["text"], hello["own"], hello["state"]) == ("это Борис", False, "received")
    hello_id = b64decode(hello["message_id"])
    await one.wish("chat.read", chat_id=chat_id, message_id=hello_id)
    assert (await one.result("chat.get", chat_id=chat_id))["unread"] == 0
    mention = {"account_id": b64encode(chat_id).decode(), "start": 8, "length": 4}
    sent = await one.wish(
        "message.send", chat_id=chat_id, text="🎂 торт, Боря!", reply_to=hello_id, mentions=(mention,)
    )
    message_id = b64decode(sent["message_id"])
    await boris.wait_for(to_anna, ["это Борис", "🎂 торт, Боря!"])
    got = await two.result("message.get", message_id=message_id)
    assert (got["reply_to"], got["mentions"]) == (hello["message_id"], [mention])
    quoted = got["quoted"]
    assert (quoted["message_id"], quoted["text"], quoted["own"]) == (hello["message_id"], hello["text"], True)
    assert hello["quoted"] is None
    [span] = got["mentions"]
    assert got["text"][span["start"] :][: span["length"]] == "Боря"
    await one.wish("message.edit", message_id=message_id, text="пирог", mentions=())
    await boris.wait_for(to_anna, ["это Борис", "пирог"])
    await two.wish("message.react", message_id=message_id, emoji="🎂")
    await two.wish("chat.read", chat_id=to_anna, message_id=message_id)
    await anna.wait_for_state(MessageId(message_id), MessageState.READ)

    async def reacted() -> bool:
        shown = await one.result("message.get", message_id=message_id)
        return bool(shown["reactions"]) and shown["edited"] and shown["state"] == "read"

    await until(reacted)
    answer = await one.result("message.receipts", message_id=message_id)
    [receipt] = answer["receipts"]
    assert (answer["silent"], answer["reports"]) == ([], True)
    theirs = await one.result("message.receipts", message_id=hello_id)
    assert (theirs["receipts"], theirs["silent"]) == ([], [])
    assert receipt["name"] == "Боря"
    assert receipt["read_ms"] >= receipt["delivered_ms"] > 0
    [found] = (await one.result("message.search", text="пиро"))["messages"]
    assert (found["message_id"], found["highlights"]) == (sent["message_id"], [[0, 4]])
    await one.wish("message.pin", message_id=message_id)
    [pin] = (await one.result("chat.pins", chat_id=chat_id))["pins"]
    assert (pin["message"]["message_id"], pin["pinned_by_name"]) == (sent["message_id"], "Аня")
    await one.wish("message.delete", message_id=message_id)
    await boris.wait_for(to_anna, ["это Борис", ""])
    assert (await one.result("message.get", message_id=message_id))["deleted"] is True
    await one.wish("chat.mute", chat_id=chat_id, muted=True)
    await order_and_draft(one, chat_id)
    await one.wish("chat.set_expiry", chat_id=chat_id, expiry_s=3600)

    async def set_there() -> bool:
        chat = await two.result("chat.get", chat_id=to_anna)
        return chat["expiry_s"] == 3600

    await until(set_there)
    assert (await one.result("chat.get", chat_id=chat_id))["muted"] is True
    await missing(anna, one, chat_id)
    await places(one, chat_id)
    await vote(one, chat_id)


async def vote(one: Recorder, chat_id: bytes) -> None:
    made = await one.wish("poll.create", chat_id=chat_id, question="Когда?", options=("в шесть", "в семь"))
    message_id = b64decode(made["message_id"])
    await one.wish("poll.vote", message_id=message_id, choices=(1,))
    names = [option["names"] for option in (await one.result("poll.votes", message_id=message_id))["options"]]
    assert names == [[], ["Аня"]]
    await one.wish("poll.close", message_id=message_id)
    poll = (await one.result("chat.get", chat_id=chat_id))["last_message"]["poll"]
    assert (poll["closed"], poll["voters"], len(poll["options"][1]["account_ids"])) == (True, 1, 1)


async def places(one: Recorder, chat_id: bytes) -> None:
    place = (await one.result("location.parse", text="geo:55.7539,37.6208"))["location"]
    assert place == {"latitude_e7": 557_539_000, "longitude_e7": 376_208_000, "label": ""}
    assert (await one.result("location.parse", text="по пути"))["location"] is None
    located = await one.wish("location.send", **(place | {"chat_id": chat_id, "label": "озеро"}))
    shown = await one.result("message.get", message_id=b64decode(located["message_id"]))
    assert shown["location"] == place | {"label": "озеро"}
    await one.wish("message.delete", message_id=b64decode(located["message_id"]), for_everyone=False)


async def order_and_draft(one: Recorder, chat_id: bytes) -> None:
    [latest] = (await one.result("message.list", chat_id=chat_id, limit=1))["messages"]
    before = (await one.result("node.status"))["last_event"]
    reply_to = b64decode(latest["message_id"])
    await one.wish("chat.keep_draft", chat_id=chat_id, text="begun", reply_to=reply_to)
    assert (await one.result("node.status"))["last_event"] == before
    for _ in range(2):  # once more changes nothing
        await one.wish("chat.pin", chat_id=chat_id, pinned=True)
        await one.wish("chat.archive", chat_id=chat_id, archived=True)
    assert (await one.result("node.status"))["last_event"] == before + 2
    shown = await one.result("chat.get", chat_id=chat_id)
    assert (shown["pinned"], shown["archived"]) == (True, True)
    assert (shown["draft"], shown["draft_reply_to"]) == ("begun", latest["message_id"])
    await one.wish("chat.keep_draft", chat_id=chat_id, text="", reply_to=reply_to)
    await one.wish("chat.pin", chat_id=chat_id, pinned=False)
    await one.wish("chat.archive", chat_id=chat_id, archived=False)
    shown = await one.result("chat.get", chat_id=chat_id)
    assert (shown["pinned"], shown["archived"]) == (False, False)
    assert (shown["draft"], shown["draft_reply_to"]) == ("", None)
    assert (await one.refusal("chat.pin", client_id=client_id(), chat_id=b"x", pinned=True))["data"][
        "kind"
    ] == "not_found"


async def missing(anna: Person, one: Recorder, chat_id: bytes) -> None:
    group_id = (await anna.conversation(chat_id)).group_id
    for number in (2, 1):
        gap = Gap(
            group_id=group_id,
            message_id=MessageId(bytes([number]) * 32),
            author=AccountId(chat_id),
            noticed_ms=number,
        )
        await anna.act(lambda step, gap=gap: step.transaction.put(gap))
    assert (await one.result("chat.get", chat_id=chat_id))["gaps"] == 2
    gaps = (await one.result("chat.gaps", chat_id=chat_id))["gaps"]
    assert [gap["noticed_ms"] for gap in gaps] == [1, 2]


async def groups(anna: Person, boris: Person, one: Recorder, boris_id: bytes) -> None:
    await anna.wait_for_contacts(1)
    made = await one.wish("group.create", title="Дача", members=())
    chat_id = b64decode(made["chat_id"])
    await one.wish("group.add", chat_id=chat_id, members=(boris_id,))
    await boris.wait_for_members(chat_id, anna, boris)
    await one.wish("group.rename", chat_id=chat_id, title="Сад")
    await one.wish("group.set_role", chat_id=chat_id, member=boris_id, admin=True)

    async def admins() -> bool:
        members = (await one.result("chat.members", chat_id=chat_id))["members"]
        return [member["admin"] for member in members] == [True, True]

    await until(admins)
    await one.wish("group.set_role", chat_id=chat_id, member=boris_id, admin=False)
    await one.wish("group.remove", chat_id=chat_id, member=boris_id)
    await anna.wait_for_members(chat_id, anna)
    told = (await one.result("chat.notices", chat_id=chat_id))["notices"]
    whats = ["member_added", "title", "admin", "not_admin", "member_removed"]
    assert [(notice["what"], notice["actor_own"]) for notice in told] == [(what, True) for what in whats]
    assert told[1]["title"] == "Сад"
    await boris.wait_for_chat(chat_id, lambda found: found.title == "Сад" and found.state.name == "REMOVED")
    second = b64decode((await one.wish("group.create", title="Двое", members=(boris_id,)))["chat_id"])
    await boris.wait_for_members(second, anna, boris)
    busy = await one.refusal("chat.delete", client_id=client_id(), chat_id=second)
    assert busy["data"]["kind"] == "conflict"
    await one.wish("group.set_role", chat_id=second, member=boris_id, admin=True)

    async def both() -> bool:
        return all((await anna.members(second)).values())

    await until(both)
    sent = b64decode((await one.wish("message.send", chat_id=second, text="кто здесь?"))["message_id"])
    answer = await one.result("message.receipts", message_id=sent)
    assert (answer["receipts"], [member["account_id"] for member in answer["silent"]]) == (
        [],
        [b64encode(boris_id).decode()],
    )
    await one.wish("group.leave", chat_id=second)


async def requests(here: World, one: Recorder) -> None:
    link = (await one.wish("link.create", lasting=True))["link"]
    for name in ("Вера", "Глеб"):
        stranger = await here.person(name)
        await stranger.accept_link(link, name)
    waiting: list[Words] = []

    async def both_asked() -> bool:
        waiting[:] = [chat for chat in (await one.result("chat.list"))["chats"] if chat["is_request"]]
        return len(waiting) == 2

    await until(both_asked)
    accepted, declined = (b64decode(chat["chat_id"]) for chat in waiting)
    await one.wish("chat.accept", chat_id=accepted)
    await one.wish("chat.decline", chat_id=declined)
    listed = {chat["chat_id"]: chat["is_request"] for chat in (await one.result("chat.list"))["chats"]}
    assert listed[waiting[0]["chat_id"]] is False
    assert waiting[1]["chat_id"] not in listed


async def asked_of_the_node(one: Recorder) -> None:
    status = await one.result("node.status")
    assert {relay["state"] for relay in status["relays"]} == {"connected"}
    assert status["last_event"] > 5
    assert set(status["dropped"].values()) == {0}
    page = await one.result("event.list", after=0, limit=3)
    assert [event["sequence"] for event in page["events"]] == [1, 2, 3]
    assert page["events"][0]["kind"] == "account.created"
    await one.result("event.subscribe", after=0)
    assert (await one.events_through(3))[:3] == page["events"]


async def end_of_a_chat(one: Recorder, two: Recorder, chat_id: bytes) -> None:
    await one.wish("contact.block", account_id=chat_id)
    assert (await one.result("contact.get", account_id=chat_id))["state"] == "blocked"
    await one.wish("chat.delete", chat_id=chat_id)
    listed = [chat["chat_id"] for chat in (await one.result("chat.list"))["chats"]]
    assert b64encode(chat_id).decode() not in listed
    assert (await one.result("message.list", chat_id=chat_id))["messages"] == []
