"""Groups of real nodes at a real relay: who comes and goes, who may what, and what forgers get."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from skvoz.base.errors import BadRequest, Conflict, NotAllowed, NotFound
from skvoz.base.ids import AccountId, GroupId, MessageId
from skvoz.client import epochs, invitations, outbox, policy
from skvoz.client.commands import (
    AddMembers,
    CreateGroup,
    DeleteMessage,
    EditMessage,
    LeaveGroup,
    MarkRead,
    MentionSpan,
    React,
    RemoveMember,
    RenameGroup,
    SendMessage,
    SetMessageExpiry,
    SetRole,
)
from skvoz.client.inputs import EntryStored
from skvoz.client.records import (
    RECORDS,
    Conversation,
    ConversationState,
    Intent,
    Message,
    MessageState,
    ReactionGiven,
)
from skvoz.client.step import Step
from skvoz.content import Delete, Edit, Reaction, Report, Unreact, encode, to_content
from skvoz.mls import Add, GroupContextExtensions, Proposal, Remove, parse_key_package
from tests.node.attackers import Outsider, forged_commit
from tests.node.people import Person, World, client_id, until, world

pytestmark = pytest.mark.slow


async def everybody_reads(people: list[Person], chat_id: bytes, text: str) -> None:
    for person in people:

        async def look(person: Person = person) -> bool:
            return (await person.texts(chat_id)).count(text) == 1

        await until(look)


def test_five_people_come_talk_and_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Анна", "Борис", "Вера", "Глеб", "Дина")
            anna, boris, vera, gleb, dina = people
            ids = [await person.account_id() for person in people]
            group = await here.group(anna, boris)

            async def add(*members: AccountId) -> None:
                await anna.do(AddMembers(client_id=client_id(), chat_id=group, members=members))

            await boris.send(group, "только мы двое")
            await everybody_reads([anna, boris], group, "только мы двое")
            await add(ids[2])
            for person in (anna, boris, vera):
                await person.wait_for_members(group, anna, boris, vera)
            await add(ids[3], ids[4])
            for person in people:
                await person.wait_for_members(group, *people)
            for number, person in enumerate(people):
                await person.send(group, f"это {number}")
            for number in range(5):
                await everybody_reads(people, group, f"это {number}")
            assert "только мы двое" not in await vera.texts(group)
            await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title="Сад"))
            for person in people:
                await person.wait_for_chat(group, lambda chat: chat.title == "Сад")
            await anna.do(RemoveMember(client_id=client_id(), chat_id=group, member=ids[4]))
            await dina.wait_for_chat(group, lambda chat: chat.state is ConversationState.REMOVED)
            with pytest.raises(Conflict, match="over"):
                await dina.send(group, "а я?")
            await gleb.do(LeaveGroup(client_id=client_id(), chat_id=group))
            await gleb.wait_for_chat(group, lambda chat: chat.state is ConversationState.LEFT)
            for person in (anna, boris, vera):
                await person.wait_for_members(group, anna, boris, vera)
            await vera.send(group, "нас трое")
            await everybody_reads([anna, boris, vera], group, "нас трое")
            for gone in (gleb, dina):
                assert "нас трое" not in await gone.texts(group)
            await add(ids[4])
            await dina.wait_for_chat(group, lambda chat: chat.state is ConversationState.ACTIVE)
            await dina.send(group, "снова тут")
            await everybody_reads([anna, boris, vera, dina], group, "снова тут")

    asyncio.run(scenario())


def test_roles_are_given_and_taken(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(anna, boris, vera)
            to_anna, to_boris, to_vera = [await one.account_id() for one in (anna, boris, vera)]

            async def admins_are(*admins: AccountId) -> None:
                for person in (anna, boris, vera):

                    async def look(person: Person = person) -> bool:
                        members = await person.members(group)
                        return {account for account, admin in members.items() if admin} == set(admins)

                    await until(look)

            await admins_are(to_anna)
            with pytest.raises(Conflict, match="at least one admin"):
                await anna.do(SetRole(client_id=client_id(), chat_id=group, member=to_anna, admin=False))
            await anna.do(SetRole(client_id=client_id(), chat_id=group, member=to_boris, admin=True))
            await admins_are(to_anna, to_boris)
            await boris.do(RenameGroup(client_id=client_id(), chat_id=group, title="Boris's"))
            await vera.wait_for_chat(group, lambda chat: chat.title == "Boris's")
            await boris.do(SetRole(client_id=client_id(), chat_id=group, member=to_anna, admin=False))
            await admins_are(to_boris)
            with pytest.raises(NotAllowed):
                await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title="mine"))
            await boris.do(RemoveMember(client_id=client_id(), chat_id=group, member=to_vera))
            await vera.wait_for_chat(group, lambda chat: chat.state is ConversationState.REMOVED)

    asyncio.run(scenario())


def test_a_plain_member_is_refused_what_admins_do(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(anna, boris, vera)
            to_anna, to_vera = await anna.account_id(), await vera.account_id()
            said = await anna.send(group, "Anna's words")
            await everybody_reads([boris], group, "Anna's words")
            for refused in (
                AddMembers(client_id=client_id(), chat_id=group, members=(to_anna,)),
                RemoveMember(client_id=client_id(), chat_id=group, member=to_vera),
                RenameGroup(client_id=client_id(), chat_id=group, title="x"),
                SetRole(client_id=client_id(), chat_id=group, member=await boris.account_id(), admin=True),
                SetMessageExpiry(client_id=client_id(), chat_id=group, expiry_s=60),
                EditMessage(client_id=client_id(), message_id=said, text="Boris's words"),
                DeleteMessage(client_id=client_id(), message_id=said),
            ):
                with pytest.raises(NotAllowed):
                    await boris.do(refused)
            with pytest.raises(NotFound):
                await boris.do(React(client_id=client_id(), message_id=MessageId(bytes(32)), emoji="👍"))
            with pytest.raises(NotFound, match="contacts"):
                await boris.do(CreateGroup(client_id=client_id(), title="x", members=(to_vera,)))
            with pytest.raises(BadRequest):
                await anna.do(RenameGroup(client_id=client_id(), chat_id=group, title=""))
            assert await boris.texts(group) == ["Anna's words"]
            assert (await vera.conversation(group)).title == "Дача"

    asyncio.run(scenario())


@dataclass(frozen=True)
class Forgery:
    """Proposals that a member who is no admin may not commit."""

    what: str
    group_id: GroupId
    account_id: AccountId
    key_package: bytes

    def __call__(self, step: Step) -> list[Proposal]:
        group = step.group(self.group_id)
        info = policy.info_of(group)
        match self.what:
            case "remove":
                return [Remove(leaf) for leaf in policy.accounts_of(group)[self.account_id]]
            case "title":
                return [GroupContextExtensions(policy.extensions_of(replace(info, title="forged")))]
            case "admin":
                changed = info.with_admin(step.account().account_id, admin=True)
                return [GroupContextExtensions(policy.extensions_of(changed))]
            case "expiry":
                return [GroupContextExtensions(policy.extensions_of(replace(info, message_expiry_s=1)))]
            case _:
                return [Add(parse_key_package(self.key_package))]


async def _forges(world: World, forger: Person, group: bytes, make: Forgery) -> None:
    """Close the group's segment with a forged commit in this member's name."""
    conversation = await forger.conversation(group)
    closer = await forger.act(forged_commit(conversation.group_id, make))
    outsider = await Outsider.at(world)
    assert isinstance(await outsider.close_segment(conversation, closer), EntryStored)
    await outsider.close()


@pytest.mark.parametrize("what", ["remove", "title", "admin", "expiry", "add"])
def test_what_a_changed_client_commits_past_the_roles_is_followed_by_nobody(
    tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A node that renews its keys just then can't tell the forgery from its own commit.
    monkeypatch.setattr(epochs, "update_after_joining", _nothing)

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(anna, boris, vera)
            friend = await here.person("Boris's friend")
            package = await friend.act(_package)
            forgery = Forgery(what, GroupId(group), await vera.account_id(), package)
            await _forges(here, boris, group, forgery)

            async def noticed() -> bool:
                return all([await one.counted("closers_dropped") for one in (anna, vera)])

            await until(noticed)
            for person in (anna, vera):
                person.pass_time(60_000)  # and one of them contests it
            text = "what Boris did has not happened"
            await anna.send(group, text)
            await everybody_reads([anna, vera], group, text)
            for person in (anna, vera):
                chat = await person.conversation(group)
                assert (chat.title, chat.message_expiry_s) == ("Дача", None)
                members = await person.members(group)
                assert members == {
                    await anna.account_id(): True,
                    await boris.account_id(): False,
                    await vera.account_id(): False,
                }
            # Whose leaf did what his node never did writes nothing more, until others take it out and in.
            await boris.wait_for_event("chat.changed", b"frozen")

    asyncio.run(scenario())


def _nothing(_step: Step, _conversation: Conversation) -> None:
    """Leave the keys of somebody who has just joined as they are."""


def _package(step: Step) -> bytes:
    return invitations.fresh_key_package(step)[0]


def test_what_a_changed_client_says_past_the_roles_changes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Anna", "Boris", "Vera")
            group = await here.group(anna, boris, vera)
            said = await anna.send(group, "Anna's words")
            await everybody_reads([boris, vera], group, "Anna's words")
            emoji = await vera.do(React(client_id=client_id(), message_id=said, emoji="👍"))
            assert emoji is not None
            own = await boris.send(group, "Boris's words")
            await everybody_reads([anna, vera], group, "Boris's words")

            def say(step: Step) -> None:
                conversation = step.conversation(GroupId(group))
                [given] = step.transaction.select(ReactionGiven)
                for action in (
                    Edit(replaces=said, text="forged"),
                    Delete(replaces=said),
                    Delete(replaces=given.reaction_id),
                    Unreact(replaces=given.reaction_id),
                    Report(delivered=(said,), read=(said, own)),
                    Reaction(target=MessageId(b"?" * 32), emoji="👍"),
                ):
                    content = to_content(action, salt=step.randomness(16), sent_at_ms=step.now_ms)
                    outbox.enqueue(step, conversation.group_id, encode(content), None)
                stolen = to_content(
                    Edit(replaces=own, text="x"), salt=step.randomness(16), sent_at_ms=step.now_ms
                )
                outbox.enqueue(step, conversation.group_id, encode(stolen)[:-1], None)

            async def seen() -> bool:
                return bool(await boris.records(ReactionGiven))

            await until(seen)
            await boris.act(say)
            await boris.send(group, "done")
            for person in (anna, vera):
                await everybody_reads([person], group, "done")
                assert await person.texts(group) == ["Anna's words", "Boris's words", "done"]
                first = (await person.messages(group))[0]
                assert not first.deleted
                assert first.reactions == {"👍": (await vera.account_id(),)}
            assert (await anna.message(said)).state is MessageState.DELIVERED
            assert await anna.counted("entries_dropped") == 1

    asyncio.run(scenario())


def test_replies_mentions_edits_reactions_and_deletions_reach_a_group(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris", "Vera")
            anna, boris, vera = people
            group = await here.group(*people)
            question = await anna.send(group, "who brings the samovar?")
            await everybody_reads(people, group, "who brings the samovar?")
            mention = MentionSpan(account_id=await vera.account_id(), start=0, length=5)
            reply = await boris.do(
                SendMessage(
                    client_id=client_id(),
                    chat_id=group,
                    text="@Vera does",
                    reply_to=question,
                    mentions=(mention,),
                )
            )
            await everybody_reads(people, group, "@Vera does")
            assert reply.message_id is not None
            seen = await vera.message(reply.message_id)
            assert seen.reply_to == question
            assert seen.mentions == ((await vera.account_id(), 0, 5),)
            for person in (anna, vera):
                await person.do(React(client_id=client_id(), message_id=reply.message_id, emoji="👍"))
            await vera.do(
                React(client_id=client_id(), message_id=reply.message_id, emoji="👍", present=False)
            )
            await boris.do(EditMessage(client_id=client_id(), message_id=reply.message_id, text="I do"))
            # An admin deletes what others wrote.
            await anna.do(DeleteMessage(client_id=client_id(), message_id=reply.message_id))
            await vera.do(
                EditMessage(client_id=client_id(), message_id=await vera.send(group, "a"), text="b")
            )
            for person in people:
                await person.wait_for(group, ["who brings the samovar?", "", "b"])
                found = await person.message(reply.message_id)
                assert (found.deleted, found.reactions, found.mentions) == (True, {}, ())

    asyncio.run(scenario())


def test_reports_ride_on_messages_in_a_small_group(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris", "Vera")
            anna, boris, vera = people
            group = await here.group(*people)
            said = await anna.send(group, "hear me")
            await everybody_reads(people, group, "hear me")
            assert (await anna.message(said)).state is MessageState.SENT
            await boris.send(group, "heard")
            await everybody_reads(people, group, "heard")
            assert (await anna.message(said)).state is MessageState.SENT
            await vera.send(group, "me too")
            await anna.wait_for_state(said, MessageState.DELIVERED)
            for person in (boris, vera):
                await person.do(MarkRead(client_id=client_id(), chat_id=group, message_id=said))
                await person.send(group, "read")
            await anna.wait_for_state(said, MessageState.READ)

    asyncio.run(scenario())


def test_messages_disappear_at_both_ends_with_all_that_hung_on_them(tmp_path: Path) -> None:
    secret, change = "disappearingword", "anotherword"

    async def traces(person: Person) -> list[str]:
        found = [
            kind.__name__
            for kind in RECORDS
            for record in await person.records(kind)
            if any(word.encode() in msgspec.msgpack.encode(record) for word in (secret, change))
        ]
        blocks = await person.node.query(
            lambda queries: queries._database.rows("SELECT block FROM message_text_data")
        )
        words = (secret[2:].encode(), change[2:].encode())
        return found + ["index" for (block,) in blocks for word in words if word in block]

    async def scenario() -> None:
        async with world(tmp_path) as here:
            people = await here.friends("Anna", "Boris")
            anna, boris = people
            group = await here.group(*people)
            await anna.do(SetMessageExpiry(client_id=client_id(), chat_id=group, expiry_s=3600))
            for person in people:
                await person.wait_for_chat(group, lambda chat: chat.message_expiry_s == 3600)
            said = await anna.send(group, secret)
            await everybody_reads(people, group, secret)
            await boris.do(React(client_id=client_id(), message_id=said, emoji="👍"))
            edit = EditMessage(client_id=client_id(), message_id=said, text=f"{secret} {change}")
            await anna.do(edit)
            await everybody_reads(people, group, f"{secret} {change}")

            async def all_is_said() -> bool:
                waiting = [*await anna.records(Intent), *await boris.records(Intent)]
                return bool((await anna.message(said)).reactions) and not waiting

            await until(all_is_said)

            async def all_is_said_after() -> bool:
                return not await anna.records(Intent)

            for person in people:
                found = await traces(person)
                assert "Message" in found
                assert "index" in found
                person.pass_time(3_600_000)
                await person.wait_for_event("message.changed", b"expired")
                await person.wait_for(group, [])
                assert await traces(person) == []
                assert not await person.records(ReactionGiven)
                assert not await person.records(Message, group_id=group)
                assert (await person.chat(group)).unread == 0

            # A change that comes late, from somebody whose clock is behind, brings nothing back.
            def late(step: Step) -> None:
                content = to_content(
                    Edit(replaces=said, text=secret), salt=step.randomness(16), sent_at_ms=step.now_ms
                )
                outbox.enqueue(step, GroupId(group), encode(content), None)

            await anna.act(late)
            await anna.send(group, "after")
            await everybody_reads(people, group, "after")
            await until(all_is_said_after)
            assert await traces(boris) == []

    asyncio.run(scenario())


def test_a_leaving_member_is_told_and_the_last_one_just_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            group = await here.group(anna, boris)
            # The only admin goes: the others are admins then.
            await anna.do(LeaveGroup(client_id=client_id(), chat_id=group))
            await anna.wait_for_chat(group, lambda chat: chat.state is ConversationState.LEFT)
            await boris.wait_for_members(group, boris)
            assert await boris.wait_for_event("chat.changed", b"member_removed")
            await boris.do(RenameGroup(client_id=client_id(), chat_id=group, title="alone"))
            await boris.wait_for_chat(group, lambda chat: chat.title == "alone")
            await boris.do(LeaveGroup(client_id=client_id(), chat_id=group))
            await boris.wait_for_chat(group, lambda chat: chat.state is ConversationState.LEFT)

    asyncio.run(scenario())
