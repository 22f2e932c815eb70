"""Every screen in both themes, wide and narrow, under axe-core; and the keyboard alone."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.npm_tools import installed
from tests.browser.people import Visitor, choose, meet

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
WIDE: ViewportSize = {"width": 1100, "height": 760}
NARROW: ViewportSize = {"width": 320, "height": 640}


def look_at(page: Page, what: str) -> None:
    """Fail for whatever axe-core finds on the present screen, in either theme, wide and narrow."""
    axe = (installed() / "axe-core" / "axe.min.js").read_text("utf-8")
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.evaluate(axe)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
            told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
            assert told == [], f"{what}, {theme}, {size}: {json.dumps(told, indent=1)}"
            wider = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wider, f"{what} is wider than {size}"
    page.set_viewport_size(WIDE)


def test_the_first_screens(visit: Visit) -> None:
    anna = visit("anna")
    page = anna.open()
    page.get_by_label("Your name").wait_for()
    look_at(page, "welcome")
    page.get_by_role("button", name="What Skvoz can't do").click()
    page.get_by_role("heading", level=1).wait_for()
    look_at(page, "limits")
    page.get_by_role("button", name="Back").click()
    page.get_by_label("Your name").fill("Anna")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy the link").wait_for()
    look_at(page, "first invitation")
    page.get_by_role("button", name="Later").click()
    page.get_by_text("No chats yet.").wait_for()
    look_at(page, "no chats")
    page.goto("about:blank")
    page.evaluate("0")
    page.goto(anna.origin)
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.get_by_text("This page is closed").wait_for()
    look_at(page, "closed")


def test_chats_and_settings(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    anna.write("**bold** _slanted_ ~~struck~~ `code` https://example.org\n> quoted")
    anna.write("```\nfenced " + "long " * 40 + "\n```")
    anna.write("w" * 200)
    anna.sees("bold")
    look_at(page, "chat")
    page.get_by_role("button", name="New", exact=True).click()
    look_at(page, "menu")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Emoji").click()
    look_at(page, "emoji")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("heading", name="Settings").wait_for()
    look_at(page, "settings")
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("heading", name="Safety number").wait_for()
    look_at(page, "about a person")
    page.evaluate("import('/core/router.js').then(({ go }) => go({ screen: 'phrase' }))")
    page.get_by_role("button", name="I have written them down").click()
    look_at(page, "recovery phrase")


def test_menus_dialogs_groups_and_search(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    bubble = page.get_by_role("log").get_by_role("article")
    bubble.hover()
    bubble.get_by_role("button").first.click()
    page.get_by_role("menuitemcheckbox", name="👍").click()
    bubble.get_by_role("button", name="👍").wait_for()
    bubble.hover()
    bubble.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name="Answer").click()
    look_at(page, "answering")
    anna.write("yes")
    anna.sees("yes")
    page.get_by_role("log").get_by_role("article").last.hover()
    page.get_by_role("button", name="What to do with this message").last.click()
    page.get_by_role("menuitem", name="Delete").click()
    look_at(page, "dialog")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="New group").click()
    page.get_by_label("Name of the group").fill("Lake")
    look_at(page, "new group")
    page.get_by_role("checkbox", name="Boris").check()
    page.get_by_role("button", name="Make the group").click()
    anna.write("hello to all")
    anna.sees("hello to all")
    page.get_by_role("log").get_by_role("article").last.hover()
    page.get_by_role("button", name="What to do with this message").last.click()
    page.get_by_role("menuitem", name="Who has it").click()
    look_at(page, "who has it")
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("heading", name="2 members").wait_for()
    look_at(page, "about a group")
    page.set_viewport_size(WIDE)
    page.get_by_label("Search", exact=True).fill("hello")
    page.get_by_role("region", name="What was found").get_by_role("button").first.wait_for()
    look_at(page, "search")
    page.get_by_role("region", name="What was found").get_by_role("button").last.click()
    bubble.first.hover()
    bubble.first.get_by_role("button", name="What to do with this message").click()
    page.get_by_role("menuitem", name="Pin for everybody").click()
    page.get_by_role("region", name="Pinned messages").wait_for()
    look_at(page, "found and pinned")


def test_a_request(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.begin("Anna")
    anna.page.get_by_role("button", name="Later").click()
    anna.terminal.does("links")
    link = anna.terminal.does("invite", "--lasting").strip().splitlines()[-1]
    boris.begin("Boris", link)
    boris.write("may I?")
    anna.page.get_by_text("Wants to write to you").click()
    look_at(anna.page, "request")
    anna.page.get_by_role("button", name="Accept").click()
    anna.page.get_by_label("Message", exact=True).wait_for()
    anna.write("you may")
    boris.sees("you may")


def test_everything_by_keyboard(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.reload()
    anna.sees("hello")
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    anna.write("second")
    anna.sees("second")
    # From the writing field past the buttons to the newest message's menu, up to the one before: an answer.
    for _ in range(4):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.type("third")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="In answer to:").wait_for()
    page.keyboard.press("ArrowUp")
    page.get_by_text("Editing").wait_for()
    page.keyboard.type(", changed")
    page.keyboard.press("Enter")
    boris.sees("third, changed")
    page.get_by_role("button", name="New", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.role") == "menuitem"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "New"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Invite somebody").wait_for()
    for _ in range(12):
        page.keyboard.press("Tab")
        focus = "document.activeElement"
        shown = f"{focus} === document.body || getComputedStyle({focus}).outlineStyle"
        assert page.evaluate(shown) != "none"


def test_the_focus_goes_to_what_is_nearest_where_something_is_drawn_away(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page

    def press(name: str, then: str) -> None:
        page.get_by_role("button", name=name, exact=True).last.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name=then, exact=True).first).to_be_focused()

    choose(page, "hello", "Delete")
    page.get_by_role("button", name="Delete here").focus()
    page.keyboard.press("Enter")
    page.get_by_role("log").get_by_role("article").wait_for(state="detached")
    expect(page.get_by_label("Message", exact=True)).to_be_focused()
    page.get_by_role("button", name="About this chat").click()
    press("They are the same", "Compare by QR code")
    press("Block", "Cancel")
    press("Cancel", "Block")
    press("Block", "Cancel")
    press("Block", "Unblock")
    page.get_by_role("button", name="Settings").click()
    press("Make a link for many people", "Copy")
    press("Revoke", "Make a link for many people")
