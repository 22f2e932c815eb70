"""How strangers meet through real relays, and what comes of links that were used, forged or drained."""

import asyncio
import secrets
from pathlib import Path

import pytest
from msgspec.structs import replace

from skvoz.base.errors import Conflict, NotFound
from skvoz.base.ids import AccountId, LogId, RelayId
from skvoz.client import account as accounts
from skvoz.client import inboxes
from skvoz.client.commands import AcceptRequest, BlockContact, DeclineRequest, SendMessage, VerifyContact
from skvoz.client.effects import Channel, Take
from skvoz.client.inputs import EntryStored, Taken
from skvoz.client.links import Link, parse_link
from skvoz.client.offers import Offer, seal_offer
from skvoz.client.records import (
    Contact,
    ContactState,
    Conversation,
    ConversationState,
    Inbox,
    InboxKind,
    KeyPackageSecret,
    MessageState,
)
from skvoz.client.safety_numbers import safety_number
from skvoz.client.step import Step
from skvoz.logs import Quotas
from skvoz.relay.session import Session
from skvoz.server import Settings
from skvoz.wire import frames
from tests.node.attackers import Outsider, lying
from tests.node.people import Person, client_id, until, world

READY = b"\xa5ready\xc3"
"""In the event of a link that works: MessagePack of the field and `true`."""


async def stranger_of(owner: Person, stranger: Person, text: str = "let me in") -> bytes:
    """Let somebody come through a lasting link; return the chat at the owner."""
    await stranger.accept_link(await owner.link(lasting=True), text)
    chat_id = await stranger.account_id()
    await owner.wait_for(chat_id, [text])
    return chat_id


@pytest.mark.slow
def test_a_stranger_has_one_text_until_accepted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            request = await stranger_of(anna, boris)
            to_anna = await anna.account_id()
            assert (await anna.conversation(request)).is_request
            first = (await boris.messages(to_anna))[0].message_id
            await boris.send(to_anna, "buy my things")

            async def counted() -> bool:
                return await anna.counted("request_messages_dropped") == 1

            await until(counted)
            assert await anna.texts(request) == ["let me in"]
            with pytest.raises(Conflict, match="accept"):
                await anna.send(request, "who is it?")
            # Nothing told the stranger that anybody is there.
            assert (await boris.message(first)).state is MessageState.SENT
            await anna.do(AcceptRequest(client_id=client_id(), chat_id=request))
            await boris.wait_for_state(first, MessageState.DELIVERED)
            await boris.send(to_anna, "thank you")
            await anna.wait_for(request, ["let me in", "thank you"])
            await anna.send(request, "welcome")
            await boris.wait_for(to_anna, ["let me in", "buy my things", "thank you", "welcome"])

    asyncio.run(scenario())


