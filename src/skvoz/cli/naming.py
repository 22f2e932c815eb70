"""Which chat, person or message somebody means by what they typed.

A chat or person is named by its title or name, or the beginning of it, or by its id as `--json` prints it; a
message by the number that `read` shows. What fits several is refused, never guessed.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from skvoz.api.params import ChatPageParams, ChatParams, MessagePageParams, NoParams
from skvoz.api.views import (
    BotListView,
    BotView,
    ChatListView,
    ChatView,
    ContactListView,
    ContactView,
    LinkListView,
    LinkView,
    MemberListView,
    MemberView,
    MessagePageView,
    MessageView,
)
from skvoz.base.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from skvoz.api.caller import Caller

T = TypeVar("T")


def all_chats(caller: "Caller") -> list[ChatView]:
    """Return all chats, the latest first."""
    page = caller.call("chat.list", ChatPageParams(), ChatListView)
    found = list(page.chats)
    while page.next_cursor is not None:
        page = caller.call("chat.list", ChatPageParams(cursor=page.next_cursor), ChatListView)
        found += page.chats
    return found


def find_chat(caller: "Caller", named: str) -> ChatView:
    """Return the chat that is meant; raise `NotFound`, or `BadRequest` where several fit."""
    none = NotFound("there is no such chat")
    return _find(all_chats(caller), named, lambda chat: (chat.title,), lambda chat: chat.chat_id, none)


def find_group(caller: "Caller", named: str) -> ChatView:
    """Return the group that is meant, as `find_chat`."""
    groups = [chat for chat in all_chats(caller) if chat.kind == "group"]
    none = NotFound("there is no such group")
    return _find(groups, named, lambda chat: (chat.title,), lambda chat: chat.chat_id, none)


def find_contact(caller: "Caller", named: str) -> ContactView:
    """Return the person who is meant, as `find_chat`."""
    people = caller.call("contact.list", NoParams(), ContactListView).contacts
    none = NotFound("there is no such contact")
    return _find(people, named, lambda one: (one.name, one.card_name), lambda one: one.account_id, none)


def members_of(caller: "Caller", chat: ChatView) -> tuple[MemberView, ...]:
    """Return who is in a chat."""
    return caller.call("chat.members", ChatParams(chat_id=chat.chat_id), MemberListView).members


def find_member(caller: "Caller", chat: ChatView, named: str) -> MemberView:
    """Return the member of a chat who is meant, as `find_chat`."""
    members = members_of(caller, chat)
    none = NotFound("there is no such member")
    return _find(members, named, lambda one: (one.name,), lambda one: one.account_id, none)


def find_link(caller: "Caller", number: int) -> LinkView:
    """Return a link of ours by its place in the list, from 1; raise `NotFound`."""
    found = caller.call("link.list", NoParams(), LinkListView).links
    if not 1 <= number <= len(found):
        raise NotFound("there is no such link")
    return found[number - 1]


def find_bot(caller: "Caller", named: str) -> BotView:
    """Return the bot that is meant, as `find_chat`."""
    bots = caller.call("bot.list", NoParams(), BotListView).bots
    none = NotFound("there is no such bot")
    return _find(bots, named, lambda bot: (bot.name,), lambda bot: bot.bot_id, none)


def find_message(caller: "Caller", number: int) -> MessageView:
    """Return the message with a number; raise `NotFound`."""
    for chat in all_chats(caller):
        page = MessagePageParams(chat_id=chat.chat_id, before=number + 1, limit=1)
        found = caller.call("message.list", page, MessagePageView).messages
        if found and found[0].sequence == number:
            return found[0]
    raise NotFound("there is no such message")


def mentions_in(text: str, members: Sequence[MemberView]) -> list[dict[str, object]]:
    """Return whom `@NAME` in a text names: the longest member's name that stands there, once each place."""
    found: list[dict[str, object]] = []
    lower = text.lower()
    by_length = sorted((one for one in members if one.name), key=lambda one: -len(one.name))
    place = lower.find("@")
    while place >= 0:
        end = place + 1
        for member in by_length:
            if lower.startswith(member.name.lower(), end):
                length = len(member.name) + 1
                found.append({"account_id": member.account_id, "start": place, "length": length})
                end = place + length
                break
        place = lower.find("@", end)
    return found


def _find(
    known: Sequence[T],
    named: str,
    names: Callable[[T], tuple[str, ...]],
    identity: Callable[[T], bytes],
    none: NotFound,
) -> T:
    asked = named.strip().casefold()
    by_id = _id_of(named)
    exact = [one for one in known if asked in [name.casefold() for name in names(one)]]
    if by_id is not None:
        exact += [one for one in known if identity(one) == by_id and one not in exact]
    fitting = exact or [
        one for one in known if asked and any(name.casefold().startswith(asked) for name in names(one))
    ]
    if len(fitting) > 1:
        raise BadRequest("several have that name: write more of it, or the id that --json prints")
    if not fitting:
        raise none
    return fitting[0]


def _id_of(named: str) -> bytes | None:
    try:
        data = base64.b64decode(named, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) in {16, 32} else None
