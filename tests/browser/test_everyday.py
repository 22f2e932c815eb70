"""Everyday chat, driven on the page: answers, edits, reactions, drafts, search, groups, order, paging.

Long, because two or three people who know each other serve all of it.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import RestartableRelay, Visitor, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def menu(page: Page, text: str, entry: str) -> None:
    """Choose an entry of a message's menu."""
    bubble = page.get_by_role("log").get_by_role("article").filter(has_text=text).last
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def test_answers_edits_reactions_and_deletions(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here, there = anna.page, boris.page

    menu(here, "hello", "Answer")
    anna.write("hello yourself")
    there.get_by_role("button", name="In answer to:").wait_for()
    boris.sees("hello yourself")

    menu(here, "hello yourself", "Edit")
    field = here.get_by_label("Message", exact=True)
    expect(field).to_have_value("hello yourself")
    anna.write("hello to you")
    boris.sees("hello to you")
    there.get_by_text("edited").wait_for()

    bubble = there.get_by_role("log").get_by_role("article").filter(has_text="hello to you")
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()
    there.get_by_role("menuitemcheckbox", name="👍").click()
    chip = here.get_by_role("log").get_by_role("button", name="👍")
    chip.wait_for()
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(there.get_by_role("log").get_by_role("button", name="👍")).to_contain_text("2")

    anna.write("a slip")
    boris.sees("a slip")
    menu(here, "a slip", "Delete")
    here.get_by_role("button", name="Delete for everybody").click()
    expect(there.get_by_role("log")).not_to_contain_text("a slip")
    expect(there.get_by_role("log")).to_contain_text("Deleted")
    menu(there, "hello to you", "Delete")
    there.get_by_role("button", name="Delete here").click()
    expect(there.get_by_role("log")).not_to_contain_text("hello to you")
    anna.sees("hello to you")

    menu(here, "hello to you", "Copy the text")
    assert here.evaluate("navigator.clipboard.readText()") == "hello to you"
    menu(here, "hello to you", "Who has it")
    here.get_by_role("dialog").get_by_text("Boris").wait_for()
    here.keyboard.press("Escape")
    expect(here.get_by_role("dialog")).to_have_count(0)
    menu(here, "hello to you", "Forward")
    here.get_by_role("dialog").get_by_role("button", name="Boris").click()
    expect(there.get_by_role("log").get_by_text("hello to you")).to_have_count(1)
    expect(there.get_by_role("log").get_by_text("Forwarded")).to_have_count(1)


def test_a_jump_to_what_was_answered(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    menu(anna.page, "hello", "Answer")
    anna.write("the answer")
    for number in range(30):
        anna.write(f"line {number}\n\n\n.")
    anna.sees("line 29")
    page = anna.page
    page.get_by_label("Messages", exact=True).focus()
    page.keyboard.press("Home")
    page.get_by_role("button", name="In answer to:").click()
    expect(page.locator(".flash")).to_contain_text("hello")
    expect(page.locator(".flash")).to_be_in_viewport()


def test_a_draft_stays_through_reloads_and_restarts(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    field = page.get_by_label("Message", exact=True)
    field.press_sequentially("begun and not")
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="Invite somebody").click()
    page.get_by_text("Draft:").wait_for()
    page.reload()
    page.get_by_role("navigation").get_by_role("button", name="Boris").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("begun and not")
    page.get_by_label("Message", exact=True).press_sequentially(" yet")
    page.reload()  # before the moment after which it would be kept
    expect(page.get_by_label("Message", exact=True)).to_have_value("begun and not yet")
    anna.write("begun and sent")
    boris.sees("begun and sent")
    page.reload()
    anna.sees("begun and sent")
    expect(page.get_by_label("Message", exact=True)).to_have_value("")


def test_search_over_all_chats_finds_words_and_leads_there(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    anna.write("ёлка в лесу")
    for number in range(90):
        anna.write(f"line {number}")
    anna.sees("line 89")
    page = anna.page
    page.get_by_label("Search", exact=True).fill("елк")
    found = page.get_by_role("region", name="What was found")
    expect(found.locator("mark")).to_have_text("ёлк")
    found.get_by_role("button").click()
    expect(page.get_by_role("log").get_by_text("ёлка в лесу")).to_be_in_viewport()
    expect(page.get_by_role("log").locator("mark")).to_have_text("ёлк")
    page.get_by_role("button", name="Earlier").click()
    page.get_by_text("Nothing more was found.").first.wait_for()
    page.get_by_role("main").get_by_role("button", name="End the search").click()
    expect(page.get_by_role("log").locator("mark")).to_have_count(0)
    page.get_by_label("Search", exact=True).fill("bori")
    found.get_by_role("button", name="Boris").first.wait_for()
    page.get_by_label("Search", exact=True).fill("zzzz")
    page.get_by_text("Nothing was found.").wait_for()
    page.get_by_role("navigation").get_by_role("button", name="End the search").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Search in this chat").click()
    expect(page.get_by_label("Search", exact=True)).to_be_focused()
    page.keyboard.type("line 7")
    expect(found.get_by_role("button")).to_have_count(11)
    found.get_by_role("button").last.click()  # line 7
    page.get_by_role("button", name="Later", exact=True).click()
    next_up = page.get_by_role("log").get_by_role("article").filter(has_text="line 70")
    expect(next_up.locator("mark")).to_have_text(["line", "7"])
    expect(next_up).to_be_in_viewport()
    page.get_by_label("Search", exact=True).press("Escape")
    page.get_by_role("button", name="To the latest").click()
    expect(page.get_by_role("log").get_by_text("line 89")).to_be_in_viewport()


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
    menu(page, "who comes?", "Who has it")
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_contain_text("told nothing")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    boris.write("I do")
    anna.sees("I do")
    page.get_by_role("img", name="It was read").wait_for()
    menu(page, "who comes?", "Who has it")
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

    there.get_by_role("button", name="About this chat").click()
    there.get_by_role("button", name="What to do with Vera").click()
    there.get_by_role("menuitem", name="Remove from the group").click()
    third.get_by_text("You were removed.").first.wait_for()
    there.get_by_role("button", name="Leave the group").click()
    there.get_by_role("dialog").get_by_role("button", name="Leave").click()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("heading", name="1 member", exact=True).wait_for()


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


def test_the_persons_own_order(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    for title in ("First", "Second"):
        page.get_by_role("button", name="New", exact=True).click()
        page.get_by_role("menuitem", name="New group").click()
        page.get_by_label("Name of the group").fill(title)
        page.get_by_role("button", name="Make the group").click()
        anna.write("so that it is the latest")
        anna.sees("so that it is the latest")
    rows = page.get_by_role("navigation").get_by_role("listitem")
    expect(rows.first).to_contain_text("Second")
    rows.filter(has_text="Boris").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Pin to the top").click()
    expect(rows.first).to_contain_text("Boris")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Mute").click()
    expect(rows.first.get_by_role("img", name="Muted")).to_be_visible()
    rows.filter(has_text="First").click()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Archive").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="1 archived chat").click()
    expect(rows).to_have_count(3)
    page.reload()
    expect(rows).to_have_count(2)


def test_unread_ones_are_counted_and_divided(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.get_by_role("button", name="Settings").click()
    for number in range(3):
        boris.write(f"new {number}")
    row = page.get_by_role("navigation").get_by_role("button", name="Boris")
    expect(row).to_contain_text("3 new messages")
    assert page.title() == "(1) Skvoz"
    row.click()
    expect(page.get_by_role("log").get_by_text("New messages")).to_be_visible()
    expect(row).not_to_contain_text("new messages")
    assert page.title() == "Skvoz"
    boris.page.get_by_role("log").get_by_label("It was read").nth(3).wait_for()


def test_a_long_chat_is_paged_and_keeps_the_readers_place(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.evaluate(
        """async () => {
          const { wish } = await import("/core/connection.js");
          const { chats } = await import("/state/chats.js");
          const [chat_id] = chats.value.keys();
          for (let i = 0; i < 400; i++) {
            await wish("message.send", { chat_id, text: `number ${String(i).padStart(3, "0")}` });
          }
        }"""
    )
    page.reload()
    anna.sees("number 399")
    drawn = "document.querySelectorAll('.messages article').length"
    assert page.evaluate(drawn) <= 120
    box = page.get_by_label("Messages", exact=True)
    for _ in range(60):
        box.evaluate("box => { box.scrollTop = 300; }")
        page.wait_for_timeout(60)
        if page.get_by_role("log").get_by_text("hello").count():
            break
    page.get_by_role("log").get_by_text("hello").wait_for()
    assert page.evaluate(drawn) <= 260
    box.evaluate("box => { box.scrollTop = 200; }")
    page.wait_for_timeout(200)
    top = page.evaluate("document.elementFromPoint(700, 200).textContent")
    boris.write("written meanwhile")
    page.wait_for_timeout(500)
    assert page.evaluate("document.elementFromPoint(700, 200).textContent") == top
    page.get_by_role("button", name="To the latest").click()
    anna.sees("written meanwhile")


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


def test_what_is_written_while_the_relay_is_away_goes_out_by_itself(
    visit: Visit, running_relay: RestartableRelay
) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    running_relay.kill()
    anna.page.get_by_text("No relay answers.").wait_for()
    anna.write("written without a relay")
    anna.page.get_by_role("log").get_by_label("Waits on this machine").wait_for()
    running_relay.start()
    boris.sees("written without a relay")
    anna.page.get_by_role("log").get_by_label("It was read").wait_for()
    expect(anna.page.get_by_text("No relay answers.")).to_have_count(0)


def test_long_names_and_long_messages_fit(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False, viewport={"width": 320, "height": 600})
    anna.begin("Anna")
    boris.begin("W" * 60, anna.link())
    boris.write("x" * 4096)
    boris.write("слово " * 600)
    anna.page.get_by_role("log").get_by_role("article").nth(1).wait_for()
    for visitor in (anna, boris):
        page = visitor.page
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        box = "document.querySelector('.scroll')"
        assert page.evaluate(f"{box}.scrollWidth <= {box}.clientWidth")
    field = boris.page.get_by_label("Message", exact=True)
    field.fill("y" * 4097)
    expect(boris.page.get_by_role("button", name="Send")).to_be_disabled()
    field.press("Enter")
    expect(field).to_have_value("y" * 4097)


def test_emoji_are_chosen_for_words_and_reactions(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    field = page.get_by_label("Message", exact=True)
    field.fill("I wonder ")
    page.get_by_role("button", name="Emoji").click()
    page.get_by_role("menuitem", name="🤔").click()
    expect(field).to_be_focused()
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    boris.sees("I wonder 🤔!")
    page.get_by_role("button", name="Emoji").click()
    page.keyboard.press("ArrowDown")  # from the one that was used lately to the first row
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "😘"
    page.keyboard.press("Enter")
    expect(field).to_have_value("😘")
    field.fill("")
    bubble = page.get_by_role("log").get_by_role("article").filter(has_text="hello")
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name="Another reaction").click()
    page.get_by_role("menuitem", name="🥣").click()
    boris.page.get_by_role("log").get_by_role("button", name="🥣").wait_for()


def test_a_file_that_came_is_named(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    file = boris.folder.parent / "<b>plan.txt"
    file.write_text("meet at the lake\n" * 100)
    boris.terminal.does("send", "Anna", "", "--file", str(file))
    files = anna.page.get_by_role("log").get_by_role("list", name="Files")
    expect(files).to_contain_text("plan")
    expect(files).to_contain_text("1.7 kB")
    assert anna.page.locator(".files b").count() == 0
    menu(boris.page, "plan", "Forward")
    boris.page.get_by_role("dialog").get_by_role("button", name="Anna").click()
    anna.page.get_by_role("log").get_by_text("Forwarded").wait_for()
    expect(anna.page.get_by_role("log").get_by_role("list", name="Files")).to_contain_text(["plan", "plan"])


def test_pinned_messages_stand_above_the_chat_and_lead_to_their_place(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    anna.write("at the lake, at six\n\n\n\n.")
    for number in range(12):
        anna.write(f"line {number}\n\n\n\n.")
    boris.sees("line 11")
    menu(anna.page, "hello", "Pin for everybody")
    there = boris.page.get_by_role("region", name="Pinned messages")
    expect(there).to_contain_text("hello")
    menu(anna.page, "at the lake", "Pin for everybody")
    expect(there).to_contain_text("at the lake")
    boris.page.get_by_label("Messages", exact=True).focus()
    boris.page.keyboard.press("End")
    for _ in range(2):  # again, after one has read on
        there.get_by_role("button").first.click()
        expect(boris.page.get_by_role("log").get_by_text("at the lake")).to_be_in_viewport()
        boris.page.get_by_role("button", name="To the latest").click()
        expect(boris.page.get_by_role("log").get_by_text("line 11")).to_be_in_viewport()
    there.get_by_role("button", name="All that is pinned").click()
    dialog = boris.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text(["at the lake", "hello"])
    dialog.get_by_role("button", name="hello").click()
    menu(boris.page, "hello", "Unpin for everybody")
    menu(anna.page, "at the lake", "Delete")
    anna.page.get_by_role("button", name="Delete for everybody").click()
    for one in (anna, boris):
        expect(one.page.get_by_role("region", name="Pinned messages")).to_have_count(0)


def test_a_draft_is_in_every_tab(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here = anna.page
    there = anna.context.new_page()
    address = anna.terminal.does("--no-open").strip().splitlines()[-1]
    there.goto(address)
    there.get_by_role("list").get_by_text("Boris").first.click()
    one, other = (page.get_by_label("Message", exact=True) for page in (here, there))
    one.press_sequentially("begun here")
    expect(other).to_have_value("begun here")
    other.press_sequentially(", ended there")
    expect(one).to_have_value("begun here, ended there")
    other.press("Enter")
    boris.sees("begun here, ended there")
    expect(one).to_have_value("")
