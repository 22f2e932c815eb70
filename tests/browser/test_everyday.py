"""Everyday talk, driven on the page: answers, edits, reactions, drafts, pins, paging."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.people import RestartableRelay, Visitor, choose, meet, open_menu

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]


def test_answers_edits_reactions_and_deletions(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    here, there = anna.page, boris.page

    choose(here, "hello", "Answer")
    anna.write("hello yourself")
    there.get_by_role("button", name="In answer to:").wait_for()
    boris.sees("hello yourself")

    choose(here, "hello yourself", "Edit")
    field = here.get_by_label("Message", exact=True)
    expect(field).to_have_value("hello yourself")
    anna.write("hello to you")
    boris.sees("hello to you")
    there.get_by_text("edited").wait_for()

    open_menu(there, "hello to you")
    there.get_by_role("menuitemcheckbox", name="👍").click()
    chip = here.get_by_role("log").get_by_role("button", name="👍")
    chip.wait_for()
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(there.get_by_role("log").get_by_role("button", name="👍")).to_contain_text("2")

    anna.write("a slip")
    boris.sees("a slip")
    choose(here, "a slip", "Delete")
    here.get_by_role("button", name="Delete for everybody").click()
    expect(there.get_by_role("log")).not_to_contain_text("a slip")
    expect(there.get_by_role("log")).to_contain_text("Deleted")
    choose(there, "hello to you", "Delete")
    there.get_by_role("button", name="Delete here").click()
    expect(there.get_by_role("log")).not_to_contain_text("hello to you")
    anna.sees("hello to you")

    choose(here, "hello to you", "Copy the text")
    assert here.evaluate("navigator.clipboard.readText()") == "hello to you"
    choose(here, "hello to you", "Who has it")
    here.get_by_role("dialog").get_by_text("Boris").wait_for()
    here.keyboard.press("Escape")
    expect(here.get_by_role("dialog")).to_have_count(0)
    choose(here, "hello to you", "Forward")
    here.get_by_role("dialog").get_by_role("button", name="Boris").click()
    expect(there.get_by_role("log").get_by_text("hello to you")).to_have_count(1)
    expect(there.get_by_role("log").get_by_text("Forwarded")).to_have_count(1)


def test_a_jump_to_what_was_answered(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    choose(anna.page, "hello", "Answer")
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
    open_menu(page, "hello")
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
    choose(boris.page, "plan", "Forward")
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
    choose(anna.page, "hello", "Pin for everybody")
    there = boris.page.get_by_role("region", name="Pinned messages")
    expect(there).to_contain_text("hello")
    choose(anna.page, "at the lake", "Pin for everybody")
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
    choose(boris.page, "hello", "Unpin for everybody")
    choose(anna.page, "at the lake", "Delete")
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
