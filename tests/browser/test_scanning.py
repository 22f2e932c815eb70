"""Scanning QR codes: a camera that shows one, none at all, one that is refused, and pictures out of files."""

import io
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from tests.browser.people import Visitor, meet, open_browser
from tests.browser.test_accessible import look_at

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
WIDTH: Final = 640
HEIGHT: Final = 480
FILM: Final = "camera.y4m"


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: a file that a test writes before the camera is used."""
    return tmp_path_factory.mktemp("camera") / FILM


@pytest.fixture(scope="module")
def browser(camera: Path) -> Generator[Browser]:
    with open_browser(f"--use-file-for-fake-video-capture={camera}") as opened:
        yield opened


def show(camera: Path, text: str) -> None:
    """Hold a QR code in front of the camera."""
    rows = segno.make(text, error="l", micro=False).matrix
    points = (HEIGHT - 80) // len(rows)
    light, side = 225, points * len(rows)
    picture = bytearray([light]) * (WIDTH * HEIGHT)
    left, top = (WIDTH - side) // 2, (HEIGHT - side) // 2
    for y, row in enumerate(rows):
        drawn = b"".join(bytes([40 if cell else light]) * points for cell in row)
        for line in range(top + y * points, top + (y + 1) * points):
            picture[line * WIDTH + left : line * WIDTH + left + side] = drawn
    film(camera, bytes(picture))


def cover(camera: Path) -> None:
    """Let the camera see a grey wall."""
    film(camera, bytes([128]) * (WIDTH * HEIGHT))


def film(camera: Path, picture: bytes) -> None:
    """Write what the camera sees from its next start on: one byte of light for each point."""
    frame = b"FRAME\n" + picture + bytes([128]) * (WIDTH * HEIGHT // 2)
    camera.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420\n".encode() + frame * 3)


def png_of(text: str) -> bytes:
    made = io.BytesIO()
    segno.make(text, micro=False).save(made, kind="png", scale=5, light=None)
    return made.getvalue()


def choose(page: Page, content: bytes) -> None:
    page.locator("skvoz-scanner input[type=file]").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": content}
    )


def shown_by(one: Visitor) -> str:
    """Return the code that somebody shows for the only person whom they know."""
    return one.page.evaluate(
        """async () => {
          const { call } = await import("/core/connection.js");
          const { contacts } = await call("contact.list", {});
          const shown = await call("contact.safety_number", { account_id: contacts[0].account_id });
          return shown.code;
        }"""
    )


def test_first_words_through_a_scanned_link(visit: Visit, camera: Path) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    anna.begin("Anna")
    show(camera, anna.link())
    page = boris.open()
    page.get_by_label("Your name").fill("Boris")
    page.get_by_role("button", name="Scan a QR code").click()
    boris.write("hello through the camera")
    anna.sees("hello through the camera")


def test_codes_of_another_kind_are_told_apart(visit: Visit, camera: Path) -> None:
    anna = visit("anna")
    anna.begin("Anna")
    page = anna.page
    show(camera, "https://example.org/")
    page.get_by_role("button", name="Scan a QR code").click()
    alert = page.get_by_role("dialog").get_by_role("alert")
    expect(alert).to_have_text("This code is no invitation to Skvoz.")
    look_at(page, "scanning")
    choose(page, png_of("skvoz-verify:1:AAAA"))
    expect(alert).to_contain_text("for comparing")
    choose(page, png_of("skvoz:AAAA"))
    expect(alert).to_contain_text("damaged")
    choose(page, b"no picture")
    expect(alert).to_have_text("This picture can't be read.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Or paste a link")).to_be_visible()


def test_safety_numbers_are_compared_by_camera(visit: Visit, camera: Path) -> None:
    anna, boris = visit("anna"), visit("boris", suggests=False)
    meet(anna, boris)
    page, dialog = anna.page, anna.page.get_by_role("dialog")
    page.get_by_role("button", name="About this chat").click()
    page.get_by_role("button", name="Compare by QR code").click()
    dialog.get_by_role("img", name="Your code for comparing").wait_for()
    look_at(page, "comparing")
    code = shown_by(boris)
    show(camera, code[:-4] + "AAAA")
    dialog.get_by_role("button", name="Scan theirs").click()
    dialog.get_by_role("heading", name="Not the same").wait_for()
    look_at(page, "not the same")
    expect(page.get_by_role("button", name="They are the same")).to_have_count(1)
    show(camera, code)
    dialog.get_by_role("button", name="Scan again").click()
    dialog.get_by_role("heading", name="The same").wait_for()
    look_at(page, "the same")
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="It is different now")).to_have_count(1)
    # One's own code, as out of a picture of one's own screen; the camera would find the other one first.
    cover(camera)
    page.get_by_role("button", name="Compare by QR code").click()
    dialog.get_by_role("button", name="Scan theirs").click()
    choose(page, png_of(shown_by(anna)))
    expect(dialog.get_by_role("alert")).to_contain_text("your own code")


def test_a_camera_that_is_refused_busy_or_missing(visit: Visit) -> None:
    for name, words in (
        ("NotAllowedError", "does not let this page use the camera"),
        ("NotReadableError", "busy"),
        ("NotFoundError", "no camera here"),
    ):
        anna = visit(f"anna {name}")
        page = anna.open()
        page.evaluate(
            """(name) => {
              navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
            }""",
            name,
        )
        page.get_by_role("button", name="Scan a QR code").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(words)
        expect(page.get_by_role("button", name="From a picture…")).to_be_visible()
        page.get_by_role("button", name="Close").click()
        expect(page.get_by_label("A link from somebody")).to_be_visible()
