"""People and groups, driven on the page: who is in a group, who somebody is, and how one meets."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import Visitor, choose, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_a_group_of_three(visit: Visit) -> None:
    anna, boris, vera = visit("anna"), visit("boris", suggests=False), visit("vera", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="Invite somebody").click()
    vera.begin("Vera", anna.link())
    vera.write("here I am")
    anna.sees("here I am")

    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="New group").click()
    page.get_by_label("Name of the group").fill("Lake")
    page.get_by_role("checkbox", name="Boris").check()
    page.get_by_role("button", name="Make the group").click()
    anna.write("who comes?")
    there = boris.page
    there.get_by_role("button", name="Lake").click()
    boris.sees("who comes?")
    choose(page, "who comes?", "Who has it")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("told nothing")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    boris.write("I do")
    anna.sees("I do")
    page.get_by_role("img", name="It was read").wait_for()
    choose(page, "who comes?", "Who has it")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("read")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()

    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("button", name="Add people").click()
    page.get_by_role("checkbox", name="Vera").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("heading", name="3 members").wait_for()
    page.get_by_label("Name of the group").fill("The lake")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="The lake").wait_for()
    page.get_by_role("button", name="What to do with Boris").click()
    page.get_by_role("menuitem", name="Make an admin").click()
    expect(page.get_by_role("listitem").filter(has_text="Boris").get_by_text("admin")).to_be_visible()

    third = vera.page
    third.get_by_role("button", name="The lake").click()
    third.get_by_label("Message", exact=True).press_sequentially("me too, @A")
    third.get_by_role("option").first.wait_for()
    third.keyboard.press("Tab")
    third.keyboard.press("Enter")
    expect(page.get_by_role("navigation").get_by_role("button", name="The lake")).to_contain_text("me too")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("log").locator(".mention")).to_have_text("@Anna")
    expect(page.get_by_role("log").locator(".aside:not(.day, .unread)")).to_have_text(
        [
            re.compile("^You added .?Boris"),
            re.compile("^You added .?Vera"),
            re.compile("^You named the group “.?The lake"),
            re.compile("^You made .?Boris.? an admin"),
        ]
    )
    expect(third.get_by_role("log")).to_contain_text(re.compile("Anna.? added you"))
    expect(page.get_by_role("main").get_by_text("3 members")).to_be_visible()
    third.get_by_role("button", name="About this chat").click()
    third.get_by_role("heading", name="3 members").wait_for()
    expect(third.get_by_label("New messages disappear")).to_have_count(0)
    there.get_by_role("button", name="About this chat").click()
    there.get_by_label("New messages disappear").select_option(label="After 1 day")
    third.get_by_text("New messages disappear after 1 day. The admins of the group decide").wait_for()
    third.get_by_role("button", name="Back").click()
    there.get_by_role("button", name="What to do with Vera").click()
    there.get_by_role("menuitem", name="Remove from the group").click()
    there.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    third.get_by_text("You were removed.").first.wait_for()
    there.get_by_role("button", name="Leave the group").click()
    there.get_by_role("dialog").get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("heading", name="1 member", exact=True).wait_for()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("log")).to_contain_text(re.compile("Boris.? removed .?Vera"))
    expect(page.get_by_role("log")).to_contain_text(re.compile("Boris.? left"))


def change_key(page: Page) -> None:
    """Let the page believe that the node told of another key of the first contact."""
    page.evaluate(
        """async () => {
          const { contacts } = await import("/state/contacts.js");
          const [[id, contact]] = contacts.value;
          contacts.value.set(id, { ...contact, key_changed: true });
          contacts.touch();
        }"""
    )


def test_a_persons_page(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="About this chat").click()
    expect(page.locator(".digits")).to_have_text(re.compile(r"^[0-9]{60}$"))
    number = page.locator(".digits").text_content()
    boris.page.get_by_role("button", name="About this chat").click()
    expect(boris.page.locator(".digits")).to_have_text(number or "")
    page.get_by_role("button", name="They are the same").click()
    page.get_by_text("Compared").wait_for()
    page.get_by_label("Your name for them").fill("Borya")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Borya").wait_for()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("article", name="Borya").wait_for()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_label("New messages disappear").select_option(label="After 1 day")
    expect(boris.page.get_by_label("New messages disappear")).to_have_value("86400")
    page.get_by_role("button", name="Back").click()
    anna.write("gone tomorrow")
    page.get_by_role("log").get_by_role("img", name="disappears").wait_for()
    expect(page.get_by_role("main").get_by_role("img", name="Compared")).to_be_visible()
    change_key(page)
    page.get_by_role("alert").get_by_text("Their key has changed.").wait_for()
    page.get_by_role("alert").get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="It is different now").click()
    page.get_by_role("button", name="They are the same").click()  # the node's word again: nothing is changed
    page.get_by_text("Compared").wait_for()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("button", name="Block").click()
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    page.get_by_role("button", name="Back").click()
    page.get_by_text("You have blocked this person.").wait_for()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("button", name="Unblock").click()
    page.get_by_role("button", name="Block").wait_for()
    page.get_by_role("button", name="Delete this chat here").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("No chats yet.").wait_for()


def test_links_are_listed_and_revoked(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris")
    anna.begin("Anna")
    page = anna.page
    page.get_by_role("button", name="Later").click()
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("button", name="Make a link for many people").click()
    row = page.get_by_role("listitem").filter(has_text="For many people")
    row.get_by_role("button", name="Copy").click()
    link = page.evaluate("navigator.clipboard.readText()")
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    boris.begin("Boris", link)
    boris.page.get_by_label("Message", exact=True).wait_for()
    boris.write("is anybody there?")
    expect(page.get_by_role("navigation").get_by_role("listitem")).to_have_count(0)


def test_quiet_cards_come_one_at_a_time_and_do_not_come_back(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.context.grant_permissions([])
    meet(anna, boris)
    page = anna.page
    card = page.get_by_role("complementary")
    expect(card).to_have_count(1)
    if card.filter(has_text="Hear of new messages?").count():
        card.get_by_role("button", name="Not now").click()
    expect(card).to_contain_text("Write down your recovery phrase")
    card.get_by_role("button", name="Show it").click()
    expect(page.locator(".phrase > li")).to_have_count(24)
    words = page.locator(".phrase > li").all_text_contents()
    page.get_by_role("button", name="I have written them down").click()
    fields = page.get_by_label("Word ")
    expect(fields).to_have_count(3)
    for field in fields.all():
        field.fill("wrong")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("not the right one")
    for field in fields.all():
        field.fill(words[int(field.get_attribute("name") or "0")])
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("not on this machine any more").wait_for()
    assert anna.terminal.refused("account", "phrase")
    expect(card).to_contain_text("Is it really Boris?")
    card.get_by_role("button", name="Not now").click()
    expect(card).to_have_count(0)
    page.reload()
    page.get_by_role("navigation").get_by_role("button", name="Boris").wait_for()
    expect(card).to_have_count(0)