def test_a_declined_request_is_gone_without_a_word(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            request = await stranger_of(anna, boris)
            await anna.do(DeclineRequest(client_id=client_id(), chat_id=request))
            assert await anna.texts(request) == []
            assert (await anna.chat(request)).main.hidden
            with pytest.raises(NotFound):
                await anna.do(AcceptRequest(client_id=client_id(), chat_id=request))
            said = (await boris.messages(await anna.account_id()))[0]
            assert said.state is MessageState.SENT
            # The other way round nothing stands in the way.
            await anna.accept_link(await boris.link(), "I was rash")
            await boris.wait_for(await anna.account_id(), ["let me in", "I was rash"])

    asyncio.run(scenario())


def test_who_is_blocked_is_not_heard(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_anna, to_boris = await anna.account_id(), await boris.account_id()
            await anna.do(BlockContact(client_id=client_id(), account_id=to_boris))
            last = await boris.send(to_anna, "are you there?")
            await boris.wait_for_state(last, MessageState.SENT)

            async def arrived() -> bool:
                cursors = [(await one[0].conversation(one[1])).cursor for one in both]
                return cursors[0] == cursors[1]

            both = ((anna, to_boris), (boris, to_anna))
            await until(arrived)
            await anna.do(BlockContact(client_id=client_id(), account_id=to_boris, blocked=False))
            await boris.send(to_anna, "and now?")
            await anna.wait_for(to_boris, ["hello", "and now?"])

    asyncio.run(scenario())


def forged_link(link: Link, name: str) -> Link:
    match name:
        case "secret":
            return replace(link, secret=b"x" * 32)
        case "post_key":
            return replace(link, post_key=b"x" * 32)
        case "inbox_id":
            return replace(link, inbox_id=LogId(b"x" * 16))
        case _:
            return replace(link, account_id=AccountId(b"x" * 32))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "reason"),
    [("secret", "invalid"), ("post_key", "denied"), ("inbox_id", "denied"), ("account_id", "invalid")],
)
def test_a_link_with_a_forged_field_leads_nowhere_and_says_so(
    tmp_path: Path, field: str, reason: str
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            link = parse_link(await anna.link())
            await anna.wait_for_event("link.changed", READY)
            forged = forged_link(link, field)
            chat_id = await boris.accept_link(forged.encode(), "hello?")
            boris.pass_time(40_000)  # the patience with links that are quicker than their inboxes

            async def failed() -> bool:
                boris.pass_time(1_000)
                return bool(await boris.events("link.failed"))

            await until(failed)
            [event] = await boris.events("link.failed")
            assert reason.encode() in event.body
            [message] = await boris.messages(chat_id)
            assert (message.state, message.failure) == (MessageState.FAILED, reason)
            assert (await boris.conversation(chat_id)).state is ConversationState.LEFT
            assert not await anna.records(Conversation)
            assert [one.state for one in await boris.records(Contact)] in ([], [ContactState.KNOWN])

    asyncio.run(scenario())


def test_a_link_to_a_relay_with_another_key_sends_nothing_there(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            link = parse_link(await anna.link())
            forged = replace(link, relay_id=RelayId(b"x" * 32))
            chat_id = await boris.accept_link(forged.encode(), "hello?")

            async def said() -> bool:
                return any(
                    one.relay_id == forged.relay_id and "gone" in one.problem
                    for one in boris.node.relay_states()
                )

            await until(said)
            [message] = await boris.messages(chat_id)
            assert message.state is MessageState.QUEUED
            # The true link is another one, and works.
            assert await boris.accept_link(link.encode(), "hello!") == chat_id  # the same person
            await anna.wait_for(await boris.account_id(), ["hello!"])

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.parametrize(
    "address", ["ws://[", "ws://\u2100.example/", "http://127.0.0.1/", "ws://x:y/", "\0"]
)
def test_a_link_with_an_address_that_is_none_stops_no_node(tmp_path: Path, address: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            link = parse_link(await anna.link())
            forged = replace(link, relay_id=RelayId(b"x" * 32), addresses=(address,))
            await boris.accept_link(forged.encode(), "hello?")

            async def said() -> bool:
                return any("address" in one.problem for one in boris.node.relay_states())

            await until(said)
            assert not boris.node.broken.done()
            await boris.accept_link(link.encode(), "hello!")
            await anna.wait_for(await boris.account_id(), ["hello!"])

    asyncio.run(scenario())


def test_a_card_that_does_not_match_the_links_fingerprint_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, mallory = [await here.person(name) for name in ("Anna", "Boris", "Mallory")]
            link = parse_link(await anna.link())
            await anna.wait_for_event("link.changed", READY)

            def forge(step: Step) -> bytes:
                """Whoever saw the link, and is in league with the relay, puts a card of their own there."""
                [box] = step.transaction.select(Inbox, kind=InboxKind.CONTACTS)
                bundle = inboxes.key_package(step, box, is_last_resort=False)
                offer = Offer(
                    card=accounts.fresh_card(step, box.public_key), key_packages=(bundle.message(),)
                )
                return seal_offer(link.secret, link.inbox_id, offer, step.randomness)

            swapped = await mallory.act(forge)

            def lie(_: Session, frame: frames.Down) -> frames.Down:
                if isinstance(frame, frames.Ok) and frame.value is not None:
                    return frames.Ok(frame.request, frames.Taken("offer", swapped))
                return frame

            monkeypatch.setattr(Session, "take_messages", lying(lie))
            chat_id = await boris.accept_link(link.encode(), "for Anna's eyes")
            await boris.wait_for_event("link.failed", b"invalid")
            assert (await boris.messages(chat_id))[0].state is MessageState.FAILED
            assert not await mallory.records(Conversation)
            assert not await anna.records(Conversation)

    asyncio.run(scenario())


def test_a_lasting_link_works_when_its_pool_is_dry(tmp_path: Path) -> None:
    async def scenario() -> None:
        settings = Settings(port=0, reserve_bytes=0, quotas=Quotas(takes_per_s=1000.0, take_burst=1000))
        async with world(tmp_path, settings) as here:
            anna, boris, vera = [await here.person(name) for name in ("Anna", "Boris", "Vera")]
            text = await anna.link(lasting=True)
            link = parse_link(text)
            await anna.wait_for_event("link.changed", READY)
            thief = await Outsider.at(here)
            for _ in range(inboxes.POOL_SIZE + 1):
                thief.session.request(
                    Take(
                        relay_id=thief.relay_id,
                        channel=Channel.POST,
                        log_id=link.inbox_id,
                        post_key=link.post_key,
                        taker=secrets.token_bytes(16),
                    )
                )
            await thief.until(lambda found: sum(isinstance(one, Taken) for one in found) > inboxes.POOL_SIZE)
            taken = [one.kind for one in thief.inputs if isinstance(one, Taken)]
            assert taken == ["package"] * inboxes.POOL_SIZE + ["last"]
            await thief.close()
            for guest in (boris, vera):
                await guest.accept_link(text, "through the last package")
                await anna.wait_for(await guest.account_id(), ["through the last package"])
            # The last package is marked, so its keys stay until it is replaced.
            last = [one for one in await anna.records(KeyPackageSecret) if one.is_last_resort]
            assert link.inbox_id in {one.log_id for one in last}

    asyncio.run(scenario())


def test_the_maker_of_a_link_is_told_that_a_relay_gave_it_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers: list[frames.Taken] = []

    def lie(_: Session, frame: frames.Down) -> frames.Down:
        if isinstance(frame, frames.Ok) and frame.value is not None:
            offers.append(frame.value)
        if isinstance(frame, frames.No) and frame.code == "used":
            return frames.Ok(frame.request, offers[0])
        return frame

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = [await here.person(name) for name in ("Anna", "Boris", "Vera")]
            link = await anna.link()
            monkeypatch.setattr(Session, "take_messages", lying(lie))
            await boris.accept_link(link, "me")
            await anna.wait_for(await boris.account_id(), ["me"])
            await vera.accept_link(link, "me too")
            to_vera = await vera.account_id()
            await anna.wait_for_event("link.used", to_vera)
            assert len(await anna.events("link.used")) == 2
            assert await anna.node.query(lambda queries: queries.chat(to_vera)) is None
            assert await anna.counted("inbox_mail_dropped") == 1

    asyncio.run(scenario())


def test_both_inviting_each_other_at_once_have_one_chat(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            links = await anna.link(), await boris.link()
            to_boris, to_anna = await asyncio.gather(
                anna.accept_link(links[1], "from Anna"), boris.accept_link(links[0], "from Boris")
            )
            for person, chat_id in ((anna, to_boris), (boris, to_anna)):

                async def both(person: Person = person, chat_id: bytes = chat_id) -> bool:
                    return sorted(await person.texts(chat_id)) == ["from Anna", "from Boris"]

                await until(both)
                assert len(await person.node.query(lambda queries: queries.chats())) == 1
                assert len((await person.chat(chat_id)).conversations) == 2
            await anna.send(to_boris, "one chat")
            await boris.send(to_anna, "indeed")
            for person, chat_id in ((anna, to_boris), (boris, to_anna)):

                async def all_four(person: Person = person, chat_id: bytes = chat_id) -> bool:
                    return sorted(await person.texts(chat_id))[2:] == ["indeed", "one chat"]

                await until(all_four)
            written = {
                message.group_id
                for message in await anna.messages(to_boris)
                if message.text in {"one chat", "indeed"}
            }
            assert written == {min(one.group_id for one in await anna.records(Conversation))}

    asyncio.run(scenario())


@pytest.mark.slow
def test_safety_numbers_are_one_on_both_sides_and_differ_for_others(tmp_path: Path) -> None:
    async def number(person: Person, other: Person) -> str:
        other_id = await other.account_id()
        own = await person.node.query(lambda queries: queries.account())
        contact = await person.node.query(lambda queries: queries.contact(other_id))
        assert own is not None
        assert contact is not None
        return safety_number(own.root_public_key, contact.root_public_key)

    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris, vera = await here.friends("Anna", "Boris", "Vera")
            assert await number(anna, boris) == await number(boris, anna)
            assert await number(anna, vera) == await number(vera, anna)
            assert await number(anna, boris) != await number(anna, vera)
            to_boris = await boris.account_id()
            await anna.do(VerifyContact(client_id=client_id(), account_id=to_boris))
            contact = await anna.node.query(lambda queries: queries.contact(to_boris))
            assert contact is not None
            assert contact.verified_ms is not None

    asyncio.run(scenario())


@pytest.mark.slow
def test_mail_that_is_junk_or_for_somebody_else_is_dropped_and_counted(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.person("Anna"), await here.person("Boris")
            await boris.accept_link(await anna.link(lasting=True), "hello")
            to_boris = await boris.account_id()
            await anna.wait_for(to_boris, ["hello"])
            link = parse_link(await anna.link(lasting=True))
            await anna.wait_for_event("link.changed", link.inbox_id)

            async def ready() -> bool:
                return all(one.stocked for one in await anna.records(Inbox))

            await until(ready)
            before = len(await anna.records(Conversation))
            stolen = here.relay._store._connection.execute(
                "SELECT body FROM entry WHERE log IN (SELECT log FROM log WHERE kind = 1)"
            ).fetchall()
            outsider = await Outsider.at(here)
            junk = [
                b"",
                b"\0",
                secrets.token_bytes(700),
                secrets.token_bytes(4000),
                *(row[0] for row in stolen),
            ]
            for body in junk:
                answer = await outsider.write(link.inbox_id, link.post_key, body)
                assert isinstance(answer, EntryStored)
            await outsider.close()

            async def counted() -> bool:
                return await anna.counted("inbox_mail_dropped") == len(junk)

            await until(counted)
            assert len(await anna.records(Conversation)) == before
            await anna.do(AcceptRequest(client_id=client_id(), chat_id=to_boris))
            await anna.do(SendMessage(client_id=client_id(), chat_id=to_boris, text="all is well"))
            await boris.wait_for(await anna.account_id(), ["hello", "all is well"])

    asyncio.run(scenario())


def test_search_takes_yo_for_ye(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as here:
            anna, boris = await here.friends("Anna", "Boris")
            to_boris, to_anna = await boris.account_id(), await anna.account_id()
            await anna.send(to_boris, "Ёлку купили?")
            await boris.wait_for(to_anna, ["hello", "Ёлку купили?"])
            for person, chat_id in ((anna, to_boris), (boris, to_anna)):
                for words in ("ёлку", "елк", "ЕЛКУ куп"):
                    found = await person.node.query(
                        lambda queries, words=words, chat_id=chat_id: queries.search(
                            words, chat_id=chat_id, before=None, limit=5
                        )
                    )
                    assert [message.text for message in found] == ["Ёлку купили?"]

    asyncio.run(scenario())
