"""What people do to a page without meaning harm: far too long, far too many, too large, and no room left."""

import zlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import expect

from skvoz.api.caller import Caller, socket_file
from skvoz.client.commands import Answer, CreateGroup
from tests.browser.people import Visitor, meet
from tests.browser.test_accessible import look_at
from tests.browser.test_files import attached, bring, jpeg, send
from tests.node.test_bad_input import SmallDisk, small_disk

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
LONGEST: Final = 4096
CHATS: Final = 500


def make_groups(home: Path, count: int) -> None:
    """Make groups of one, as a program on the home's socket would."""
    caller = Caller(socket_file(home))
    for number in range(count):
        wish = CreateGroup(client_id=f"group {number}", title=f"Chat {number:03}", members=())
        caller.call("group.create", wish, Answer)


def noise_png(side: int) -> bytes:
    """Return a picture that can't be made smaller: as many bytes as it has colours."""
    steps = [bytes((x * 7 + y * 13) & 255 for x in range(256)) * (side * 3 // 256) for y in range(256)]
    rows = b"".join(b"\0" + steps[y % 256][: side * 3 // 256 * 256 // 3 * 3] for y in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    width = side * 3 // 256 * 256 // 3
    header = width.to_bytes(4) + side.to_bytes(4) + bytes((8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 0))
        + chunk(b"IEND", b"")
    )


def test_long_names_and_words_fit_everywhere(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    page = anna.begin("W" * 60)
    boris.begin("\u202eevil " + "Ж" * 50, anna.link())
    boris.write("x" * LONGEST)
    anna.sees("x" * 200)
    bring(page, "drop", "n" * 200 + ".pdf", "", b"-")
    bring(page, "drop", "photo\u202egpj.exe", "", b"-")
    send(page)
    there = boris.page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(there.nth(1)).to_contain_text("photogpj.exe")
    look_at(page, "long names in a direct chat")
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="New group").click()
    page.get_by_label("Name of the group").fill("G" * 60)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Make the group").click()
    anna.write("hello")
    look_at(page, "a group with a long name")
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("heading", name="2 members").wait_for()
    look_at(page, "about a group with a long name")


def test_a_message_that_is_too_long_is_refused_plainly_and_kept(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    field = page.get_by_label("Message", exact=True)
    anna.write("€" * LONGEST)
    boris.sees("€" * LONGEST)
    too_long = "ы" * (LONGEST + 1)
    anna.write(too_long)
    expect(page.locator(".note")).to_contain_text("4,096 characters at most")
    expect(field).to_have_value(too_long)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    # Even what no draft can hold stays in the field.
    huge = "long words " * 10_000
    field.fill(huge)
    expect(page.locator(".note")).to_contain_text("too long to be kept")
    expect(field).to_have_value(huge)
    field.fill("short")
    field.press("Enter")
    boris.sees("short")


def test_five_hundred_chats(visit: Visit) -> None:
    anna = visit("anna")
    page = anna.begin("Anna")
    page.get_by_role("button", name="Later").click()
    make_groups(anna.folder, CHATS)
    rows = page.locator(".chat-row")
    expect(rows).to_have_count(CHATS)
    page.reload()
    expect(rows).to_have_count(CHATS)
    look_at(page, "five hundred chats")
    page.get_by_text("Chat 000", exact=True).click()
    anna.write("the very first")
    anna.sees("the very first")
    expect(rows.first).to_contain_text("Chat 000")


def test_a_picture_of_sixty_megabytes(visit: Visit, tmp_path: Path) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    picture = tmp_path / "large.png"
    picture.write_bytes(noise_png(4600))
    assert picture.stat().st_size > 60_000_000
    page = anna.page
    page.locator("input[type=file]").set_input_files(str(picture))
    expect(attached(page)).to_contain_text("large.webp")
    expect(attached(page)).not_to_contain_text("Being made ready")
    send(page)
    boris.page.get_by_role("button", name="Fetch the picture large.webp").click()
    boris.page.get_by_role("dialog", name="Picture").get_by_role("img", name="large.webp").wait_for()


@pytest.fixture
def little_disk(tmp_path: Path) -> Generator[SmallDisk]:
    with small_disk(tmp_path / "disk", 8) as disk:
        yield disk


def test_a_full_disk_is_said_and_nothing_is_lost(little_disk: SmallDisk, visit: Visit) -> None:
    anna = visit("anna")
    boris = visit("disk/boris", suggests=False)
    meet(anna, boris)
    page = boris.page
    bring(anna.page, "drop", "photos.zip", "", bytes(3_000_000))
    send(anna.page)
    files = page.get_by_role("list", name="Files").get_by_role("listitem")
    fetch = page.get_by_role("button", name="Download photos.zip")
    fetch.wait_for()
    little_disk.fill(leave_bytes=900_000)
    bring(page, "drop", "mine.zip", "", bytes(2_000_000))
    expect(attached(page)).to_contain_text("the disk is full")
    look_at(page, "a full disk, attaching")
    fetch.click()
    expect(files).to_contain_text("The disk of this machine is full")
    look_at(page, "a full disk, fetching")
    little_disk.free()
    attached(page).get_by_role("button", name="Try again").click()
    expect(attached(page)).to_contain_text("2 MB")
    send(page)
    anna.page.get_by_role("button", name="Download mine.zip").wait_for()
    with page.expect_download() as downloading:
        fetch.click()
    assert Path(downloading.value.path()).stat().st_size == 3_000_000

    little_disk.fill(leave_bytes=0)
    note, field = page.locator(".note"), page.get_by_label("Message", exact=True)
    expect(note).to_be_hidden()
    words: list[str] = []
    while note.is_hidden():
        words.append(f"{len(words)} " + "x" * 3000)
        boris.write(words[-1])
        # Until the node has taken it, or has not.
        expect(page.locator("article:not(:has(.bubble-menu))")).to_have_count(0)
    expect(note).to_contain_text("disk is full")
    expect(field).to_have_value(words[-1])
    look_at(page, "a full disk, writing")
    little_disk.free()
    field.press("Enter")
    for text in words:
        anna.sees(text)
    boris.expect_complaints("507")


def test_a_microphone_that_is_refused(visit: Visit) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    page.evaluate(
        """() => {
          const refuse = () => Promise.reject(new DOMException("", "NotAllowedError"));
          navigator.mediaDevices.getUserMedia = refuse;
        }"""
    )
    page.get_by_label("Message", exact=True).fill("typed instead")
    page.get_by_role("button", name="Record a voice message").click()
    expect(page.locator(".note")).to_contain_text("does not let this page hear it")
    expect(page.get_by_label("Message", exact=True)).to_have_value("typed instead")
    expect(page.get_by_role("timer")).to_have_count(0)


def test_what_is_attached_outlives_the_page(visit: Visit, tmp_path: Path) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page = anna.page
    bring(page, "drop", "small\u202e.bin", "", b"here before the page went")
    bring(page, "paste", "blue.jpg", "image/jpeg", jpeg(page, "blue"))
    rows = attached(page)
    expect(rows.nth(0)).to_contain_text("small.bin")
    expect(rows.nth(1)).to_contain_text("blue.webp")
    expect(page.get_by_text("Being made ready")).to_have_count(0)
    big = tmp_path / "big.bin"
    with big.open("wb") as stream:
        stream.truncate(300_000_000)
    page.locator("input[type=file]").set_input_files(str(big))
    expect(rows.nth(2)).to_contain_text("Being made ready")
    page.reload()
    expect(rows.nth(0)).to_contain_text("small.bin")
    expect(rows.nth(1).locator("img")).to_have_count(1)
    expect(rows.nth(2)).to_contain_text("big.bin")
    expect(rows.nth(2)).to_contain_text("The page was closed before all of it was here.")
    look_at(page, "attached by an earlier page")
    with page.expect_file_chooser() as choosing:
        rows.nth(2).get_by_role("button", name="Choose it again").click()
    choosing.value.set_files(str(big))
    expect(rows.nth(2)).to_contain_text("300 MB")
    anna.stop_node()
    anna.start_node()
    page.get_by_label("Message", exact=True).fill("all three")
    send(page)
    boris.sees("all three")
    files = boris.page.get_by_role("list", name="Files").get_by_role("listitem")
    expect(files).to_have_count(3)
    with boris.page.expect_download() as downloading:
        files.nth(0).get_by_role("button", name="Download").click()
    assert Path(downloading.value.path()).read_bytes() == b"here before the page went"
    # Nothing of it is left in the field, here or after another reload.
    expect(rows).to_have_count(0)
    page.reload()
    anna.sees("all three")
    expect(rows).to_have_count(0)
    anna.expect_complaints("ERR_CONNECTION_REFUSED")
    anna.expect_complaints("WebSocket connection")
